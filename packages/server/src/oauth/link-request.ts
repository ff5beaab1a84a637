// Linking that a client starts by an authorization request (auth0-wire.md §4.1): `scope=link_account` or
// `unlink_account`, `requested_connection`, `id_token_hint`.
//
// The hint is judged on the way in and goes no further: what is stored, of an interaction or of a pushed request, is for
// whom and for which client it was issued.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { decideConnect } from '../domain/agent-policy.ts'
import { type Client, parseClient } from '../domain/client.ts'
import { OWN_STRATEGIES } from '../domain/connection.ts'
import { isJsonObject, isString, type JsonObject, type JsonValue } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Storage } from '../storage/storage.ts'
import type { EngineDeps } from './engine.ts'
import { splitScope } from './scopes.ts'
import { usableConnection } from './usable-connection.ts'

/** Carries what the hint said through the engine; nobody outside can send it. */
export const LINK_PARAM = 'tenon_link_request'

/** Parameters that the engine must let through. */
export const LINK_PARAMS = [LINK_PARAM, 'requested_connection', 'requested_connection_scope'] as const

const ACTIONS = { link_account: 'link', unlink_account: 'unlink' } as const
export type LinkAction = (typeof ACTIONS)[keyof typeof ACTIONS]

export interface LinkRequest {
  readonly action: LinkAction
  /** Undefined when there was no hint, or it is not a live ID token of ours. */
  readonly hint: { readonly userId: string; readonly clientId: string } | undefined
}

type Params = Record<string, unknown>

/** Takes the hint out of a request to link, and anything that looks like our own word out of every request. */
export function withLinkRequest(given: Params, { verifyIdToken }: Pick<EngineDeps, 'verifyIdToken'>): Params {
  const { [LINK_PARAM]: _, ...params } = given
  const action = actionOf(params.scope)
  if (action === undefined) return params
  const { id_token_hint: token, ...rest } = params
  const { sub, aud } = (isString(token) ? verifyIdToken(token) : undefined) ?? {}
  const hint = isString(sub) && isString(aud) ? { userId: sub, clientId: aud } : undefined
  // Some SDKs name the My Account API in this request; it is not what the token is for.
  if (rest.audience === 'my-account') delete rest.audience
  return { ...rest, [LINK_PARAM]: JSON.stringify({ action, ...(hint && { hint }) }) }
}

export function linkRequestOf(params: { readonly [name: string]: unknown } | undefined): LinkRequest | undefined {
  const text = params?.[LINK_PARAM]
  if (!isString(text)) return undefined
  const value = JSON.parse(text) as JsonValue
  if (!isJsonObject(value)) return undefined
  const { action, hint } = value
  if (action !== 'link' && action !== 'unlink') return undefined
  const { userId, clientId } = isJsonObject(hint) ? hint : ({} as JsonObject)
  return { action, hint: isString(userId) && isString(clientId) ? { userId, clientId } : undefined }
}

/** The first of the two scopes counts; both together mean nothing. */
function actionOf(scope: unknown): LinkAction | undefined {
  const scopes = splitScope(isString(scope) ? scope : undefined)
  const asked = (['link_account', 'unlink_account'] as const).filter((one) => scopes.includes(one))
  const [only] = asked
  return asked.length === 1 && only !== undefined ? ACTIONS[only] : undefined
}

/**
 * A request to link that this client may make; for others the scope means nothing and the sign-in goes on.
 *
 * @throws `access_denied` for a hint that is not this session's user's, for this client; `invalid_request` or
 *   `unauthorized_client` for a connection that cannot be used.
 */
export async function judgeLinkRequest(
  ctx: KoaContextWithOIDC,
  { storage, library, clock }: Pick<EngineDeps, 'storage' | 'library' | 'clock'>,
): Promise<LinkRequest | undefined> {
  const { errors } = library
  const { params, client, session, result } = ctx.oidc
  const request = linkRequestOf(params)
  if (request === undefined || client === undefined) return undefined
  const record = await storage.clients.find(client.clientId)
  const asking = record && parseClient(record)
  if (asking?.clientInitiatedLinking !== true) return undefined
  const { action, hint } = request
  const denied = (why: string) => new errors.AccessDenied(`ID_TOKEN_HINT Invalid: ${why}`)
  if (hint === undefined) throw denied('it is missing, has expired, or was not issued here')
  if (hint.clientId !== client.clientId) throw denied('it was issued to another client')
  const userId = result?.login?.accountId ?? session?.accountId
  if (userId !== undefined && userId !== hint.userId) throw denied('it was issued for another user')
  await requireConnection(ctx, storage, errors, action)
  if (action === 'link') requirePolicy(ctx, asking, errors, clock())
  return request
}

async function requireConnection(
  ctx: KoaContextWithOIDC,
  storage: Storage,
  errors: EngineDeps['library']['errors'],
  action: LinkAction,
): Promise<void> {
  const { requested_connection: name } = ctx.oidc.params ?? {}
  if (!isString(name) || name === '') throw new errors.InvalidRequest('requested_connection is required')
  if (action === 'unlink') {
    if ((await storage.connections.findByName(name)) === undefined)
      throw new errors.InvalidRequest('the connection was not found')
    return
  }
  const connection = await usableConnection(storage, name, ctx, errors)
  if (OWN_STRATEGIES.has(connection.strategy))
    throw new errors.InvalidRequest('requested_connection must lead to a provider')
}

/** What is linked through a connection that keeps tokens may be used by the client as what is connected is. */
function requirePolicy(
  ctx: KoaContextWithOIDC,
  { policy }: Client,
  errors: EngineDeps['library']['errors'],
  now: EpochSeconds,
): void {
  const { requested_connection: name, requested_connection_scope: scope } = ctx.oidc.params ?? {}
  const scopes = splitScope(isString(scope) ? scope : undefined)
  const refusal = decideConnect(policy, { connection: String(name), scopes, now })
  if (refusal !== undefined) throw new errors.AccessDenied(`the client's policy: ${refusal.reason}`)
}
