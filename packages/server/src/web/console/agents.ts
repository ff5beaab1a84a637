// The console's pages of agents: what each may do and did lately, and what another policy would have done with that.
import { knownConnection, readAgentPolicy, recentAgentUses, simulateOnUses } from '../../accounts/agent-uses.ts'
import type { AgentPolicy } from '../../domain/agent-policy.ts'
import { type Client, parseClient } from '../../domain/client.ts'
import { keepsSignInTokens } from '../../domain/connection.ts'
import type { Event } from '../../domain/event.ts'
import { endsOtherwise, type SimulatedUse, tallyDecisions } from '../../domain/simulate-agent-policy.ts'
import { isJsonObject, isString, type JsonObject } from '../../lib/json.ts'
import { ConfigError } from '../../protocol/config-error.ts'
import { VAULT_GRANT } from '../../protocol/grant-types.ts'
import { loadNames, type Names, shownPolicy } from '../account/names.ts'
import {
  type AgentTrial,
  type ChangedUse,
  type PolicyState,
  type ReasonCount,
  renderConsoleAgent,
  renderConsoleAgents,
} from '../pages/console-agents.ts'
import { type Built, type ConsoleDeps, type ConsoleVisit, consoleFrame, recordLook } from './page.ts'
import { foundPage, offsetOf, shownName } from './users.ts'

const PAGE_CLIENTS = 500
const SHOWN_CHANGES = 50
/** Three times as many bytes in a URL, which is what node takes. */
const MAX_POLICY_LENGTH = 4000

/** Clients that may use what people connected, or have a policy about it. */
export async function agentsPage(deps: ConsoleDeps, visit: ConsoleVisit): Promise<Built> {
  const { storage } = deps
  const offset = offsetOf(visit, PAGE_CLIENTS)
  const [{ items, total }, uses] = await Promise.all([
    storage.clients.list({ offset, limit: PAGE_CLIENTS }),
    recentAgentUses(storage),
  ])
  const byClient = Map.groupBy(uses, ({ clientId }) => clientId)
  const agents = items
    .map(parseClient)
    .filter(({ grantTypes, policy }) => policy !== undefined || grantTypes.includes(VAULT_GRANT))
    .map(({ clientId, name, policy }) => ({
      clientId,
      name,
      policy: stateOf(policy),
      ...countsOf(byClient.get(clientId) ?? []),
    }))
  const html = renderConsoleAgents({
    ...consoleFrame(deps, visit),
    agents: agents.toSorted((a, b) => (b.lastAt ?? 0) - (a.lastAt ?? 0) || (a.name < b.name ? -1 : 1)),
    nextUrl: offset + PAGE_CLIENTS < total ? `/console/agents?page=${offset / PAGE_CLIENTS + 1}` : undefined,
    firstUrl: offset > 0 ? '/console/agents' : undefined,
  })
  return { html }
}

const stateOf = (policy: AgentPolicy | undefined): PolicyState =>
  policy === undefined ? 'none' : policy.observed ? 'observe' : 'enforce'

function countsOf(uses: readonly Event[]) {
  const done = uses.filter(({ outcome }) => outcome === 'ok')
  return {
    people: new Set(done.map(({ userId }) => userId)).size,
    uses: done.length,
    refused: uses.length - done.length,
    observed: done.filter(({ data }) => data?.observed !== undefined).length,
    lastAt: uses[0]?.at,
  }
}

export async function agentPage(deps: ConsoleDeps, visit: ConsoleVisit, clientId: string): Promise<Built> {
  const { storage } = deps
  const record = await storage.clients.find(clientId)
  if (record === undefined) return foundPage(deps, visit, clientId)
  const client = parseClient(record)
  const uses = await recentAgentUses(storage, clientId)
  const enabled = await storage.connections.listForClient(clientId)
  const connections = [...enabled.map(({ id }) => id), ...uses.flatMap(({ connectionId }) => connectionId ?? [])]
  const names = await loadNames(deps, { connections, clients: [] })
  const refused = uses.filter(({ outcome }) => outcome === 'refused')
  const present = isJsonObject(record.document.policy) ? record.document.policy : undefined
  const html = renderConsoleAgent({
    ...consoleFrame(deps, visit),
    clientId,
    name: client.name,
    policy: stateOf(client.policy),
    rules: client.policy && shownPolicy(names, client.policy),
    enabled: enabled.flatMap(({ id }) => usableName(names, id) ?? []),
    ...countsOf(uses),
    refusals: reasonsOf(refused, ({ data }) => [data?.code, data?.reason, data?.rule]),
    observations: reasonsOf(
      uses.filter(({ data }) => data?.observed !== undefined),
      ({ data }) => [data?.observed],
    ),
    trial: await trialOf(deps, visit, { client, uses, names, present }),
  })
  return { html }
}

/** Of a connection whose accounts agents may use at all. */
function usableName(names: Names, id: string): string | undefined {
  const connection = names.connection(id)
  return connection && keepsSignInTokens(connection) ? names.displayName(id) : undefined
}

/** The most frequent first. What was refused is named by its reason, where it has one. */
function reasonsOf(events: readonly Event[], wordsOf: (event: Event) => readonly unknown[]): readonly ReasonCount[] {
  const groups = Map.groupBy(events, (event) => wordsOf(event).filter(isString).join(' '))
  return [...groups]
    .map(([codes, some]) => ({ codes, count: some.length, lastAt: some[0]?.at ?? 0 }))
    .toSorted((a, b) => b.count - a.count)
}

interface Tried {
  readonly client: Client
  readonly uses: readonly Event[]
  readonly names: Names
  readonly present: JsonObject | undefined
}

/** What was typed, or else the client's policy as it stands, and what came of it. */
async function trialOf(deps: ConsoleDeps, visit: ConsoleVisit, tried: Tried): Promise<AgentTrial> {
  const asked = visit.query.policy
  if (asked === undefined) return { text: JSON.stringify(tried.present ?? { connections: [] }, undefined, 2) }
  const read = readPolicy(asked)
  if ('problem' in read) return { text: asked, problem: read.problem }
  const { client, uses, names } = tried
  const simulated = await simulateOnUses(deps.storage, read.policy, uses, (id) => {
    const connection = names.connection(id)
    return connection && knownConnection(deps.connectors, connection)
  })
  await recordLook(deps, visit, {
    type: 'console.policy_simulated',
    data: { client_id: client.clientId, examined: simulated.length },
  })
  return { text: asked, result: await resultOf(deps, names, simulated) }
}

function readPolicy(text: string): { readonly policy: AgentPolicy } | { readonly problem: string } {
  if (text.length > MAX_POLICY_LENGTH) return { problem: `${text.length} > ${MAX_POLICY_LENGTH}` }
  try {
    return { policy: readAgentPolicy(text) }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return {
      problem: error.problems.map(({ pointer, found, expected }) => `${pointer}: ${found}; ${expected}`).join('\n'),
    }
  }
}

async function resultOf(deps: ConsoleDeps, names: Names, simulated: readonly SimulatedUse[]) {
  const changed = simulated.filter(endsOtherwise)
  const shown = await Promise.all(
    changed
      .slice(-SHOWN_CHANGES)
      .toReversed()
      .map((one) => changedOf(deps, names, one)),
  )
  return { examined: simulated.length, outcomes: tallyDecisions(simulated), changed: shown, total: changed.length }
}

async function changedOf(deps: ConsoleDeps, names: Names, { event, decision }: SimulatedUse): Promise<ChangedUse> {
  const { userId = '', connectionId, data, at, outcome } = event
  const user = await deps.storage.users.find(userId)
  const call = [data?.method, data?.path].filter(isString).join(' ')
  return {
    at,
    user: { userId, name: user && shownName(user) },
    connection: names.displayName(connectionId),
    what:
      event.type === 'vault.proxied'
        ? { kind: 'call', call }
        : { kind: event.type === 'vault.exchanged' ? 'token' : 'connect' },
    was: outcome,
    decision,
  }
}
