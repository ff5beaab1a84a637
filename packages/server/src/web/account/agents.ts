// The page of programs that act for a person.

import type { Event } from '../../domain/event.ts'
import type { VaultAccount } from '../../domain/tokenset.ts'
import { waitingApprovals } from '../../flows/approve.ts'
import { isString } from '../../lib/json.ts'
import { VAULT_GRANT } from '../../protocol/grant-types.ts'
import type { UseCount } from '../../storage/storage.ts'
import {
  type AccountAgentsView,
  type AgentAccount,
  type AgentView,
  renderAccountAgents,
} from '../pages/account-agents.ts'
import type { Html } from '../pages/html.ts'
import { askedAt } from '../pages/scopes.ts'
import { loadNames, type Names, shownPolicy } from './names.ts'
import { type AccountDeps, accountForm, accountFrame, type Visit } from './page.ts'
import { DAY_SECONDS, recentUses, USES } from './uses.ts'

const RECENT_EVENTS = 200
const DAYS = 7

export async function agentsPage(deps: AccountDeps, visit: Visit): Promise<Html> {
  return renderAccountAgents({
    ...accountFrame(deps, visit),
    agents: await agentsOf(deps, visit.user.userId),
    waiting: await waitingFor(deps, visit.user.userId),
    forms: {
      stop: accountForm(visit, '/account/agents/stop'),
      resume: accountForm(visit, '/account/agents/resume'),
    },
  })
}

async function waitingFor(deps: AccountDeps, userId: string): Promise<AccountAgentsView['waiting']> {
  const waiting = await waitingApprovals(deps, userId)
  const names = await loadNames(deps, { connections: [], clients: waiting.map(({ clientId }) => clientId) })
  return waiting.map(({ path, clientId, approval: { askedAt, expiresAt } }) => {
    return { path, name: names.client(clientId)?.name ?? clientId, askedAt, expiresAt }
  })
}

/** Programs that use something of a person's, or may, or were stopped; the one used last first. */
export async function agentsOf(deps: AccountDeps, userId: string): Promise<readonly AgentView[]> {
  const { storage } = deps
  const [uses, all, grants, stops, recent] = await Promise.all([
    recentUses(deps, userId),
    storage.accounts.listOfUser(userId),
    storage.artifacts.listOfUser('Grant', userId),
    storage.agentStops.listOfUser(userId),
    storage.events.list({ userId, types: [...USES], outcome: 'ok', descending: true, limit: RECENT_EVENTS }),
  ])
  const granted = new Set(
    grants.flatMap(({ clientId, expiresAt }) => (clientId && expiresAt > deps.clock() ? [clientId] : [])),
  )
  const acted = new Set([
    ...uses.map(({ clientId }) => clientId),
    ...all.flatMap(({ clientId }) => clientId ?? []),
    ...stops.keys(),
  ])
  const names = await loadNames(deps, {
    connections: [
      ...all.map(({ connectionId }) => connectionId),
      ...uses.flatMap(({ connectionId }) => connectionId ?? []),
    ],
    clients: [...acted, ...granted],
  })
  // An app that merely signs people in is no agent.
  const ids = [...acted, ...[...granted].filter((id) => names.client(id)?.grantTypes.includes(VAULT_GRANT))]
  const facts: Facts = { names, uses, all, stops, recent, now: deps.clock() }
  return [...new Set(ids)]
    .flatMap((id) => agentView(facts, id) ?? [])
    .toSorted((a, b) => (b.lastUsedAt ?? 0) - (a.lastUsedAt ?? 0) || (a.name < b.name ? -1 : 1))
}

interface Facts {
  readonly names: Names
  readonly uses: readonly UseCount[]
  readonly all: readonly VaultAccount[]
  readonly stops: ReadonlyMap<string, number>
  readonly recent: readonly Event[]
  readonly now: number
}

function agentView(facts: Facts, clientId: string): AgentView | undefined {
  const { names, uses, all, stops, recent, now } = facts
  const client = names.client(clientId)
  if (client === undefined) return undefined
  const own = uses.filter((use) => use.clientId === clientId)
  const used = new Set(own.flatMap(({ accountId }) => accountId ?? []))
  const accounts = all.filter((account) => account.clientId === clientId || used.has(account.id))
  const last = recent.find((event) => event.clientId === clientId)
  return {
    clientId,
    name: client.name,
    description: client.description,
    firstParty: client.firstParty,
    lastUsedAt: own.length === 0 ? undefined : Math.max(...own.map(({ lastAt }) => lastAt)),
    accounts: accounts.map((account) => accountOf(names, account)),
    scopes: accounts.flatMap(({ connectionId, scopesGranted }) =>
      askedAt(names.connection(connectionId)?.strategy, scopesGranted),
    ),
    last: last && lastOf(facts, last),
    week: weekOf(own, now),
    stoppedAt: stops.get(clientId),
    rules: client.policy?.observed === false ? shownPolicy(names, client.policy) : undefined,
  }
}

const accountOf = (names: Names, { connectionId, label }: VaultAccount): AgentAccount => ({
  connection: names.displayName(connectionId) ?? '',
  label,
})

function lastOf({ names, all }: Facts, { connectionId, accountId, data }: Event) {
  const account = all.find(({ id }) => id === accountId)
  const gone = { connection: names.displayName(connectionId) ?? '', label: undefined }
  return {
    account: account === undefined ? gone : accountOf(names, account),
    purpose: isString(data?.purpose) ? data.purpose : '',
  }
}

/** Days of the calendar that all events are counted by (UTC), today the last. */
function weekOf(uses: readonly UseCount[], now: number): AgentView['week'] {
  const today = Math.floor(now / DAY_SECONDS)
  return Array.from({ length: DAYS }, (_, index) => {
    const day = today - (DAYS - 1) + index
    const count = uses.filter((use) => use.day === day).reduce((sum, use) => sum + use.count, 0)
    return { at: day * DAY_SECONDS, count }
  })
}
