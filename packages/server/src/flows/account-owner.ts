// Whose account page this is, and the session that goes on under a new id when something important changed.
import type { User } from '../domain/user.ts'
import { SESSION_COOKIE, serializeHostCookie } from '../sessions/browser-cookies.ts'
import type { Session } from '../sessions/sessions.ts'
import type { Repositories } from '../storage/storage.ts'
import { type AccountNotice, withNotice } from './account-notice.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Outcome } from './outcome.ts'

export interface Owner {
  readonly user: User
  readonly session: Session
}

/** @throws {FlowError} `wrong_user`: nobody is signed in here any more. */
export async function requireOwner({ storage }: FlowDeps, { session }: BrowserRequest): Promise<Owner> {
  const user = session && (await storage.users.find(session.userId))
  if (session === undefined || user === undefined) throw new FlowError('wrong_user')
  return { user, session }
}

/** Signed in so recently that a change to the account needs no further proof (linking.md §3). */
export const isFreshlyProven = ({ clock, settings }: FlowDeps, { authenticatedAt }: Session): boolean =>
  authenticatedAt + settings().linking.reauthenticationSeconds > clock()

/**
 * The session under a new id (T-LINK-11); who is signed in, how and since when stays. Nothing when the change ended the
 * session itself.
 *
 * @returns a `Set-Cookie` line.
 */
export async function rotateSession(
  deps: FlowDeps,
  tx: Repositories,
  { session, sessionCookie }: BrowserRequest,
): Promise<string | undefined> {
  if (session === undefined || sessionCookie === undefined) return undefined
  if ((await tx.artifacts.findByUid('Session', session.uid)) === undefined) return undefined
  const { userId, identityKey, amr, authenticatedAt } = session
  const { cookie } = await deps.sessions.start(tx, { userId, identityKey, amr, authenticatedAt }, sessionCookie)
  return sessionCookieLine(deps, cookie)
}

export function sessionCookieLine({ settings }: FlowDeps, cookie: string): string {
  const { cookieSameSite, absoluteSeconds } = settings().sessions
  return serializeHostCookie(SESSION_COOKIE, cookie, cookieSameSite, absoluteSeconds)
}

/** Back to a page of the account, which says what happened. */
export const backTo = (
  deps: FlowDeps,
  request: BrowserRequest,
  path: string,
  notice: AccountNotice,
  cookie?: string | undefined,
): Outcome => ({
  kind: 'redirect',
  url: withNotice(deps, request, path, notice),
  cookies: withBrowserCookie(request, cookie === undefined ? [] : [cookie]),
})
