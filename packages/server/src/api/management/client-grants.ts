// What clients may ask of APIs (auth0-wire.md §6.4).
import { z } from 'zod'
import { putClientGrant, subjectTypeOf } from '../../accounts/resource-servers.ts'
import { Conflict, NotFound } from '../../domain/errors.ts'
import type { JsonObject } from '../../lib/json.ts'
import { clientGrantDocument, clientGrantPatchBody } from '../../protocol/client-grant-document.ts'
import type { ClientGrantRecord } from '../../storage/records.ts'
import type { Repositories } from '../../storage/storage.ts'
import { type Operation, operation } from '../operation.ts'
import { cursorQuery, offsetQuery, pageAnswer, windowOf } from '../paging.ts'
import { invalidBody } from '../refusal.ts'
import type { ManagementDeps } from './deps.ts'
import { listAnswer } from './list-answer.ts'
import { applyPatch, withoutNulls } from './patch.ts'

const params = z.object({ id: z.string().min(1).max(64) })
const shape = z
  .object({ id: z.string(), client_id: z.string(), audience: z.string(), scope: z.array(z.string()) })
  .loose()

export function clientGrantOperations(deps: ManagementDeps): readonly Operation[] {
  return [listGrants(deps), findGrant(deps), createGrant(deps), changeGrant(deps), deleteGrant(deps)]
}

const listGrants = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/client-grants',
      summary: 'List client grants',
      tag: 'client-grants',
      scopes: ['read:client_grants'],
      query: z.object({
        ...offsetQuery,
        ...cursorQuery,
        client_id: z.string().max(255).optional(),
        audience: z.string().max(600).optional(),
        subject_type: z.enum(['client', 'user']).optional(),
      }),
      answers: { 200: { description: 'A page of client grants', schema: listAnswer('client_grants', shape) } },
    },
    async ({ query }) => {
      const window = windowOf(query)
      const { items, total } = await storage.clientGrants.list({
        offset: window.offset,
        limit: window.limit,
        ...(query.client_id === undefined ? {} : { clientId: query.client_id }),
        ...(query.audience === undefined ? {} : { audience: query.audience }),
        ...(query.subject_type === undefined ? {} : { subjectType: query.subject_type }),
      })
      return pageAnswer('client_grants', window, { items: items.map(serializeGrant), total })
    },
  )

const findGrant = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/client-grants/{id}',
      summary: 'One client grant',
      tag: 'client-grants',
      scopes: ['read:client_grants'],
      params,
      answers: {
        200: { description: 'The client grant', schema: shape },
        404: { description: 'inexistent_client_grant' },
      },
    },
    async ({ params: { id } }) => ({ status: 200, body: serializeGrant(await getGrant(storage, id)) }),
  )

const createGrant = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/client-grants',
      summary: 'Let a client ask for an API',
      tag: 'client-grants',
      scopes: ['create:client_grants'],
      body: clientGrantDocument,
      answers: { 201: { description: 'The client grant', schema: shape }, 409: { description: 'It exists already' } },
    },
    async ({ caller, body }) => {
      const document = withoutNulls({ ...body, scope: body.scope ?? [], subject_type: body.subject_type ?? 'client' })
      const grant = await storage.transaction(async (tx) => {
        if ((await tx.clients.find(body.client_id)) === undefined)
          throw invalidBody('A client of that id does not exist.', '/client_id')
        const server = await tx.resourceServers.findByIdentifier(body.audience)
        if (server === undefined) throw invalidBody('An API of that identifier does not exist.', '/audience')
        if ((await tx.clientGrants.findFor(body.client_id, body.audience, subjectTypeOf(document))) !== undefined)
          throw new Conflict('client_grant_conflict', 'A resource with the same identifier already exists.')
        const made = await putClientGrant(tx, document)
        await appendEvent(tx, 'client_grant.created', { grant: made, at: clock(), by: caller.clientId })
        return made
      })
      return { status: 201, body: serializeGrant(grant) }
    },
  )

const changeGrant = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'patch',
      path: '/client-grants/{id}',
      summary: 'Change the scopes of a client grant',
      tag: 'client-grants',
      scopes: ['update:client_grants'],
      params,
      body: clientGrantPatchBody,
      answers: {
        200: { description: 'The client grant', schema: shape },
        404: { description: 'inexistent_client_grant' },
      },
    },
    async ({ caller, params: { id }, body }) => {
      const grant = await storage.transaction(async (tx) => {
        const before = await getGrant(tx, id)
        const changed = await putClientGrant(tx, applyPatch({ ...before.document, ...keysOf(before) }, body))
        await appendEvent(tx, 'client_grant.updated', { grant: changed, at: clock(), by: caller.clientId })
        return changed
      })
      return { status: 200, body: serializeGrant(grant) }
    },
  )

const deleteGrant = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/client-grants/{id}',
      summary: 'Take an API away from a client',
      tag: 'client-grants',
      scopes: ['delete:client_grants'],
      params,
      answers: { 204: { description: 'Gone, or never there' } },
    },
    async ({ caller, params: { id } }) => {
      await storage.transaction(async (tx) => {
        const grant = await tx.clientGrants.find(id)
        if (grant === undefined) return
        await tx.clientGrants.delete(id)
        await appendEvent(tx, 'client_grant.deleted', { grant, at: clock(), by: caller.clientId })
      })
      return { status: 204 }
    },
  )

const keysOf = ({ clientId, audience, subjectType }: ClientGrantRecord) => ({
  client_id: clientId,
  audience,
  subject_type: subjectType,
})

const serializeGrant = (grant: ClientGrantRecord): JsonObject => ({
  ...grant.document,
  id: grant.id,
  ...keysOf(grant),
  scope: grant.scopes,
})

async function getGrant(storage: Repositories, id: string): Promise<ClientGrantRecord> {
  const grant = await storage.clientGrants.find(id)
  if (grant === undefined) throw new NotFound('inexistent_client_grant', 'The client grant does not exist.')
  return grant
}

const appendEvent = (
  tx: Repositories,
  type: string,
  { grant, at, by }: { grant: ClientGrantRecord; at: number; by: string },
) =>
  tx.events.append({
    type,
    at,
    outcome: 'ok',
    clientId: grant.clientId,
    data: { by, audience: grant.audience, subject_type: grant.subjectType, scopes: grant.scopes },
  })
