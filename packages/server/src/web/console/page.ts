// What every page of the console is made with, and who may see it.
import { sha256Hex } from '../../crypto/hashing.ts'
import type { NewEvent } from '../../domain/event.ts'
import { type BrowserRequest, withBrowserCookie } from '../../flows/browser-request.ts'
import { nameOf } from '../../flows/connect.ts'
import { CONSOLE_NOTICES } from '../../flows/console-changes.ts'
import { actorOf, findOperator, type Operator } from '../../flows/console-operator.ts'
import type { Outcome } from '../../flows/outcome.ts'
import { openSealedNotice } from '../../flows/sealed-notice.ts'
import { signInFirst } from '../../flows/sign-in-first.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { AccountContext, AccountDeps } from '../account/page.ts'
import { csrfToken } from '../csrf.ts'
import { renderConsoleClosed } from '../pages/console-doors.ts'
import type { ConsoleFrame } from '../pages/console-frame.ts'
import type { FormTarget } from '../pages/forms.ts'
import type { Html } from '../pages/html.ts'

export type ConsoleDeps = AccountDeps
export type ConsoleContext = AccountContext

export interface ConsoleVisit {
  readonly request: BrowserRequest
  readonly operator: Operator
  readonly query: Readonly<Record<string, string>>
}

/** What was built, and how it is answered where nothing was found. */
export interface Built {
  readonly html: Html
  readonly status?: 404 | 409
}

/** Shows a page to an operator. Others learn that there is a console, and nothing else, whatever they ask for. */
export async function consolePage(
  deps: ConsoleDeps,
  c: ConsoleContext,
  request: BrowserRequest,
  build: (visit: ConsoleVisit) => Promise<Built>,
): Promise<Response | Outcome> {
  const operator = await findOperator(deps, request)
  if (operator === undefined) return turnAway(deps, c, request)
  const { html, status = 200 } = await build({ request, operator, query: c.req.query() })
  return deps.responder.page(c, html, { kind: 'console', status, cookies: withBrowserCookie(request) })
}

/** Somebody who is not signed in does that first, and comes back; somebody who is, and is no operator, stays outside. */
export async function turnAway(
  deps: ConsoleDeps,
  c: ConsoleContext,
  request: BrowserRequest,
): Promise<Response | Outcome> {
  const { session } = request
  if (session === undefined) {
    const { pathname, search } = new URL(c.req.url)
    return signInFirst(deps, request, c.req.method === 'GET' ? pathname + search : '/console')
  }
  await recordRefusal(deps, session.userId)
  return closedPage(deps, c, request, 'not-operator')
}

export const closedPage = (
  { responder }: ConsoleDeps,
  c: ConsoleContext,
  request: BrowserRequest,
  reason: 'not-operator' | 'stale',
): Response =>
  responder.page(c, renderConsoleClosed(responder.frame(), reason), {
    kind: 'console',
    status: 403,
    cookies: withBrowserCookie(request),
  })

export const consoleFrame = (deps: ConsoleDeps, { request, operator, query }: ConsoleVisit): ConsoleFrame => ({
  frame: deps.responder.frame(),
  operator: operator.kind === 'user' ? { kind: 'user', name: nameOf(operator.user) } : { kind: 'link' },
  leave: consoleForm(request, '/console/leave'),
  said: openSealedNotice(deps, request, { area: 'console-notice', codes: CONSOLE_NOTICES, said: query.said }),
})

/** A form of the console: it belongs to the browser and to no interaction. */
export const consoleForm = ({ browser }: BrowserRequest, action: string): FormTarget => ({
  action,
  csrf: csrfToken(browser, undefined),
})

interface LookedAt {
  readonly type: 'console.users_searched' | 'console.user_viewed' | 'console.policy_simulated'
  readonly userId?: string
  readonly data?: JsonObject
}

/** What an operator looked at, for the audit log: never what they typed, which may be an address. */
export const recordLook = (deps: ConsoleDeps, { operator }: ConsoleVisit, looked: LookedAt): Promise<void> =>
  record(deps, { ...looked, outcome: 'ok', actor: actorOf(operator) })

const REFUSAL_SECONDS = 900

/** Once in a while: somebody who asks again and again fills no log. */
const recordRefusal = ({ storage, clock }: ConsoleDeps, userId: string): Promise<void> =>
  storage.transaction(async (tx) => {
    const at = clock()
    const { points } = await tx.limits.add(`console-refused:${sha256Hex(userId)}`, 1, at, at + REFUSAL_SECONDS)
    if (points === 1) await tx.events.append({ type: 'console.refused', at, outcome: 'refused', userId })
  })

const record = ({ storage, clock }: ConsoleDeps, event: Omit<NewEvent, 'at'>): Promise<void> =>
  storage.transaction((tx) => tx.events.append({ ...event, at: clock() }))
