// Somebody is signed in and an identity that nobody has arrives: is it theirs, or another person's (linking.md S5)?
import { mayLink } from '../domain/addresses-of-user.ts'
import { withMethods } from '../domain/second-factor.ts'
import { addArrival } from './add-arrival.ts'
import { giveBack } from './arrival.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import { shownConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { finishAs, recordArrival } from './finish-as.ts'
import { type Interaction, settle } from './interactions.ts'
import type { OpenInteraction } from './login.ts'
import type { Outcome } from './outcome.ts'
import { arrivalOfPending, type Pending, requirePending } from './pending.ts'
import { shownUser } from './shown-user.ts'
import { signIn } from './sign-in.ts'
import { nameOfArrival } from './suggest.ts'
import { isRecent, openSessionQuestion, requireSessionOf, startProof } from './ways.ts'

export async function choosePage(deps: FlowDeps, request: BrowserRequest, open: OpenInteraction): Promise<Outcome> {
  const { interaction, appName } = open
  const { pending, arrival, user } = await openSessionQuestion(deps, request, interaction, 'choose')
  return {
    kind: 'page',
    page: {
      name: 'link-choose',
      state: interaction.uid,
      appName,
      user: shownUser(user),
      account: {
        connection: shownConnection(arrival.connection),
        name: nameOfArrival(arrival),
        address: arrival.email,
      },
      mayAdd: mayLink(user),
      problem: pending.problem,
    },
  }
}

export type ChooseAnswer = 'link' | 'continue' | 'cancel'

export async function submitChoose(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  answer: ChooseAnswer,
): Promise<Outcome> {
  const { interaction } = open
  const pending = requirePending(interaction, 'choose')
  requireSessionOf(request, pending)
  if (answer === 'cancel') return decline(deps, request, interaction, pending)
  if (answer === 'link')
    return isRecent(deps, request, { interaction, pending })
      ? addToSession(deps, request, interaction, pending)
      : startProof(deps, request, open, pending)
  const arrival = await arrivalOfPending(deps, interaction, pending)
  return signIn(deps, request, interaction, arrival, { asAnother: true })
}

/** Adds what arrived to who is signed in; the session goes on as the same user. */
export async function addToSession(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  pending: Pending,
): Promise<Outcome> {
  requireSessionOf(request, pending)
  const arrival = await arrivalOfPending(deps, interaction, pending)
  return finishAs(deps, request, interaction, async (tx, at) => {
    const { user } = await addArrival(deps, tx, arrival, {
      userId: pending.userId,
      rule: 'S5',
      proof: { by: 'session', authenticated_at: request.session?.authenticatedAt ?? at, amr: arrival.amr },
      at,
    })
    const login = await recordArrival(deps, tx, arrival, { user, request, at })
    // Who is signed in proved themselves as well, in this browser, a moment ago.
    return { ...login, amr: withMethods(request.session?.amr ?? [], login.amr) }
  })
}

/** The person wants none of it: nothing is kept, and the client hears that it was refused. */
export async function decline(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  pending: Pending,
): Promise<Outcome> {
  const arrival = await arrivalOfPending(deps, interaction, pending)
  await deps.storage.transaction(async (tx) => {
    await giveBack(deps, tx, arrival, pending.userId)
    await settle(tx, interaction, {
      error: 'access_denied',
      error_description: 'The person decided against it.',
    })
  })
  return { kind: 'redirect', url: interaction.returnTo, cookies: withBrowserCookie(request) }
}
