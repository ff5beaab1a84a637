// A search as data: how it is written, and whether it holds for a user as the API shows one. Knows nothing of the server's
// own reading of searches.
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/lib/json.ts'

export type Query =
  | { readonly field: readonly string[]; readonly value: Value }
  | { readonly all: readonly Query[] }
  | { readonly any: readonly Query[] }
  | { readonly not: Query }

interface Ends<T> {
  readonly from: T | null
  readonly to: T | null
  /** The lower end is not part of it, nor the upper one. */
  readonly open: boolean
  readonly closed: boolean
}

export type Value =
  | { readonly kind: 'text' | 'flag'; readonly text: string }
  | { readonly kind: 'wildcard'; readonly parts: readonly string[] }
  | { readonly kind: 'exists' }
  | ({ readonly kind: 'range' | 'when' } & Ends<string>)
  | ({ readonly kind: 'number' } & Ends<number>)

export function textOf(query: Query): string {
  if ('all' in query) return `(${query.all.map(textOf).join(' AND ')})`
  if ('any' in query) return `(${query.any.map(textOf).join(' OR ')})`
  if ('not' in query) return `NOT ${textOf(query.not)}`
  const field = query.field.map((name) => name.replaceAll(' ', '\\ ')).join('.')
  return query.value.kind === 'exists' ? `_exists_:${field}` : `${field}:${valueText(query.value)}`
}

const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`

function valueText(value: Exclude<Value, { kind: 'exists' }>): string {
  if ('text' in value) return quoted(value.text)
  if ('parts' in value) return value.parts.join('*')
  const end = (given: string | number | null) => (given === null ? '*' : quoted(String(given)))
  return `${value.open ? '{' : '['}${end(value.from)} TO ${end(value.to)}${value.closed ? '}' : ']'}`
}

export function holds(query: Query, user: JsonObject): boolean {
  if ('any' in query) return query.any.some((part) => holds(part, user))
  if ('not' in query) return !holds(query.not, user)
  if (!('all' in query)) return query.field[0] === 'identities' ? someIdentity([query], user) : test(query, user)
  // What AND joins, however it is bracketed, is said of one identity.
  const parts = flat(query)
  const ofIdentity = parts.filter(isOfIdentity)
  return (
    parts.filter((part) => !isOfIdentity(part)).every((part) => holds(part, user)) &&
    (ofIdentity.length === 0 || someIdentity(ofIdentity, user))
  )
}

type Leaf = Extract<Query, { field: unknown }>

const flat = (query: Query): readonly Query[] => {
  if ('all' in query) return query.all.flatMap(flat)
  // One choice is no choice.
  if ('any' in query && query.any.length === 1) return query.any.flatMap(flat)
  return [query]
}

const isOfIdentity = (query: Query): query is Leaf => 'field' in query && query.field[0] === 'identities'

function someIdentity(leaves: readonly Leaf[], user: JsonObject): boolean {
  const identities = Array.isArray(user.identities) ? user.identities : []
  return identities.some((identity: JsonObject) =>
    leaves.every(({ field, value }) => valuesAt(identity, field.slice(1)).some((one) => matches(one, value))),
  )
}

function test({ field, value }: Leaf, user: JsonObject): boolean {
  const [first = ''] = field
  const name = field.join('.')
  if (first === 'user_metadata' || first === 'app_metadata')
    return valuesAt(user, field).some((one) => matches(one, value))
  const shown = shownValue(name, user)
  if (shown === undefined) return false
  const isCaseless = ['email', 'email.domain', 'name', 'nickname'].includes(name)
  return isCaseless && typeof shown === 'string' ? matches(lower(shown), lowered(value)) : matches(shown, value)
}

function shownValue(name: string, user: JsonObject): JsonValue | undefined {
  if (name === 'blocked') return user.blocked ?? false
  if (name !== 'email.domain') return user[name]
  const domain = typeof user.email === 'string' ? user.email.split('@')[1] : undefined
  // Not a domain, so that the address is none.
  return domain?.includes('_') ? undefined : domain
}

const lower = (text: string): string => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())

// A value of the same kind.
const lowered = (value: Value): Value =>
  JSON.parse(JSON.stringify(value), (key, inner) =>
    typeof inner === 'string' && key !== 'kind' ? lower(inner) : inner,
  ) as Value

/** Members along the path; an array stands for its elements, one level deep. */
function valuesAt(value: JsonValue | undefined, path: readonly string[]): readonly JsonValue[] {
  if (value === undefined) return []
  const elements: readonly JsonValue[] = Array.isArray(value) ? value : [value]
  const [name, ...rest] = path
  if (name === undefined) return elements
  return elements.flatMap((one) => (isJsonObject(one) && Object.hasOwn(one, name) ? valuesAt(one[name], rest) : []))
}

function matches(found: JsonValue, value: Value): boolean {
  switch (value.kind) {
    case 'exists':
      return found !== null
    case 'flag':
      return String(found) === value.text
    case 'text':
      if (typeof found === 'number') return isNumber(value.text) && Number(value.text) === found
      return typeof found === 'object' ? false : String(found) === value.text
    case 'wildcard':
      return typeof found === 'string' && pattern(value.parts).test(found)
    case 'number':
      return typeof found === 'number' && isWithin(found, value, (a, b) => a - b)
    case 'when':
      return typeof found === 'string' && isDuring(found, value)
    case 'range':
      return inRange(found, value)
  }
}

const isNumber = (text: string): boolean => /^-?\d+(\.\d+)?$/.test(text)

const pattern = (parts: readonly string[]) =>
  new RegExp(`^${parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`, 's')

function inRange(found: JsonValue, value: Ends<string>): boolean {
  if (typeof found === 'string') return isWithin(found, value, (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  if (typeof found !== 'number') return false
  if (![value.from, value.to].every((end) => end === null || isNumber(end))) return false
  const ends = {
    from: value.from === null ? null : Number(value.from),
    to: value.to === null ? null : Number(value.to),
  }
  return isWithin(found, { ...value, ...ends }, (a, b) => a - b)
}

function isWithin<T>(found: T, { from, to, open, closed }: Ends<T>, compare: (a: T, b: T) => number): boolean {
  const isAbove = from === null || (open ? compare(found, from) > 0 : compare(found, from) >= 0)
  return isAbove && (to === null || (closed ? compare(found, to) < 0 : compare(found, to) <= 0))
}

/** Ends that are written short are whole years, days, minutes: what is shown begins with them, or comes before or after. */
function isDuring(found: string, { from, to, open, closed }: Ends<string>): boolean {
  const at = Date.parse(found)
  const isAbove = from === null || (open ? at >= spanOf(from)[1] : at >= spanOf(from)[0])
  return isAbove && (to === null || (closed ? at < spanOf(to)[0] : at < spanOf(to)[1]))
}

/** The dates that the searches use; the first millisecond, and the first behind. */
function spanOf(text: string): readonly [number, number] {
  const spans: Readonly<Record<string, readonly [string, string]>> = {
    '2027': ['2027-01-01', '2028-01-01'],
    '2027-01': ['2027-01-01', '2027-02-01'],
    '2027-02': ['2027-02-01', '2027-03-01'],
    '2027-01-15': ['2027-01-15', '2027-01-16'],
    '2027-01-16': ['2027-01-16', '2027-01-17'],
    '2027-01-15T08:00': ['2027-01-15T08:00:00Z', '2027-01-15T08:01:00Z'],
    '2027-01-15T08:00:00Z': ['2027-01-15T08:00:00Z', '2027-01-15T08:00:01Z'],
    '2027-01-15T09:00:59+01:00': ['2027-01-15T08:00:59Z', '2027-01-15T08:01:00Z'],
  }
  const [from, until] = spans[text] ?? ['', '']
  return [Date.parse(from), Date.parse(until)]
}
