// Signing out: both of Auth0's forms. A redirect goes to registered addresses only (T-AS-02), and nobody is signed out by
// a link that somebody else put in a page (T-AS-15).
import { parseClient } from '../domain/client.ts'
import { isString, type JsonObject } from '../lib/json.ts'
import { SESSION_COOKIE, serializeHostCookie } from '../sessions/browser-cookies.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Outcome } from './outcome.ts'
import { shownUser } from './shown-user.ts'

export interface LogoutRequest {
  readonly clientId: string | undefined
  readonly returnTo: string | undefined
  readonly state: string | undefined
  /** An ID token of ours, maybe expired. */
  readonly idTokenHint: string | undefined
  /** A session id, as `sid` of the ID token. */
  readonly logoutHint: string | undefined
}

/** `GET /v2/logout` (auth0-wire.md §1.5): Auth0 asks nothing there; a bad `returnTo` is refused and signs nobody out. */
export async function logoutV2(deps: FlowDeps, request: BrowserRequest, asked: LogoutRequest): Promise<Outcome> {
  const allowed = await allowedReturns(deps, asked.clientId)
  const target = asked.returnTo ?? allowed[0]
  if (target !== undefined && !allowed.includes(target))
    throw new FlowError('invalid_request', {
      hint: 'The "returnTo" querystring parameter is not in the list of allowed logout URLs.',
    })
  const ended = await endSession(deps, request, target, undefined)
  return ended.kind === 'redirect' ? { ...ended, status: 302 } : ended
}

/** `/oidc/logout` (RP-Initiated Logout 1.0): goes on at once when the hint fits the session, and asks otherwise. */
export async function logoutOidc(deps: FlowDeps, request: BrowserRequest, asked: LogoutRequest): Promise<Outcome> {
  const hint =
    asked.idTokenHint === undefined
      ? undefined
      : deps.accessTokens.verifyIdToken(asked.idTokenHint, { allowExpired: true })
  if (asked.idTokenHint !== undefined && hint === undefined)
    throw new FlowError('invalid_request', { hint: 'id_token_hint is not valid' })
  const clientId = asked.clientId ?? (isString(hint?.aud) ? hint.aud : undefined)
  if (hint !== undefined && hint.aud !== clientId)
    throw new FlowError('invalid_request', { hint: 'id_token_hint is for another client' })
  const target = await registeredTarget(deps, clientId, asked.returnTo)
  if (request.session === undefined || fits(hint, request, asked)) return endSession(deps, request, target, asked.state)
  return askLogout(deps, request, target, asked.state)
}

/** What the person answers on the page. */
export async function submitLogout(
  deps: FlowDeps,
  request: BrowserRequest,
  answer: { confirmed: boolean; returnTo: string | undefined },
): Promise<Outcome> {
  const target =
    answer.returnTo === undefined || answer.returnTo === '' ? undefined : openReturn(deps, request, answer.returnTo)
  if (answer.confirmed) return endSession(deps, request, target, undefined)
  return { kind: 'redirect', url: target ?? new URL('account', deps.issuer).href, cookies: withBrowserCookie(request) }
}

async function askLogout(
  deps: FlowDeps,
  request: BrowserRequest,
  target: string | undefined,
  state: string | undefined,
): Promise<Outcome> {
  const user = request.session && (await deps.storage.users.find(request.session.userId))
  return {
    kind: 'page',
    page: {
      name: 'logout',
      step: 'ask',
      returnTo: target === undefined ? undefined : sealReturn(deps, request, withState(target, state)),
      user: user && shownUser(user),
    },
  }
}

async function endSession(
  deps: FlowDeps,
  request: BrowserRequest,
  target: string | undefined,
  state: string | undefined,
): Promise<Outcome> {
  const { sessionCookie, session } = request
  if (sessionCookie !== undefined) {
    await deps.storage.transaction(async (tx) => {
      await deps.sessions.end(tx, sessionCookie)
      if (session === undefined) return
      await tx.events.append({ type: 'session.ended', at: deps.clock(), outcome: 'ok', userId: session.userId })
    })
  }
  const cookies = [serializeHostCookie(SESSION_COOKIE, '', deps.settings().sessions.cookieSameSite, 0)]
  if (target !== undefined) return { kind: 'redirect', url: withState(target, state), cookies }
  return { kind: 'page', page: { name: 'logout', step: 'done', returnTo: undefined, user: undefined }, cookies }
}

async function allowedReturns(deps: FlowDeps, clientId: string | undefined): Promise<readonly string[]> {
  if (clientId === undefined) return deps.settings().allowedLogoutUrls
  const record = await deps.storage.clients.find(clientId)
  return record === undefined ? [] : parseClient(record).allowedLogoutUrls
}

async function registeredTarget(
  deps: FlowDeps,
  clientId: string | undefined,
  returnTo: string | undefined,
): Promise<string | undefined> {
  if (returnTo === undefined) return undefined
  if ((await allowedReturns(deps, clientId)).includes(returnTo)) return returnTo
  throw new FlowError('invalid_request', { hint: 'post_logout_redirect_uri is not registered' })
}

/**
 * An ID token of this very session, or a `sid` of it. One of an earlier session of the same person asks, as none does:
 * old tokens lie in histories and logs, and end nothing by themselves (RP-Initiated Logout 1.0 §2).
 */
function fits(hint: JsonObject | undefined, { session }: BrowserRequest, { logoutHint }: LogoutRequest): boolean {
  if (session === undefined) return false
  if (hint === undefined) return logoutHint !== undefined && session.clientSids.includes(logoutHint)
  return hint.sub === session.userId && (!isString(hint.sid) || session.clientSids.includes(hint.sid))
}

function withState(target: string, state: string | undefined): string {
  if (state === undefined) return target
  const url = new URL(target)
  url.searchParams.append('state', state)
  return url.href
}

/** A checked address through the form and back, sealed so that the form cannot name another. */
const returnContext = ({ browser }: BrowserRequest): string => `logout:${browser.hash}`
const sealReturn = (deps: FlowDeps, request: BrowserRequest, target: string): string =>
  Buffer.from(deps.keyring.seal(returnContext(request), Buffer.from(target))).toString('base64url')

function openReturn(deps: FlowDeps, request: BrowserRequest, sealed: string): string {
  try {
    return deps.keyring.open(returnContext(request), Buffer.from(sealed, 'base64url')).toString('utf8')
  } catch (cause) {
    throw new FlowError('invalid_request', { cause })
  }
}
