// Adding an account from the person's own pages (linking.md §3): to the provider and back, bound to user, session and
// connection; both accounts are shown before anything is written.
import { transact } from '../accounts/transact.ts'
import { mayLink } from '../domain/addresses-of-user.ts'
import { type Connection, keepsSignInTokens } from '../domain/connection.ts'
import { Conflict } from '../domain/errors.ts'
import type { User } from '../domain/user.ts'
import type { Repositories } from '../storage/storage.ts'
import type { UpstreamAccount } from '../upstream/connector.ts'
import { asksWhichAccount } from '../upstream/connectors.ts'
import { connectForAgents, holdsForAgents, requireMayAdd } from './account-connect.ts'
import type { AccountNotice } from './account-notice.ts'
import { backTo, isFreshlyProven, type Owner, requireOwner, rotateSession } from './account-owner.ts'
import { startNewPasskey } from './account-passkeys.ts'
import { NEW_ACCOUNT, type Reconnection, reconnectAccount } from './account-reconnect.ts'
import type { AccountWish } from './account-wish.ts'
import { addArrival } from './add-arrival.ts'
import { type Arrival, arrivalOf, giveBack, keepTokenset } from './arrival.ts'
import type { BrowserRequest } from './browser-request.ts'
import {
  isMailConnection,
  isPasskeyConnection,
  isPasswordConnection,
  isTypedConnection,
  shownConnection,
} from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { getInteraction, type Interaction, settle, startLocal } from './interactions.ts'
import { provenMailbox, startMailLink } from './mail-link.ts'
import type { Outcome, ShownConnection, SignInWay } from './outcome.ts'
import { startOwnStep } from './own-step.ts'
import { arrivalOfPending, askAbout, type NewPending, requirePending } from './pending.ts'
import { startAddressProof } from './prove-address.ts'
import { type ShownUser, shownUser } from './shown-user.ts'
import { nameOfArrival } from './suggest.ts'
import type { OpenTransaction } from './upstream-callback.ts'
import { startUpstream } from './upstream-start.ts'
import { requireSessionOf, signInWays } from './ways.ts'

const PAGE = '/account/connections'
const NEXT = { next: { kind: 'account', url: PAGE } } as const

/** Whose address is unproven proves it first. @throws {FlowError} `connection_unavailable` and what starting throws. */
export async function startAccountLink(
  deps: FlowDeps,
  request: BrowserRequest,
  { connection: name, account: accountId }: Extract<AccountWish, { kind: 'link' }>,
  prompt: 'select_account' | 'consent' = accountId === undefined ? 'select_account' : 'consent',
): Promise<Outcome> {
  const owner = await requireOwner(deps, request)
  const { user } = owner
  if (!mayLink(user)) return proveFirst(deps, request, user)
  const connection = await deps.connections.findByName(deps.storage, name)
  if (connection === undefined || !mayBeAdded(connection)) throw new FlowError('connection_unavailable', NEXT)
  if (isPasskeyConnection(connection)) return startNewPasskey(request, connection)
  if (isMailConnection(connection)) return startMailLink(deps, request, owner, connection)
  const account = accountId === undefined ? undefined : await deps.storage.accounts.find(accountId)
  const own = account?.userId === user.userId && account.connectionId === connection.id ? account : undefined
  if (isTypedConnection(connection))
    return startOwnStep(deps, request, {
      step: 'credential',
      connection: connection.name,
      userId: user.userId,
      account: own?.id,
    })
  return startUpstream(deps, request, {
    kind: 'account_link',
    connection,
    continueWith: own?.id ?? NEW_ACCOUNT,
    clientId: undefined,
    scopes: own?.scopesAsked ?? [],
    heldScopes: own?.scopesGranted ?? [],
    wantsRefreshToken: own !== undefined || keepsSignInTokens(connection),
    // Whoever happens to be signed in there is not taken without a look.
    extra: { prompt },
  })
}

/** It signs people in, or agents may use what is connected from it. */
export const mayBeAdded = (connection: Connection): boolean =>
  // A password is made by signing up, or by a reset.
  !isPasswordConnection(connection) && (connection.authenticationActive || connection.connectedAccountsActive)

/** Leads to the mailed code, and back to the page. */
export function proveFirst(deps: FlowDeps, request: BrowserRequest, user: User): Promise<Outcome> {
  const { userId, email: address } = user
  const returnTo = new URL(PAGE.slice(1), deps.issuer).href
  if (address === undefined) throw new FlowError('address_unproven', NEXT)
  return startAddressProof(deps, request, { userId, address, returnTo, cancelTo: returnTo })
}

/** The provider said whose account it is: what is new is shown first, what is this person's already is renewed. */
export async function finishAccountLink(
  deps: FlowDeps,
  request: BrowserRequest,
  { connection, transaction, secrets }: OpenTransaction,
  account: UpstreamAccount,
): Promise<Outcome> {
  const owner = await requireOwner(deps, request)
  const { userId } = owner.user
  if (transaction.userId !== userId) throw new FlowError('wrong_user')
  const arrival = arrivalOf({ connection, scopes: transaction.scopes }, account)
  const { continueWith } = secrets
  if (continueWith !== NEW_ACCOUNT) return reconnect(deps, request, owner, { arrival, accountId: continueWith })
  if (!connection.authenticationActive) {
    if (!(await holdsForAgents(deps.storage, userId, arrival)))
      return askToAdd(deps, request, owner, { arrival, ownerId: undefined })
    return write(deps, request, (tx) => connectForAgents(deps, tx, userId, arrival))
  }
  const identity = await deps.storage.identities.find(connection.id, arrival.subject)
  if (identity?.userId !== userId) return askToAdd(deps, request, owner, { arrival, ownerId: identity?.userId })
  return write(deps, request, (tx) => add(deps, tx, owner, arrival))
}

/** Another account than the one that was to be renewed is not taken for it: the person says what becomes of it (T-CONN-08). */
async function reconnect(
  deps: FlowDeps,
  request: BrowserRequest,
  owner: Owner,
  { arrival, accountId }: Reconnection,
): Promise<Outcome> {
  const { userId } = owner.user
  const meant = await deps.storage.accounts.find(accountId)
  if (meant?.userId !== userId || meant.subject === arrival.subject)
    return write(deps, request, (tx) => reconnectAccount(deps, tx, owner.user, { arrival, accountId }))
  const { connection, subject } = arrival
  const identity = connection.authenticationActive
    ? await deps.storage.identities.find(connection.id, subject)
    : undefined
  const ownerId = identity?.userId === userId ? undefined : identity?.userId
  return askToAdd(deps, request, owner, { arrival, ownerId, insteadOf: meant.label })
}

/**
 * What the person typed on their own page, as an account at a provider would come.
 *
 * @param accountId the connected account whose credential is replaced.
 */
export async function finishTyped(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  { arrival, accountId }: { readonly arrival: Arrival; readonly accountId: string | undefined },
): Promise<Outcome> {
  const owner = await requireOwner(deps, request)
  if (!isFreshlyProven(deps, owner.session)) throw new FlowError('interaction_expired', NEXT)
  await deps.storage.transaction((tx) => end(tx, interaction))
  if (accountId !== undefined) return reconnect(deps, request, owner, { arrival, accountId })
  return write(deps, request, (tx) => connectForAgents(deps, tx, owner.user.userId, arrival))
}

/** The person read the code that was mailed: their mailbox is added as an account at a provider would be. */
export async function finishMailLink(
  deps: FlowDeps,
  request: BrowserRequest,
  proven: string | undefined,
): Promise<Outcome> {
  const owner = await requireOwner(deps, request)
  const arrival = await provenMailbox(deps, request, owner, proven)
  const identity = await deps.storage.identities.find(arrival.connection.id, arrival.subject)
  if (identity?.userId !== owner.user.userId)
    return askToAdd(deps, request, owner, { arrival, ownerId: identity?.userId })
  return backTo(deps, request, PAGE, { code: 'already-linked', thing: nameOfArrival(arrival) })
}

/** The provider, or the person there, said no. */
export async function refuseAccountLink(
  deps: FlowDeps,
  request: BrowserRequest,
  { connection }: OpenTransaction,
): Promise<Outcome> {
  return backTo(deps, request, PAGE, { code: 'link-denied', thing: shownConnection(connection).displayName })
}

/** Keeps the arrival and asks: whether to add it, or, when it is another user's, what to do about that. */
export async function askToAdd(
  deps: FlowDeps,
  request: BrowserRequest,
  { user }: Pick<Owner, 'user'>,
  { arrival, ownerId, insteadOf }: Pick<NewPending, 'arrival' | 'ownerId' | 'insteadOf'>,
): Promise<Outcome> {
  const returnTo = new URL(PAGE.slice(1), deps.issuer).href
  const { userId } = user
  const state = await deps.storage.transaction((tx) =>
    startLocal(tx, deps, { request, purpose: 'account-link', returnTo, userId }),
  )
  const interaction = await getInteraction(deps, request, state)
  return askAbout(deps, request, interaction, {
    question: ownerId === undefined ? 'add' : 'conflict',
    userId,
    ownerId,
    insteadOf,
    arrival,
  })
}

/** What the page of the question shows. */
export interface AddPage {
  readonly state: string
  readonly user: ShownUser & { readonly ways: readonly SignInWay[] }
  readonly account: {
    readonly connection: ShownConnection
    readonly name: string
    readonly address: string | undefined
  }
  readonly scopes: readonly string[]
  readonly forSignIn: boolean
  readonly keepsTokens: boolean
  /** The provider can be made to ask which account is meant. */
  readonly asksThere: boolean
  readonly isTyped: boolean
  /** Label of the account that was to be renewed: this is another one. */
  readonly insteadOf: string | undefined
}

/** @throws {FlowError} `interaction_expired`, `wrong_browser`, `wrong_user`. */
export async function addPage(deps: FlowDeps, request: BrowserRequest, state: string | undefined): Promise<AddPage> {
  const { interaction, pending, owner, arrival } = await openQuestion(deps, request, state)
  const { connection } = arrival
  return {
    state: interaction.uid,
    user: { ...shownUser(owner.user), ways: await signInWays(deps, owner.user) },
    account: { connection: shownConnection(connection), name: nameOfArrival(arrival), address: arrival.email },
    scopes: arrival.account?.tokenset?.scopes ?? arrival.scopesAsked,
    forSignIn: connection.authenticationActive,
    keepsTokens: keepsSignInTokens(connection),
    asksThere: asksWhichAccount(deps.connectors, connection),
    isTyped: isTypedConnection(connection),
    insteadOf: pending.insteadOf,
  }
}

export type AddAnswer = 'confirm' | 'cancel' | 'another'

export async function submitAdd(
  deps: FlowDeps,
  request: BrowserRequest,
  state: string | undefined,
  answer: AddAnswer,
): Promise<Outcome> {
  const { interaction, owner, arrival } = await openQuestion(deps, request, state)
  const { connection } = arrival
  if (answer === 'confirm')
    return write(deps, request, async (tx) => {
      await end(tx, interaction)
      if (!isFreshlyProven(deps, owner.session)) throw new FlowError('interaction_expired', NEXT)
      return connection.authenticationActive
        ? add(deps, tx, owner, arrival)
        : connectForAgents(deps, tx, owner.user.userId, arrival)
    })
  await deps.storage.transaction(async (tx) => {
    await end(tx, interaction)
    await giveBack(deps, tx, arrival, owner.user.userId)
  })
  if (answer === 'another')
    return startAccountLink(deps, request, { kind: 'link', connection: connection.name, account: undefined })
  return backTo(deps, request, PAGE, { code: 'not-added', thing: shownConnection(connection).displayName })
}

async function openQuestion(deps: FlowDeps, request: BrowserRequest, state: string | undefined) {
  const interaction = await getInteraction(deps, request, state)
  const pending = requirePending(interaction, 'add')
  requireSessionOf(request, pending)
  const owner = await requireOwner(deps, request)
  return { interaction, pending, owner, arrival: await arrivalOfPending(deps, interaction, pending) }
}

/** An interaction of ours ends with any result. */
const end = (tx: Repositories, interaction: Interaction): Promise<void> =>
  settle(tx, interaction, { error: 'access_denied', error_description: '' })

async function add(
  deps: FlowDeps,
  tx: Repositories,
  { user, session }: Owner,
  arrival: Arrival,
): Promise<AccountNotice> {
  const { userId } = user
  await requireMayAdd(tx, userId)
  const proof = { by: 'session', authenticated_at: session.authenticatedAt, amr: arrival.amr }
  const added = await addArrival(deps, tx, arrival, { userId, rule: 'account', proof, at: deps.clock() })
  await keepTokenset(deps, tx, arrival, { userId })
  const thing = shownConnection(arrival.connection).displayName
  return { code: added.kind === 'linked' ? 'linked' : 'already-linked', thing }
}

/** One transaction, after which the session has a new id (T-LINK-11). @throws {FlowError} `identity_conflict`. */
async function write(
  deps: FlowDeps,
  request: BrowserRequest,
  work: (tx: Repositories) => Promise<AccountNotice>,
): Promise<Outcome> {
  const { notice, cookie } = await transact(deps.storage, async (tx) => {
    const notice = await work(tx)
    return { notice, cookie: await rotateSession(deps, tx, request) }
  }).catch((cause: unknown) => {
    // Somebody else's by now.
    if (cause instanceof Conflict) throw new FlowError('identity_conflict', { cause, ...NEXT })
    throw cause
  })
  return backTo(deps, request, PAGE, notice, cookie)
}
