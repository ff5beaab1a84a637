// `refresh_token` (RFC 6749 §6), ours: rotation with a short grace, reuse detection (RFC 9700 §4.14.2), and tokens for
// another audience where the client's policy allows it (multi-resource refresh).
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { RefreshPolicy } from '../../domain/client.ts'
import type { User } from '../../domain/user.ts'
import { isString } from '../../lib/json.ts'
import { requiredProof, tokenTypeOf } from '../dpop.ts'
import type { EngineDeps } from '../engine.ts'
import { splitScope } from '../scopes.ts'
import { issueAccess, issueIdToken, type TokenSource } from './issue.ts'
import { endFamily, prolong, rotate, successorOf } from './refresh-rotation.ts'
import { decideRefreshTarget, type RefreshTarget } from './refresh-target.ts'

/** Members of the engine's refresh token that we read; its own type lacks some. */
export interface EngineRefreshToken {
  readonly accountId: string
  readonly clientId: string
  readonly grantId: string
  readonly scope: string
  readonly resource?: string
  readonly consumed?: number
  readonly isExpired: boolean
  readonly iiat: number
  readonly rotations?: number
  readonly gty?: string
  readonly nonce?: string
  readonly authTime?: number
  readonly acr?: string
  readonly amr?: readonly string[]
  readonly sid?: string
  readonly sessionUid?: string
  readonly jkt?: string
  /** The operator's own (Management API). */
  readonly refresh_token_metadata?: object
}

/** Serves the grant; replaces the engine's own. */
export function refreshTokenGrant(provider: Provider, deps: EngineDeps) {
  return async (ctx: KoaContextWithOIDC): Promise<void> => {
    const { errors } = deps.library
    const value = ctx.oidc.params?.refresh_token
    if (!isString(value)) throw new errors.InvalidRequest("missing required parameter 'refresh_token'")
    const dpop = await requiredProof(provider, ctx, deps)
    const token = await findToken(provider, ctx, deps, value)
    const user = await activeUser(deps, token.accountId)
    if (token.jkt !== undefined && token.jkt !== dpop?.thumbprint) throw new errors.InvalidGrant('another key is bound')
    const target = await targetOf(ctx, deps, token)
    const refreshToken = await currentValue(provider, ctx, deps, token, value)
    const access = await issueAccess(
      provider,
      ctx,
      { ...sourceOf(token), gty: 'refresh_token' },
      target,
      dpop?.thumbprint,
    )
    const idToken = target.scopes.includes('openid')
      ? await issueIdToken(provider, ctx, sourceOf(token), target, user)
      : undefined
    ctx.body = {
      access_token: access.value,
      refresh_token: refreshToken,
      ...(idToken === undefined ? {} : { id_token: idToken }),
      expires_in: access.expiresIn,
      scope: target.scopes.join(' '),
      token_type: tokenTypeOf(dpop),
    }
  }
}

async function findToken(
  provider: Provider,
  ctx: KoaContextWithOIDC,
  deps: EngineDeps,
  value: string,
): Promise<EngineRefreshToken> {
  const { errors } = deps.library
  const found: unknown = await provider.RefreshToken.find(value, { ignoreExpiration: true })
  if (found === undefined) throw new errors.InvalidGrant('refresh token not found')
  // The engine's own model; its declared type lacks members that it has.
  const token = found as EngineRefreshToken
  if (token.clientId !== ctx.oidc.client?.clientId) throw new errors.InvalidGrant('client mismatch')
  if (token.isExpired) throw new errors.InvalidGrant('refresh token is expired')
  const grant = await deps.storage.artifacts.find('Grant', token.grantId)
  if (grant === undefined) throw new errors.InvalidGrant('grant not found')
  return token
}

async function activeUser({ storage, library }: EngineDeps, userId: string): Promise<User> {
  const user = await storage.users.find(userId)
  if (user === undefined) throw new library.errors.InvalidGrant('user not found')
  if (user.blocked) throw new library.errors.InvalidGrant('user is blocked')
  return user
}

async function targetOf(ctx: KoaContextWithOIDC, deps: EngineDeps, token: EngineRefreshToken): Promise<RefreshTarget> {
  const { errors } = deps.library
  const { scope, resource } = ctx.oidc.params ?? {}
  const { client } = ctx.oidc
  const answer = await decideRefreshTarget(deps, {
    clientId: token.clientId,
    // Put there by `engineClient`; the engine hands members of ours through as they are.
    policies: (client?.refreshPolicies ?? []) as readonly RefreshPolicy[],
    granted: splitScope(token.scope),
    grantedResource: token.resource,
    requested: isString(scope) ? splitScope(scope) : undefined,
    requestedResource: isString(resource) ? resource : undefined,
  })
  if (answer.kind === 'scope_refused')
    throw new errors.InvalidScope('the scope was not granted', answer.scopes.join(' '))
  if (answer.kind === 'audience_refused')
    throw new errors.AccessDenied(`Client is not authorized to access "${answer.audience}".`)
  return answer
}

/** The refresh token that the client holds from now on: the same, its new successor, or the successor once more. */
async function currentValue(
  provider: Provider,
  ctx: KoaContextWithOIDC,
  deps: EngineDeps,
  token: EngineRefreshToken,
  value: string,
): Promise<string> {
  const { client } = ctx.oidc
  if (client === undefined) return value
  if (client.refreshRotates !== true && token.consumed === undefined) {
    await prolong(deps, client, { token, value })
    return value
  }
  const graceSeconds =
    typeof client.refreshGraceSeconds === 'number' ? client.refreshGraceSeconds : deps.settings().refreshGraceSeconds
  const fresh = token.consumed === undefined ? await rotate(provider, deps, client, token, value) : undefined
  const current = fresh ?? (await successorOf(deps, value, graceSeconds))
  if (current !== undefined) return current
  await endFamily(deps, token)
  throw new deps.library.errors.InvalidGrant('refresh token already used')
}

const sourceOf = ({ accountId, grantId, sessionUid, sid, acr, amr, authTime }: EngineRefreshToken): TokenSource => ({
  accountId,
  grantId,
  sessionUid,
  sid,
  acr,
  amr,
  authTime,
})
