// What the calling client may use for its user (vault.md §5): read-only, over what there is. No other client's and no
// other connection's existence shows.
import { z } from 'zod'
import { parseClient } from '../../domain/client.ts'
import { isActive } from '../../domain/connection-use.ts'
import type { VaultAccount } from '../../domain/tokenset.ts'
import type { JsonObject } from '../../lib/json.ts'
import { toIso } from '../../lib/time.ts'
import { jsonObject } from '../../protocol/fields.ts'
import type { ConnectionRecord } from '../../storage/records.ts'
import { type Operation, operation } from '../operation.ts'
import { expiryOf } from './account-view.ts'
import { scopesOfConnection } from './connection-scopes.ts'
import type { MeDeps } from './deps.ts'
import { type MeCaller, userOf } from './me-caller.ts'

const connectHint = z.object({
  connection: z.string(),
  scopes: z.array(z.string()).optional(),
})

const accountCapability = z.object({
  id: z.string(),
  label: z.string(),
  is_default: z.boolean(),
  scopes: z.array(z.string()),
  health: z.enum(['ok', 'expiring', 'reconnect_required', 'provider_unavailable', 'revoked']),
  health_reason: z.string().optional(),
  expires_at: z.string().optional(),
  connected_at: z.string(),
  last_used_at: z.string().optional(),
  extras: jsonObject().optional(),
  connect: connectHint.optional(),
})

const capabilitiesAnswer = z.object({
  connections: z.array(
    z.object({
      connection: z.string(),
      strategy: z.string(),
      display_name: z.string().optional(),
      accounts: z.array(accountCapability),
      connect: connectHint.optional(),
    }),
  ),
})

export const capabilityOperations = (deps: MeDeps): readonly Operation[] => [capabilities(deps)]

const capabilities = (deps: MeDeps) =>
  operation(
    {
      method: 'get',
      path: '/capabilities',
      summary: 'Connections and accounts that the client may use, and how to connect what is missing',
      tag: 'capabilities',
      scopes: ['read:me:connected_accounts'],
      answers: {
        200: {
          description: 'By connection; `connect` is the body of a request to `/connected-accounts/connect`',
          schema: capabilitiesAnswer,
        },
      },
    },
    async ({ caller }) => {
      const user = userOf(caller)
      const connections = await deps.storage.connections.listForClient(user.clientId)
      const usable = connections.filter(({ document }) => isActive(document, 'connected_accounts', false))
      const accounts = await usableAccounts(deps, user, usable)
      const views = usable.map((connection) =>
        serialize(
          deps,
          connection,
          accounts.filter(({ connectionId }) => connectionId === connection.id),
        ),
      )
      return { status: 200, body: { connections: views } }
    },
  )

/** As an exchange would find them: each upstream account once, the connected one before a sign-in's tokens. */
async function usableAccounts(
  { storage, sharing }: MeDeps,
  { userId, clientId }: MeCaller,
  connections: readonly ConnectionRecord[],
): Promise<readonly VaultAccount[]> {
  if (connections.length === 0) return []
  const record = await storage.clients.find(clientId)
  const seesAll = record !== undefined && parseClient(record).firstParty && sharing() === 'first_party'
  const connectionIds = connections.map(({ id }) => id)
  const all = (await storage.accounts.listOfUser(userId, { connectionIds })).filter(
    (account) => account.health !== 'revoked' && (seesAll || account.clientId === clientId),
  )
  const agents = all.filter(({ purpose }) => purpose === 'agents')
  const covered = new Set(agents.map(keyOf))
  return [...agents, ...all.filter((one) => one.purpose === 'sign_in' && !covered.has(keyOf(one)))]
}

const keyOf = ({ connectionId, subject }: VaultAccount): string => `${connectionId}|${subject}`

function serialize(deps: MeDeps, connection: ConnectionRecord, accounts: readonly VaultAccount[]): JsonObject {
  const { name, strategy, document } = connection
  const chosen = defaultOf(accounts)
  return {
    connection: name,
    strategy,
    ...(typeof document.display_name === 'string' ? { display_name: document.display_name } : {}),
    accounts: accounts.map((account) => serializeAccount(deps, connection, account, account === chosen)),
    ...(accounts.length === 0 ? { connect: hint(name, scopesOfConnection(connection)) } : {}),
  }
}

/** The one that an exchange without a hint uses: the marked one, else the one connected last. */
function defaultOf(accounts: readonly VaultAccount[]): VaultAccount | undefined {
  const agents = accounts.filter(({ purpose }) => purpose === 'agents')
  const pool = agents.length > 0 ? agents : accounts
  return pool.find(({ isDefault }) => isDefault) ?? pool[0]
}

function serializeAccount(
  { vault }: MeDeps,
  { name }: ConnectionRecord,
  account: VaultAccount,
  isDefault: boolean,
): JsonObject {
  const health = vault.healthOf(account)
  return {
    id: account.id,
    label: account.label,
    is_default: isDefault,
    scopes: account.scopesGranted,
    health,
    ...(account.healthReason === undefined ? {} : { health_reason: account.healthReason }),
    ...expiryOf(account),
    connected_at: toIso(account.connectedAt),
    ...(account.lastUsedAt === undefined ? {} : { last_used_at: toIso(account.lastUsedAt) }),
    // Where its API lives, which of the provider's sites it reaches.
    ...(Object.keys(account.extras).length === 0 ? {} : { extras: account.extras }),
    ...(health === 'reconnect_required' ? { connect: hint(name, account.scopesAsked) } : {}),
  }
}

const hint = (connection: string, scopes: readonly string[]): JsonObject => ({
  connection,
  ...(scopes.length === 0 ? {} : { scopes }),
})
