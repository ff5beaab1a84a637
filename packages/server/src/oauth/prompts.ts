// When an authorization request needs the person: our additions to the engine's interaction policy, and what a client
// is granted without asking.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { connectionRefusal } from '../domain/connection-use.ts'
import { isString } from '../lib/json.ts'
import type { ConnectionRecord } from '../storage/records.ts'
import type { Storage } from '../storage/storage.ts'
import type { EngineDeps, EngineLibrary } from './engine.ts'
import { splitScope } from './scopes.ts'

/** The engine's policy, plus: a named connection must be usable, and must be the one that the session came in by. */
export function interactionPolicy({ library, storage }: EngineDeps) {
  const { interactionPolicy: policy, errors } = library
  const prompts = policy.base()
  const login = prompts.get('login')
  const consent = prompts.get('consent')
  if (login === undefined || consent === undefined) throw new Error('the engine lost a prompt')
  const wanted = new policy.Check('connection', 'another connection was asked for', 'login_required', async (ctx) => {
    const name = ctx.oidc.params?.connection
    if (!isString(name) || ctx.oidc.result?.login !== undefined) return policy.Check.NO_NEED_TO_PROMPT
    const connection = await usableConnection(storage, name, ctx, errors)
    return cameBy(ctx, connection) ? policy.Check.NO_NEED_TO_PROMPT : policy.Check.REQUEST_PROMPT
  })
  login.checks.add(wanted, 0)
  // Native clients of the tenant's own are asked no more than others; the redirect URI check protects them.
  consent.checks.remove('native_client_prompt')
  return prompts
}

async function usableConnection(
  storage: Storage,
  name: string,
  ctx: KoaContextWithOIDC,
  errors: EngineLibrary['errors'],
) {
  const connection = await storage.connections.findByName(name)
  const clientId = ctx.oidc.client?.clientId ?? ''
  const enabled = connection !== undefined && (await storage.connections.isEnabled(connection.id, clientId))
  const refusal = connectionRefusal(connection?.document, enabled)
  if (connection === undefined || refusal === 'unknown') throw new errors.InvalidRequest('the connection was not found')
  if (refusal === 'not_enabled') throw new errors.UnauthorizedClient('the connection is not enabled for the client')
  if (refusal === 'inactive') throw new errors.InvalidRequest('the connection does not sign people in')
  return connection
}

function cameBy(ctx: KoaContextWithOIDC, connection: ConnectionRecord): boolean {
  const { identity } = (ctx.oidc.session ?? {}) as { identity?: unknown }
  return isString(identity) && identity.startsWith(`${connection.id}|`)
}

/**
 * The grant of this request. Clients of the tenant's own get what they ask for and may have, each sign-in under a grant
 * of its own, so that ending one ends exactly what it issued. Others get what the consent page allowed.
 */
export async function loadGrant(ctx: KoaContextWithOIDC) {
  const { provider, client, session, account, result } = ctx.oidc
  if (client === undefined || session === undefined || account === undefined) return undefined
  const consented = result?.consent?.grantId
  if (client.firstParty !== true || isString(consented)) {
    const grantId = isString(consented) ? consented : session.grantIdFor(client.clientId)
    const known = grantId === undefined ? undefined : await provider.Grant.find(grantId)
    // Who allowed it may have signed out since, and somebody else in: then they are asked.
    return known?.accountId === account.accountId && known.clientId === client.clientId ? known : undefined
  }
  const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId })
  addRequested(grant, ctx)
  await grant.save()
  return grant
}

interface Grantable {
  addOIDCScope(scope: string): void
  addResourceScope(resource: string, scope: string): void
  identity?: unknown
}

/** Grants all scopes of the request that exist, and remembers by which identity the person came in. */
export function addRequested(grant: Grantable, ctx: KoaContextWithOIDC): void {
  const { oidc } = ctx
  grant.identity = (oidc.session as { identity?: unknown } | undefined)?.identity
  grant.addOIDCScope([...oidc.requestParamOIDCScopes].join(' '))
  const scope = oidc.params?.scope
  const requested = splitScope(isString(scope) ? scope : undefined)
  for (const [resource, server] of Object.entries(oidc.resourceServers ?? {})) {
    const has = new Set(splitScope(server.scope))
    grant.addResourceScope(resource, requested.filter((one) => has.has(one)).join(' '))
  }
}
