// Connected accounts of the calling user, and connections that an account can be connected from (auth0-wire.md §3.5).
import { z } from 'zod'
import { transact } from '../../accounts/transact.ts'
import { isInPolicy } from '../../domain/agent-policy.ts'
import { type Client, parseClient } from '../../domain/client.ts'
import { isActive } from '../../domain/connection-use.ts'
import type { VaultAccount } from '../../domain/tokenset.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { ConnectionRecord } from '../../storage/records.ts'
import type { Repositories } from '../../storage/storage.ts'
import { type Operation, operation } from '../operation.ts'
import { openCursor, pageAnswer, sliceOf } from '../paging.ts'
import { invalidQuery } from '../refusal.ts'
import { accountShape, serializeAccount } from './account-view.ts'
import { scopesOfConnection } from './connection-scopes.ts'
import type { MeDeps } from './deps.ts'
import { type MeCaller, userOf } from './me-caller.ts'

const DEFAULT_TAKE = 10
const MAX_TAKE = 20

const pageQuery = {
  take: z
    .string()
    .regex(/^\d{1,3}$/, { error: 'a whole number' })
    .transform(Number)
    .pipe(z.number().min(1).max(MAX_TAKE))
    .optional(),
  from: z.string().min(1).max(200).optional(),
  // One SDK sends the cursor under the name that the answer gave it.
  next: z.string().min(1).max(200).optional(),
} as const

export function accountOperations(deps: MeDeps): readonly Operation[] {
  return [listAccounts(deps), listConnections(deps), disconnect(deps)]
}

const listAccounts = ({ storage }: MeDeps) =>
  operation(
    {
      method: 'get',
      path: '/connected-accounts/accounts',
      summary: 'Connected accounts',
      tag: 'connected-accounts',
      scopes: ['read:me:connected_accounts'],
      query: z.object({
        ...pageQuery,
        connection: z
          .union([z.string().max(128), z.array(z.string().max(128)).max(20)])
          .transform((names) => [names].flat())
          .optional(),
      }),
      answers: {
        200: {
          description: 'A page of connected accounts',
          schema: z.object({ accounts: z.array(accountShape), next: z.string().optional() }),
        },
      },
    },
    async ({ caller, query }) => {
      const user = userOf(caller)
      const take = query.take ?? DEFAULT_TAKE
      const connections = await connectionsById(storage, query.connection)
      const after = afterOf(query)
      const accounts = await visibleAccounts(storage, user, {
        ...(query.connection === undefined ? {} : { connectionIds: [...connections.keys()] }),
        ...(after === undefined ? {} : { after }),
      })
      const items = accounts.slice(0, take)
      const last = items.at(-1)
      const views = await Promise.all(items.map((account) => view(storage, connections, account)))
      const next = accounts.length > take && last !== undefined ? { next: last.id } : {}
      return { status: 200, body: { accounts: views, ...next } }
    },
  )

const ACCOUNT_ID = /^cac_[A-Za-z0-9]+$/

/** The cursor is the id of the last account of the page before. */
function afterOf({ from, next }: { from?: string | undefined; next?: string | undefined }): string | undefined {
  const cursor = from ?? next
  if (cursor !== undefined && !ACCOUNT_ID.test(cursor)) throw invalidQuery('The cursor is not valid.', 'from')
  return cursor
}

/** Connections of these names; all names that are asked for when one is named at all. */
async function connectionsById(
  storage: Repositories,
  names: readonly string[] = [],
): Promise<Map<string, ConnectionRecord>> {
  const found = await Promise.all(names.map((name) => storage.connections.findByName(name)))
  return new Map(found.flatMap((one) => (one === undefined ? [] : [[one.id, one] as const])))
}

async function view(
  storage: Repositories,
  known: ReadonlyMap<string, ConnectionRecord>,
  account: VaultAccount,
): Promise<JsonObject> {
  const connection = known.get(account.connectionId) ?? (await storage.connections.find(account.connectionId))
  return serializeAccount(account, connection ?? { name: '' })
}

/** A client of somebody else sees what was connected through it and nothing more; none sees what its policy does not name. */
async function visibleAccounts(
  storage: Repositories,
  user: MeCaller,
  filter: { readonly connectionIds?: readonly string[]; readonly after?: string },
): Promise<readonly VaultAccount[]> {
  if (filter.connectionIds?.length === 0) return []
  const client = await findClient(storage, user)
  const seesAll = client?.firstParty === true
  const accounts = await storage.accounts.listOfUser(user.userId, { purpose: 'agents', ...filter })
  const visible = accounts.filter(
    ({ clientId, health }) => health !== 'revoked' && (seesAll || clientId === user.clientId),
  )
  if (client?.policy?.connections === undefined) return visible
  const ids = [...new Set(visible.map(({ connectionId }) => connectionId))]
  const connections = await Promise.all(ids.map((id) => storage.connections.find(id)))
  const named = new Set(connections.flatMap((one) => (one && isInPolicy(client.policy, one.name) ? [one.id] : [])))
  return visible.filter(({ connectionId }) => named.has(connectionId))
}

async function findClient({ clients }: Repositories, { clientId }: MeCaller): Promise<Client | undefined> {
  const record = await clients.find(clientId)
  return record && parseClient(record)
}

const listConnections = ({ storage }: MeDeps) =>
  operation(
    {
      method: 'get',
      path: '/connected-accounts/connections',
      summary: 'Connections from which the client may connect accounts',
      tag: 'connected-accounts',
      scopes: ['read:me:connected_accounts'],
      query: z.object(pageQuery),
      answers: {
        200: {
          description: 'A page of connections',
          schema: z.object({ connections: z.array(connectionShape), next: z.string().optional() }),
        },
      },
    },
    async ({ caller, query }) => {
      const user = userOf(caller)
      const cursor = query.from ?? query.next
      const limit = query.take ?? DEFAULT_TAKE
      const window = { offset: cursor === undefined ? 0 : openCursor(cursor), limit, form: 'cursor' } as const
      const [client, connections] = await Promise.all([
        findClient(storage, user),
        storage.connections.listForClient(user.clientId),
      ])
      const usable = connections.filter(
        ({ document, name }) => isActive(document, 'connected_accounts', false) && isInPolicy(client?.policy, name),
      )
      return pageAnswer('connections', window, sliceOf(usable.map(serializeConnection), window))
    },
  )

const connectionShape = z.object({
  name: z.string(),
  strategy: z.string(),
  scopes: z.array(z.string()).optional(),
})

function serializeConnection(connection: ConnectionRecord): JsonObject {
  const { name, strategy } = connection
  const scopes = scopesOfConnection(connection)
  return { name, strategy, ...(scopes.length === 0 ? {} : { scopes }) }
}

const disconnect = ({ storage, vault, clock }: MeDeps) =>
  operation(
    {
      method: 'delete',
      path: '/connected-accounts/accounts/{id}',
      summary: 'Disconnect an account: its tokens are gone at once and revoked upstream',
      tag: 'connected-accounts',
      scopes: ['delete:me:connected_accounts'],
      params: z.object({ id: z.string().max(64).regex(ACCOUNT_ID, { error: 'the id of a connected account' }) }),
      answers: { 204: { description: 'Gone, or not there' } },
    },
    async ({ caller, params: { id } }) => {
      const user = userOf(caller)
      await transact(storage, async (tx) => {
        const visible = await visibleAccounts(tx, user, {})
        const account = visible.some((one) => one.id === id) ? await tx.accounts.find(id) : undefined
        if (account === undefined) return
        const at = clock()
        await vault.drop(tx, account, at)
        await tx.events.append({
          type: 'connected_account.disconnected',
          at,
          outcome: 'ok',
          userId: user.userId,
          clientId: user.clientId,
          connectionId: account.connectionId,
          accountId: id,
        })
      })
      return { status: 204 }
    },
  )
