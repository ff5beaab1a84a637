// An interaction in which somebody arrived and the person has a choice to make: which question, about whom, and what has
// been proven since. It ends with the interaction.
import { randomToken } from '../crypto/hashing.ts'
import { isJsonObject, isString, type JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import { type Arrival, openArrival, sealArrival } from './arrival.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { type Interaction, remember } from './interactions.ts'
import type { Outcome, ProofProblem } from './outcome.ts'

/** The questions, by the page that asks. */
export type Question = 'suggest' | 'choose' | 'conflict' | 'merge' | 'confirm' | 'add'

const PATHS: Readonly<Record<Question, string>> = {
  suggest: '/u/suggest',
  choose: '/u/choose',
  conflict: '/u/conflict',
  merge: '/u/merge',
  confirm: '/u/link',
  add: '/u/add',
}

export interface Pending {
  /** Names this very arrival: a proof that was begun for another one counts nothing here (T-PRE-10). */
  readonly id: string
  readonly question: Question
  /** Whom the arrival may be joined to: the suggested user, else the session's. */
  readonly userId: string
  /** Whose the arriving identity is already. */
  readonly ownerId: string | undefined
  /** Label of the account that was meant, where another one arrived. */
  readonly insteadOf: string | undefined
  /** Why the person is asked again. */
  readonly problem: ProofProblem | undefined
  /** When the arriving identity was proven. */
  readonly arrivedAt: EpochSeconds
  /** When `userId` proved themselves for this. */
  readonly provenAt: EpochSeconds | undefined
  /** Sealed. */
  readonly arrival: JsonObject
}

export interface NewPending {
  readonly question: Question
  readonly userId: string
  readonly ownerId?: string | undefined
  readonly insteadOf?: string | undefined
  readonly arrival: Arrival
}

export function pendingOf({ artifact }: Interaction): Pending | undefined {
  const { pending } = artifact.payload
  if (!isJsonObject(pending) || !isString(pending.id) || !isString(pending.userId)) return undefined
  const { id, question, userId, ownerId, insteadOf, problem, arrivedAt, provenAt, arrival } = pending
  return {
    id,
    question: question as Question,
    userId,
    ownerId: isString(ownerId) ? ownerId : undefined,
    insteadOf: isString(insteadOf) ? insteadOf : undefined,
    problem: isString(problem) ? (problem as ProofProblem) : undefined,
    arrivedAt: Number(arrivedAt),
    provenAt: typeof provenAt === 'number' ? provenAt : undefined,
    arrival: isJsonObject(arrival) ? arrival : {},
  }
}

/** @throws {FlowError} `interaction_expired`: the question was answered, or another one took its place. */
export function requirePending(interaction: Interaction, ...questions: readonly Question[]): Pending {
  const pending = pendingOf(interaction)
  if (pending === undefined || !questions.includes(pending.question)) throw new FlowError('interaction_expired')
  return pending
}

/** Keeps the arrival and sends the browser to the question. */
export async function askAbout(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  { arrival, ...asked }: NewPending,
): Promise<Outcome> {
  const pending: Pending = {
    ...asked,
    id: randomToken(16),
    ownerId: asked.ownerId,
    insteadOf: asked.insteadOf,
    problem: undefined,
    arrivedAt: deps.clock(),
    provenAt: undefined,
    arrival: sealArrival(deps, interaction, arrival),
  }
  await deps.storage.transaction((tx) => writePending(tx, interaction, pending))
  return questionPage(request, interaction, pending.question)
}

/** Goes on with the same arrival: another question, or what has changed. */
export async function askAgain(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  pending: Pending,
): Promise<Outcome> {
  await deps.storage.transaction((tx) => writePending(tx, interaction, pending))
  return questionPage(request, interaction, pending.question)
}

export const questionPage = (request: BrowserRequest, { uid }: Interaction, question: Question): Outcome => ({
  kind: 'redirect',
  url: `${PATHS[question]}?state=${encodeURIComponent(uid)}`,
  cookies: withBrowserCookie(request),
})

export const arrivalOfPending = (deps: FlowDeps, interaction: Interaction, pending: Pending): Promise<Arrival> =>
  openArrival(deps, interaction, pending.arrival)

const writePending = (tx: Repositories, interaction: Interaction, pending: Pending): Promise<void> =>
  remember(tx, interaction, {
    pending: {
      ...pending,
      ownerId: pending.ownerId ?? null,
      insteadOf: pending.insteadOf ?? null,
      problem: pending.problem ?? null,
      provenAt: pending.provenAt ?? null,
    },
  })
