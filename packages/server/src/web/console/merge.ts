// The page on which an operator joins two users: the plan, as it would be applied.
import { type MergePreview, previewMerge } from '../../accounts/link.ts'
import { secondStepAfter } from '../../accounts/second-factors.ts'
import { mayLink } from '../../domain/addresses-of-user.ts'
import { Refusal } from '../../domain/errors.ts'
import type { MergeSide } from '../../domain/merge.ts'
import { mergePath } from '../../flows/console-wish.ts'
import { signInWays } from '../../flows/ways.ts'
import { loadNames, type Names } from '../account/names.ts'
import {
  type ConsoleMergeRow,
  type ConsoleMergeView,
  MERGE_REFUSALS,
  type MergeRefusal,
  renderConsoleMerge,
} from '../pages/console-merge.ts'
import type { MergeSideView } from '../pages/merge-parts.ts'
import { type Built, type ConsoleDeps, type ConsoleVisit, consoleForm, consoleFrame } from './page.ts'
import { sourceView } from './user.ts'
import { shownName } from './users.ts'

const DAY_SECONDS = 86_400

export async function mergePage(deps: ConsoleDeps, visit: ConsoleVisit): Promise<Built> {
  const { primary = '', secondary = '' } = visit.query
  const outcome = await outcomeOf(deps, visit, { primary, secondary })
  const html = renderConsoleMerge({
    ...consoleFrame(deps, visit),
    pair: { primary, secondary },
    swapUrl: mergePath({ primaryUserId: secondary, secondaryUserId: primary }),
    outcome,
  })
  if (outcome.kind === 'possible') return { html }
  return { html, status: outcome.code === 'inexistent_user' ? 404 : 409 }
}

async function outcomeOf(
  deps: ConsoleDeps,
  { request, query }: ConsoleVisit,
  { primary, secondary }: ConsoleMergeView['pair'],
): Promise<ConsoleMergeView['outcome']> {
  const { linking } = deps.settings()
  const pair = { primaryUserId: primary, secondaryUserId: secondary }
  const preview = await previewMerge(deps.storage, { ...pair, policy: linking }).catch(refusalOf)
  if (typeof preview === 'string') return { kind: 'refused', code: preview }
  const { sessions, grants, refreshTokens } = preview.plan.ended
  return {
    kind: 'possible',
    form: consoleForm(request, '/console/merge'),
    primary: await sideView(deps, preview.primary, 'own'),
    secondary: await sideView(deps, preview.secondary, 'other'),
    planHash: preview.planHash,
    rows: rowsOf(preview, await namesIn(deps, preview)),
    ended: { sessions, grants, tokens: refreshTokens },
    secondStep: await secondStepAfter(deps.storage, pair),
    undoUntil: deps.clock() + linking.undoDays * DAY_SECONDS,
    stale: query.stale !== undefined,
  }
}

function refusalOf(error: unknown): MergeRefusal {
  const code = error instanceof Refusal ? MERGE_REFUSALS.find((one) => one === error.code) : undefined
  if (code === undefined) throw error
  return code
}

const sideView = async (
  deps: ConsoleDeps,
  { user, accounts }: MergeSide,
  side: MergeSideView['side'],
): Promise<MergeSideView> => ({
  side,
  mayRemain: mayLink(user),
  name: shownName(user) ?? user.userId,
  address: user.email,
  createdAt: user.createdAt,
  lastLogin: user.lastLogin,
  ways: await signInWays(deps, user),
  accounts: accounts.filter(({ purpose }) => purpose === 'agents').map(({ label }) => label),
})

const namesIn = (deps: ConsoleDeps, { plan }: MergePreview): Promise<Names> =>
  loadNames(deps, {
    connections: [
      ...[...plan.identities, ...plan.accounts].map(({ connectionId }) => connectionId),
      ...plan.addresses.map(({ source }) => source.slice(source.indexOf(':') + 1)),
    ],
    clients: plan.stops.map(({ clientId }) => clientId),
  })

/** Everything in the plan, in its order. */
function rowsOf({ plan, primary, secondary }: MergePreview, names: Names): readonly ConsoleMergeRow[] {
  const labels = new Map([...primary.accounts, ...secondary.accounts].map(({ id, label }) => [id, label]))
  const at = (connectionId: string) => names.connection(connectionId)?.name ?? connectionId
  const row = (
    group: ConsoleMergeRow['group'],
    thing: ConsoleMergeRow['thing'],
    { from, outcome, why }: Pick<ConsoleMergeRow, 'from' | 'outcome' | 'why'>,
  ): ConsoleMergeRow => ({ group, thing, from, outcome, why })
  const id = (text: string) => ({ kind: 'id', text }) as const
  return [
    ...plan.identities.map((one) => row('identities', id(`${at(one.connectionId)}|${one.subject}`), one)),
    ...plan.accounts.map((one) =>
      row('accounts', { kind: 'name', text: `${labels.get(one.id) ?? ''} (${at(one.connectionId)})` }, one),
    ),
    ...plan.addresses.map((one) =>
      row('addresses', { kind: 'address', address: one.address, source: sourceView(one.source, names) }, one),
    ),
    ...plan.profile.map((one) => row('profile', id(one.field), one)),
    ...plan.metadata.map((one) => row('metadata', id(`${one.store}.${one.key}`), one)),
    ...plan.stops.map((one) =>
      row('stops', { kind: 'name', text: names.client(one.clientId)?.name ?? one.clientId }, one),
    ),
  ]
}
