// Reads members of a JSON object that was validated when it was written, with a fallback for what it does not say.
import { isJsonObject, type JsonObject, type JsonValue, stringsOf } from './json.ts'

export interface JsonReader {
  readonly text: (key: string) => string | undefined
  readonly number: (key: string) => number | undefined
  readonly flag: (key: string, fallback: boolean) => boolean
  readonly strings: (key: string) => readonly string[] | undefined
  readonly objects: (key: string) => readonly JsonReader[]
  /** A nested object; an empty one when there is none. */
  readonly group: (key: string) => JsonReader
  readonly has: (key: string) => boolean
  /** One of `words`, or `words[0]`. */
  readonly word: <const T extends string>(key: string, words: readonly [T, ...T[]]) => T
}

/** Values of another type than asked count as absent. */
export function readJson(object: JsonObject): JsonReader {
  const at = (key: string): JsonValue | undefined => (Object.hasOwn(object, key) ? object[key] : undefined)
  const text = (key: string) => {
    const value = at(key)
    return typeof value === 'string' ? value : undefined
  }
  return {
    text,
    number: (key) => {
      const value = at(key)
      return typeof value === 'number' ? value : undefined
    },
    flag: (key, fallback) => {
      const value = at(key)
      return typeof value === 'boolean' ? value : fallback
    },
    strings: (key) => (Array.isArray(at(key)) ? stringsOf(at(key)) : undefined),
    objects: (key) => {
      const value = at(key)
      return Array.isArray(value) ? value.filter(isJsonObject).map(readJson) : []
    },
    group: (key) => {
      const value = at(key)
      return readJson(isJsonObject(value) ? value : {})
    },
    has: (key) => at(key) !== undefined && at(key) !== null,
    word: (key, words) => words.find((word) => word === at(key)) ?? words[0],
  }
}
