// Whether a call through the proxy may be made: everything that it is decided on is one read, as for an exchange.
import { type Client, parseClient } from '../../domain/client.ts'
import type { Connection } from '../../domain/connection.ts'
import type { StoredAccount } from '../../domain/tokenset.ts'
import { once } from '../../lib/once.ts'
import { allowed, connectorOf, requireMayExchange, requireWithinLimit, stoppedByUser } from '../../oauth/account-use.ts'
import { createExchangeLimits, type ExchangeLimits } from '../../oauth/exchange-limits.ts'
import { decideAccount, decideConnection } from '../../oauth/exchange-policy.ts'
import { ExchangeRefusal } from '../../oauth/exchange-refusal.ts'
import { VAULT_GRANT } from '../../protocol/grant-types.ts'
import type { ClientRecord, ConnectionRecord, ExchangeFacts } from '../../storage/records.ts'
import type { Connector } from '../../upstream/connector.ts'
import { ApiRefusal, unauthorized } from '../refusal.ts'
import type { MeCaller } from './me-caller.ts'
import type { ProxyDeps } from './proxy.ts'
import type { CallTrail } from './proxy-record.ts'

export interface ProxyUse {
  readonly client: Client
  readonly connection: Connection
  readonly connector: Connector
  readonly account: StoredAccount
}

export interface UseFinder {
  /**
   * @param isNew false when the same call is judged once more, because time has passed.
   * @throws {ApiRefusal} 401, 404. @throws {ExchangeRefusal} anything else.
   */
  find(caller: MeCaller, trail: CallTrail, isNew: boolean): Promise<ProxyUse>
}

interface Parts extends ProxyDeps {
  readonly limits: ExchangeLimits
  /** Of connections by account: an account stays at its connection, whose name stays. Whose it is is read each time. */
  readonly names: Map<string, string>
  readonly clientOf: (record: ClientRecord) => Client
  readonly connectionOf: (record: ConnectionRecord) => Connection
}

const MAX_KEPT = 100_000

export function createUseFinder(deps: ProxyDeps): UseFinder {
  const parts: Parts = {
    ...deps,
    limits: createExchangeLimits({ enabled: () => deps.settings().rateLimitsEnabled }),
    names: new Map(),
    clientOf: once(parseClient),
    connectionOf: once(deps.connections.open),
  }
  return {
    async find(caller, trail, isNew) {
      const facts = await factsOf(parts, caller, trail.accountId)
      const client = requireLive(parts, facts)
      if (isNew) await requireWithinLimit(parts.limits, client.clientId, caller.userId)
      return judge(parts, facts, { client, caller, trail })
    },
  }
}

async function factsOf(parts: Parts, caller: MeCaller, accountId: string): Promise<ExchangeFacts> {
  const { storage, names } = parts
  const known = names.get(accountId)
  const facts = known === undefined ? undefined : await ask(parts, caller, known)
  if (facts?.accounts.some(({ id }) => id === accountId)) return facts
  const account = await storage.accounts.find(accountId)
  // Somebody else's is as unknown as one that never was.
  if (account?.userId !== caller.userId) throw notFound()
  const connection = await storage.connections.find(account.connectionId)
  if (connection === undefined) throw notFound()
  if (names.size >= MAX_KEPT) names.clear()
  names.set(accountId, connection.name)
  return ask(parts, caller, connection.name)
}

const notFound = (): ApiRefusal => new ApiRefusal(404, 'not_found', 'There is no such connected account.')

function ask({ storage }: Parts, caller: MeCaller, connection: string): Promise<ExchangeFacts> {
  const { clientId, userId, grantId = '', grantedTo = clientId } = caller
  const subject = { kind: 'access_token', clientId: grantedTo, userId, grantId } as const
  return storage.exchanges.find({ clientId, connection, subject })
}

/** The token was opened, and what it hangs on is looked at here: client, grant and user. */
function requireLive({ clock, clientOf }: Parts, { client, subject }: ExchangeFacts): Client {
  if (client === undefined || subject === undefined || subject.userBlocked || subject.expiresAt <= clock())
    throw unauthorized('Invalid token')
  return clientOf(client)
}

interface Asking {
  readonly client: Client
  readonly caller: MeCaller
  readonly trail: CallTrail
}

function judge(parts: Parts, facts: ExchangeFacts, { client, caller, trail }: Asking): ProxyUse {
  requireMayExchange(client, VAULT_GRANT)
  const { sharing, publicClientsWithDpop } = parts.settings().vault
  if (client.publicClient && !(publicClientsWithDpop && caller.jkt !== undefined))
    throw new ExchangeRefusal('client_denied', { reason: 'public_client' })
  const connection = facts.connection && parts.connectionOf(facts.connection)
  const name = connection?.name ?? ''
  if (connection !== undefined) trail.connectionId = connection.id
  if (facts.stopped) throw stoppedByUser(name)
  const usable = allowed(decideConnection({ connection, enabled: facts.enabled }, { connection: name })).connection
  const connector = connectorOf(parts.connectors, usable)
  const wanted = { connection: name, loginHint: trail.accountId, scopes: [] }
  const policyFacts = { accounts: facts.accounts, clientId: client.clientId, sharing }
  const { account } = allowed(decideAccount(usable, policyFacts, wanted, connector.scopes))
  return { client, connection: usable, connector, account }
}
