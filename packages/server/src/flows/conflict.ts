// Somebody is signed in and another user's identity arrives (linking.md S2): never switched silently, never moved. The
// person may go on as the other, or join the two after seeing what that changes.
import type { BrowserRequest } from './browser-request.ts'
import { decline } from './choose.ts'
import { isPasswordConnection, shownConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { getInteraction, type Interaction } from './interactions.ts'
import type { OpenInteraction } from './login.ts'
import type { Outcome } from './outcome.ts'
import { arrivalOfPending, askAgain, type Pending, requirePending } from './pending.ts'
import { askSecondStep, lacksSecondStep } from './second-step-state.ts'
import { shownUser } from './shown-user.ts'
import { signIn } from './sign-in.ts'
import { nameOfArrival } from './suggest.ts'
import { isRecent, openSessionQuestion, requireSessionOf, startProof } from './ways.ts'

export async function conflictPage(deps: FlowDeps, request: BrowserRequest, open: OpenInteraction): Promise<Outcome> {
  const { interaction, appName } = open
  const { pending, arrival, user } = await openSessionQuestion(deps, request, interaction, 'conflict')
  return {
    kind: 'page',
    page: {
      name: 'link-conflict',
      state: interaction.uid,
      appName,
      user: shownUser(user),
      account: {
        connection: shownConnection(arrival.connection),
        name: nameOfArrival(arrival),
        byPassword: isPasswordConnection(arrival.connection),
      },
      mayContinue: maySwitch(interaction),
      mayChooseAnother: !maySwitch(interaction),
      problem: pending.problem,
    },
  }
}

export type ConflictAnswer = 'link' | 'continue' | 'cancel'

export async function submitConflict(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  answer: ConflictAnswer,
): Promise<Outcome> {
  const { interaction } = open
  const pending = requirePending(interaction, 'conflict')
  requireSessionOf(request, pending)
  if (answer === 'link')
    return isRecent(deps, request, { interaction, pending })
      ? toMergePreview(deps, request, interaction, pending)
      : startProof(deps, request, open, pending)
  if (answer === 'cancel' || !maySwitch(interaction)) return decline(deps, request, interaction, pending)
  const arrival = await arrivalOfPending(deps, interaction, pending)
  return signIn(deps, request, interaction, arrival, { asAnother: true })
}

/** Both are proven: what joining them would change is shown before anything happens. */
export async function toMergePreview(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  pending: Pending,
): Promise<Outcome> {
  const arrival = await arrivalOfPending(deps, interaction, pending)
  const { ownerId: userId } = pending
  // The arriving account is another user's, and proves them no less than signing in would.
  if (userId !== undefined && (await lacksSecondStep(deps.storage, userId, arrival))) {
    const goal = { kind: 'merge', proves: pending.id } as const
    const proven = await askAgain(deps, request, interaction, pending)
    if (proven.kind !== 'redirect') return proven
    const again = await getInteraction(deps, request, interaction.uid)
    return askSecondStep(deps, request, again, { userId, goal, arrival })
  }
  return askAgain(deps, request, interaction, { ...pending, question: 'merge', problem: undefined })
}

/** A client that asked to link is answered as the user who asked, or not at all. */
const maySwitch = ({ prompt }: Interaction): boolean => prompt.name !== 'link'
