// When the identity that a session came in by was added to its user.
import { isJsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Artifact } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'

export interface SessionOfClient {
  readonly userId: string
  readonly clientId: string
  /** As this client's ID tokens carry it. */
  readonly sid: string
}

/**
 * Undefined when the session is over, or came in by the identity that the user was made with: that one was never added.
 */
export async function identityAddedAt(
  repositories: Repositories,
  { userId, clientId, sid }: SessionOfClient,
): Promise<EpochSeconds | undefined> {
  const sessions = await repositories.artifacts.listOfUser('Session', userId)
  const key = sessions.find((session) => sidOf(session, clientId) === sid)?.identityKey
  if (key === undefined) return undefined
  // Connection ids hold no pipe, subjects may.
  const cut = key.indexOf('|')
  const identity = await repositories.identities.find(key.slice(0, cut), key.slice(cut + 1))
  if (identity === undefined || identity.userId !== userId || identity.position === 0) return undefined
  const link = await repositories.links.findStandingOfIdentity(userId, identity.connectionId, identity.subject)
  return link?.createdAt ?? identity.createdAt
}

function sidOf({ payload: { authorizations } }: Artifact, clientId: string): unknown {
  const entry = isJsonObject(authorizations) ? authorizations[clientId] : undefined
  return isJsonObject(entry) ? entry.sid : undefined
}
