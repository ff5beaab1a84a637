// "You already have an account" (linking.md §4): the newcomer's address is proven by another user. Nothing of that user is
// shown, nobody is signed in, and no user is made before the person has chosen.
import { maskAddress } from '../domain/address.ts'
import { isString } from '../lib/json.ts'
import { addArrival } from './add-arrival.ts'
import { type Arrival, keepTokenset } from './arrival.ts'
import type { BrowserRequest } from './browser-request.ts'
import { isPasswordConnection, shownConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { finishAs, recordArrival } from './finish-as.ts'
import type { Interaction } from './interactions.ts'
import type { OpenInteraction } from './login.ts'
import type { Outcome } from './outcome.ts'
import { arrivalOfPending, type Pending, requirePending } from './pending.ts'
import { signIn } from './sign-in.ts'
import { startProof, waysToProve } from './ways.ts'

export async function suggestPage(deps: FlowDeps, open: OpenInteraction): Promise<Outcome> {
  const { interaction } = open
  const pending = requirePending(interaction, 'suggest')
  const arrival = await arrivalOfPending(deps, interaction, pending)
  const ways = await waysToProve(deps, open, pending.userId)
  return {
    kind: 'page',
    page: {
      name: 'link-suggest',
      state: interaction.uid,
      address: arrival.email ?? '',
      account: { connection: shownConnection(arrival.connection), name: nameOfArrival(arrival) },
      ways: ways.map((connection) => ({
        ...shownConnection(connection),
        kind: isPasswordConnection(connection) ? 'password' : 'connection',
      })),
      undoDays: deps.settings().linking.undoDays,
      problem: pending.problem,
    },
  }
}

export type SuggestAnswer =
  | { readonly action: 'link'; readonly method: string | undefined }
  | { readonly action: 'keep_separate' | 'not_me' }

export async function submitSuggest(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  answer: SuggestAnswer,
): Promise<Outcome> {
  const { interaction } = open
  const pending = requirePending(interaction, 'suggest')
  if (answer.action === 'link') return startProof(deps, request, open, pending, answer.method)
  const arrival = await arrivalOfPending(deps, interaction, pending)
  await deps.storage.transaction((tx) =>
    tx.events.append({
      type: 'link.declined',
      at: deps.clock(),
      outcome: 'ok',
      userId: pending.userId,
      connectionId: arrival.connection.id,
      data: { choice: answer.action },
    }),
  )
  const separate = { userId: pending.userId, choice: answer.action }
  return signIn(deps, request, interaction, arrival, { asAnother: true, separate })
}

/** The suggested user proved themselves: the newcomer becomes theirs, and the sign-in goes on as them. */
export async function joinSuggested(
  deps: FlowDeps,
  request: BrowserRequest,
  interaction: Interaction,
  { pending, proof }: { readonly pending: Pending; readonly proof: Arrival },
): Promise<Outcome> {
  const arrival = await arrivalOfPending(deps, interaction, pending)
  return finishAs(deps, request, interaction, async (tx, at) => {
    const added = await addArrival(deps, tx, arrival, {
      userId: pending.userId,
      rule: 'S8',
      proof: { by: 'existing_method', connection_id: proof.connection.id, amr: proof.amr },
      at,
    })
    await keepTokenset(deps, tx, arrival, { userId: pending.userId })
    return recordArrival(deps, tx, proof, { user: added.user, request, at })
  })
}

/** What the account is called: by its provider, or, for a password, by the address that was typed. */
export function nameOfArrival({ account, profileData, subject }: Arrival): string {
  if (account !== undefined) return account.upstreamName
  return isString(profileData.email) ? maskAddress(profileData.email) : subject
}
