// `tenon agent simulate`: what a policy would have done with what an agent did lately, before it is turned on.
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { knownConnection, readAgentPolicy, recentAgentUses, simulateOnUses } from '../accounts/agent-uses.ts'
import type { AgentPolicy, PolicyDecision } from '../domain/agent-policy.ts'
import { type Client, parseClient } from '../domain/client.ts'
import type { Event } from '../domain/event.ts'
import { endsOtherwise, type KnownConnection, tallyDecisions } from '../domain/simulate-agent-policy.ts'
import { ConfigError } from '../protocol/config-error.ts'
import { createConnectors } from '../upstream/connectors.ts'
import { createSafeFetch } from '../upstream/safe-fetch.ts'
import { createConnectionReader } from '../vault/connections.ts'
import type { CommandInput, ExitStatus } from './command.ts'
import { type DeploymentAccess, withDeployment } from './deployment-access.ts'

/** Prints each use that would have ended otherwise, the oldest first, and how often what would have been decided. */
export const simulateAgent = (input: CommandInput): Promise<ExitStatus> =>
  withDeployment<ExitStatus>(input, async (access) => {
    const [clientId, file] = input.commandLine.positionals
    const client = await clientOf(access, clientId)
    const policy = policyOf(input, client, file)
    const uses = await recentAgentUses(access.storage, client.clientId)
    const known = await knownConnections(access, uses)
    const simulated = await simulateOnUses(access.storage, policy, uses, (id) => known.get(id))
    const json = input.commandLine.isOn('json')
    for (const { event, decision } of simulated.filter(endsOtherwise)) {
      const { at, type, userId, connectionId, outcome } = event
      const found = { at, event: type, user_id: userId, connection_id: connectionId, was: outcome, ...told(decision) }
      input.print(json ? JSON.stringify(found) : `  ${at} ${type} of ${userId}: was ${outcome}, ${wordsOf(decision)}`)
    }
    const outcomes = tallyDecisions(simulated).map(({ decision, count }) => ({ ...told(decision), count }))
    if (json) input.print(JSON.stringify({ client_id: client.clientId, examined: simulated.length, outcomes }))
    else {
      input.print(`Looked at ${simulated.length} uses by ${client.clientId}.`)
      for (const { decision, count } of tallyDecisions(simulated))
        input.print(`  ${String(count).padStart(6)} ${wordsOf(decision)}`)
    }
    return 0
  })

const told = (decision: PolicyDecision) => ({
  decision: decision.kind,
  rule: decision.rule,
  ...(decision.kind === 'refuse' && { reason: decision.reason }),
})

const wordsOf = (decision: PolicyDecision): string =>
  `${decision.kind} (${[decision.rule, ...(decision.kind === 'refuse' ? [decision.reason] : [])].join(', ')})`

const problem = (pointer: string, found: string, expected: string) =>
  new ConfigError({ code: 'missing_value', pointer, found, expected })

async function clientOf({ storage }: DeploymentAccess, clientId: string | undefined): Promise<Client> {
  const record = clientId === undefined ? undefined : await storage.clients.find(clientId)
  if (record === undefined) throw problem('CLIENT_ID', clientId ?? 'nothing', 'the id of a client')
  return parseClient(record)
}

/** The policy of the file, or the one that the client has: observed or in force, it is tried as if in force. */
function policyOf({ folder }: CommandInput, { policy }: Client, file: string | undefined): AgentPolicy {
  if (file === undefined) {
    if (policy === undefined) throw problem('FILE', 'nothing', 'a file with a policy, for the client has none')
    return policy
  }
  const path = resolve(folder, file)
  if (!existsSync(path)) throw problem('FILE', 'no such file', 'a file with a policy')
  return readAgentPolicy(readFileSync(path, 'utf8'))
}

async function knownConnections(
  { storage, keyring, clock }: DeploymentAccess,
  uses: readonly Event[],
): Promise<ReadonlyMap<string, KnownConnection>> {
  const fetch = createSafeFetch({ allowedPrivateNetworks: [] })
  const never = () => Promise.reject(new Error('nothing is signed or opened here'))
  const saml = { issuer: 'http://127.0.0.1/', key: never, decryptionKey: never }
  const connectors = createConnectors({ fetch, clock, saml })
  const reader = createConnectionReader({ keyring })
  const known = new Map<string, KnownConnection>()
  for (const id of new Set(uses.flatMap(({ connectionId }) => connectionId ?? []))) {
    const connection = await reader.find(storage, id)
    if (connection !== undefined) known.set(id, knownConnection(connectors, connection))
  }
  await fetch.close()
  return known
}
