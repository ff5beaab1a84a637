// A sign-in, or a proof, that has come half of its way: somebody showed one way in, and their account asks for a second
// proof. What they showed waits with the interaction, sealed, for ten minutes.
import { wantsSecondFactor } from '../accounts/second-factors.ts'
import { randomToken } from '../crypto/hashing.ts'
import { isJsonObject, isString, type JsonObject } from '../lib/json.ts'
import type { Repositories } from '../storage/storage.ts'
import { type Arrival, openArrival, sealArrival } from './arrival.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { type Interaction, remember } from './interactions.ts'
import type { Outcome } from './outcome.ts'

export const HALF_PROVEN_SECONDS = 600

/** What goes on once the second proof is there. */
export type SecondStepGoal =
  | { readonly kind: 'sign-in'; readonly asAnother: boolean }
  /** A proof that was asked for, by the id of what is pending. */
  | { readonly kind: 'proof'; readonly proves: string }
  /** The other side of a merge, which is pending. */
  | { readonly kind: 'merge'; readonly proves: string }

export interface SecondStep {
  /** Names this very arrival. */
  readonly id: string
  /** Whose second proof is wanted. */
  readonly userId: string
  readonly goal: SecondStepGoal
  readonly arrival: Arrival
}

/** This arrival signs in, or proves, a user who wants one more proof. */
export const lacksSecondStep = (repositories: Repositories, userId: string, { amr }: Arrival): Promise<boolean> =>
  wantsSecondFactor(repositories, userId, amr)

/** Keeps what was shown, and sends the browser to the page of the second step. */
export async function askSecondStep(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  { userId, goal, arrival }: Omit<SecondStep, 'id'>,
): Promise<Outcome> {
  const kept: JsonObject = {
    id: randomToken(16),
    userId,
    goal: { ...goal },
    at: deps.clock(),
    arrival: sealArrival(deps, interaction, arrival),
  }
  await deps.storage.transaction((tx) => remember(tx, interaction, { secondStep: kept }))
  return secondStepUrl(request, interaction)
}

export const secondStepUrl = (request: BrowserRequest, { uid }: Interaction): Outcome => ({
  kind: 'redirect',
  url: `/u/mfa?state=${encodeURIComponent(uid)}`,
  cookies: withBrowserCookie(request),
})

/** @throws {FlowError} `interaction_expired`: nothing waits for a second proof here, or not any more. */
export async function openSecondStep(deps: FlowDeps, interaction: Interaction): Promise<SecondStep> {
  const { secondStep } = interaction.artifact.payload
  if (!isJsonObject(secondStep) || !isJsonObject(secondStep.goal) || !isJsonObject(secondStep.arrival))
    throw new FlowError('interaction_expired')
  const { id, userId, at, goal, arrival } = secondStep
  if (!isString(id) || !isString(userId) || Number(at) + HALF_PROVEN_SECONDS <= deps.clock())
    throw new FlowError('interaction_expired')
  // Written by `askSecondStep` from this very type.
  const wanted = goal as unknown as SecondStepGoal
  return { id, userId, goal: wanted, arrival: await openArrival(deps, interaction, arrival) }
}

/** @throws {FlowError} `user_blocked`. */
export async function requireActive({ storage }: FlowDeps, userId: string): Promise<void> {
  const user = await storage.users.find(userId)
  if (user === undefined || user.blocked) throw new FlowError('user_blocked')
}
