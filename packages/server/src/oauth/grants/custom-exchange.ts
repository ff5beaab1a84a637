// An app brings a token that a trusted provider made for a person, and gets ours for the user whose identity that is. What
// kind of token is believed, and by whose keys, a token-exchange profile of the operator's says (docs/notes/token-exchange.md).
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { sha256Hex } from '../../crypto/hashing.ts'
import type { User } from '../../domain/user.ts'
import { audienceToResource } from '../audience.ts'
import { grantableOf, grantConsent } from '../consent-grant.ts'
import { requiredProof, tokenTypeOf } from '../dpop.ts'
import type { EngineDeps } from '../engine.ts'
import { ACCESS_TOKEN_TYPE } from '../exchange-request.ts'
import { HOUR_SECONDS } from '../lifetimes.ts'
import { ENGINE_OFFLINE_ACCESS } from '../scopes.ts'
import { issueAccess, issueIdToken, issueRefresh } from './issue.ts'
import { type RefreshTarget, resourceInfoOf } from './refresh-target.ts'
import { type ExchangeTrail, type OwnExchange, requireWithinLimit } from './token-exchange.ts'

export async function customExchange(
  provider: Provider,
  ctx: KoaContextWithOIDC,
  deps: EngineDeps,
  request: OwnExchange,
  trail: ExchangeTrail,
): Promise<object> {
  const dpop = await requiredProof(provider, ctx, deps)
  const { user, identityKey } = await requireUser(deps, request, trail)
  await requireWithinLimit(ctx, deps, trail, { clientId: request.client.clientId, userId: user.userId })
  if (request.client.publicClient) await requireFirstUse(deps, request, trail)
  const target = await targetOf(deps, request)
  trail.data.scopes = target.scopes
  const refreshes = target.scopes.includes(ENGINE_OFFLINE_ACCESS)
  const grantId = await grantFor(deps, request, target, { userId: user.userId, identityKey }, refreshes)
  const source = { accountId: user.userId, grantId, gty: 'token_exchange', authTime: deps.clock() }
  const access = await issueAccess(provider, ctx, source, target, dpop?.thumbprint)
  return {
    access_token: access.value,
    issued_token_type: ACCESS_TOKEN_TYPE,
    ...(refreshes ? { refresh_token: await issueRefresh(provider, ctx, source, target, dpop?.thumbprint) } : {}),
    ...(target.scopes.includes('openid') ? { id_token: await issueIdToken(provider, ctx, source, target, user) } : {}),
    token_type: tokenTypeOf(dpop),
    expires_in: access.expiresIn,
    scope: target.scopes.join(' '),
  }
}

interface Found {
  readonly user: User
  readonly identityKey: string
}

/** Which check failed is nobody's business outside; the operator finds it in the log. */
async function requireUser(deps: EngineDeps, request: OwnExchange, trail: ExchangeTrail): Promise<Found> {
  const { library, storage } = deps
  const { client, subjectToken, subjectTokenType } = request
  const proven = await deps.proveSubject({ clientId: client.clientId, type: subjectTokenType, token: subjectToken })
  if (proven.kind === 'refused') {
    trail.data.reason = proven.reason
    throw new library.errors.InvalidGrant('subject_token is not valid')
  }
  const { userId, connectionId, subject } = proven.identity
  Object.assign(trail, { userId, connectionId })
  const user = await storage.users.find(userId)
  if (user === undefined || user.blocked) throw new library.errors.InvalidGrant('user is blocked')
  if ((await storage.agentStops.find(userId, client.clientId)) !== undefined)
    throw new library.errors.AccessDenied('The user has stopped this client.')
  return { user, identityKey: `${connectionId}|${subject}` }
}

/** Longer than a subject token is taken after it was made. */
const SUBJECT_TOKEN_SECONDS = 900

/**
 * For a client without a secret the token is the whole proof: whoever reads it later in a log gets nothing for it. What was
 * signed is remembered, for one signature can be written in several ways.
 */
async function requireFirstUse(
  { library, storage, clock }: EngineDeps,
  { subjectToken }: OwnExchange,
  trail: ExchangeTrail,
): Promise<void> {
  const signed = subjectToken.slice(0, subjectToken.lastIndexOf('.'))
  const mark = { idHash: sha256Hex(`subject-token ${signed}`), expiresAt: clock() + SUBJECT_TOKEN_SECONDS }
  if (await storage.transaction((tx) => tx.replays.insertOnce(mark))) return
  trail.data.reason = 'token_replayed'
  throw new library.errors.InvalidGrant('subject_token is not valid')
}

async function targetOf(deps: EngineDeps, request: OwnExchange): Promise<RefreshTarget> {
  const { errors } = deps.library
  const { client, audience: identifier } = request
  const uri = identifier === undefined ? undefined : audienceToResource(identifier)
  const { scopes, audience } = await grantableOf(deps.storage, interactionOf(request, uri), deps.issuer)
  if (audience?.kind === 'not_granted') throw new errors.AccessDenied(`Service not found: ${identifier}`)
  const mayStay = client.grantTypes.includes('refresh_token') && audience?.offlineAccess !== false
  const granted = scopes.filter((scope) => mayStay || scope !== ENGINE_OFFLINE_ACCESS)
  if (audience === undefined || uri === undefined) return { kind: 'target', scopes: granted, resource: undefined }
  return { kind: 'target', scopes: granted, resource: { uri, info: resourceInfoOf(audience, deps) } }
}

const interactionOf = ({ client, scope }: OwnExchange, uri: string | undefined) => ({
  clientId: client.clientId,
  interaction: { ...(scope === undefined ? {} : { scope }), ...(uri === undefined ? {} : { resource: uri }) },
})

function grantFor(
  deps: EngineDeps,
  request: OwnExchange,
  target: RefreshTarget,
  session: { readonly userId: string; readonly identityKey: string },
  refreshes: boolean,
): Promise<string> {
  const { storage, issuer, clock, settings } = deps
  const consented = { ...interactionOf(request, target.resource?.uri), session }
  const lasting = target.resource?.info.accessTokenTTL ?? settings().accessTokenSeconds
  // Without a refresh token nothing is left once the access token has ended.
  const seconds = refreshes ? {} : { seconds: Math.max(lasting, HOUR_SECONDS) }
  return storage.transaction((tx) => grantConsent(tx, consented, { issuer, at: clock(), ...seconds }))
}
