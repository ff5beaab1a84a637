// Carries out a sign-in: facts, decision, one transaction, and back to where the person was going.
import { createUser, recordSignIn } from '../accounts/users.ts'
import { gradeOf } from '../domain/address.ts'
import { type Connection, keepsSignInTokens } from '../domain/connection.ts'
import { Conflict } from '../domain/errors.ts'
import { identityKeyOf } from '../domain/identity-key.ts'
import { profileToWire } from '../domain/profile.ts'
import { decideSignIn, type SignInDecision, type SignInFacts } from '../domain/sign-in.ts'
import type { Grade } from '../domain/user.ts'
import type { JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import { SESSION_COOKIE, serializeHostCookie } from '../sessions/browser-cookies.ts'
import type { Repositories } from '../storage/storage.ts'
import type { UpstreamAccount } from '../upstream/connector.ts'
import type { UpstreamRefused } from '../upstream/errors.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { getInteraction, type Interaction, settle } from './interactions.ts'
import type { Outcome } from './outcome.ts'
import type { OpenTransaction } from './upstream-callback.ts'

const TOMBSTONE_SECONDS = 90 * 24 * 3600

/** Somebody as a connection named them. */
export interface Arrival {
  readonly connection: Connection
  readonly subject: string
  readonly profileData: JsonObject
  readonly email: string | undefined
  readonly grade: Grade
  /** How they proved it: RFC 8176 method names. */
  readonly amr: readonly string[]
  readonly account: UpstreamAccount | undefined
  readonly scopesAsked: readonly string[]
}

/** A provider said who this is: signs them in and goes on with the interaction. */
export async function finishUpstreamSignIn(
  deps: FlowDeps,
  request: BrowserRequest,
  { connection, secrets, transaction }: OpenTransaction,
  account: UpstreamAccount,
): Promise<Outcome> {
  const interaction = await getInteraction(deps, request, secrets.continueWith)
  const grade = gradeOf({
    email: account.email,
    emailVerified: account.emailVerified,
    connection,
    authoritativeDomains: account.authoritativeDomains,
  })
  const profileData: JsonObject = {
    ...profileToWire(account.profile),
    ...(account.email === undefined ? {} : { email: account.email, email_verified: account.emailVerified }),
  }
  const { subject, email } = account
  const arrival: Arrival = {
    connection,
    subject,
    profileData,
    email,
    grade,
    amr: ['fed'],
    account,
    scopesAsked: transaction.scopes,
  }
  return signIn(deps, request, interaction, arrival)
}

/** The provider, or the person there, said no: the client hears it, or our own page does. */
export async function refuseUpstreamSignIn(
  deps: FlowDeps,
  request: BrowserRequest,
  { secrets }: OpenTransaction,
  error: UpstreamRefused,
): Promise<Outcome> {
  const interaction = await getInteraction(deps, request, secrets.continueWith)
  if (interaction.local !== undefined) throw new FlowError('access_denied', { cause: error })
  await deps.storage.transaction((tx) =>
    settle(tx, interaction, { error: 'access_denied', error_description: 'The provider or the person refused.' }),
  )
  return { kind: 'redirect', url: interaction.returnTo, cookies: withBrowserCookie(request) }
}

/**
 * Decides and carries out a sign-in.
 *
 * @throws {FlowError} `user_blocked`; `wrong_user` when somebody else is signed in here.
 */
export async function signIn(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  arrival: Arrival,
): Promise<Outcome> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await signInOnce(deps, request, interaction, arrival)
    } catch (error) {
      // The same person came in twice at once: the second finds the identity that the first made.
      if (error instanceof Conflict && error.code === 'user_exists' && attempt === 0) continue
      if (error instanceof Conflict && error.code === 'user_gone') throw new FlowError('user_blocked', { cause: error })
      throw error
    }
  }
}

async function signInOnce(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  arrival: Arrival,
): Promise<Outcome> {
  const { storage, clock } = deps
  const at = clock()
  const decision = decideSignIn(await gatherFacts(storage, request, interaction, arrival, at))
  if (decision.kind === 'refuse') throw await refusal(deps, arrival, decision, 'user_blocked')
  if (decision.kind === 'conflict' || decision.kind === 'ask')
    throw await refusal(deps, arrival, decision, 'wrong_user')
  const cookie = await storage.transaction(async (tx) => {
    const user = await arrive(tx, arrival, decision, request, at)
    await keepTokenset(deps, tx, arrival, user.userId)
    const identityKey = identityKeyOf({ connectionId: arrival.connection.id, subject: arrival.subject })
    const login = { userId: user.userId, identityKey, amr: arrival.amr }
    const session = await deps.sessions.start(tx, login, request.sessionCookie)
    await settle(tx, interaction, { login: { accountId: user.userId, ts: at, amr: arrival.amr } })
    return session.cookie
  })
  const { cookieSameSite, absoluteSeconds } = deps.settings().sessions
  const sessionCookie = serializeHostCookie(SESSION_COOKIE, cookie, cookieSameSite, absoluteSeconds)
  return { kind: 'redirect', url: interaction.returnTo, cookies: withBrowserCookie(request, [sessionCookie]) }
}

async function gatherFacts(
  repositories: Repositories,
  request: BrowserRequest,
  interaction: Interaction,
  { connection, subject, email, grade }: Arrival,
  at: EpochSeconds,
): Promise<SignInFacts> {
  const identity = await repositories.identities.find(connection.id, subject)
  const owner = identity && (await repositories.users.find(identity.userId))
  const tombstone = await repositories.identities.findTombstone(connection.id, subject)
  const evidence = email === undefined || identity ? [] : await repositories.evidence.listForAddress(email)
  const best = new Map<string, Grade>()
  for (const one of evidence) if (one.grade >= (best.get(one.userId) ?? 0)) best.set(one.userId, one.grade)
  return {
    owner: owner && { userId: owner.userId, blocked: owner.blocked },
    // Who was asked to sign in anew may be somebody else; who was not must not be switched silently.
    sessionUserId: interaction.prompt.reasons.includes('login_prompt') ? undefined : request.session?.userId,
    tombstoned: tombstone !== undefined && tombstone.unlinkedAt + TOMBSTONE_SECONDS > at,
    grade,
    holders: [...best].map(([userId, held]) => ({ userId, grade: held })),
  }
}

async function arrive(
  tx: Repositories,
  { connection, subject, profileData, email, grade }: Arrival,
  decision: Extract<SignInDecision, { kind: 'sign_in' | 'create' }>,
  { ip }: BrowserRequest,
  at: EpochSeconds,
) {
  const known = decision.kind === 'sign_in' ? await tx.users.find(decision.userId) : undefined
  const user =
    known ??
    (await createUser(tx, {
      connection,
      subject,
      profileData,
      email,
      grade,
      source: `connection:${connection.id}`,
      at,
      ip,
    }))
  const identity = await tx.identities.find(connection.id, subject)
  if (identity === undefined || identity.userId !== user.userId)
    throw new Conflict('user_gone', 'The identity was taken away.')
  await tx.events.append({
    type: 'sign_in.decided',
    at,
    outcome: 'ok',
    userId: user.userId,
    connectionId: connection.id,
    data: { rule: decision.rule, grade },
  })
  return recordSignIn(tx, { user, identity, profileData, email, grade, at, ip })
}

/** A sign-in's tokens are kept for agents where the connection says so; others are given back (vault.md §1). */
async function keepTokenset(
  { vault }: FlowDeps,
  tx: Repositories,
  { connection, subject, account, scopesAsked }: Arrival,
  userId: string,
): Promise<void> {
  if (account === undefined) return
  const { tokenset, upstreamName } = account
  const owner = { userId, connectionId: connection.id, subject }
  if (!keepsSignInTokens(connection)) return vault.discard(tx, { ...owner, id: '' }, tokenset)
  await vault.store(tx, { ...owner, tokenset, purpose: 'sign_in', label: upstreamName, scopesAsked })
}

async function refusal(
  { storage, clock }: FlowDeps,
  { connection, grade }: Arrival,
  decision: SignInDecision,
  code: 'user_blocked' | 'wrong_user',
): Promise<FlowError> {
  await storage.transaction((tx) =>
    tx.events.append({
      type: 'sign_in.decided',
      at: clock(),
      outcome: 'refused',
      ...('userId' in decision ? { userId: decision.userId } : {}),
      connectionId: connection.id,
      data: { rule: decision.rule, grade },
    }),
  )
  return new FlowError(code)
}
