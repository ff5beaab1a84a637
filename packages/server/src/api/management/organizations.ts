// Organizations are not built: lists of them are empty, so that programs that only look find nothing (auth0-wire.md §6.4).
import { z } from 'zod'
import { NotFound } from '../../domain/errors.ts'
import { type Operation, operation } from '../operation.ts'
import { cursorQuery, offsetQuery, pageAnswer, windowOf } from '../paging.ts'
import type { ManagementDeps } from './deps.ts'
import { inexistentUser } from './inexistent-user.ts'
import { listAnswer } from './list-answer.ts'
import { userIdParams } from './users.ts'

const shape = z.object({ id: z.string(), name: z.string() })
const query = z.object({ ...offsetQuery, ...cursorQuery, sort: z.string().max(40).optional() })
const answers = { 200: { description: 'An empty page', schema: listAnswer('organizations', shape) } }
const nothing = { items: [], total: 0 }

export function organizationOperations(deps: ManagementDeps): readonly Operation[] {
  return [list(), find(), listOfUser(deps)]
}

const list = () =>
  operation(
    {
      method: 'get',
      path: '/organizations',
      summary: 'Organizations, of which there are none',
      tag: 'organizations',
      scopes: ['read:organizations'],
      query,
      answers,
    },
    async ({ query: asked }) => pageAnswer('organizations', windowOf(asked), nothing),
  )

const find = () =>
  operation(
    {
      method: 'get',
      path: '/organizations/{id}',
      summary: 'One organization, of which there is none',
      tag: 'organizations',
      scopes: ['read:organizations'],
      params: z.object({ id: z.string().min(1).max(64) }),
      answers: { 404: { description: 'inexistent_organization' } },
    },
    async () => {
      throw new NotFound('inexistent_organization', 'The organization does not exist.')
    },
  )

const listOfUser = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/users/{id}/organizations',
      summary: 'Organizations of a user, of which there are none',
      tag: 'users',
      scopes: ['read:organizations'],
      params: userIdParams,
      query,
      answers: { ...answers, 404: { description: 'inexistent_user' } },
    },
    async ({ params: { id }, query: asked }) => {
      if ((await storage.users.find(id)) === undefined) throw inexistentUser()
      return pageAnswer('organizations', windowOf(asked), nothing)
    },
  )
