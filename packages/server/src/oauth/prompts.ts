// When an authorization request needs the person: our additions to the engine's interaction policy, and what a client
// is granted without asking.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { isString } from '../lib/json.ts'
import type { ConnectionRecord } from '../storage/records.ts'
import type { EngineDeps } from './engine.ts'
import { judgeLinkRequest } from './link-request.ts'
import { splitScope } from './scopes.ts'
import { usableConnection } from './usable-connection.ts'

/**
 * The engine's policy, plus: a named connection must be usable, and must be the one that the session came in by; a
 * client's wish to link is judged first, wants a recent sign-in, and is carried out before consent.
 */
export function interactionPolicy(deps: EngineDeps) {
  const { library, storage } = deps
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
  login.checks.add(linkNeedsRecentSignIn(deps))
  prompts.add(linkPrompt(deps), 1)
  // Native clients of the tenant's own are asked no more than others; the redirect URI check protects them.
  consent.checks.remove('native_client_prompt')
  return prompts
}

/** An old session is not enough to change what signs somebody in (T-LINK-10). */
function linkNeedsRecentSignIn(deps: EngineDeps) {
  const { Check } = deps.library.interactionPolicy
  return new Check('link_sign_in', 'linking needs a recent sign-in', 'login_required', async (ctx) => {
    // What was carried out is not judged again: two users may have become one, and answer under the other's id.
    if (linkDone(ctx)) return Check.NO_NEED_TO_PROMPT
    const request = await judgeLinkRequest(ctx, deps)
    const { session, result } = ctx.oidc
    if (request === undefined || result?.login !== undefined) return Check.NO_NEED_TO_PROMPT
    const at = session?.loginTs ?? 0
    return at + deps.settings().reauthenticationSeconds > deps.clock() ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT
  })
}

function linkPrompt(deps: EngineDeps) {
  const { Check, Prompt } = deps.library.interactionPolicy
  const check = new Check('link_account', 'the person decides about linking', 'interaction_required', async (ctx) => {
    if (linkDone(ctx)) return Check.NO_NEED_TO_PROMPT
    return (await judgeLinkRequest(ctx, deps)) === undefined ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT
  })
  return new Prompt({ name: 'link', requestable: false }, check)
}

const linkDone = ({ oidc }: KoaContextWithOIDC): boolean => oidc.result?.link !== undefined

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
