// How a new user gets its `user_id`, which is stored and never changes (linking.md §1).
import type { Connection } from './connection.ts'
import { fullUserId } from './connection.ts'

/** The id that SDK users expect: `provider|subject` of the user's first identity. */
export const plainUserId = (connection: Pick<Connection, 'strategy' | 'name'>, subject: string): string =>
  fullUserId(connection, subject)

/** The id of a user whose plain id was given to somebody before. `~` stands unescaped in a URL. */
export const suffixedUserId = (plainId: string, suffix: string): string => `${plainId}~${suffix}`

/** The last thing that held a plain id, as far as giving the id back is concerned. */
export interface PlainIdHistory {
  /** False when the id was never given to anybody. */
  readonly given: boolean
  /** The first identity of the user that had the id and was merged away; undefined when that user was deleted or lives. */
  readonly retiredIdentity: { readonly connectionId: string; readonly subject: string } | undefined
}

/**
 * Whether a user made by unlinking gets the plain id: nobody else may ever have had it, because tokens, logs and rows
 * outside of this server still name it.
 */
export function mayTakePlainId(
  history: PlainIdHistory,
  identity: { readonly connectionId: string; readonly subject: string },
): boolean {
  if (!history.given) return true
  const { retiredIdentity } = history
  return retiredIdentity?.connectionId === identity.connectionId && retiredIdentity.subject === identity.subject
}
