// What things are called that rows name by id.
import { type AgentPolicy, isProxyOnly } from '../../domain/agent-policy.ts'
import { parseClient } from '../../domain/client.ts'
import type { Connection } from '../../domain/connection.ts'
import type { VaultAccount } from '../../domain/tokenset.ts'
import { shownConnection } from '../../flows/connections.ts'
import type { AccountDeps } from './page.ts'

export interface Names {
  connection(id: string | undefined): Connection | undefined
  displayName(connectionId: string | undefined): string | undefined
  /** The same, of a connection by its name; undefined when it was not looked up. */
  connectionCalled(name: string): string | undefined
  /** Undefined when the client is gone. */
  client(id: string): KnownClient | undefined
}

export interface KnownClient {
  readonly name: string
  readonly description: string | undefined
  readonly firstParty: boolean
  readonly grantTypes: readonly string[]
  readonly policy: AgentPolicy | undefined
}

/** Looks up every id once. */
export async function loadNames(
  { storage, connections }: AccountDeps,
  ids: { readonly connections: Iterable<string>; readonly clients: Iterable<string> },
): Promise<Names> {
  const [foundConnections, foundClients] = await Promise.all([
    Promise.all([...new Set(ids.connections)].map((id) => connections.find(storage, id))),
    Promise.all([...new Set(ids.clients)].map((id) => storage.clients.find(id))),
  ])
  const byId = new Map(foundConnections.flatMap((one) => (one === undefined ? [] : [[one.id, one] as const])))
  const clients = new Map(
    foundClients.flatMap((record) => (record === undefined ? [] : [[record.clientId, parseClient(record)] as const])),
  )
  const connection = (id: string | undefined) => (id === undefined ? undefined : byId.get(id))
  return {
    connection,
    displayName: (id) => {
      const found = connection(id)
      return found && shownConnection(found).displayName
    },
    connectionCalled: (name) => {
      const found = [...byId.values()].find((one) => one.name === name)
      return found && shownConnection(found).displayName
    },
    client: (id) => clients.get(id),
  }
}

/** A policy with connections under the names that people know, where they were looked up. */
export function shownPolicy(names: Names, policy: AgentPolicy): AgentPolicy {
  const called = (name: string) => names.connectionCalled(name) ?? name
  return {
    ...policy,
    connections: policy.connections?.map(({ connection, ...rule }) => ({
      ...rule,
      connection: called(connection),
      access: isProxyOnly(policy, connection) ? 'proxy' : rule.access,
    })),
    approvals: policy.approvals.map(({ connection, ...rule }) => ({
      ...rule,
      connection: connection === undefined ? undefined : called(connection),
    })),
  }
}

/** The account that an exchange without a hint gets, of each connection: the marked one, else the one connected last. */
export function defaultsOf(accounts: readonly VaultAccount[]): ReadonlySet<string> {
  const byConnection = Map.groupBy(accounts, ({ connectionId }) => connectionId)
  return new Set([...byConnection.values()].flatMap((some) => defaultOf(some)?.id ?? []))
}

/** Those that compete for being the default: connected ones, or the kept tokens of sign-ins when there are none. */
export function poolOf(accounts: readonly VaultAccount[]): readonly VaultAccount[] {
  const agents = accounts.filter(({ purpose }) => purpose === 'agents')
  return agents.length > 0 ? agents : accounts
}

function defaultOf(accounts: readonly VaultAccount[]): VaultAccount | undefined {
  const pool = poolOf(accounts)
  return pool.find(({ isDefault }) => isDefault) ?? pool[0]
}

const keyOf = ({ connectionId, subject }: VaultAccount): string => `${connectionId}|${subject}`

/** Each upstream account once: the connected one stands for the sign-in's tokens beside it. */
export function distinctAccounts(all: readonly VaultAccount[]): readonly VaultAccount[] {
  const live = all.filter(({ health }) => health !== 'revoked')
  const connected = new Set(live.filter(({ purpose }) => purpose === 'agents').map(keyOf))
  return live.filter((one) => one.purpose === 'agents' || !connected.has(keyOf(one)))
}
