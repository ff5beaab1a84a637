// What the calling client may use for its user (vault.md §5): read-only, over what there is. No other client's and no
// other connection's existence shows.
import { z } from 'zod'
import { isInPolicy, ruleOf } from '../../domain/agent-policy.ts'
import { type Client, parseClient } from '../../domain/client.ts'
import { isActive } from '../../domain/connection-use.ts'
import { reachesApis } from '../../domain/identity-scopes.ts'
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
import { connectionPolicyOf, mayUse, policyOf } from './policy-view.ts'
import { PROXY_PREFIX } from './proxy-target.ts'

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
  proxy: z.object({ url: z.string() }).optional(),
})

const approvalShape = z.object({
  connection: z.string().optional(),
  scopes: z.array(z.string()).optional(),
  methods: z.array(z.string()).optional(),
  paths: z.array(z.string()).optional(),
  valid_seconds: z.int(),
})

const policyShape = z.object({
  connect: z.boolean(),
  hours: z
    .object({ time_zone: z.string(), days: z.array(z.string()), from: z.string(), to: z.string(), opens_in: z.int() })
    .optional(),
  rate: z.object({ per_minute: z.int() }).optional(),
})

const capabilitiesAnswer = z.object({
  policy: policyShape.optional(),
  connections: z.array(
    z.object({
      connection: z.string(),
      strategy: z.string(),
      display_name: z.string().optional(),
      access: z.array(z.enum(['token', 'proxy'])),
      api_hosts: z.array(z.string()),
      scopes_allowed: z.array(z.string()).optional(),
      methods_allowed: z.array(z.string()).optional(),
      approvals: z.array(approvalShape).optional(),
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
          description:
            'By connection; `connect` is the body of a request to `/connected-accounts/connect`, `proxy.url` the beginning of calls to the provider',
          schema: capabilitiesAnswer,
        },
      },
    },
    async ({ caller }) => {
      const user = userOf(caller)
      const [record, connections] = await Promise.all([
        deps.storage.clients.find(user.clientId),
        deps.storage.connections.listForClient(user.clientId),
      ])
      if (record === undefined) return { status: 200, body: { connections: [] } }
      const client = parseClient(record)
      const usable = connections.filter(
        ({ document, name }) => isActive(document, 'connected_accounts', false) && isInPolicy(client.policy, name),
      )
      const accounts = await usableAccounts(deps, client, user, usable)
      const views = usable.map((connection) => {
        const own = accounts.filter(({ connectionId }) => connectionId === connection.id)
        return serialize({ ...deps, client }, connection, own)
      })
      return { status: 200, body: { ...policyOf(client, deps.clock()), connections: views } }
    },
  )

interface Deps extends MeDeps {
  readonly client: Client
}

/** As an exchange would find them: each upstream account once, the connected one before a sign-in's tokens. */
async function usableAccounts(
  { storage, sharing }: MeDeps,
  { firstParty }: Client,
  { userId, clientId }: MeCaller,
  connections: readonly ConnectionRecord[],
): Promise<readonly VaultAccount[]> {
  if (connections.length === 0) return []
  const seesAll = firstParty && sharing() === 'first_party'
  const connectionIds = connections.map(({ id }) => id)
  const all = (await storage.accounts.listOfUser(userId, { connectionIds })).filter(
    (account) => account.health !== 'revoked' && (seesAll || account.clientId === clientId),
  )
  const agents = all.filter(({ purpose }) => purpose === 'agents')
  const covered = new Set(agents.map(keyOf))
  return [...agents, ...all.filter((one) => one.purpose === 'sign_in' && !covered.has(keyOf(one)))]
}

const keyOf = ({ connectionId, subject }: VaultAccount): string => `${connectionId}|${subject}`

function serialize(deps: Deps, connection: ConnectionRecord, accounts: readonly VaultAccount[]): JsonObject {
  const { name, strategy, document } = connection
  const chosen = defaultOf(accounts)
  const apiHosts = deps.apiHostsOf(connection)
  const means = { connection, apiHosts, mayProxy: mayUse(deps.client) && apiHosts.length > 0 }
  return {
    connection: name,
    strategy,
    ...(typeof document.display_name === 'string' ? { display_name: document.display_name } : {}),
    api_hosts: [...apiHosts],
    ...connectionPolicyOf(deps.client, connection, means.mayProxy),
    accounts: accounts.map((account) => serializeAccount(deps, means, account, account === chosen)),
    ...(accounts.length === 0 ? connectOf(deps, name, scopesOfConnection(connection)) : {}),
  }
}

interface Means {
  readonly connection: ConnectionRecord
  readonly apiHosts: readonly string[]
  readonly mayProxy: boolean
}

/** The one that an exchange without a hint uses: the marked one, else the one connected last. */
function defaultOf(accounts: readonly VaultAccount[]): VaultAccount | undefined {
  const agents = accounts.filter(({ purpose }) => purpose === 'agents')
  const pool = agents.length > 0 ? agents : accounts
  return pool.find(({ isDefault }) => isDefault) ?? pool[0]
}

function serializeAccount(
  deps: Deps,
  { connection: { name }, mayProxy }: Means,
  account: VaultAccount,
  isDefault: boolean,
): JsonObject {
  const health = deps.vault.healthOf(account)
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
    ...(health === 'reconnect_required' ? connectOf(deps, name, account.scopesAsked) : {}),
    ...(mayProxy ? { proxy: { url: `${deps.issuer}${PROXY_PREFIX.slice(1)}${account.id}/` } } : {}),
  }
}

/** What connects it, when the client may start that: asking for no more than its policy lets it have. */
function connectOf({ client: { policy } }: Deps, connection: string, wanted: readonly string[]): JsonObject {
  const held = policy?.observed === true ? undefined : policy
  if (held?.mayConnect === false) return {}
  const ceiling = held && ruleOf(held, connection)?.scopes
  const scopes = wanted.filter((one) => ceiling === undefined || !reachesApis(one) || ceiling.includes(one))
  return { connect: { connection, ...(scopes.length === 0 ? {} : { scopes: [...scopes] }) } }
}
