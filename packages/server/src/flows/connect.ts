// The browser leg of connecting an account for agents (auth0-wire.md §3.5): ticket, provider, our confirm page, and back
// to the client with a code. Nothing is stored as connected before the client calls `complete`.

import { type PendingAccount, parsePendingAccount, serializePendingAccount } from '../accounts/pending-account.ts'
import { randomToken, sha256Hex } from '../crypto/hashing.ts'
import { mayLink } from '../domain/addresses-of-user.ts'
import { mayTakeCredential } from '../domain/agent-policy.ts'
import { parseClient } from '../domain/client.ts'
import type { Connection } from '../domain/connection.ts'
import { decideMeant } from '../domain/meant-account.ts'
import type { VaultAccount } from '../domain/tokenset.ts'
import type { User } from '../domain/user.ts'
import type { ConnectRequest } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'
import type { UpstreamAccount } from '../upstream/connector.ts'
import { asksWhichAccount } from '../upstream/connectors.ts'
import { isFreshlyProven } from './account-owner.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import {
  accountsHere,
  backToClient,
  DECLINED,
  decline,
  hostOf,
  legOf,
  recordRefusal,
  requireLeg,
  returnUrl,
  voidAndReturn,
} from './connect-leg.ts'
import { isTypedConnection, shownConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { type Interaction, settle, startLocal } from './interactions.ts'
import type { LinkConfirmPage, Outcome } from './outcome.ts'
import { startOwnStep } from './own-step.ts'
import { startAddressProof } from './prove-address.ts'
import { shownUser } from './shown-user.ts'
import { startStepUp } from './step-up-state.ts'
import type { OpenTransaction } from './upstream-callback.ts'
import { connectorOf, startUpstream } from './upstream-start.ts'
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
  if (answer === 'cancel') return decline(deps, request, connect)
  return goOn(deps, request, connect)
}

function legUrl({ issuer }: FlowDeps, { authSessionHash }: ConnectRequest, answer?: 'cancel'): string {
  const url = new URL(LEG_PATH, issuer)
  url.searchParams.set('leg', authSessionHash)
  if (answer !== undefined) url.searchParams.set('answer', answer)
  return url.href
}

/** Which account at the provider is to be connected, as far as somebody said. */
export interface Choice {
  /** One that is connected: its tokens will be replaced. */
  readonly account?: VaultAccount | undefined
  /** It was named: another one that comes back is asked about. */
  readonly isNamed: boolean
  /** The provider is to ask which account. */
  readonly asksThere: boolean
}

/** @param choice the person's own; undefined: the client's words, and else a question to the person. */
export async function goOn(
  deps: FlowDeps,
  request: BrowserRequest,
  connect: ConnectRequest,
  choice?: Choice,
): Promise<Outcome> {
  const { userId, clientId, authSessionHash: leg } = connect
  if (request.session?.userId !== userId)
    return voidAndReturn(deps, request, connect, 'Another person is signed in here.')
  if (!isFreshlyProven(deps, request.session))
    return startStepUp(deps, request, { session: request.session }, { kind: 'connect', leg })
  const address = await unprovenAddress(deps, userId)
  if (address !== undefined)
    return startAddressProof(deps, request, {
      userId,
      address,
      clientId,
      returnTo: legUrl(deps, connect),
      cancelTo: legUrl(deps, connect, 'cancel'),
    })
  const connection = await deps.connections.find(deps.storage, connect.connectionId)
  if (connection === undefined) throw new FlowError('connection_unavailable')
  const { credential } = connectorOf(deps, connection, undefined)
  const chosen = choice ?? (await chooseAccount(deps, connect, credential !== undefined))
  const own = { connection: connection.name, userId, leg }
  if (chosen === 'ask') return startOwnStep(deps, request, { ...own, step: 'which-account' })
  const { account, isNamed, asksThere } = chosen
  if (credential !== undefined) return startOwnStep(deps, request, { ...own, step: 'credential', account: account?.id })
  return startUpstream(deps, request, {
    kind: 'connect',
    connection,
    continueWith: leg,
    clientId,
    scopes: connect.scopes,
    // Its tokens are replaced, and whoever lives on them must not lose what it had because somebody asks for more.
    heldScopes: account?.scopesGranted ?? [],
    wantsRefreshToken: true,
    extra: { ...paramsOf(connect), ...(asksThere ? { prompt: 'select_account' } : {}) },
    meant: isNamed ? account?.id : undefined,
  })
}

const paramsOf = ({ authorizationParams }: ConnectRequest): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(authorizationParams).map(([name, value]) => [name, String(value)]))

async function chooseAccount(deps: FlowDeps, connect: ConnectRequest, isTyped: boolean): Promise<Choice | 'ask'> {
  const { login_hint: hint, prompt } = paramsOf(connect)
  const meant = decideMeant({ accounts: await accountsHere(deps, connect), hint, prompt, isTyped })
  switch (meant.kind) {
    case 'ask':
      return 'ask'
    case 'new':
      return { isNamed: false, asksThere: false }
    case 'named':
    case 'likely':
      return { account: meant.account, isNamed: meant.kind === 'named', asksThere: false }
  }
}

/** The user's address, when it must be proven before anything is added to them. */
async function unprovenAddress({ storage }: FlowDeps, userId: string): Promise<string | undefined> {
  const user = await storage.users.find(userId)
  return user === undefined || mayLink(user) ? undefined : user.email
}

/** The provider said who it is. */
export async function finishConnectLeg(
  deps: FlowDeps,
  request: BrowserRequest,
  { transaction, connection, secrets }: OpenTransaction,
  account: UpstreamAccount,
): Promise<Outcome> {
  const connect = await requireLeg(deps, request, secrets.continueWith, 'opened')
  const { scopes: scopesAsked } = transaction
  return askToConfirm(deps, request, connect, { connection, account, scopesAsked, meant: secrets.meant })
}

export interface ConnectAnswer {
  readonly connection: Connection
  readonly account: UpstreamAccount
  readonly scopesAsked: readonly string[]
  readonly meant: string | undefined
  /** Ends in the same transaction. */
  readonly step?: Interaction
}

/** Keeps the account sealed until the person confirms and the client completes. */
export async function askToConfirm(
  deps: FlowDeps,
  request: BrowserRequest,
  connect: ConnectRequest,
  { connection, account, scopesAsked, meant, step }: ConnectAnswer,
): Promise<Outcome> {
  const { subject, email, upstreamName, tokenset, extras = {} } = account
  // Nothing to keep: such connections are refused when the journey begins.
  if (tokenset === undefined) throw new FlowError('connection_unavailable')
  const scopesGranted = tokenset.scopes ?? scopesAsked
  const details = serializePendingAccount({ subject, email, upstreamName, scopesAsked, scopesGranted, extras, meant })
  const pendingEnvelope = deps.vault.sealPending(connect.authSessionHash, { tokenset, details })
  const confirm = await deps.storage.transaction(async (tx) => {
    if (step !== undefined) await end(tx, step)
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

/** An interaction of ours ends with any result. */
const end = (tx: Repositories, interaction: Interaction): Promise<void> =>
  settle(tx, interaction, { error: 'access_denied', error_description: '' })

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
  const meant = await meantAccount(deps, connect, pending)
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
    asksThere: asksWhichAccount(deps.connectors, connection),
    typed: isTypedConnection(connection) ? { isGiven: mayTakeCredential(client.policy, connection.name) } : undefined,
    insteadOf: meant === undefined || meant.subject === pending.subject ? undefined : meant.label,
  }
  return { kind: 'page', page }
}

async function meantAccount(
  deps: FlowDeps,
  connect: ConnectRequest,
  { meant }: Pick<PendingAccount, 'meant'>,
): Promise<VaultAccount | undefined> {
  if (meant === undefined) return undefined
  return (await accountsHere(deps, connect)).find(({ id }) => id === meant)
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
    return backToClient(request, connect, DECLINED)
  }
  const account = await meantAccount(deps, connect, parsePendingAccount(openPending(deps, connect).details))
  await giveBack(deps, interaction, connect, 'opened')
  return goOn(deps, request, connect, { account, isNamed: account !== undefined, asksThere: true })
}

async function confirm(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  connect: ConnectRequest,
): Promise<Outcome> {
  const code = randomToken()
  const moved = await deps.storage.transaction(async (tx) => {
    await end(tx, interaction)
    return tx.connects.advance(connect.authSessionHash, 'answered', 'confirmed', { connectCodeHash: sha256Hex(code) })
  })
  if (!moved) throw new FlowError('transaction_invalid')
  return { kind: 'redirect', url: returnUrl(connect, { connect_code: code }), cookies: withBrowserCookie(request) }
}

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
    await end(tx, interaction)
    const moved = await tx.connects.advance(authSessionHash, 'answered', to, { pendingEnvelope: undefined })
    if (!moved) throw new FlowError('transaction_invalid')
    await deps.vault.discard(tx, { id: '', userId, connectionId, subject }, tokenset)
    if (to === 'void') await recordRefusal(tx, deps, connect)
  })
}

export const nameOf = (user: User): string => user.profile.name ?? user.profile.nickname ?? user.userId
