// The timeline of what was done with a person's account.
import type { Event } from '../../domain/event.ts'
import type { VaultAccount } from '../../domain/tokenset.ts'
import { isString } from '../../lib/json.ts'
import { type ActivityFilters, renderAccountActivity } from '../pages/account-activity.ts'
import { ACTIVITY_TYPES, type ActivityEntry, type ActivityType } from '../pages/activity-words.ts'
import type { Html } from '../pages/html.ts'
import { distinctAccounts, loadNames, type Names } from './names.ts'
import { type AccountDeps, accountFrame, type Visit } from './page.ts'
import { recentUses, USES } from './uses.ts'

const PAGE_EVENTS = 50
const YOU = 'you'

interface Filter {
  readonly who: string | undefined
  readonly account: string | undefined
  readonly outcome: 'ok' | 'refused' | undefined
  readonly before: number | undefined
}

export async function activityPage(deps: AccountDeps, visit: Visit): Promise<Html> {
  const { userId } = visit.user
  const filter = filterOf(visit.query)
  const [events, all, uses] = await Promise.all([
    listEvents(deps, userId, filter),
    deps.storage.accounts.listOfUser(userId),
    recentUses(deps, userId),
  ])
  const shown = events.slice(0, PAGE_EVENTS)
  const names = await loadNames(deps, {
    connections: [
      ...shown.flatMap(({ connectionId }) => connectionId ?? []),
      ...all.map(({ connectionId }) => connectionId),
    ],
    clients: [
      ...shown.flatMap(({ clientId }) => clientId ?? []),
      ...uses.map(({ clientId }) => clientId),
      ...(filter.who === undefined || filter.who === YOU ? [] : [filter.who]),
    ],
  })
  const last = shown.at(-1)
  return renderAccountActivity({
    ...accountFrame(deps, visit),
    entries: merged(shown.flatMap((event) => entryOf(event, names, all, userId) ?? [])),
    filters: filtersOf(filter, names, all, [...new Set(uses.map(({ clientId }) => clientId))]),
    isFiltered: filter.who !== undefined || filter.account !== undefined || filter.outcome !== undefined,
    olderUrl: events.length > PAGE_EVENTS && last !== undefined ? urlOf(filter, last.seq) : undefined,
    newestUrl: filter.before === undefined ? undefined : urlOf(filter, undefined),
  })
}

function filterOf({ who, account, outcome, before }: Readonly<Record<string, string>>): Filter {
  return {
    who: who || undefined,
    account: account || undefined,
    outcome: outcome === 'ok' || outcome === 'refused' ? outcome : undefined,
    before: before !== undefined && /^\d{1,15}$/.test(before) ? Number(before) : undefined,
  }
}

const NOT_OWN: ReadonlySet<string> = new Set([...USES, 'vault.token_revoked', 'connected_account.refused'])

/** Facts that are one's own doing; the others name a client. */
const OWN_TYPES: readonly ActivityType[] = ACTIVITY_TYPES.filter((type) => !NOT_OWN.has(type))

function listEvents({ storage }: AccountDeps, userId: string, filter: Filter): Promise<readonly Event[]> {
  const { who, account, outcome, before } = filter
  return storage.events.list({
    userId,
    types: who === YOU ? OWN_TYPES : ACTIVITY_TYPES,
    ...(who === undefined || who === YOU ? {} : { clientId: who }),
    ...(account === undefined ? {} : { accountId: account }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(before === undefined ? {} : { beforeSeq: before }),
    descending: true,
    limit: PAGE_EVENTS + 1,
  })
}

function entryOf(event: Event, names: Names, all: readonly VaultAccount[], userId: string): ActivityEntry | undefined {
  const type = ACTIVITY_TYPES.find((one) => one === event.type)
  if (type === undefined) return undefined
  const { at, outcome, connectionId, accountId, clientId, data = {} } = event
  const client = clientId === undefined ? undefined : (names.client(clientId)?.name ?? clientId)
  return {
    at,
    type,
    outcome,
    by: byOf(event, type, userId),
    agent: client,
    connection: names.displayName(connectionId),
    label: all.find(({ id }) => id === accountId)?.label,
    purpose: isString(data.purpose) ? data.purpose : undefined,
    reason: [data.reason].filter(isString).find((one) => TOLD_REASONS.has(one)) ?? textOf(data.code),
    times: 1,
  }
}

/** Where the reason tells the person more than the code. */
const TOLD_REASONS: ReadonlySet<string> = new Set(['agent_stopped', 'approval_denied', 'outside_hours'])

const textOf = (value: unknown): string | undefined => (isString(value) ? value : undefined)

/** What nobody signed in and no client did, we did, or somebody whom nobody knows. */
const NOT_YOURS: ReadonlySet<ActivityType> = new Set([
  'vault.token_revoked',
  'password.refused',
  'link.denied',
  'user.address_restored',
  'session.step_up_refused',
])

function byOf(event: Event, type: ActivityType, userId: string): ActivityEntry['by'] {
  const { clientId, actor } = event
  if (NOT_YOURS.has(type)) return 'other'
  if (isOperators(event)) return 'operator'
  return clientId === undefined || actor === userId ? 'you' : 'agent'
}

/** Done in the console: whoever joins two accounts of theirs is one of the two, and takes back by a mailed link. */
const isOperators = ({ type, actor, userId, data }: Event): boolean =>
  data?.rule === 'console' || (type === 'link.undone' && actor !== undefined && actor !== userId)

/** One line for the same thing done again and again. */
function merged(entries: readonly ActivityEntry[]): readonly ActivityEntry[] {
  const lines: ActivityEntry[] = []
  for (const entry of entries) {
    const last = lines.at(-1)
    if (last !== undefined && isSame(last, entry)) lines[lines.length - 1] = { ...last, times: last.times + 1 }
    else lines.push(entry)
  }
  return lines
}

const isSame = ({ at: a, times: _, ...one }: ActivityEntry, { at: b, times: __, ...other }: ActivityEntry): boolean =>
  Math.floor(a / 86_400) === Math.floor(b / 86_400) && JSON.stringify(one) === JSON.stringify(other)

function filtersOf(
  filter: Filter,
  names: Names,
  all: readonly VaultAccount[],
  clientIds: readonly string[],
): ActivityFilters {
  const asked = filter.who === undefined || filter.who === YOU || clientIds.includes(filter.who) ? [] : [filter.who]
  const clients = [...clientIds, ...asked].flatMap((id) => {
    const client = names.client(id)
    return client === undefined ? [] : [{ value: id, name: client.name, chosen: filter.who === id }]
  })
  const accounts = distinctAccounts(all).map(({ id, connectionId, label }) => ({
    value: id,
    name: `${names.displayName(connectionId) ?? ''} (${label})`,
    chosen: filter.account === id,
  }))
  return {
    you: filter.who === YOU,
    who: clients,
    account: accounts,
    outcome: filter.outcome,
  }
}

function urlOf({ who, account, outcome }: Filter, before: number | undefined): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries({ who, account, outcome, before }))
    if (value !== undefined) query.set(name, String(value))
  return `/account/activity${query.size === 0 ? '' : `?${query}`}`
}
