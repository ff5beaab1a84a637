// A client's request to connect an account, while the person is about it: whose it is, and how it ends.
import type { VaultAccount } from '../domain/tokenset.ts'
import { isString } from '../lib/json.ts'
import type { ConnectRequest } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Interaction } from './interactions.ts'
import type { Outcome } from './outcome.ts'

/** @throws {FlowError} unless the request stands in `status` and belongs to this browser and its signed-in user. */
export async function requireLeg(
  deps: FlowDeps,
  request: BrowserRequest,
  leg: string | undefined,
  status: ConnectRequest['status'],
): Promise<ConnectRequest> {
  const connect = leg === undefined ? undefined : await deps.storage.connects.find(leg)
  if (connect === undefined || connect.status !== status || connect.expiresAt <= deps.clock())
    throw new FlowError('interaction_expired')
  if (connect.browserHash !== request.browser.hash) throw new FlowError('wrong_browser')
  if (connect.userId !== request.session?.userId) throw new FlowError('wrong_user')
  return connect
}

export const legOf = ({ params }: Interaction): string | undefined => (isString(params.leg) ? params.leg : undefined)

/** What the person has connected at the connection of this request. */
export async function accountsHere(
  { storage }: FlowDeps,
  { userId, connectionId }: ConnectRequest,
): Promise<readonly VaultAccount[]> {
  const accounts = await storage.accounts.listOfUser(userId, { purpose: 'agents', connectionIds: [connectionId] })
  return accounts.filter(({ health }) => health !== 'revoked')
}

/** The person decided against it before anything came of it. */
export const decline = (deps: FlowDeps, request: BrowserRequest, connect: ConnectRequest): Promise<Outcome> =>
  voidAndReturn(deps, request, connect, DECLINED)

export const DECLINED = 'The person decided against it.'

/** @throws {FlowError} `transaction_invalid`: it went on meanwhile. */
export async function voidAndReturn(
  deps: FlowDeps,
  request: BrowserRequest,
  connect: ConnectRequest,
  description: string,
): Promise<Outcome> {
  await deps.storage.transaction(async (tx) => {
    if (!(await tx.connects.advance(connect.authSessionHash, 'opened', 'void', {})))
      throw new FlowError('transaction_invalid')
    await recordRefusal(tx, deps, connect)
  })
  return backToClient(request, connect, description)
}

export const recordRefusal = (tx: Repositories, deps: FlowDeps, connect: ConnectRequest): Promise<void> =>
  tx.events.append({
    type: 'connected_account.refused',
    at: deps.clock(),
    outcome: 'refused',
    userId: connect.userId,
    clientId: connect.clientId,
    connectionId: connect.connectionId,
  })

export function backToClient(request: BrowserRequest, connect: ConnectRequest, description: string): Outcome {
  const url = returnUrl(connect, { error: 'access_denied', error_description: description })
  return { kind: 'redirect', url, cookies: withBrowserCookie(request) }
}

/** The client's redirect URI is one of its callbacks: checked when the request was made. */
export function returnUrl(connect: ConnectRequest, params: Readonly<Record<string, string>>): string {
  const url = new URL(connect.redirectUri)
  for (const [name, value] of Object.entries(params)) url.searchParams.append(name, value)
  if (connect.state !== undefined) url.searchParams.append('state', connect.state)
  return url.href
}

export const hostOf = (uri: string): string | undefined => URL.parse(uri)?.host
