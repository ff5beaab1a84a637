// What agents did lately, all people together, and what a policy would have done with it. Reads events; writes nothing.
import type { AgentPolicy } from '../domain/agent-policy.ts'
import type { Event } from '../domain/event.ts'
import {
  type KnownConnection,
  SIMULATED_EVENTS,
  type SimulatedUse,
  simulateAgentPolicy,
} from '../domain/simulate-agent-policy.ts'
import type { Repositories } from '../storage/storage.ts'

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
