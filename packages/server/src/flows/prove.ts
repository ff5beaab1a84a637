// Proving an account that exists, within an interaction where somebody arrived: by one of its own ways to sign in, in the
// same browser, for this very arrival (linking.md §4).
import type { Repositories } from '../storage/storage.ts'
import { type Arrival, giveBack, keepTokenset, sealArrival } from './arrival.ts'
import type { BrowserRequest } from './browser-request.ts'
import { addToSession } from './choose.ts'
import { toMergePreview } from './conflict.ts'
import {
  isMailConnection,
  isPasskeyConnection,
  isPasswordConnection,
  isUpstream,
  shownConnection,
} from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Interaction } from './interactions.ts'
import { checkPassword, type LoginTried, loginStatus, type OpenInteraction, type TypedPassword } from './login.ts'
import { startMailSignIn } from './mail-sign-in.ts'
import type { LoginPage, Outcome, ProofProblem } from './outcome.ts'
import { checkPasskeySignIn, signInPasskey } from './passkey-sign-in.ts'
import { askAgain, type Pending, pendingOf } from './pending.ts'
import { askSecondStep, lacksSecondStep } from './second-step-state.ts'
import { joinSuggested } from './suggest.ts'
import { startProof, waysToProve } from './ways.ts'

/** The sign-in page with the ways of the account that is to be proven, and no others. */
export async function provePage(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  proves: string | undefined,
  tried: LoginTried = {},
): Promise<Outcome> {
  const { interaction, appName } = open
  const pending = requireAsked(interaction, proves)
  const ways = await waysToProve(deps, open, pending.userId)
  // Whose address it is, is not ours to fill in.
  const page: LoginPage = {
    name: 'login',
    state: interaction.uid,
    appName,
    connections: ways.filter(isUpstream).map(shownConnection),
    password: ways.some(isPasswordConnection)
      ? { username: tried.password?.username, wrong: tried.password !== undefined }
      : undefined,
    email: ways.some(isMailConnection) ? { typed: tried.email?.typed, wrong: tried.email !== undefined } : undefined,
    passkey: ways.some(isPasskeyConnection) ? await signInPasskey(deps, request, open, pending.id) : undefined,
    passkeyRefused: tried.passkey ?? false,
    proves: pending.id,
  }
  return { kind: 'page', page, status: loginStatus(tried) }
}

export interface ProofForm extends TypedPassword {
  readonly proof: string | undefined
  readonly connection: string | undefined
  readonly email?: string | undefined
  readonly passkey?: string | undefined
}

export async function submitProof(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  { proof, connection, email, passkey, ...typed }: ProofForm,
): Promise<Outcome> {
  const { interaction } = open
  const { id: proves } = requireAsked(interaction, proof)
  const again = (tried: LoginTried) => provePage(deps, request, open, proof, tried)
  if (connection !== undefined) return startProof(deps, request, open, requireAsked(interaction, proof), connection)
  if (email !== undefined)
    return (await startMailSignIn(deps, request, open, { email, proves })) ?? again({ email: { typed: email } })
  const arrival =
    passkey === undefined
      ? await checkPassword(deps, request, open, typed)
      : await checkPasskeySignIn(deps, request, open, { answer: passkey, proves })
  if (arrival !== undefined) return finishProof(deps, request, interaction, { arrival, proves })
  return again(passkey === undefined ? { password: { username: typed.username } } : { passkey: true })
}

/** Takes somebody's arrival as the proof that was asked for; anybody else proves nothing, and nothing happens. */
export async function finishProof(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  { arrival, proves }: { readonly arrival: Arrival; readonly proves: string },
): Promise<Outcome> {
  const pending = requireAsked(interaction, proves)
  const { storage, clock } = deps
  const identity = await storage.identities.find(arrival.connection.id, arrival.subject)
  const user = identity && (await storage.users.find(identity.userId))
  if (user?.userId !== pending.userId) {
    await storage.transaction((tx) => giveBack(deps, tx, arrival, user?.userId ?? pending.userId))
    return failedProof(deps, request, interaction, proves, 'wrong_account')
  }
  if (user.blocked) throw new FlowError('user_blocked')
  if (await lacksSecondStep(storage, user.userId, arrival)) {
    const goal = { kind: 'proof', proves } as const
    return askSecondStep(deps, request, interaction, { userId: user.userId, goal, arrival })
  }
  const proven = { ...pending, problem: undefined, provenAt: clock() }
  switch (pending.question) {
    case 'suggest':
      return joinSuggested(deps, request, interaction, { pending: proven, proof: arrival })
    case 'choose':
      await storage.transaction((tx) => keepProof(deps, tx, arrival, pending))
      return addToSession(deps, request, interaction, proven)
    default:
      await storage.transaction((tx) => keepProof(deps, tx, arrival, pending))
      return toMergePreview(deps, request, interaction, proven)
  }
}

/** The other side of a merge has shown its second proof: what arrived counts as proven in full. */
export async function finishMergeProof(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  { arrival, proves }: { readonly arrival: Arrival; readonly proves: string },
): Promise<Outcome> {
  const pending = requireAsked(interaction, proves)
  const whole = { ...pending, arrival: sealArrival(deps, interaction, arrival) }
  return toMergePreview(deps, request, interaction, whole)
}

/** The question stands again, with why. */
export async function failedProof(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  proves: string,
  problem: ProofProblem,
): Promise<Outcome> {
  const pending = requireAsked(interaction, proves)
  await deps.storage.transaction((tx) =>
    tx.events.append({
      type: 'link.proof_failed',
      at: deps.clock(),
      outcome: 'refused',
      userId: pending.userId,
      data: { question: pending.question, reason: problem },
    }),
  )
  return askAgain(deps, request, interaction, { ...pending, problem })
}

/** @throws {FlowError} `interaction_expired`: somebody else arrived since, or the question was answered. */
function requireAsked(interaction: Interaction, proves: string | undefined): Pending {
  const pending = pendingOf(interaction)
  if (pending === undefined || pending.id !== proves) throw new FlowError('interaction_expired')
  return pending
}

/** The proof is a sign-in of its own kind: its tokens renew what the connection keeps. */
const keepProof = (deps: FlowDeps, tx: Repositories, arrival: Arrival, { userId }: Pending): Promise<void> =>
  keepTokenset(deps, tx, arrival, { userId })
