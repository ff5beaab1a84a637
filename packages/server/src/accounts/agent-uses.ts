// What agents did lately, all people together, and what a policy would have done with it. Reads events; writes nothing.
import { type AgentPolicy, parseAgentPolicy } from '../domain/agent-policy.ts'
import type { Connection } from '../domain/connection.ts'
import type { Event } from '../domain/event.ts'
import {
  type KnownConnection,
  SIMULATED_EVENTS,
  type SimulatedUse,
  simulateAgentPolicy,
} from '../domain/simulate-agent-policy.ts'
import { isJsonObject } from '../lib/json.ts'
import { readJson } from '../lib/json-reader.ts'
import { parseStrictJson } from '../lib/strict-json.ts'
import { agentPolicyDocument } from '../protocol/agent-policy-document.ts'
import { ConfigError } from '../protocol/config-error.ts'
import { parseDocument } from '../protocol/problems.ts'
import type { Repositories } from '../storage/storage.ts'
import { type Connectors, findConnector } from '../upstream/connectors.ts'

/** How far back, counted in events of any kind: what an operator looks at may not walk through all that ever happened. */
const GLANCED_EVENTS = 100_000
const MOST_READ = 10_000

/** Uses of accounts by clients, or by one, the newest first. */
export async function recentAgentUses({ events }: Repositories, clientId?: string): Promise<readonly Event[]> {
  const [newest] = await events.list({ descending: true, limit: 1 })
  if (newest === undefined) return []
  return events.list({
    types: [...SIMULATED_EVENTS],
    afterSeq: newest.seq - GLANCED_EVENTS,
    descending: true,
    limit: MOST_READ,
    ...(clientId === undefined ? {} : { clientId }),
  })
}

/**
 * What the policy would have done with these uses.
 *
 * @param uses of one client, the newest first, as `recentAgentUses` reads them.
 * @param connectionOf how a connection is called and how its provider reads scopes; undefined when it is gone.
 */
export async function simulateOnUses(
  { accounts }: Repositories,
  policy: AgentPolicy,
  uses: readonly Event[],
  connectionOf: (id: string) => KnownConnection | undefined,
): Promise<readonly SimulatedUse[]> {
  const ids = [...new Set(uses.flatMap(({ accountId }) => accountId ?? []))]
  const granted = new Map<string, readonly string[]>()
  for (const id of ids) {
    const account = await accounts.find(id)
    if (account !== undefined) granted.set(id, account.scopesGranted)
  }
  const known = { connection: connectionOf, granted: (id: string) => granted.get(id) }
  return simulateAgentPolicy(policy, uses.toReversed(), known)
}

/** How the simulation sees a connection: scopes are compared as its provider reads them, or as they are written. */
export function knownConnection(connectors: Connectors, connection: Connection): KnownConnection {
  const exact: KnownConnection['missing'] = (wanted, granted) => wanted.filter((one) => !granted.includes(one))
  return { name: connection.name, missing: findConnector(connectors, connection)?.scopes.missing ?? exact }
}

/** A policy as JSON, as the Management API takes it. @throws {ConfigError} with every problem. */
export function readAgentPolicy(text: string): AgentPolicy {
  const document = jsonOf(text)
  parseDocument(agentPolicyDocument, document)
  return parseAgentPolicy(readJson(isJsonObject(document) ? document : {}))
}

function jsonOf(text: string): unknown {
  try {
    return parseStrictJson(text)
  } catch (error) {
    const found = error instanceof Error ? error.message : 'no JSON'
    throw new ConfigError({ code: 'not_json', pointer: '', found, expected: 'a policy as JSON' })
  }
}
