// JSON from outside without what would do harm later: names, characters, depth.
import type { JsonValue } from './json.ts'

const MAX_DEPTH = 32

/** Names that reach a prototype where objects are merged carelessly (T-API-06). */
const HARMFUL_NAMES = new Set(['__proto__', 'constructor', 'prototype'])

/** PostgreSQL keeps no NUL, and no encoding holds half a surrogate pair. */
export const isCleanText = (text: string): boolean => !text.includes('\0') && text.isWellFormed()

/** What is wrong with it, as a sentence. Walks without recursion: a body may be nested as deep as it is long. */
export function harmIn(root: JsonValue): string | undefined {
  const open: { readonly value: JsonValue; readonly depth: number }[] = [{ value: root, depth: 0 }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next
    if (typeof value === 'string' && !isCleanText(value)) return 'A text holds characters that no text has.'
    if (typeof value !== 'object' || value === null) continue
    if (depth >= MAX_DEPTH) return 'The body is nested too deeply.'
    for (const [name, inner] of Object.entries(value)) {
      if (HARMFUL_NAMES.has(name) || !isCleanText(name)) return 'A member has a name that is not allowed.'
      open.push({ value: inner, depth: depth + 1 })
    }
  }
  return undefined
}
