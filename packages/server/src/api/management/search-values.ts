// What the values of a search mean: texts, numbers, flags, instants.

import { LuceneError, type LuceneTerm, type LuceneValue, parseLucene } from '../../domain/lucene.ts'
import type { Bound, NumberMatch, Search, TextMatch } from '../../domain/search.ts'
import { allOf, anyOf, EVERYTHING, NOTHING } from '../../domain/search.ts'
import { invalidQuery } from '../refusal.ts'

/** Members below a document, one inside the other. */
export const MAX_PATH = 8

/**
 * Reads a search and gives each term its meaning.
 *
 * @param joinAll what becomes of parts that AND joins.
 * @throws {ApiRefusal} 400 `invalid_query_string`.
 */
export function readSearch<Test>(
  q: string,
  meaningOf: (term: LuceneTerm) => Search<Test>,
  joinAll: (parts: readonly Search<Test>[]) => readonly Search<Test>[] = (parts) => parts,
): Search<Test> {
  if (q.trim() === '') return EVERYTHING
  const translate = (search: Search<LuceneTerm>): Search<Test> => {
    if (search.kind === 'test') return meaningOf(search.test)
    if (search.kind === 'not') return { kind: 'not', of: translate(search.of) }
    const parts = search.of.map(translate)
    if (search.kind === 'any') return anyOf(parts)
    return allOf(joinAll(parts.flatMap((part) => (part.kind === 'all' ? part.of : [part]))))
  }
  return translate(parse(q))
}

function parse(q: string): Search<LuceneTerm> {
  try {
    return parseLucene(q)
  } catch (error) {
    if (!(error instanceof LuceneError)) throw error
    throw invalidQuery(`The search is not valid: ${error.message}.`, 'q')
  }
}

export const existing = { kind: 'exists' } as const

export function textMatch(value: LuceneValue): TextMatch {
  switch (value.kind) {
    case 'text':
      return { kind: 'is', text: value.text }
    case 'wildcard':
      return { kind: 'like', parts: value.parts }
    case 'range':
      return { ...value, kind: 'within' }
    case 'exists':
      return existing
  }
}

type ToSearch<Test> = (match: NumberMatch) => Search<Test>

export function numberSearch<Test>(value: LuceneValue, of: ToSearch<Test>): Search<Test> {
  if (value.kind === 'exists') return of(existing)
  if (value.kind === 'text') return exactly(numberOf(value.text), of)
  if (value.kind === 'wildcard') throw malformed('a number takes no wildcards')
  const bound = (given: Bound<string> | undefined) =>
    given && { value: numberOf(given.value), inclusive: given.inclusive }
  const [from, to] = [bound(value.from), bound(value.to)]
  return of({ kind: 'within', ...(from && { from }), ...(to && { to }) })
}

/** A word other than true and false is neither. */
export function flagSearch<Test>(value: LuceneValue, of: ToSearch<Test>): Search<Test> {
  if (value.kind !== 'text') throw malformed('a flag is true or false')
  if (value.text !== 'true' && value.text !== 'false') return NOTHING
  return exactly(value.text === 'true' ? 1 : 0, of)
}

function exactly<Test>(value: number, of: ToSearch<Test>): Search<Test> {
  const bound = { value, inclusive: true }
  return of({ kind: 'within', from: bound, to: bound })
}

function numberOf(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw malformed('a whole number is expected')
  return Number(text)
}

/** An instant that is written short is the whole year, month, day or minute. */
export function instantSearch<Test>(value: LuceneValue, of: ToSearch<Test>): Search<Test> {
  if (value.kind === 'exists') return of(existing)
  if (value.kind === 'wildcard') throw malformed('a date takes no wildcards')
  if (value.kind === 'text') {
    const { from, until } = spanOf(value.text)
    return of({ kind: 'within', from: { value: from, inclusive: true }, to: { value: until, inclusive: false } })
  }
  // `{a` begins behind all of a, `a]` ends behind it; `[a` begins with it, `a}` ends before.
  const from = value.from && { value: edgeOf(value.from, !value.from.inclusive), inclusive: true }
  const to = value.to && { value: edgeOf(value.to, value.to.inclusive), inclusive: false }
  return of({ kind: 'within', ...(from && { from }), ...(to && { to }) })
}

const edgeOf = ({ value }: Bound<string>, behind: boolean): number =>
  behind ? spanOf(value).until : spanOf(value).from

const DATE = /^([1-9]\d{3})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/

/** Epoch seconds: the first of the span, and the first behind it. */
function spanOf(text: string): { readonly from: number; readonly until: number } {
  const [, year, month, day, hour, minute, second, zone = 'Z'] = DATE.exec(text) ?? []
  if (year === undefined) throw malformed('a date is expected, such as 2030-12-31 or 2030-12-31T23:59:59Z')
  const start = `${year}-${month ?? '01'}-${day ?? '01'}T${hour ?? '00'}:${minute ?? '00'}:${second ?? '00'}`
  const from = Date.parse(`${start}${zone}`) / 1000
  // `Date` takes the 31st of February for the 3rd of March.
  const isReal = Number.isFinite(from) && new Date(`${start}Z`).toISOString().startsWith(start)
  if (!isReal) throw malformed('a date is expected that there is')
  return { from, until: endOf({ from, year, month, day, hour, second }) }
}

interface Given {
  readonly from: number
  readonly year: string
  readonly month: string | undefined
  readonly day: string | undefined
  readonly hour: string | undefined
  readonly second: string | undefined
}

function endOf({ from, year, month, day, hour, second }: Given): number {
  if (second !== undefined) return from + 1
  if (hour !== undefined) return from + 60
  if (day !== undefined) return from + 86_400
  if (month !== undefined) return Date.UTC(Number(year), Number(month), 1) / 1000
  return Date.UTC(Number(year) + 1, 0, 1) / 1000
}

const malformed = (expected: string) => invalidQuery(`The search is not valid: ${expected}.`, 'q')
