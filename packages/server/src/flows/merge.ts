// Joining two users who were both proven in this browser: shown as a plan, applied as it was shown (linking.md §5).
import { mergeUsers, previewMerge } from '../accounts/link.ts'
import { secondStepAfter } from '../accounts/second-factors.ts'
import { mayLink } from '../domain/addresses-of-user.ts'
import { Conflict, Forbidden, NotFound } from '../domain/errors.ts'
import { identityKeyOf } from '../domain/identity-key.ts'
import type { MergePlan, MergeSide } from '../domain/merge.ts'
import { withMethods } from '../domain/second-factor.ts'
import { identityKeyOfArrival, keepTokenset } from './arrival.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import { decline } from './choose.ts'
import { shownConnection } from './connections.ts'
import type { FlowDeps } from './deps.ts'
import { finishAs } from './finish-as.ts'
import { FlowError } from './flow-error.ts'
import type { Interaction } from './interactions.ts'
import type { OpenInteraction } from './login.ts'
import type { MergeChoice, MergeRow, MergeSideShown, Outcome } from './outcome.ts'
import { arrivalOfPending, type Pending, requirePending } from './pending.ts'
import { lacksSecondStep } from './second-step-state.ts'
import { ownName, shownUser } from './shown-user.ts'
import { isRecent, requireSessionOf, signInWays } from './ways.ts'

const DAY_SECONDS = 86_400

export interface MergeLook {
  readonly remains: MergeChoice | undefined
  /** An earlier look does not hold any more. */
  readonly stale?: boolean
}

export async function mergePage(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  { remains, stale = false }: MergeLook,
): Promise<Outcome> {
  const { interaction } = open
  const pending = requireBothProven(deps, request, interaction)
  const pair = await pairOf(deps, pending, remains)
  const { linking } = deps.settings()
  const { plan, planHash, primary, secondary } = await previewMerge(deps.storage, { ...pair, policy: linking }).catch(
    refuseMerge,
  )
  return {
    kind: 'page',
    page: {
      name: 'merge-preview',
      state: interaction.uid,
      primary: await shownSide(deps, pending, primary),
      secondary: await shownSide(deps, pending, secondary),
      planHash,
      rows: await rowsOf(deps, plan, { primary, secondary }),
      ended: {
        sessions: plan.ended.sessions,
        apps: plan.ended.clientIds.length,
        secondStep: await secondStepAfter(deps.storage, plan),
      },
      undoUntil: deps.clock() + linking.undoDays * DAY_SECONDS,
      stale,
    },
  }
}

export type MergeAnswer =
  | { readonly action: 'cancel' }
  /** Look at it with another user remaining. */
  | { readonly action: 'continue'; readonly remains: MergeChoice | undefined }
  | { readonly action: 'confirm'; readonly remains: MergeChoice | undefined; readonly planHash: string | undefined }

export async function submitMerge(
  deps: FlowDeps,
  request: BrowserRequest,
  open: OpenInteraction,
  answer: MergeAnswer,
): Promise<Outcome> {
  const { interaction } = open
  if (answer.action === 'cancel') {
    const pending = requirePending(interaction, 'merge')
    requireSessionOf(request, pending)
    return decline(deps, request, interaction, pending)
  }
  const pending = requireBothProven(deps, request, interaction)
  const pair = await pairOf(deps, pending, answer.remains)
  const look = { state: interaction.uid, primary: sideOf(pending, pair.primaryUserId) }
  if (answer.action === 'continue') return lookAgain(request, look)
  try {
    return await merge(deps, request, open, pending, { ...pair, planHash: answer.planHash ?? '' })
  } catch (error) {
    if (!(error instanceof Conflict) || error.code !== 'plan_stale') throw error
    return lookAgain(request, { ...look, stale: '1' })
  }
}

const lookAgain = (request: BrowserRequest, query: Readonly<Record<string, string>>): Outcome => ({
  kind: 'redirect',
  url: `/u/merge?${new URLSearchParams(query)}`,
  cookies: withBrowserCookie(request),
})

interface Pair {
  readonly primaryUserId: string
  readonly secondaryUserId: string
}

async function merge(
  deps: FlowDeps,
  request: BrowserRequest,
  { interaction, clientId }: OpenInteraction,
  pending: Pending,
  { planHash, ...pair }: Pair & { readonly planHash: string },
): Promise<Outcome> {
  const { vault, keyring, notifyLink: notify } = deps
  const arrival = await arrivalOfPending(deps, interaction, pending)
  const outcome = await finishAs(deps, request, interaction, async (tx, at) => {
    const identity = await tx.identities.find(arrival.connection.id, arrival.subject)
    // Moved or taken away since it was proven.
    if (identity?.userId !== pending.ownerId) throw new FlowError('interaction_expired')
    // A second factor was added since.
    if (await lacksSecondStep(tx, pending.ownerId ?? '', arrival)) throw new FlowError('interaction_expired')
    const { link } = await mergeUsers(
      tx,
      { vault, keyring, notify },
      {
        ...pair,
        policy: deps.settings().linking,
        planHash,
        rule: interaction.prompt.name === 'link' ? 'client' : 'S2',
        proof: {
          by: 'session_and_identity',
          authenticated_at: pending.provenAt ?? pending.arrivedAt,
          amr: arrival.amr,
        },
        at,
        clientId,
        actor: pending.userId,
      },
    ).catch(refuseMerge)
    await keepTokenset(deps, tx, arrival, { userId: link.primaryUserId, clientId })
    const amr = withMethods(request.session?.amr ?? [], arrival.amr)
    return { userId: link.primaryUserId, identityKey: identityKeyOfArrival(arrival), amr }
  })
  vault.forgetUser(pair.secondaryUserId)
  return outcome
}

/** @throws {FlowError} `interaction_expired`: one of the two proofs is too old. */
function requireBothProven(deps: FlowDeps, request: BrowserRequest, interaction: Interaction): Pending {
  const pending = requirePending(interaction, 'merge')
  requireSessionOf(request, pending)
  const { reauthenticationSeconds } = deps.settings().linking
  if (!isRecent(deps, request, { interaction, pending }) || pending.arrivedAt + reauthenticationSeconds <= deps.clock())
    throw new FlowError('interaction_expired')
  return pending
}

/** The older user remains unless the person chose the other; one whose address is unproven cannot. */
async function pairOf(
  { storage }: FlowDeps,
  { userId, ownerId }: Pending,
  chosen: MergeChoice | undefined,
): Promise<Pair> {
  const [own, other] = await Promise.all([storage.users.find(userId), storage.users.find(ownerId ?? '')])
  if (own === undefined || other === undefined) throw new FlowError('interaction_expired')
  const older = other.createdAt < own.createdAt ? [other, own] : [own, other]
  const possible = older.filter(mayLink)
  const primary = possible.find((one) => chosen !== undefined && one === { own, other }[chosen]) ?? possible[0] ?? own
  const secondary = primary === own ? other : own
  return { primaryUserId: primary.userId, secondaryUserId: secondary.userId }
}

function refuseMerge(cause: unknown): never {
  if (cause instanceof NotFound) throw new FlowError('interaction_expired', { cause })
  if (!(cause instanceof Forbidden)) throw cause
  throw new FlowError(cause.code === 'user_blocked' ? 'user_blocked' : 'address_unproven', { cause })
}

const sideOf = (pending: Pending, userId: string): MergeChoice => (userId === pending.userId ? 'own' : 'other')

const shownSide = async (deps: FlowDeps, pending: Pending, { user, accounts }: MergeSide): Promise<MergeSideShown> => ({
  ...shownUser(user),
  side: sideOf(pending, user.userId),
  mayRemain: mayLink(user),
  createdAt: user.createdAt,
  lastLogin: user.lastLogin,
  ways: await signInWays(deps, user),
  accounts: accounts.filter(({ purpose }) => purpose === 'agents').map(({ label }) => label),
})

async function rowsOf(
  deps: FlowDeps,
  plan: MergePlan,
  { primary, secondary }: { readonly primary: MergeSide; readonly secondary: MergeSide },
): Promise<readonly MergeRow[]> {
  const labels = new Map([...primary.accounts, ...secondary.accounts].map(({ id, label }) => [id, label]))
  const named = async (connectionId: string) => {
    const connection = await deps.connections.find(deps.storage, connectionId)
    return connection === undefined ? connectionId : shownConnection(connection).displayName
  }
  const names = new Map(
    [...primary.identities, ...secondary.identities].map((one) => [identityKeyOf(one), ownName(one)]),
  )
  const ways = plan.identities.map(async ({ outcome, why, ...identity }): Promise<MergeRow> => {
    const [connection, name] = [await named(identity.connectionId), names.get(identityKeyOf(identity))]
    return { group: 'ways', thing: name === undefined ? connection : `${connection} (${name})`, outcome, why }
  })
  const accounts = plan.accounts
    .filter(({ purpose }) => purpose === 'agents')
    .map(async ({ id, connectionId, outcome, why }): Promise<MergeRow> => {
      const thing = `${await named(connectionId)} (${labels.get(id) ?? ''})`
      return { group: 'accounts', thing, outcome, why }
    })
  const addresses = distinctAddresses(plan)
  const metadata = plan.metadata.map(
    ({ key, outcome, why }): MergeRow => ({ group: 'metadata', thing: key, outcome, why }),
  )
  return [...(await Promise.all([...ways, ...accounts])), ...addresses, ...metadata]
}

/** A person thinks of an address, not of who vouches for it: what is kept counts before what is moved or dropped. */
function distinctAddresses({ addresses }: MergePlan): readonly MergeRow[] {
  const order = ['kept', 'moved', 'dropped'] as const
  return [...new Set(addresses.map(({ address }) => address))].flatMap((address): MergeRow[] => {
    const words = addresses.filter((one) => one.address === address)
    const best = order.flatMap((outcome) => words.filter((one) => one.outcome === outcome))[0]
    return best === undefined ? [] : [{ group: 'addresses', thing: address, outcome: best.outcome, why: best.why }]
  })
}
