// One text for one JSON value, whatever the order in which its members were written (as RFC 8785 sorts them).
import { isJsonObject, type JsonValue } from './json.ts'

export function canonicalJson(value: JsonValue): string {
  // Narrowing a readonly array needs a hand.
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map(canonicalJson).join(',')}]`
  if (!isJsonObject(value)) return JSON.stringify(value)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, inner]: [string, JsonValue]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`
}

/** Equal as JSON; undefined, for what is absent, equals itself alone. */
export function sameJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return canonicalJson(a) === canonicalJson(b)
}
