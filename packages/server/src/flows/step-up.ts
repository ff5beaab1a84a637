// Showing once more that it is still the same person, before a change that a stolen session must not make (T-LINK-10).
// What they wanted travels along, sealed for this browser, session and hour, and is carried out afterwards.
import { recordSignIn } from '../accounts/users.ts'
import { type WayIn, waysIn } from '../accounts/ways-in.ts'
import { canonicalAddress, maskAddress } from '../domain/address.ts'
import { keepsSignInTokens } from '../domain/connection.ts'
import { Conflict } from '../domain/errors.ts'
import { withMethods } from '../domain/second-factor.ts'
import type { Identity } from '../domain/user.ts'
import { queueMail } from '../events/mail-queue.ts'
import { isString, type JsonObject } from '../lib/json.ts'
import type { UpstreamAccount } from '../upstream/connector.ts'
import { carryOut } from './account-changes.ts'
import { isFreshlyProven, type Owner, requireOwner, sessionCookieLine } from './account-owner.ts'
import { type AccountWish, pageOfWish } from './account-wish.ts'
import { type Arrival, arrivalOf, giveBack, identityKeyOfArrival, keepTokenset } from './arrival.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import { isMailConnection, isPasskeyConnection, isUpstream, shownConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { mailboxArrival } from './mail-sign-in.ts'
import { CODE_SECONDS, newCode, tryCode } from './mailed-code.ts'
import type { Outcome, SecondStepPage, ShownConnection, VerifyPage } from './outcome.ts'
import { offerPasskey, provePasskey } from './passkey-proof.ts'
import { passkeyArrival } from './passkey-sign-in.ts'
import { judgeSecondProof, offeredProofs, type SecondProofForm } from './second-proof.ts'
import { lacksSecondStep } from './second-step-state.ts'
import { type ShownUser, shownUser } from './shown-user.ts'
import { type HalfProven, openStepUp, startMailedStepUp, startSecondStepUp, startStepUp } from './step-up-state.ts'
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
  /** Masked; where a code can be mailed to. */
  readonly mail: string | undefined
  /** What the browser is asked for. */
  readonly passkey: JsonObject | undefined
  readonly passkeyRefused: boolean
}

/** What was just tried, and did not do. */
export type StepUpTried = 'password' | 'passkey'

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
  tried?: StepUpTried,
): Promise<ReauthenticatePage> {
  const { owner, wish } = await openStepUp(deps, request, state)
  const { password, connections, mail, passkeys } = await waysOf(deps, owner)
  return {
    state: state ?? '',
    wish: wish.kind,
    minutes: Math.ceil(deps.settings().linking.reauthenticationSeconds / 60),
    user: shownUser(owner.user),
    connections: connections.map(shownConnection),
    password: password?.password && { username: password.password.address, wrong: tried === 'password' },
    mail: mail && maskAddress(mail.address),
    passkey:
      passkeys.length === 0
        ? undefined
        : await offerPasskey(deps, request, { purpose: purposeOf(owner), own: passkeys }),
    passkeyRefused: tried === 'passkey',
  }
}

export interface StepUpForm {
  readonly connection: string | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly passkey?: string | undefined
  readonly action: string | undefined
}

/** An outcome, or what was not accepted: the page is to be shown again. */
export async function submitStepUp(
  deps: FlowDeps,
  request: BrowserRequest,
  state: string | undefined,
  form: StepUpForm,
): Promise<Outcome | StepUpTried> {
  const { owner, wish } = await openStepUp(deps, request, state)
  if (form.action === 'cancel') return { kind: 'redirect', url: pageOfWish(wish), cookies: withBrowserCookie(request) }
  const ways = await waysOf(deps, owner)
  if (form.action === 'mail') return mailStepUpCode(deps, request, owner, { wish, mail: ways.mail })
  if (form.passkey !== undefined) {
    const asked = { purpose: purposeOf(owner), answer: form.passkey, userId: owner.user.userId }
    const proven = await provePasskey(deps, request, asked)
    const connection = proven && (await deps.connections.find(deps.storage, proven.identity.connectionId))
    if (proven === undefined || connection === undefined) return 'passkey'
    return prove(deps, request, owner, wish, passkeyArrival(connection, proven.identity))
  }
  if (form.connection === undefined) {
    const way = await checkPassword(deps, request, ways.password, form)
    return way === undefined ? 'password' : prove(deps, request, owner, wish, passwordArrival(deps, way))
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

/** Writes the proof down, and goes on with what was wanted, or with the second proof that the account asks for. */
async function prove(
  deps: FlowDeps,
  request: BrowserRequest,
  owner: Owner,
  wish: AccountWish,
  arrival: Arrival,
): Promise<Outcome> {
  const { connection, subject, profileData, email, grade, amr } = arrival
  const at = deps.clock()
  const identityKey = identityKeyOfArrival(arrival)
  const isWhole = await deps.storage.transaction(async (tx) => {
    const identity = await tx.identities.find(connection.id, subject)
    if (identity?.userId !== owner.user.userId) throw new FlowError('wrong_user')
    await recordSignIn(tx, { user: owner.user, identity, profileData, email, grade, at, ip: request.ip }).catch(closed)
    await keepTokenset(deps, tx, arrival, { userId: owner.user.userId })
    return !(await lacksSecondStep(tx, owner.user.userId, arrival))
  })
  return isWhole
    ? goOn(deps, request, owner, { wish, identityKey, amr })
    : startSecondStepUp(deps, request, owner, { wish, half: { identityKey, amr } })
}

/** Gives the session a new id, and carries out what was wanted. */
async function goOn(
  deps: FlowDeps,
  request: BrowserRequest,
  { user }: Owner,
  { wish, identityKey, amr }: HalfProven & { readonly wish: AccountWish },
): Promise<Outcome> {
  const login = { userId: user.userId, identityKey, amr }
  const { cookie } = await deps.storage.transaction((tx) => deps.sessions.start(tx, login, request.sessionCookie))
  const session = await deps.sessions.find(cookie)
  const outcome = await carryOut(deps, { ...request, session, sessionCookie: cookie }, wish)
  // A wish that changes the session's id again comes after, and counts.
  return { ...outcome, cookies: [sessionCookieLine(deps, cookie), ...(outcome.cookies ?? [])] }
}

const purposeOf = ({ session }: Owner): string => `step-up:${session.uid}`

/** @throws {FlowError} `interaction_expired`: the first proof is missing, or too old. */
export async function secondStepUpPage(
  deps: FlowDeps,
  request: BrowserRequest,
  state: string | undefined,
  problem?: SecondStepPage['problem'],
): Promise<Outcome> {
  const { owner, half } = await openStepUp(deps, request, state)
  if (half === undefined) throw new FlowError('interaction_expired')
  const asked = { userId: owner.user.userId, purpose: purposeOf(owner) }
  const offered = await offeredProofs(deps, request, asked)
  const page = { name: 'mfa', state: state ?? '', stepUp: true, ...offered, problem } as const
  return { kind: 'page', page, status: problem === undefined ? 200 : 403 }
}

export async function submitSecondStepUp(
  deps: FlowDeps,
  request: BrowserRequest,
  state: string | undefined,
  form: SecondProofForm & { readonly action: string | undefined },
): Promise<Outcome> {
  const { owner, wish, half } = await openStepUp(deps, request, state)
  if (form.action === 'cancel') return { kind: 'redirect', url: pageOfWish(wish), cookies: withBrowserCookie(request) }
  if (half === undefined) throw new FlowError('interaction_expired')
  const methods = await judgeSecondProof(deps, request, { userId: owner.user.userId, purpose: purposeOf(owner) }, form)
  if (methods !== undefined) return goOn(deps, request, owner, { ...half, amr: withMethods(half.amr, methods), wish })
  return secondStepUpPage(deps, request, state, form.passkey === undefined ? 'code_wrong' : 'passkey_refused')
}

function closed(error: unknown): never {
  if (error instanceof Conflict && error.code === 'user_gone') throw new FlowError('user_blocked', { cause: error })
  throw error
}

async function waysOf(deps: FlowDeps, { user }: Owner) {
  const usable = (await waysIn(deps.storage, user.userId)).filter((way) => way.usable)
  const opened = usable.map(({ connection }) => deps.connections.open(connection))
  const connections = opened.filter((one, at) => isUpstream(one) && opened.indexOf(one) === at)
  const mailed = usable.find(({ connection }) => isMailConnection(connection))
  const address = mailed?.identity.profileData.email
  const mayUsePasskeys = usable.some(({ connection }) => isPasskeyConnection(connection))
  return {
    connections,
    password: usable.find((way) => way.password !== undefined),
    mail: mailed && isString(address) ? { way: mailed, address } : undefined,
    passkeys: mayUsePasskeys ? await deps.storage.passkeys.listOfUser(user.userId) : [],
  }
}

interface MailWay {
  readonly way: WayIn
  readonly address: string
}

/** Mails a code to the mailbox that signs the person in. @throws {FlowError} `rate_limited`. */
async function mailStepUpCode(
  deps: FlowDeps,
  request: BrowserRequest,
  owner: Owner,
  { wish, mail }: { readonly wish: AccountWish; readonly mail: MailWay | undefined },
): Promise<Outcome> {
  if (mail === undefined) throw new FlowError('connection_unavailable')
  const { address } = mail
  if (await deps.mailLimits.exceeded(address)) throw new FlowError('rate_limited')
  const { code, kept } = newCode({ uid: owner.session.uid }, deps.clock())
  await deps.storage.transaction((tx) =>
    queueMail(tx, deps.keyring, {
      to: address,
      template: 'verify-code',
      values: {
        tenant: deps.settings().friendlyName,
        purpose: 'change',
        code,
        minutes: CODE_SECONDS / 60,
      },
      notAfter: kept.expiresAt,
    }),
  )
  return startMailedStepUp(deps, request, owner, { wish, mailed: { ...kept, address } })
}

/** @throws {FlowError} `interaction_expired`: no code was mailed for this. */
export async function mailedStepUpPage(
  deps: FlowDeps,
  request: BrowserRequest,
  state: string | undefined,
  problem?: VerifyPage['problem'],
): Promise<Outcome> {
  const { mailed } = await openStepUp(deps, request, state)
  if (mailed === undefined) throw new FlowError('interaction_expired')
  const address = maskAddress(mailed.address)
  const page = { name: 'verify-email', reason: 'step-up', state: state ?? '', address, problem, resent: false } as const
  return { kind: 'page', page, status: problem === undefined ? 200 : 400 }
}

export async function submitMailedStepUp(
  deps: FlowDeps,
  request: BrowserRequest,
  state: string | undefined,
  {
    code,
    action,
    resend,
  }: { readonly code?: string | undefined; action?: string | undefined; resend?: string | undefined },
): Promise<Outcome> {
  const { owner, wish, mailed } = await openStepUp(deps, request, state)
  if (mailed === undefined) throw new FlowError('interaction_expired')
  if (action === 'cancel') return startStepUp(deps, request, owner, wish)
  const { mail } = await waysOf(deps, owner)
  if (mail === undefined || mail.address !== mailed.address) throw new FlowError('interaction_expired')
  if (resend !== undefined) return mailStepUpCode(deps, request, owner, { wish, mail })
  const verdict = await tryCode(deps, { uid: owner.session.uid }, { kept: mailed, typed: code })
  if (verdict !== 'right') return mailedStepUpPage(deps, request, state, verdict)
  const connection = deps.connections.open(mail.way.connection)
  return prove(deps, request, owner, wish, mailboxArrival(deps, connection, mail.address))
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
