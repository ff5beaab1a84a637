// Carries out a sign-in: facts, decision, and either one transaction and back to where the person was going, or a
// question that only they can answer.
import { rememberSeparate, type SeparateChoice } from '../accounts/separate.ts'
import { gatherSignInFacts } from '../accounts/sign-in-facts.ts'
import { sweepSquatters } from '../accounts/sweep.ts'
import { createUser } from '../accounts/users.ts'
import { Conflict } from '../domain/errors.ts'
import { connectionSource } from '../domain/identity-key.ts'
import { decideSignIn, describeDecision, type SignInDecision, type SignInFacts } from '../domain/sign-in.ts'
import type { User } from '../domain/user.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { NewLogin } from '../sessions/sessions.ts'
import type { Repositories } from '../storage/storage.ts'
import { addArrival } from './add-arrival.ts'
import type { Arrival } from './arrival.ts'
import type { BrowserRequest } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { finishAs, recordArrival } from './finish-as.ts'
import { FlowError } from './flow-error.ts'
import type { Interaction } from './interactions.ts'
import type { Outcome } from './outcome.ts'
import { askAbout } from './pending.ts'
import { askSecondStep, lacksSecondStep } from './second-step-state.ts'

export interface SignInChoice {
  /** The person chose to sign in as whoever this is, whoever holds the session. */
  readonly asAnother?: boolean
  /** The person chose not to be joined to this user. */
  readonly separate?: { readonly userId: string; readonly choice: SeparateChoice }
}

/**
 * Decides and carries out a sign-in, or asks the person what it depends on: also for a second proof, whichever way they
 * came by.
 *
 * @throws {FlowError} `user_blocked`.
 */
export async function signIn(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  arrival: Arrival,
  choice: SignInChoice = {},
): Promise<Outcome> {
  const sessionUserId = choice.asAnother === true ? undefined : request.session?.userId
  const question = { deps, arrival, sessionUserId, choice }
  const { facts, decision } = await decide(deps.storage, question, deps.clock())
  switch (decision.kind) {
    case 'refuse':
      await deps.storage.transaction((tx) => record(tx, arrival, facts, decision, deps.clock()))
      throw new FlowError('user_blocked')
    case 'suggest':
      return askAbout(deps, request, interaction, { question: 'suggest', userId: decision.userId, arrival })
    case 'ask':
      return askAbout(deps, request, interaction, { question: 'choose', userId: decision.userId, arrival })
    case 'conflict': {
      const userId = sessionUserId ?? decision.userId
      return askAbout(deps, request, interaction, { question: 'conflict', userId, ownerId: decision.userId, arrival })
    }
    default:
      if ('userId' in decision && (await lacksSecondStep(deps.storage, decision.userId, arrival))) {
        const goal = { kind: 'sign-in', asAnother: choice.asAnother === true } as const
        return askSecondStep(deps, request, interaction, { userId: decision.userId, goal, arrival })
      }
      return finishAs(deps, request, interaction, async (tx, at) => {
        // Anew under the transaction: what was decided outside of it may not hold any more.
        const now = await decide(tx, question, at)
        if (now.decision.kind !== decision.kind) throw new Conflict('identity_conflict', 'Something changed meanwhile.')
        if ('userId' in now.decision && (await lacksSecondStep(tx, now.decision.userId, arrival)))
          throw new Conflict('identity_conflict', 'A second factor was added meanwhile.')
        return carryOut(deps, tx, request, { ...question, ...now, at })
      })
  }
}

interface AskedSignIn {
  readonly deps: FlowDeps
  readonly arrival: Arrival
  readonly sessionUserId: string | undefined
  readonly choice: SignInChoice
}

async function decide(
  repositories: Repositories,
  { deps, arrival, sessionUserId, choice }: AskedSignIn,
  at: EpochSeconds,
): Promise<{ readonly facts: SignInFacts; readonly decision: SignInDecision }> {
  const { connection, subject, email, grade } = arrival
  const { linking, operators } = deps.settings()
  const gathered = await gatherSignInFacts(repositories, {
    connectionId: connection.id,
    subject,
    email,
    grade,
    sessionUserId,
    policy: linking.policy,
    operators,
    at,
  })
  const facts: SignInFacts = {
    ...gathered,
    holders: gathered.holders.map((holder) =>
      holder.userId === choice.separate?.userId ? { ...holder, separate: true } : holder,
    ),
  }
  return { facts, decision: decideSignIn(facts) }
}

interface DecidedSignIn extends AskedSignIn {
  readonly facts: SignInFacts
  readonly decision: SignInDecision
  readonly at: EpochSeconds
}

async function carryOut(
  deps: FlowDeps,
  tx: Repositories,
  request: BrowserRequest,
  decided: DecidedSignIn,
): Promise<NewLogin> {
  const { arrival, facts, decision, choice, at } = decided
  const user = await userOf(tx, request, decided)
  await record(tx, arrival, facts, decision, at, user.userId)
  if (decision.kind === 'create') {
    const { connection, subject, email } = arrival
    if (decision.sweep.length > 0 && email !== undefined)
      await sweepSquatters(tx, deps.vault, { address: email, ownerId: user.userId, at })
    if (choice.separate !== undefined)
      await rememberSeparate(
        tx,
        { connectionId: connection.id, subject },
        choice.separate.userId,
        choice.separate.choice,
      )
  }
  return recordArrival(deps, tx, arrival, { user, request, at })
}

async function userOf(
  tx: Repositories,
  { ip }: BrowserRequest,
  { deps, arrival, facts, decision, at }: DecidedSignIn,
): Promise<User> {
  const { connection, subject, profileData, email, grade } = arrival
  if (decision.kind === 'create')
    return createUser(tx, {
      connection,
      subject,
      profileData,
      email,
      grade,
      source: connectionSource(connection.id),
      at,
      ip,
    })
  const user = 'userId' in decision ? await tx.users.find(decision.userId) : undefined
  if (user === undefined) throw new Conflict('user_gone', 'The user has gone.')
  if (decision.kind !== 'join') return user
  const proof = describeDecision(facts, decision)
  return (await addArrival(deps, tx, arrival, { userId: user.userId, rule: decision.rule, proof, at })).user
}

function record(
  tx: Repositories,
  { connection }: Arrival,
  facts: SignInFacts,
  decision: SignInDecision,
  at: EpochSeconds,
  userId = 'userId' in decision ? decision.userId : undefined,
): Promise<void> {
  return tx.events.append({
    type: 'sign_in.decided',
    at,
    outcome: decision.kind === 'refuse' ? 'refused' : 'ok',
    ...(userId === undefined ? {} : { userId }),
    connectionId: connection.id,
    data: describeDecision(facts, decision),
  })
}
