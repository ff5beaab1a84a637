// The browser leg of connecting an account for agents (auth0-wire.md §3.5): ticket, provider, our confirm page, and back
// to the client with a code. Nothing is stored as connected before the client calls `complete`.

import { parsePendingAccount, serializePendingAccount } from '../accounts/pending-account.ts'
import { randomToken, sha256Hex } from '../crypto/hashing.ts'
import { mayLink } from '../domain/addresses-of-user.ts'
import { parseClient } from '../domain/client.ts'
import type { User } from '../domain/user.ts'
import { isString } from '../lib/json.ts'
import type { ConnectRequest } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'
import type { UpstreamAccount } from '../upstream/connector.ts'
import { isFreshlyProven } from './account-owner.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import { shownConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { type Interaction, settle, startLocal } from './interactions.ts'
import type { LinkConfirmPage, Outcome } from './outcome.ts'
import { startAddressProof } from './prove-address.ts'
import { shownUser } from './shown-user.ts'
import { startStepUp } from './step-up-state.ts'
import type { OpenTransaction } from './upstream-callback.ts'
import { startUpstream } from './upstream-start.ts'
import { signInWays } from './ways.ts'

const LEG_PATH = 'connected-accounts/continue'

/**
 * Opens a ticket, once. A browser without a session signs in first; somebody else's is sent back with `access_denied`.
 *
 * @throws {FlowError} `ticket_invalid`.
 */
export async function openTicket(
  deps: FlowDeps,
  request: BrowserRequest,
  ticket: string | undefined,
): Promise<Outcome> {
  const { storage, clock, issuer } = deps
  const connect = ticket === undefined ? undefined : await storage.connects.findByTicket(sha256Hex(ticket))
  if (connect === undefined || connect.expiresAt <= clock()) throw new FlowError('ticket_invalid')
  const opened = await storage.transaction((tx) =>
    tx.connects.advance(connect.authSessionHash, 'created', 'opened', { browserHash: request.browser.hash }),
  )
  if (!opened) throw new FlowError('ticket_invalid')
  if (request.session !== undefined) return goOn(deps, request, connect)
  const state = await storage.transaction((tx) =>
    startLocal(tx, deps, {
      request,
      purpose: 'sign-in',
      returnTo: legUrl(deps, connect),
      params: { client_id: connect.clientId },
    }),
  )
  return { kind: 'redirect', url: new URL(`u/login?state=${state}`, issuer).href, cookies: withBrowserCookie(request) }
}

/** Goes on after the sign-in, or the proof of an address, that an opened ticket needed; only in the browser that opened it. */
export async function continueLeg(
  deps: FlowDeps,
  request: BrowserRequest,
  { leg, answer }: { readonly leg?: string; readonly answer?: string },
): Promise<Outcome> {
  const connect = leg === undefined ? undefined : await deps.storage.connects.find(leg)
  if (connect === undefined || connect.status !== 'opened' || connect.expiresAt <= deps.clock())
    throw new FlowError('ticket_invalid')
  if (connect.browserHash !== request.browser.hash) throw new FlowError('wrong_browser')
  if (answer === 'cancel') return voidAndReturn(deps, request, connect, 'The person decided against it.')
  return goOn(deps, request, connect)
}

function legUrl({ issuer }: FlowDeps, { authSessionHash }: ConnectRequest, answer?: 'cancel'): string {
  const url = new URL(LEG_PATH, issuer)
  url.searchParams.set('leg', authSessionHash)
  if (answer !== undefined) url.searchParams.set('answer', answer)
  return url.href
}

async function goOn(
  deps: FlowDeps,
  request: BrowserRequest,
  connect: ConnectRequest,
  extra: Record<string, string> = {},
): Promise<Outcome> {
  if (request.session?.userId !== connect.userId)
    return voidAndReturn(deps, request, connect, 'Another person is signed in here.')
  if (!isFreshlyProven(deps, request.session))
    return startStepUp(deps, request, { session: request.session }, { kind: 'connect', leg: connect.authSessionHash })
  const address = await unprovenAddress(deps, connect.userId)
  if (address !== undefined)
    return startAddressProof(deps, request, {
      userId: connect.userId,
      address,
      clientId: connect.clientId,
      returnTo: legUrl(deps, connect),
      cancelTo: legUrl(deps, connect, 'cancel'),
    })
  const connection = await deps.connections.find(deps.storage, connect.connectionId)
  if (connection === undefined) throw new FlowError('connection_unavailable')
  const { authorizationParams } = connect
  const passed = Object.entries(authorizationParams).map(([name, value]) => [name, String(value)] as const)
  const params = { ...Object.fromEntries(passed), ...extra }
  return startUpstream(deps, request, {
    kind: 'connect',
    connection,
    continueWith: connect.authSessionHash,
    clientId: connect.clientId,
    scopes: connect.scopes,
    heldScopes: await heldScopes(deps, connect, params),
    wantsRefreshToken: true,
    extra: params,
  })
}

/**
 * What the account that will probably be meant has granted before: its tokens are replaced, and whoever lives on them must
 * not lose what it had because somebody asks for more. Who means another account, or has several, is asked for no more.
 */
async function heldScopes(
  { storage }: FlowDeps,
  { userId, connectionId }: ConnectRequest,
  { prompt, login_hint: hint }: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  if (prompt?.split(' ').includes('select_account')) return []
  const accounts = await storage.accounts.listOfUser(userId)
  const here = accounts.filter((one) => one.connectionId === connectionId && one.purpose === 'agents')
  const [meant, ...others] = hint === undefined ? here : here.filter((one) => [one.subject, one.label].includes(hint))
  return meant === undefined || others.length > 0 ? [] : meant.scopesGranted
}

/** The user's address, when it must be proven before anything is added to them. */
async function unprovenAddress({ storage }: FlowDeps, userId: string): Promise<string | undefined> {
  const user = await storage.users.find(userId)
  return user === undefined || mayLink(user) ? undefined : user.email
}

/** The provider said who it is: kept sealed until the person confirms and the client completes. */
export async function finishConnectLeg(
  deps: FlowDeps,
  request: BrowserRequest,
  { transaction, connection, secrets }: OpenTransaction,
  account: UpstreamAccount,
): Promise<Outcome> {
  const connect = await requireLeg(deps, request, secrets.continueWith, 'opened')
  const { subject, email, upstreamName, tokenset, extras = {} } = account
  // Nothing to keep: such connections are refused when the journey begins.
  if (tokenset === undefined) throw new FlowError('connection_unavailable')
  const details = serializePendingAccount({
    subject,
    email,
    upstreamName,
    scopesAsked: transaction.scopes,
    scopesGranted: tokenset.scopes ?? transaction.scopes,
    extras,
  })
  const pendingEnvelope = deps.vault.sealPending(connect.authSessionHash, { tokenset, details })
  const confirm = await deps.storage.transaction(async (tx) => {
    const moved = await tx.connects.advance(connect.authSessionHash, 'opened', 'answered', {
      pendingEnvelope,
      ...(request.session === undefined ? {} : { sessionUid: request.session.uid }),
    })
    if (!moved) throw new FlowError('transaction_invalid')
    return startLocal(tx, deps, {
      request,
      purpose: 'connect-confirm',
      returnTo: deps.issuer,
      params: { leg: connect.authSessionHash, connection: connection.name },
      userId: connect.userId,
    })
  })
  return {
    kind: 'redirect',
    url: new URL(`u/confirm?state=${confirm}`, deps.issuer).href,
    cookies: withBrowserCookie(request),
  }
}

/** The provider, or the person there, said no. */
export async function refuseConnectLeg(
  deps: FlowDeps,
  request: BrowserRequest,
  { secrets }: OpenTransaction,
): Promise<Outcome> {
  const connect = await requireLeg(deps, request, secrets.continueWith, 'opened')
  return voidAndReturn(deps, request, connect, 'The provider or the person refused.')
}

/** The confirm page: who asks, for which account, and what it may do. */
export async function confirmPage(deps: FlowDeps, request: BrowserRequest, interaction: Interaction): Promise<Outcome> {
  const connect = await requireLeg(deps, request, legOf(interaction), 'answered')
  const [user, clientRecord, connection] = await Promise.all([
    deps.storage.users.find(connect.userId),
    deps.storage.clients.find(connect.clientId),
    deps.connections.find(deps.storage, connect.connectionId),
  ])
  if (user === undefined || clientRecord === undefined || connection === undefined)
    throw new FlowError('transaction_invalid')
  const pending = parsePendingAccount(openPending(deps, connect).details)
  const client = parseClient(clientRecord)
  const page: LinkConfirmPage = {
    name: 'link-confirm',
    state: interaction.uid,
    for: 'agents',
    client: { name: client.name, host: hostOf(connect.redirectUri) },
    user: { ...shownUser(user), ways: await signInWays(deps, user) },
    account: {
      connection: shownConnection(connection),
      name: pending.upstreamName,
      address: pending.email,
    },
    scopes: pending.scopesGranted,
    keepsTokens: true,
  }
  return { kind: 'page', page }
}

export type ConfirmAnswer = 'confirm' | 'cancel' | 'another'

/** What the person answers on the confirm page. */
export async function submitConfirm(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  answer: ConfirmAnswer,
): Promise<Outcome> {
  const connect = await requireLeg(deps, request, legOf(interaction), 'answered')
  if (answer === 'confirm') return confirm(deps, request, interaction, connect)
  if (answer === 'cancel') {
    await giveBack(deps, interaction, connect, 'void')
    return backToClient(request, connect, 'The person decided against it.')
  }
  await giveBack(deps, interaction, connect, 'opened')
  return goOn(deps, request, connect, { prompt: 'select_account' })
}

async function confirm(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  connect: ConnectRequest,
): Promise<Outcome> {
  const code = randomToken()
  const moved = await deps.storage.transaction(async (tx) => {
    await settle(tx, interaction, { error: 'access_denied', error_description: '' })
    return tx.connects.advance(connect.authSessionHash, 'answered', 'confirmed', { connectCodeHash: sha256Hex(code) })
  })
  if (!moved) throw new FlowError('transaction_invalid')
  return { kind: 'redirect', url: returnUrl(connect, { connect_code: code }), cookies: withBrowserCookie(request) }
}

/** @throws {FlowError} unless the request stands in `status` and belongs to this browser and its signed-in user. */
async function requireLeg(
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

const legOf = ({ params }: Interaction): string | undefined => (isString(params.leg) ? params.leg : undefined)

function openPending(deps: FlowDeps, connect: ConnectRequest) {
  if (connect.pendingEnvelope === undefined) throw new FlowError('transaction_invalid')
  return deps.vault.openPending(connect.authSessionHash, connect.pendingEnvelope)
}

/** What the provider gave and the person did not want is revoked there: in one transaction with the answer. */
async function giveBack(
  deps: FlowDeps,
  interaction: Interaction,
  connect: ConnectRequest,
  to: 'opened' | 'void',
): Promise<void> {
  const { tokenset, details } = openPending(deps, connect)
  const { subject } = parsePendingAccount(details)
  const { authSessionHash, userId, connectionId } = connect
  await deps.storage.transaction(async (tx) => {
    await settle(tx, interaction, { error: 'access_denied', error_description: '' })
    const moved = await tx.connects.advance(authSessionHash, 'answered', to, { pendingEnvelope: undefined })
    if (!moved) throw new FlowError('transaction_invalid')
    await deps.vault.discard(tx, { id: '', userId, connectionId, subject }, tokenset)
    if (to === 'void') await recordRefusal(tx, deps, connect)
  })
}

async function voidAndReturn(
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

const recordRefusal = (tx: Repositories, deps: FlowDeps, connect: ConnectRequest): Promise<void> =>
  tx.events.append({
    type: 'connected_account.refused',
    at: deps.clock(),
    outcome: 'refused',
    userId: connect.userId,
    clientId: connect.clientId,
    connectionId: connect.connectionId,
  })

function backToClient(request: BrowserRequest, connect: ConnectRequest, description: string): Outcome {
  const url = returnUrl(connect, { error: 'access_denied', error_description: description })
  return { kind: 'redirect', url, cookies: withBrowserCookie(request) }
}

/** The client's redirect URI is one of its callbacks: checked when the request was made. */
function returnUrl(connect: ConnectRequest, params: Readonly<Record<string, string>>): string {
  const url = new URL(connect.redirectUri)
  for (const [name, value] of Object.entries(params)) url.searchParams.append(name, value)
  if (connect.state !== undefined) url.searchParams.append('state', connect.state)
  return url.href
}

export const nameOf = (user: User): string => user.profile.name ?? user.profile.nickname ?? user.userId

const hostOf = (uri: string): string | undefined => URL.parse(uri)?.host
