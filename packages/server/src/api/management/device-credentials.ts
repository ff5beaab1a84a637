// Refresh tokens under the name by which old SDKs list and end them (auth0-wire.md §6.4).
import { z } from 'zod'
import { parseClient } from '../../domain/client.ts'
import type { JsonObject } from '../../lib/json.ts'
import { clientIdField } from '../../protocol/client-document.ts'
import { type Operation, operation } from '../operation.ts'
import { cursorQuery, offsetQuery, pageAnswer, windowOf } from '../paging.ts'
import type { ManagementDeps } from './deps.ts'
import { listAnswer } from './list-answer.ts'
import { endRefreshToken } from './refresh-tokens.ts'

const TYPES = ['public_key', 'refresh_token', 'rotating_refresh_token'] as const
const shape = z.object({
  id: z.string(),
  device_name: z.string(),
  type: z.enum(TYPES),
  user_id: z.string(),
  client_id: z.string(),
})

export function deviceCredentialOperations(deps: ManagementDeps): readonly Operation[] {
  return [list(deps), remove(deps)]
}

const list = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/device-credentials',
      summary: "A user's refresh tokens of one kind",
      tag: 'device-credentials',
      scopes: ['read:device_credentials'],
      query: z.object({
        ...offsetQuery,
        ...cursorQuery,
        type: z.enum(TYPES).optional(),
        user_id: z.string().min(1).max(512).optional(),
        client_id: clientIdField.optional(),
      }),
      answers: { 200: { description: 'A page of credentials', schema: listAnswer('device_credentials', shape) } },
    },
    async ({ query }) => {
      const window = windowOf(query)
      const type = query.type ?? 'refresh_token'
      // There are none of the kind that devices made for themselves.
      if (type === 'public_key') return pageAnswer('device_credentials', window, { items: [], total: 0 })
      const { items, total } = await storage.artifacts.list('RefreshToken', {
        offset: window.offset,
        limit: window.limit,
        liveAt: clock(),
        ...(query.user_id === undefined ? {} : { userId: query.user_id }),
        ...(query.client_id === undefined ? {} : { clientId: query.client_id }),
      })
      const views = await Promise.all(
        items.map(async (token): Promise<JsonObject> => {
          const client = token.clientId === undefined ? undefined : await storage.clients.find(token.clientId)
          const rotates = client !== undefined && parseClient(client).refreshToken.rotating
          return {
            id: token.idHash,
            device_name: '',
            type: rotates ? 'rotating_refresh_token' : 'refresh_token',
            user_id: token.userId ?? '',
            client_id: token.clientId ?? '',
          }
        }),
      )
      // Each page shows those of the kind: a kind is a rule of the client, not of the token.
      return pageAnswer('device_credentials', window, { items: views.filter((one) => one.type === type), total })
    },
  )

const remove = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/device-credentials/{id}',
      summary: 'End a refresh token',
      tag: 'device-credentials',
      scopes: ['delete:device_credentials'],
      params: z.object({ id: z.string().min(1).max(200) }),
      answers: { 204: { description: 'Gone, or never there' } },
    },
    async ({ caller, params: { id } }) => {
      await storage.transaction(async (tx) => {
        const token = await tx.artifacts.find('RefreshToken', id)
        if (token !== undefined) await endRefreshToken(tx, token, { at: clock(), by: caller.clientId })
      })
      return { status: 204 }
    },
  )
