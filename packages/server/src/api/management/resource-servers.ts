// APIs that tokens are for (auth0-wire.md §6.4).
import { z } from 'zod'
import { putResourceServer } from '../../accounts/resource-servers.ts'
import { Conflict, Invalid, NotFound } from '../../domain/errors.ts'
import type { JsonObject } from '../../lib/json.ts'
import { withDefaults } from '../../protocol/fields.ts'
import { resourceServerDocument, resourceServerPatchBody } from '../../protocol/resource-server-document.ts'
import type { ResourceServerRecord } from '../../storage/records.ts'
import type { Repositories } from '../../storage/storage.ts'
import { fieldsQuery, selectFields, shownOf } from '../fields.ts'
import { type Operation, operation } from '../operation.ts'
import { cursorQuery, offsetQuery, pageAnswer, windowOf } from '../paging.ts'
import type { ManagementDeps } from './deps.ts'
import { listAnswer } from './list-answer.ts'
import { applyPatch, withoutNulls } from './patch.ts'

const params = z.object({ id: z.string().min(1).max(600) })
const shape = z.object({ id: z.string(), identifier: z.string() }).loose()
const notFound = { 404: { description: 'inexistent_resource_server' } }

export function resourceServerOperations(deps: ManagementDeps): readonly Operation[] {
  return [listServers(deps), findServer(deps), createServer(deps), changeServer(deps), deleteServer(deps)]
}

const listServers = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/resource-servers',
      summary: 'List APIs',
      tag: 'resource-servers',
      scopes: ['read:resource_servers'],
      query: z.object({ ...offsetQuery, ...cursorQuery, ...fieldsQuery }),
      answers: { 200: { description: 'A page of APIs', schema: listAnswer('resource_servers', shownOf(shape)) } },
    },
    async ({ query }) => {
      const window = windowOf(query)
      const { items, total } = await storage.resourceServers.list(window)
      const views = items.map((record) => selectFields(serializeServer(record), query))
      return pageAnswer('resource_servers', window, { items: views, total })
    },
  )

const findServer = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/resource-servers/{id}',
      summary: 'One API, by id or identifier',
      tag: 'resource-servers',
      scopes: ['read:resource_servers'],
      params,
      query: z.object(fieldsQuery),
      answers: { 200: { description: 'The API', schema: shownOf(shape) }, ...notFound },
    },
    async ({ params: { id }, query }) => ({
      status: 200,
      body: selectFields(serializeServer(await getServer(storage, id)), query),
    }),
  )

const createServer = ({ storage, clock, issuer }: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/resource-servers',
      summary: 'Register an API',
      tag: 'resource-servers',
      scopes: ['create:resource_servers'],
      body: resourceServerDocument,
      answers: { 201: { description: 'The API', schema: shape }, 409: { description: 'The identifier is taken' } },
    },
    async ({ caller, body }) => {
      const record = await storage.transaction(async (tx) => {
        if ((await tx.resourceServers.findByIdentifier(body.identifier)) !== undefined)
          throw new Conflict('resource_server_conflict', 'A resource server with the same identifier already exists.')
        const made = await putResourceServer(tx, withoutNulls(body), issuer)
        await appendEvent(tx, 'resource_server.created', { record: made, at: clock(), by: caller.clientId })
        return made
      })
      return { status: 201, body: serializeServer(record) }
    },
  )

const changeServer = ({ storage, clock, issuer }: ManagementDeps) =>
  operation(
    {
      method: 'patch',
      path: '/resource-servers/{id}',
      summary: 'Change an API',
      tag: 'resource-servers',
      scopes: ['update:resource_servers'],
      params,
      body: resourceServerPatchBody,
      answers: { 200: { description: 'The API', schema: shape }, ...notFound },
    },
    async ({ caller, params: { id }, body }) => {
      const record = await storage.transaction(async (tx) => {
        const before = await getServer(tx, id)
        const changed = await putResourceServer(tx, applyPatch(before.document, body), issuer)
        await appendEvent(tx, 'resource_server.updated', { record: changed, at: clock(), by: caller.clientId })
        return changed
      })
      return { status: 200, body: serializeServer(record) }
    },
  )

const deleteServer = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/resource-servers/{id}',
      summary: 'Delete an API and what clients may ask of it',
      tag: 'resource-servers',
      scopes: ['delete:resource_servers'],
      params,
      answers: { 204: { description: 'Gone, or never there' } },
    },
    async ({ caller, params: { id } }) => {
      await storage.transaction(async (tx) => {
        const record = await findByEither(tx, id)
        if (record === undefined) return
        if (record.document.is_system === true)
          throw new Invalid('operation_not_supported', 'A built-in API cannot be deleted.')
        await tx.resourceServers.delete(record.id)
        await appendEvent(tx, 'resource_server.deleted', { record, at: clock(), by: caller.clientId })
      })
      return { status: 204 }
    },
  )

const serializeServer = ({ id, identifier, document }: ResourceServerRecord): JsonObject => ({
  ...withDefaults(resourceServerDocument, document),
  id,
  identifier,
  is_system: document.is_system === true,
})

async function getServer(storage: Repositories, id: string): Promise<ResourceServerRecord> {
  const record = await findByEither(storage, id)
  if (record === undefined) throw new NotFound('inexistent_resource_server', 'The resource server does not exist.')
  return record
}

const findByEither = async (storage: Repositories, id: string): Promise<ResourceServerRecord | undefined> =>
  (await storage.resourceServers.find(id)) ?? (await storage.resourceServers.findByIdentifier(id))

const appendEvent = (
  tx: Repositories,
  type: string,
  { record, at, by }: { record: ResourceServerRecord; at: number; by: string },
) => tx.events.append({ type, at, outcome: 'ok', data: { by, identifier: record.identifier } })
