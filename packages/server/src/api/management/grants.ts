// What people allowed clients (auth0-wire.md §6.4).
import { z } from 'zod'
import { clientIdField } from '../../protocol/client-document.ts'
import type { Artifact } from '../../storage/records.ts'
import type { Repositories } from '../../storage/storage.ts'
import { type Operation, operation } from '../operation.ts'
import { cursorQuery, offsetQuery, pageAnswer, sliceOf, windowOf } from '../paging.ts'
import { grantShape, serializeGrant } from './artifact-views.ts'
import type { ManagementDeps } from './deps.ts'
import { listAnswer } from './list-answer.ts'

const MAX_SEARCHED = 1000
const userId = z.string().min(1).max(512)

export function grantOperations(deps: ManagementDeps): readonly Operation[] {
  return [list(deps), removeOfUser(deps), remove(deps)]
}

const list = ({ storage, clock, issuer }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/grants',
      summary: 'What people allowed clients',
      tag: 'grants',
      scopes: ['read:grants'],
      query: z.object({
        ...offsetQuery,
        ...cursorQuery,
        user_id: userId.optional(),
        client_id: clientIdField.optional(),
        audience: z.string().max(600).optional(),
      }),
      answers: { 200: { description: 'A page of grants', schema: listAnswer('grants', grantShape) } },
    },
    async ({ query }) => {
      const window = windowOf(query)
      const { items, total } = await storage.artifacts.list('Grant', {
        // Which API a grant is for is written inside it, so that those of one API are looked for among the first ones.
        ...(query.audience === undefined ? window : { offset: 0, limit: MAX_SEARCHED }),
        liveAt: clock(),
        ...(query.user_id === undefined ? {} : { userId: query.user_id }),
        ...(query.client_id === undefined ? {} : { clientId: query.client_id }),
      })
      const grants = items.map((grant) => serializeGrant(grant, issuer))
      if (query.audience === undefined) return pageAnswer('grants', window, { items: grants, total })
      const ofAudience = grants.filter(({ audience }) => audience === query.audience)
      return pageAnswer('grants', window, sliceOf(ofAudience, window))
    },
  )

const remove = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/grants/{id}',
      summary: 'End a grant with everything issued under it',
      tag: 'grants',
      scopes: ['delete:grants'],
      params: z.object({ id: z.string().min(1).max(200) }),
      answers: { 204: { description: 'Gone, or never there' } },
    },
    async ({ caller, params: { id } }) => {
      await storage.transaction(async (tx) => {
        const grant = await tx.artifacts.find('Grant', id)
        if (grant !== undefined) await end(tx, grant, { at: clock(), by: caller.clientId })
      })
      return { status: 204 }
    },
  )

const removeOfUser = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/grants',
      summary: 'End all grants of a user with everything issued under them',
      tag: 'grants',
      scopes: ['delete:grants'],
      query: z.object({ user_id: userId }),
      answers: { 204: { description: 'Gone, or never there' } },
    },
    async ({ caller, query }) => {
      await storage.transaction(async (tx) => {
        for (const grant of await tx.artifacts.listOfUser('Grant', query.user_id))
          await end(tx, grant, { at: clock(), by: caller.clientId })
      })
      return { status: 204 }
    },
  )

async function end(tx: Repositories, grant: Artifact, { at, by }: { at: number; by: string }): Promise<void> {
  await tx.artifacts.deleteByGrant(grant.idHash)
  await tx.events.append({
    type: 'grant.ended',
    at,
    outcome: 'ok',
    ...(grant.userId === undefined ? {} : { userId: grant.userId }),
    ...(grant.clientId === undefined ? {} : { clientId: grant.clientId }),
    data: { by },
  })
}
