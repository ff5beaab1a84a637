// JSON.parse takes the last of two members of one name, another reader may take the first; signed input must not have two.
import type { JsonValue } from './json.ts'

/**
 * Parses JSON in which no object names a member twice, escapes considered.
 *
 * @throws {SyntaxError} not JSON, or a member twice.
 */
export function parseStrictJson(text: string): JsonValue {
  // JSON.parse returns nothing but JSON values.
  const value = JSON.parse(text) as JsonValue
  // A member that came twice comes back once: what most programs write needs no second look.
  if (JSON.stringify(value) !== text) requireUniqueMembers(text)
  return value
}

/** `text` is known to be JSON, so that only strings, brackets and commas need to be told apart. */
function requireUniqueMembers(text: string): void {
  const open: (Set<string> | undefined)[] = []
  let nameComes = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"') {
      const end = endOfString(text, at)
      const names = open.at(-1)
      if (nameComes && names) addName(names, JSON.parse(text.slice(at, end)))
      nameComes = false
      at = end - 1
    } else if (char === '{') {
      open.push(new Set())
      nameComes = true
    } else if (char === '[') {
      open.push(undefined)
      nameComes = false
    } else if (char === '}' || char === ']') {
      open.pop()
      nameComes = false
    } else if (char === ',') nameComes = open.at(-1) !== undefined
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

function addName(names: Set<string>, name: string): void {
  if (names.has(name)) throw new SyntaxError('an object names a member twice')
  names.add(name)
}
