// PATCH on documents: given members replace, `null` removes.
import type { JsonObject, JsonValue } from '../../lib/json.ts'

export function applyPatch(document: JsonObject, patch: Readonly<Record<string, unknown>>): JsonObject {
  const next = new Map<string, JsonValue>(Object.entries(document))
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) next.delete(key)
    // A body was parsed from JSON, so that its members are JSON values.
    else if (value !== undefined) next.set(key, value as JsonValue)
  }
  return Object.fromEntries(next)
}

/** A validated body as a document: members that are undefined are left out. */
export const withoutNulls = (body: Readonly<Record<string, unknown>>): JsonObject => applyPatch({}, body)
