// Showing once more that it is still the same person, before a change that a stolen session must not make (T-LINK-10).
// What they wanted travels along, sealed for this browser, session and hour, and is carried out afterwards.
import { recordSignIn } from '../accounts/users.ts'
import { type WayIn, waysIn } from '../accounts/ways-in.ts'
import { canonicalAddress } from '../domain/address.ts'
import { keepsSignInTokens } from '../domain/connection.ts'
import { Conflict } from '../domain/errors.ts'
import type { Identity } from '../domain/user.ts'
import type { UpstreamAccount } from '../upstream/connector.ts'
import { carryOut } from './account-changes.ts'
import { isFreshlyProven, type Owner, requireOwner, sessionCookieLine } from './account-owner.ts'
import { type AccountWish, pageOfWish } from './account-wish.ts'
import { type Arrival, arrivalOf, giveBack, identityKeyOfArrival, keepTokenset } from './arrival.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import { isPasswordConnection, shownConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Outcome, ShownConnection } from './outcome.ts'
import { type ShownUser, shownUser } from './shown-user.ts'
import { openStepUp, startStepUp } from './step-up-state.ts'
import type { OpenTransaction } from './upstream-callback.ts'
import { startUpstream } from './upstream-start.ts'

/** What the page of a step-up shows. */
export interface ReauthenticatePage {
  readonly state: string
  readonly wish: AccountWish['kind']
  readonly minutes: number
  readonly user: ShownUser
  readonly connections: readonly ShownConnection[]
  /** The address that the password belongs to, when there is a password. */
  readonly password: { readonly username: string; readonly wrong: boolean } | undefined
}

/** Does what was asked, at once when the person proved themselves a moment ago, else after they do. */
export async function submitWish(deps: FlowDeps, request: BrowserRequest, wish: AccountWish): Promise<Outcome> {
  const owner = await requireOwner(deps, request)
  return isFreshlyProven(deps, owner.session) ? carryOut(deps, request, wish) : startStepUp(deps, request, owner, wish)
}

/** @throws {FlowError} `interaction_expired`, `wrong_user`. */
export async function reauthenticatePage(
  deps: FlowDeps,
  request: BrowserRequest,
  state: string | undefined,
  wrongPassword = false,
): Promise<ReauthenticatePage> {
  const { owner, wish } = await openStepUp(deps, request, state)
  const { password, connections } = await waysOf(deps, owner)
  return {
    state: state ?? '',
    wish: wish.kind,
    minutes: Math.ceil(deps.settings().linking.reauthenticationSeconds / 60),
    user: shownUser(owner.user),
    connections: connections.map(shownConnection),
    password: password?.password && { username: password.password.address, wrong: wrongPassword },
  }
}

export interface StepUpForm {
  readonly connection: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly action: string | undefined
}

/** Undefined: the password was wrong, and the page is to be shown again. */
export async function submitStepUp(
  deps: FlowDeps,
  request: BrowserRequest,
  state: string | undefined,
  form: StepUpForm,
): Promise<Outcome | undefined> {
  const { owner, wish } = await openStepUp(deps, request, state)
  if (form.action === 'cancel') return { kind: 'redirect', url: pageOfWish(wish), cookies: withBrowserCookie(request) }
  const ways = await waysOf(deps, owner)
  if (form.connection === undefined) {
    const way = await checkPassword(deps, request, ways.password, form)
    return way && prove(deps, request, owner, wish, passwordArrival(deps, way))
  }
  const connection = ways.connections.find(({ name }) => name === form.connection)
  if (connection === undefined) throw new FlowError('connection_unavailable')
  return startUpstream(deps, request, {
    kind: 'step_up',
    connection,
    continueWith: state ?? '',
    clientId: undefined,
    scopes: [],
    wantsRefreshToken: keepsSignInTokens(connection),
    extra: { prompt: 'login' },
  })
}

/** A provider said who is there: the same person, or nothing happens. */
export async function finishStepUp(
  deps: FlowDeps,
  request: BrowserRequest,
  { connection, transaction, secrets }: OpenTransaction,
  account: UpstreamAccount,
): Promise<Outcome> {
  const { owner, wish } = await openStepUp(deps, request, secrets.continueWith)
  const arrival = arrivalOf({ connection, scopes: transaction.scopes }, account)
  const identity = await deps.storage.identities.find(connection.id, arrival.subject)
  if (identity?.userId === owner.user.userId) return prove(deps, request, owner, wish, arrival)
  await deps.storage.transaction(async (tx) => {
    await giveBack(deps, tx, arrival, identity?.userId ?? owner.user.userId)
    await refused(deps, tx, owner, 'wrong_user')
  })
  throw new FlowError('wrong_user')
}

/** The provider, or the person there, said no: nothing was changed, and the ways are offered again. */
export async function refuseStepUp(
  deps: FlowDeps,
  request: BrowserRequest,
  { secrets }: OpenTransaction,
): Promise<Outcome> {
  await openStepUp(deps, request, secrets.continueWith)
  const url = `/u/reauthenticate?state=${secrets.continueWith}`
  return { kind: 'redirect', url, cookies: withBrowserCookie(request) }
}

/** Writes the proof down, gives the session a new id, and goes on with what was wanted. */
async function prove(
  deps: FlowDeps,
  request: BrowserRequest,
  owner: Owner,
  wish: AccountWish,
  arrival: Arrival,
): Promise<Outcome> {
  const { connection, subject, profileData, email, grade, amr } = arrival
  const at = deps.clock()
  const cookie = await deps.storage.transaction(async (tx) => {
    const identity = await tx.identities.find(connection.id, subject)
    if (identity?.userId !== owner.user.userId) throw new FlowError('wrong_user')
    await recordSignIn(tx, { user: owner.user, identity, profileData, email, grade, at, ip: request.ip }).catch(closed)
    await keepTokenset(deps, tx, arrival, { userId: owner.user.userId })
    const login = { userId: owner.user.userId, identityKey: identityKeyOfArrival(arrival), amr }
    return (await deps.sessions.start(tx, login, request.sessionCookie)).cookie
  })
  const session = await deps.sessions.find(cookie)
  const outcome = await carryOut(deps, { ...request, session, sessionCookie: cookie }, wish)
  // A wish that changes the session's id again comes after, and counts.
  return { ...outcome, cookies: [sessionCookieLine(deps, cookie), ...(outcome.cookies ?? [])] }
}

function closed(error: unknown): never {
  if (error instanceof Conflict && error.code === 'user_gone') throw new FlowError('user_blocked', { cause: error })
  throw error
}

async function waysOf(deps: FlowDeps, { user }: Owner) {
  const usable = (await waysIn(deps.storage, user.userId)).filter((way) => way.usable)
  const opened = usable.map(({ connection }) => deps.connections.open(connection))
  const connections = opened.filter((one, at) => !isPasswordConnection(one) && opened.indexOf(one) === at)
  return { connections, password: usable.find((way) => way.password !== undefined) }
}

/** The user's own password, and nobody else's: another address is a wrong one. */
async function checkPassword(
  deps: FlowDeps,
  request: BrowserRequest,
  way: WayIn | undefined,
  { username, password }: StepUpForm,
): Promise<WayIn | undefined> {
  const known = way?.password
  if (known === undefined) throw new FlowError('connection_unavailable')
  const by = { account: known.address, browser: request.browser.hash, ip: request.ip }
  const limited = await deps.signInLimits.attempt(by)
  if (limited !== undefined) throw new FlowError('rate_limited', limited)
  const own = username === undefined || canonicalAddress(username) === known.address
  if (!(await deps.passwords.verify(known.hash, password ?? '')) || !own) {
    await recordWrongPassword(deps, way?.identity)
    return undefined
  }
  await deps.signInLimits.succeeded(by)
  return way
}

function recordWrongPassword({ storage, clock }: FlowDeps, identity: Identity | undefined): Promise<void> {
  return storage.transaction(async (tx) => {
    if (identity === undefined) return
    const { userId, connectionId } = identity
    await tx.events.append({ type: 'password.refused', at: clock(), outcome: 'refused', userId, connectionId })
  })
}

/** A password says nothing new about a person. */
const passwordArrival = (deps: FlowDeps, { connection, identity }: WayIn): Arrival => ({
  connection: deps.connections.open(connection),
  subject: identity.subject,
  profileData: identity.profileData,
  email: undefined,
  grade: 0,
  amr: ['pwd'],
  account: undefined,
  scopesAsked: [],
})

const refused = (
  { clock }: FlowDeps,
  tx: Parameters<typeof giveBack>[1],
  { user, session }: Owner,
  reason: string,
): Promise<void> =>
  tx.events.append({
    type: 'session.step_up_refused',
    at: clock(),
    outcome: 'refused',
    userId: user.userId,
    data: { reason, ...(session.identityKey === undefined ? {} : { identity: session.identityKey }) },
  })
