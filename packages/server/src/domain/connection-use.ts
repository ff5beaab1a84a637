// Whether a client may send people to a connection.
import { isJsonObject, type JsonObject } from '../lib/json.ts'

export type ConnectionRefusal = 'unknown' | 'inactive' | 'not_enabled'

/** Why this connection cannot sign people in for this client; undefined when it can. */
export function connectionRefusal(document: JsonObject | undefined, enabled: boolean): ConnectionRefusal | undefined {
  if (document === undefined) return 'unknown'
  if (!isActive(document, 'authentication', true)) return 'inactive'
  return enabled ? undefined : 'not_enabled'
}

/** `authentication.active` (default true) or `connected_accounts.active` (default false) of a connection document. */
export function isActive(
  document: JsonObject,
  purpose: 'authentication' | 'connected_accounts',
  fallback: boolean,
): boolean {
  const section = document[purpose]
  return isJsonObject(section) && typeof section.active === 'boolean' ? section.active : fallback
}
