// Who is in the console: a user whom the settings name as an operator, or whoever entered by a printed link.
import { CONSOLE_LINK, isOperator } from '../domain/operators.ts'
import type { User } from '../domain/user.ts'
import type { EpochSeconds } from '../lib/time.ts'
import { findConsoleSession } from '../sessions/console-sessions.ts'
import type { BrowserRequest } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'

export type Operator =
  | { readonly kind: 'user'; readonly user: User; readonly provenAt: EpochSeconds }
  | { readonly kind: 'link'; readonly provenAt: EpochSeconds }

/** Read anew at each request: who is taken from the settings, or loses the address, is out at once. */
export async function findOperator(deps: FlowDeps, request: BrowserRequest): Promise<Operator | undefined> {
  const { storage, clock, settings } = deps
  const { session, browser, consoleCookie } = request
  const user = session && (await storage.users.find(session.userId))
  if (session !== undefined && user !== undefined) {
    const evidence = await storage.evidence.listOfUser(user.userId)
    if (isOperator(settings().operators, user.userId, evidence))
      return { kind: 'user', user, provenAt: session.authenticatedAt }
  }
  const entered = await findConsoleSession(storage, { cookie: consoleCookie, browserHash: browser.hash, at: clock() })
  return entered && { kind: 'link', provenAt: entered.enteredAt }
}

/** @throws {FlowError} `access_denied`. */
export async function requireOperator(deps: FlowDeps, request: BrowserRequest): Promise<Operator> {
  const operator = await findOperator(deps, request)
  if (operator === undefined) throw new FlowError('access_denied')
  return operator
}

/** Came in so recently that a change needs no further proof (linking.md §3). */
export const isFreshOperator = ({ clock, settings }: FlowDeps, { provenAt }: Operator): boolean =>
  provenAt + settings().linking.reauthenticationSeconds > clock()

/** As events and records of links name them. */
export const actorOf = (operator: Operator): string => (operator.kind === 'user' ? operator.user.userId : CONSOLE_LINK)
