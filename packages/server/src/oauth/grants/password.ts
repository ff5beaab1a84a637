// `password` (RFC 6749 §4.3) and Auth0's `password-realm`: an app of the tenant's own takes address and password itself.
// For clients that have the grant alone; the limits and the silence about who exists are those of the sign-in page.
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { tryPassword } from '../../accounts/password-check.ts'
import { recordSignIn } from '../../accounts/users.ts'
import { sha256Hex } from '../../crypto/hashing.ts'
import { PASSWORD_CONNECTION, PASSWORD_STRATEGY } from '../../domain/connection.ts'
import { connectionRefusal } from '../../domain/connection-use.ts'
import { Conflict } from '../../domain/errors.ts'
import { acrOf } from '../../domain/second-factor.ts'
import type { Identity, User } from '../../domain/user.ts'
import { isString } from '../../lib/json.ts'
import type { ConnectionRecord } from '../../storage/records.ts'
import { audienceToResource } from '../audience.ts'
import { requiredProof, tokenTypeOf } from '../dpop.ts'
import type { EngineDeps } from '../engine.ts'
import { ENGINE_OFFLINE_ACCESS, splitScope } from '../scopes.ts'
import { issueAccess, issueIdToken, issueRefresh } from './issue.ts'
import { secondFactor } from './mfa-token.ts'
import { decideRefreshTarget, type RefreshTarget } from './refresh-target.ts'

/** Serves the grant. */
export function passwordGrant(provider: Provider, deps: EngineDeps) {
  return async (ctx: KoaContextWithOIDC): Promise<void> => {
    const { errors } = deps.library
    const { client, params = {} } = ctx.oidc
    if (client === undefined) throw new errors.InvalidClient('client is required')
    // Nobody consents here: the app stands for the tenant itself.
    if (client.firstParty !== true) throw new errors.UnauthorizedClient('the client is not a first-party client')
    for (const name of ['username', 'password'])
      if (!isString(params[name])) throw new errors.InvalidRequest(`missing required parameter '${name}'`)
    const dpop = await requiredProof(provider, ctx, deps)
    const connection = await passwordConnection(deps, client.clientId, params.realm)
    if (connection === undefined) throw new errors.InvalidRequest('the realm is no password connection of the client')
    const target = await targetOf(deps, ctx)
    const who = await signIn(deps, ctx, { connection, target })
    if (who === undefined) return
    await answerWithTokens(provider, ctx, deps, { who, target, amr: ['pwd'], dpop })
  }
}

export interface GrantedSignIn {
  readonly who: Who
  readonly target: RefreshTarget
  readonly amr: readonly string[]
  readonly dpop: { readonly thumbprint: string } | undefined
}

/** What a sign-in over the API ends with: a grant of its own, and tokens for what was asked. */
export async function answerWithTokens(
  provider: Provider,
  ctx: KoaContextWithOIDC,
  deps: EngineDeps,
  { who, target, amr, dpop }: GrantedSignIn,
): Promise<void> {
  const { client } = ctx.oidc
  if (client === undefined) throw new deps.library.errors.InvalidClient('client is required')
  const { userId: accountId } = who.user
  const grantId = await grant(provider, client.clientId, who, target)
  const source = { accountId, grantId, gty: 'password', authTime: deps.clock(), amr, acr: acrOf(amr) }
  const access = await issueAccess(provider, ctx, source, target, dpop?.thumbprint)
  const idToken = target.scopes.includes('openid')
    ? await issueIdToken(provider, ctx, source, target, who.user)
    : undefined
  const refreshToken =
    client.grantTypeAllowed('refresh_token') && target.scopes.includes(ENGINE_OFFLINE_ACCESS)
      ? await issueRefresh(provider, ctx, source, target, dpop?.thumbprint)
      : undefined
  ctx.body = {
    access_token: access.value,
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    ...(idToken === undefined ? {} : { id_token: idToken }),
    expires_in: access.expiresIn,
    scope: target.scopes.join(' '),
    token_type: tokenTypeOf(dpop),
  }
}

/** The one that is named, else the tenant's default, else the one that every tenant has. */
async function passwordConnection(
  { storage, settings }: EngineDeps,
  clientId: string,
  realm: unknown,
): Promise<ConnectionRecord | undefined> {
  const name = isString(realm) ? realm : (settings().defaultDirectory ?? PASSWORD_CONNECTION)
  const connection = await storage.connections.findByName(name)
  if (connection === undefined || connection.strategy !== PASSWORD_STRATEGY) return undefined
  const enabled = await storage.connections.isEnabled(connection.id, clientId)
  return connectionRefusal(connection.document, enabled) === undefined ? connection : undefined
}

/** Decided before the password is looked at: what is asked wrongly says nothing of anybody. */
async function targetOf(deps: EngineDeps, { oidc }: KoaContextWithOIDC): Promise<RefreshTarget> {
  const { scope, resource } = oidc.params ?? {}
  const { defaultAudience } = deps.settings()
  const asked = splitScope(isString(scope) ? scope : undefined)
  const usual = defaultAudience === undefined ? undefined : audienceToResource(defaultAudience)
  const uri = isString(resource) ? resource : usual
  const answer = await decideRefreshTarget(deps, {
    clientId: oidc.client?.clientId ?? '',
    policies: [],
    granted: asked,
    grantedResource: uri,
    requested: asked,
    requestedResource: uri,
  })
  if (answer.kind === 'target') return answer
  const { errors } = deps.library
  if (answer.kind === 'scope_refused') throw new errors.InvalidScope('the scope is not known', answer.scopes.join(' '))
  throw new errors.AccessDenied(`Client is not authorized to access "${answer.audience}".`)
}

export interface Who {
  readonly user: User
  readonly identity: Identity
}

/** Checks the password and records the sign-in; undefined when the answer says no already. */
async function signIn(
  deps: EngineDeps,
  ctx: KoaContextWithOIDC,
  { connection, target }: { readonly connection: ConnectionRecord; readonly target: RefreshTarget },
): Promise<Who | undefined> {
  const { client, params } = ctx.oidc
  const clientId = client?.clientId
  // Put there by the endpoint, which knows the proxies that are believed.
  const { clientAddress: ip } = ctx.req as { clientAddress?: string }
  const verdict = await tryPassword(deps, {
    connectionId: connection.id,
    username: String(params?.username),
    password: String(params?.password),
    by: sha256Hex(`client ${clientId}`),
    ip,
    clientId,
  })
  if (verdict.kind === 'limited') {
    ctx.set('retry-after', String(verdict.retryAfterSeconds))
    return refuse(ctx, 429, { error: 'too_many_requests', error_description: 'Too many failed sign-ins.' })
  }
  if (verdict.kind === 'wrong')
    return refuse(ctx, 403, { error: 'invalid_grant', error_description: 'Wrong email or password.' })
  const half = { connectionId: connection.id, subject: verdict.subject, clientId: String(clientId), target }
  const asked = await secondFactor(deps, half)
  if (asked !== undefined) return refuse(ctx, 403, asked)
  const who = await admit(deps, connection.id, verdict.subject, ip)
  return who ?? refuse(ctx, 403, { error: 'invalid_grant', error_description: 'The user is blocked.' })
}

export async function admit(
  { storage, clock }: EngineDeps,
  connectionId: string,
  subject: string,
  ip: string | undefined,
): Promise<Who | undefined> {
  try {
    return await storage.transaction(async (tx) => {
      const identity = await tx.identities.find(connectionId, subject)
      const user = identity && (await tx.users.find(identity.userId))
      if (identity === undefined || user === undefined) return undefined
      const { profileData } = identity
      const signedIn = { user, identity, profileData, grade: 0, at: clock(), ip } as const
      return { user: await recordSignIn(tx, signedIn), identity }
    })
  } catch (error) {
    if (error instanceof Conflict && error.code === 'user_gone') return undefined
    throw error
  }
}

export function refuse(ctx: KoaContextWithOIDC, status: number, body: object): undefined {
  ctx.status = status
  ctx.body = body
}

async function grant(
  provider: Provider,
  clientId: string,
  { user, identity }: Who,
  { scopes, resource }: RefreshTarget,
): Promise<string> {
  const made = new provider.Grant({ accountId: user.userId, clientId })
  Object.assign(made, { identity: `${identity.connectionId}|${identity.subject}` })
  made.addOIDCScope(scopes.join(' '))
  if (resource !== undefined) made.addResourceScope(resource.uri, scopes.join(' '))
  return made.save()
}
