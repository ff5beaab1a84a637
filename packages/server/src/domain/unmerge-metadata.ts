// Takes back what a merge wrote into a document, and leaves what others wrote since.
import { sameJson } from '../lib/canonical-json.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts'

export interface TakenBack {
  readonly document: JsonObject
  /** Paths that the merge wrote and somebody has written since: they stay as they are. */
  readonly changed: readonly string[]
}

/** @param before before the merge. @param after what the merge made of it. @param now what stands. */
export function takeBackDocument(before: JsonObject, after: JsonObject, now: JsonObject): TakenBack {
  const kept = new Map<string, JsonValue>()
  const changed: string[] = []
  // The order of before, so that what nobody touched is as it was.
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const value = takeBack(own(before, key), own(after, key), own(now, key))
    if (value.kept !== undefined) kept.set(key, value.kept)
    changed.push(...value.changed.map((path) => (path === '' ? key : `${key}.${path}`)))
  }
  return { document: Object.fromEntries(kept), changed }
}

function takeBack(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  now: JsonValue | undefined,
): { readonly kept: JsonValue | undefined; readonly changed: readonly string[] } {
  if (sameJson(now, after)) return { kept: before, changed: [] }
  if (sameJson(before, after)) return { kept: now, changed: [] }
  if (isJsonObject(before ?? {}) && isJsonObject(after) && isJsonObject(now)) {
    const { document, changed } = takeBackDocument(isJsonObject(before) ? before : {}, after, now)
    const isEmpty = before === undefined && Object.keys(document).length === 0
    return { kept: isEmpty ? undefined : document, changed }
  }
  return { kept: now, changed: [''] }
}

const own = (object: JsonObject, key: string): JsonValue | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined
