// The grant that a person's yes makes, in the engine's own form.
import { newId } from '../crypto/hashing.ts'
import { isString, type JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Session } from '../sessions/sessions.ts'
import type { Repositories } from '../storage/storage.ts'
import { type AudienceAnswer, findAudience, resourceToAudience } from './audience.ts'
import { FOREVER_SECONDS } from './lifetimes.ts'
import { fromEngineScope, OIDC_SCOPES, splitScope } from './scopes.ts'

export interface ConsentedRequest {
  /** Parameters of the authorization request, as the engine keeps them. */
  readonly interaction: JsonObject
  readonly clientId: string
  readonly session: Pick<Session, 'userId' | 'identityKey'>
}

export interface Grantable {
  /** OpenID scopes and those of the audience, as they were asked; under the engine's names. */
  readonly scopes: readonly string[]
  readonly openid: readonly string[]
  readonly audience: Exclude<AudienceAnswer, { kind: 'unknown' }> | undefined
}

/** What of a request a person may be asked to grant: what exists, and what the client may have there. */
export async function grantableOf(
  repositories: Repositories,
  { interaction, clientId }: Pick<ConsentedRequest, 'interaction' | 'clientId'>,
  issuer: string,
): Promise<Grantable> {
  const { scope, resource } = interaction
  const asked = splitScope(isString(scope) ? scope : undefined)
  const openid = asked.filter((one) => OIDC_SCOPES.includes(one))
  if (!isString(resource)) return { scopes: openid, openid, audience: undefined }
  const identifier = resourceToAudience(resource)
  const found = await findAudience(repositories, { identifier, clientId, subjectType: 'user', issuer })
  const audience = found.kind === 'unknown' ? ({ kind: 'not_granted' } as const) : found
  const has = audience.kind === 'found' ? audience.scopes : []
  return { scopes: asked.filter((one) => openid.includes(one) || has.includes(one)), openid, audience }
}

/**
 * Writes a grant of what the request asked for and its audience has; it lasts until somebody ends it, or for `seconds`.
 *
 * @returns its id.
 */
export async function grantConsent(
  tx: Repositories,
  { interaction, clientId, session }: ConsentedRequest,
  { issuer, at, seconds = FOREVER_SECONDS }: { issuer: string; at: EpochSeconds; seconds?: number },
): Promise<string> {
  const { resource } = interaction
  const { openid, scopes, audience } = await grantableOf(tx, { interaction, clientId }, issuer)
  const resourceScopes = audience?.kind === 'found' ? scopes : []
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
      openid: { scope: openid.join(' ') },
      ...(isString(resource) ? { resources: { [resource]: resourceScopes.join(' ') } } : {}),
      ...(session.identityKey === undefined ? {} : { identity: session.identityKey }),
      iat: at,
      exp: at + seconds,
    },
    createdAt: at,
    expiresAt: at + seconds,
    consumedAt: undefined,
    successorEnvelope: undefined,
    identityKey: session.identityKey,
  })
  return grantId
}

/** Scopes of an authorization request under the names that people and clients know. */
export const plainScopes = (scope: string): readonly string[] => splitScope(fromEngineScope(scope))
