// Where a profile's facts come from, what of them is not sure, and what the provider has announced.

export interface Evidence {
  /** Pages of the vendor. */
  readonly pages: readonly string[]
  /** `vendor`: read in the vendor's own words. `recalled`: known, and not read again. */
  readonly refresh: 'vendor' | 'recalled'
  readonly confidence: 'high' | 'medium'
  /** `YYYY-MM`, when it was last compared with those pages. */
  readonly checked: string
  /** Facts that should be read again before one relies on them. */
  readonly uncertain: readonly string[]
  /** What somebody who sets up a connection should know, and no field says. */
  readonly notes: readonly string[]
  readonly changes: readonly DatedChange[]
}

/** A change of behaviour that the provider has announced. */
export interface DatedChange {
  /** `YYYY-MM-DD`; `undefined`: no day was named. */
  readonly date: string | undefined
  readonly what: string
  readonly source: string
}
