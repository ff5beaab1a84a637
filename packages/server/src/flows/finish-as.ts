// The end of a journey that signs somebody in: one transaction with its reason, a new session, and back to where they
// were going.
import { transact } from '../accounts/transact.ts'
import { recordSignIn } from '../accounts/users.ts'
import { Conflict } from '../domain/errors.ts'
import { acrOf } from '../domain/second-factor.ts'
import type { User } from '../domain/user.ts'
import type { EpochSeconds } from '../lib/time.ts'
import { SESSION_COOKIE, serializeHostCookie } from '../sessions/browser-cookies.ts'
import { deviceOf } from '../sessions/device.ts'
import type { NewLogin } from '../sessions/sessions.ts'
import type { Repositories } from '../storage/storage.ts'
import { type Arrival, identityKeyOfArrival, keepTokenset } from './arrival.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { type Interaction, settle } from './interactions.ts'
import type { Outcome } from './outcome.ts'

/** Writes what the journey decided and says who is signed in by it, and by which identity. */
export type Work = (tx: Repositories, at: EpochSeconds) => Promise<NewLogin>

/**
 * @throws {FlowError} `user_blocked`; `interaction_expired` when others keep changing what it depends on.
 * @throws {Conflict} `plan_stale`.
 */
export async function finishAs(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  work: Work,
): Promise<Outcome> {
  const at = deps.clock()
  for (let attempt = 0; ; attempt++) {
    try {
      const cookie = await transact(deps.storage, async (tx) => {
        const login = await work(tx, at)
        const device = deviceOf(request.userAgent)
        const session = await deps.sessions.start(tx, { ...login, device }, request.sessionCookie)
        await settle(tx, interaction, {
          login: { accountId: login.userId, ts: login.authenticatedAt ?? at, amr: login.amr, acr: acrOf(login.amr) },
        })
        return session.cookie
      })
      return goOn(deps, request, interaction, cookie)
    } catch (error) {
      if (!(error instanceof Conflict)) throw error
      if (error.code === 'user_gone') throw new FlowError('user_blocked', { cause: error })
      // The same person came in twice at once: the second finds what the first made.
      if (error.code === 'plan_stale') throw error
      if (attempt > 0) throw new FlowError('interaction_expired', { cause: error })
    }
  }
}

function goOn(deps: FlowDeps, request: BrowserRequest, { returnTo }: Interaction, cookie: string): Outcome {
  const { cookieSameSite, absoluteSeconds } = deps.settings().sessions
  const sessionCookie = serializeHostCookie(SESSION_COOKIE, cookie, cookieSameSite, absoluteSeconds)
  return { kind: 'redirect', url: returnTo, cookies: withBrowserCookie(request, [sessionCookie]) }
}

/**
 * Records that a user came in by an identity that they have, and keeps its tokens.
 *
 * @throws {Conflict} `user_gone`: deleted, blocked, or the identity was taken away meanwhile.
 */
export async function recordArrival(
  deps: FlowDeps,
  tx: Repositories,
  arrival: Arrival,
  { user, request, at }: { readonly user: User; readonly request: BrowserRequest; readonly at: EpochSeconds },
): Promise<NewLogin> {
  const { connection, subject, profileData, email, grade, amr } = arrival
  const identity = await tx.identities.find(connection.id, subject)
  if (identity === undefined || identity.userId !== user.userId)
    throw new Conflict('user_gone', 'The identity was taken away.')
  await recordSignIn(tx, { user, identity, profileData, email, grade, at, ip: request.ip })
  await keepTokenset(deps, tx, arrival, { userId: user.userId })
  return { userId: user.userId, identityKey: identityKeyOfArrival(arrival), amr }
}
