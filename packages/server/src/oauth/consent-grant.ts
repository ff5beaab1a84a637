// The grant that a person's yes makes, in the engine's own form.
import { newId } from '../crypto/hashing.ts'
import { isString, type JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Session } from '../sessions/sessions.ts'
import type { Repositories } from '../storage/storage.ts'
import { findAudience, resourceToAudience } from './audience.ts'
import { FOREVER_SECONDS } from './lifetimes.ts'
import { fromEngineScope, OIDC_SCOPES, splitScope } from './scopes.ts'

export interface ConsentedRequest {
  /** Parameters of the authorization request, as the engine keeps them. */
  readonly interaction: JsonObject
  readonly clientId: string
  readonly session: Session
}

/** Writes a grant of what the request asked for and its audience has. @returns its id. */
export async function grantConsent(
  tx: Repositories,
  { interaction, clientId, session }: ConsentedRequest,
  { issuer, at }: { issuer: string; at: EpochSeconds },
): Promise<string> {
  const { scope, resource } = interaction
  const asked = splitScope(isString(scope) ? scope : undefined)
  const openid = asked.filter((one) => OIDC_SCOPES.includes(one)).join(' ')
  const audience = isString(resource)
    ? await findAudience(tx, { identifier: resourceToAudience(resource), clientId, subjectType: 'user', issuer })
    : undefined
  const resourceScopes =
    audience?.kind === 'found' ? asked.filter((one) => OIDC_SCOPES.includes(one) || audience.scopes.includes(one)) : []
  const grantId = newId('', 43)
  await tx.artifacts.put({
    kind: 'Grant',
    idHash: grantId,
    uid: undefined,
    grantId: undefined,
    userId: session.userId,
    clientId,
    payload: {
      kind: 'Grant',
      accountId: session.userId,
      clientId,
      openid: { scope: openid },
      ...(isString(resource) ? { resources: { [resource]: resourceScopes.join(' ') } } : {}),
      ...(session.identityKey === undefined ? {} : { identity: session.identityKey }),
      iat: at,
      exp: at + FOREVER_SECONDS,
    },
    createdAt: at,
    expiresAt: at + FOREVER_SECONDS,
    consumedAt: undefined,
    successorEnvelope: undefined,
    identityKey: session.identityKey,
  })
  return grantId
}

/** Scopes of an authorization request under the names that people and clients know. */
export const plainScopes = (scope: string): readonly string[] => splitScope(fromEngineScope(scope))
