// The doors of the console: in by a printed link, out again, and changes behind a recent proof of who asks.
import { serializeHostCookie } from '../sessions/browser-cookies.ts'
import {
  CONSOLE_COOKIE,
  CONSOLE_SESSION_SECONDS,
  endConsoleSession,
  enterByConsoleLink,
  findConsoleSession,
  isConsoleLinkOpen,
} from '../sessions/console-sessions.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import { carryOutConsole } from './console-changes.ts'
import { isFreshOperator, requireOperator } from './console-operator.ts'
import type { ConsoleChange } from './console-wish.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Outcome } from './outcome.ts'
import { submitWish } from './step-up.ts'

/**
 * Does what an operator asked: at once when they came in a moment ago, else after they have proven themselves again.
 *
 * @returns undefined when they entered by a link too long ago: there is nobody to prove, a new link it must be.
 * @throws {FlowError} `access_denied`.
 */
export async function submitConsoleChange(
  deps: FlowDeps,
  request: BrowserRequest,
  change: ConsoleChange,
): Promise<Outcome | undefined> {
  const operator = await requireOperator(deps, request)
  if (isFreshOperator(deps, operator)) return carryOutConsole(deps, request, change)
  return operator.kind === 'user' ? submitWish(deps, request, { kind: 'console', change }) : undefined
}

/** Looking at a link uses nothing up: mail scanners and previews do. @throws {FlowError} `ticket_invalid`. */
export async function requireConsoleLink(deps: FlowDeps, ticket: string | undefined): Promise<string> {
  const open = ticket !== undefined && (await isConsoleLinkOpen(deps.storage, ticket, deps.clock()))
  if (!open) throw new FlowError('ticket_invalid')
  return ticket
}

/** @throws {FlowError} `ticket_invalid`: another copy of the form was first, or its time is over. */
export async function enterConsole(
  deps: FlowDeps,
  request: BrowserRequest,
  ticket: string | undefined,
): Promise<Outcome> {
  const at = deps.clock()
  const browserHash = request.browser.hash
  const cookie = await deps.storage.transaction(async (tx) => {
    const cookie = await enterByConsoleLink(tx, { ticket: ticket ?? '', browserHash, at })
    const session = cookie && (await findConsoleSession(tx, { cookie, browserHash, at }))
    if (session) await tx.events.append({ type: 'console.entered', at, outcome: 'ok', data: dataOf(session.linkId) })
    return cookie
  })
  if (cookie === undefined) throw new FlowError('ticket_invalid')
  const line = serializeHostCookie(CONSOLE_COOKIE, cookie, 'lax', CONSOLE_SESSION_SECONDS)
  return { kind: 'redirect', url: '/console', cookies: withBrowserCookie(request, [line]) }
}

/** Ends the session of a link; one of a user ends as everywhere. */
export async function leaveConsole(deps: FlowDeps, request: BrowserRequest): Promise<Outcome> {
  const { consoleCookie: cookie, browser } = request
  const at = deps.clock()
  await deps.storage.transaction(async (tx) => {
    const session = await findConsoleSession(tx, { cookie, browserHash: browser.hash, at })
    if (cookie === undefined || session === undefined) return
    await endConsoleSession(tx, cookie)
    await tx.events.append({ type: 'console.left', at, outcome: 'ok', data: dataOf(session.linkId) })
  })
  const line = serializeHostCookie(CONSOLE_COOKIE, '', 'lax', 0)
  return { kind: 'redirect', url: '/console', cookies: withBrowserCookie(request, [line]) }
}

const dataOf = (linkId: string) => ({ console_link_id: linkId })
