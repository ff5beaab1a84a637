// Connections and the clients that may use them (auth0-wire.md §6.3).
import { z } from 'zod'
import { requireSameParty } from '../../accounts/connection-party.ts'
import {
  connectionRow,
  deleteConnection,
  deletePasswordUser,
  requireClients,
  setEnabledClients,
} from '../../accounts/connections.ts'
import { requireReachable, urlsOfOptions } from '../../accounts/reachable-urls.ts'
import { transact } from '../../accounts/transact.ts'
import { newConnectionId } from '../../crypto/hashing.ts'
import { canonicalAddress } from '../../domain/address.ts'
import { PASSWORD_STRATEGY } from '../../domain/connection.ts'
import { Conflict, Invalid, NotFound } from '../../domain/errors.ts'
import { type JsonObject, stringsOf } from '../../lib/json.ts'
import { clientIdField } from '../../protocol/client-document.ts'
import { connectionDocument, connectionPatchBody } from '../../protocol/connection-document.ts'
import type { ConnectionRecord } from '../../storage/records.ts'
import type { Repositories } from '../../storage/storage.ts'
import { fieldsQuery, selectFields, shownOf } from '../fields.ts'
import { type Operation, operation, validate } from '../operation.ts'
import { cursorQuery, offsetQuery, pageAnswer, sliceOf, windowOf } from '../paging.ts'
import { invalidQuery } from '../refusal.ts'
import { serializeConnection } from './connection-view.ts'
import type { ManagementDeps } from './deps.ts'
import { cursorAnswer, listAnswer } from './list-answer.ts'
import { applyPatch, withoutNulls } from './patch.ts'

const params = z.object({ id: z.string().min(1).max(64) })
const shape = z.object({ id: z.string(), name: z.string(), strategy: z.string() }).loose()
const notFound = { 404: { description: 'inexistent_connection' } }

export function connectionOperations(deps: ManagementDeps): readonly Operation[] {
  return [
    listConnections(deps),
    createConnection(deps),
    findConnection(deps),
    changeConnection(deps),
    removeConnection(deps),
    connectionStatus(deps),
    removeUser(deps),
    listClients(deps),
    changeClients(deps),
  ]
}

const listConnections = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/connections',
      summary: 'List connections',
      tag: 'connections',
      scopes: ['read:connections'],
      query: z.object({
        ...offsetQuery,
        ...cursorQuery,
        ...fieldsQuery,
        name: z.string().max(128).optional(),
        strategy: z
          .union([z.string().max(64), z.array(z.string().max(64)).max(50)])
          .transform((value) => [value].flat())
          .optional(),
      }),
      answers: { 200: { description: 'A page of connections', schema: listAnswer('connections', shownOf(shape)) } },
    },
    async ({ query }) => {
      const window = windowOf(query)
      const { items, total } = await storage.connections.list({
        offset: window.offset,
        limit: window.limit,
        ...(query.name === undefined ? {} : { name: query.name }),
        ...(query.strategy === undefined ? {} : { strategies: query.strategy }),
      })
      const views = await Promise.all(items.map((record) => view(storage, record)))
      return pageAnswer('connections', window, { items: views.map((one) => selectFields(one, query)), total })
    },
  )

const createConnection = ({ storage, clock, keyring, allowedPrivateNetworks }: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/connections',
      summary: 'Make a connection',
      tag: 'connections',
      scopes: ['create:connections'],
      body: connectionDocument,
      answers: { 201: { description: 'The connection', schema: shape }, 409: { description: 'The name is taken' } },
    },
    async ({ caller, body }) => {
      const document = withoutNulls(body)
      requireReachable(urlsOfOptions(document.options), allowedPrivateNetworks)
      const at = clock()
      const id = newConnectionId()
      const record = connectionRow(keyring, { id, name: body.name, strategy: body.strategy, document, at })
      await storage.transaction(async (tx) => {
        await requireClients(tx, body.enabled_clients ?? [])
        if (!(await tx.connections.insert(record)))
          throw new Conflict('connection_conflict', 'A connection with the same name already exists')
        await setEnabledClients(tx, id, body.enabled_clients ?? [])
        await appendEvent(tx, 'connection.created', { record, at, clientId: caller.clientId })
      })
      return { status: 201, body: await view(storage, record) }
    },
  )

const findConnection = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/connections/{id}',
      summary: 'One connection',
      tag: 'connections',
      scopes: ['read:connections'],
      params,
      query: z.object(fieldsQuery),
      answers: { 200: { description: 'The connection', schema: shownOf(shape) }, ...notFound },
    },
    async ({ params: { id }, query }) => ({
      status: 200,
      body: selectFields(await view(storage, await getConnection(storage, id)), query),
    }),
  )

const changeConnection = ({ storage, clock, keyring, allowedPrivateNetworks }: ManagementDeps) =>
  operation(
    {
      method: 'patch',
      path: '/connections/{id}',
      summary: 'Change a connection; `options` replaces the whole, but for the secret when it is left out',
      tag: 'connections',
      scopes: ['update:connections'],
      params,
      body: connectionPatchBody,
      answers: {
        200: { description: 'The connection', schema: shape },
        ...notFound,
        409: { description: 'It is in use, and would belong to another provider' },
      },
    },
    async ({ caller, params: { id }, body }) => {
      const record = await storage.transaction(async (tx) => {
        const before = await getConnection(tx, id)
        const { name, strategy } = before
        const document = applyPatch({ ...before.document, name, strategy }, body)
        validate(connectionDocument, document, 'body')
        requireReachable(urlsOfOptions(document.options), allowedPrivateNetworks)
        await requireSameParty(tx, before, document)
        const at = clock()
        const after = connectionRow(keyring, { id, name, strategy, document, before, at })
        await tx.connections.put(after)
        if (Object.hasOwn(body, 'enabled_clients')) {
          const clients = stringsOf(body.enabled_clients)
          await requireClients(tx, clients)
          await setEnabledClients(tx, id, clients)
        }
        await appendEvent(tx, 'connection.updated', { record: after, at, clientId: caller.clientId })
        return after
      })
      return { status: 200, body: await view(storage, record) }
    },
  )

const removeConnection = ({ storage, clock, vault }: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/connections/{id}',
      summary: 'Delete a connection and its users',
      tag: 'connections',
      scopes: ['delete:connections'],
      params,
      answers: { 204: { description: 'Gone, or never there' } },
    },
    async ({ caller, params: { id } }) => {
      const connection = await storage.connections.find(id)
      if (connection !== undefined)
        await deleteConnection(storage, vault, { connection, at: clock(), clientId: caller.clientId })
      return { status: 204 }
    },
  )

const listClients = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/connections/{id}/clients',
      summary: 'Clients that may use a connection',
      tag: 'connections',
      scopes: ['read:connections'],
      params,
      query: z.object(cursorQuery),
      answers: {
        200: { description: 'A page of clients', schema: cursorAnswer('clients', z.object({ client_id: z.string() })) },
        ...notFound,
      },
    },
    async ({ params: { id }, query }) => {
      await getConnection(storage, id)
      const window = { ...windowOf(query), form: 'cursor' } as const
      const clients = (await storage.connections.clientsOf(id)).map((client_id) => ({ client_id }))
      return pageAnswer('clients', window, sliceOf(clients, window))
    },
  )

const connectionStatus = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/connections/{id}/status',
      summary: 'Whether a connection is there to be used; its provider is not asked (`tenon doctor` does)',
      tag: 'connections',
      scopes: ['read:connections'],
      params,
      answers: { 200: { description: 'It is', schema: z.object({ status: z.literal('online') }) }, ...notFound },
    },
    async ({ params: { id } }) => {
      await getConnection(storage, id)
      return { status: 200, body: { status: 'online' } }
    },
  )

const removeUser = ({ storage, clock, vault }: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/connections/{id}/users',
      summary: 'Delete the user of a password connection who signs in with an address',
      tag: 'connections',
      scopes: ['delete:users'],
      params,
      query: z.object({ email: z.string().min(1).max(320) }),
      answers: { 204: { description: 'Gone, or never there' }, ...notFound },
    },
    async ({ caller, params: { id }, query }) => {
      const address = canonicalAddress(query.email)
      if (address === undefined) throw invalidQuery('The email is not an address.', 'email')
      await transact(storage, async (tx) => {
        const connection = await getConnection(tx, id)
        if (connection.strategy !== PASSWORD_STRATEGY)
          throw new Invalid('operation_not_supported', 'Only users of password connections are found by their address.')
        await deletePasswordUser(tx, vault, { connection, address, at: clock(), clientId: caller.clientId })
      })
      return { status: 204 }
    },
  )

const changeClients = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'patch',
      path: '/connections/{id}/clients',
      summary: 'Allow clients a connection, or take it away',
      tag: 'connections',
      scopes: ['update:connections'],
      params,
      body: z
        .array(z.strictObject({ client_id: clientIdField, status: z.boolean() }))
        .min(1)
        .max(50),
      answers: { 204: { description: 'Done' }, ...notFound },
    },
    async ({ caller, params: { id }, body }) => {
      await storage.transaction(async (tx) => {
        const record = await getConnection(tx, id)
        await requireClients(
          tx,
          body.filter(({ status }) => status).map(({ client_id }) => client_id),
        )
        for (const { client_id, status } of body) await tx.connections.setClient(id, client_id, status)
        await appendEvent(tx, 'connection.updated', { record, at: clock(), clientId: caller.clientId })
      })
      return { status: 204 }
    },
  )

async function getConnection(storage: Repositories, id: string): Promise<ConnectionRecord> {
  const record = await storage.connections.find(id)
  if (record === undefined) throw new NotFound('inexistent_connection', 'The connection does not exist.')
  return record
}

const view = async (storage: Repositories, record: ConnectionRecord): Promise<JsonObject> =>
  serializeConnection(record, await storage.connections.clientsOf(record.id))

const appendEvent = (
  tx: Repositories,
  type: string,
  { record, at, clientId }: { record: ConnectionRecord; at: number; clientId: string },
) => tx.events.append({ type, at, outcome: 'ok', clientId, connectionId: record.id, data: { name: record.name } })
