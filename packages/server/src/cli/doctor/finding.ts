// One thing that was looked at, and what to do about it.

export interface Finding {
  readonly verdict: 'ok' | 'warn' | 'fail'
  readonly what: string
  readonly found: string
  readonly mend?: string
}

export const ok = (what: string, found: string): Finding => ({ verdict: 'ok', what, found })
export const warn = (what: string, found: string, mend: string): Finding => ({ verdict: 'warn', what, found, mend })
export const fail = (what: string, found: string, mend: string): Finding => ({ verdict: 'fail', what, found, mend })

const WHAT_WIDTH = 24

export const render = ({ verdict, what, found, mend }: Finding): readonly string[] => [
  `${verdict.padEnd(5)} ${what.padEnd(WHAT_WIDTH)} ${found}`,
  ...(mend === undefined ? [] : [`      ${''.padEnd(WHAT_WIDTH)} → ${mend}`]),
]
