// Refresh tokens, whoever's they are (auth0-wire.md §6.4). They are named by a hash that opens nothing.
import { z } from 'zod'
import { parseClient } from '../../domain/client.ts'
import { NotFound } from '../../domain/errors.ts'
import type { JsonObject } from '../../lib/json.ts'
import { clientIdField } from '../../protocol/client-document.ts'
import { shortMetadata } from '../../protocol/fields.ts'
import type { Artifact } from '../../storage/records.ts'
import type { Repositories } from '../../storage/storage.ts'
import { type Operation, operation } from '../operation.ts'
import { cursorQuery, offsetQuery, pageAnswer, windowOf } from '../paging.ts'
import { invalidBody } from '../refusal.ts'
import { refreshTokenShape, serializeRefreshToken } from './artifact-views.ts'
import type { ManagementDeps } from './deps.ts'

const params = z.object({ id: z.string().min(1).max(200) })
const notFound = { 404: { description: 'inexistent_refresh_token' } }
const userId = z.string().min(1).max(512)

export function refreshTokenOperations(deps: ManagementDeps): readonly Operation[] {
  return [list(deps), revokeMany(deps), find(deps), change(deps), remove(deps)]
}

const list = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/refresh-tokens',
      summary: 'Refresh tokens of a user',
      tag: 'refresh-tokens',
      scopes: ['read:refresh_tokens'],
      query: z.object({ ...offsetQuery, ...cursorQuery, user_id: userId, client_id: clientIdField.optional() }),
      answers: {
        200: {
          description: 'A page of refresh tokens',
          schema: z.object({ refresh_tokens: z.array(refreshTokenShape), next: z.string().optional() }),
        },
      },
    },
    async ({ query }) => {
      const window = { ...windowOf(query), form: 'cursor' } as const
      const { items, total } = await storage.artifacts.list('RefreshToken', {
        offset: window.offset,
        limit: window.limit,
        liveAt: clock(),
        userId: query.user_id,
        ...(query.client_id === undefined ? {} : { clientId: query.client_id }),
      })
      return pageAnswer('refresh_tokens', window, { items: await viewRefreshTokens(storage, items), total })
    },
  )

const find = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/refresh-tokens/{id}',
      summary: 'One refresh token',
      tag: 'refresh-tokens',
      scopes: ['read:refresh_tokens'],
      params,
      answers: { 200: { description: 'The refresh token', schema: refreshTokenShape }, ...notFound },
    },
    async ({ params: { id } }) => {
      const [view] = await viewRefreshTokens(storage, [await getToken(storage, id, clock())])
      return { status: 200, body: view }
    },
  )

const change = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'patch',
      path: '/refresh-tokens/{id}',
      summary: 'Note something on a refresh token; `null` clears all notes',
      tag: 'refresh-tokens',
      scopes: ['update:refresh_tokens'],
      params,
      body: z.strictObject({ refresh_token_metadata: shortMetadata().nullable() }),
      answers: { 200: { description: 'The refresh token', schema: refreshTokenShape }, ...notFound },
    },
    async ({ params: { id }, body }) => {
      const token = await storage.transaction(async (tx) => {
        const before = await getToken(tx, id, clock())
        const metadata = { refresh_token_metadata: body.refresh_token_metadata ?? {} }
        const after = { ...before, payload: { ...before.payload, ...metadata } }
        await tx.artifacts.put(after)
        return after
      })
      const [view] = await viewRefreshTokens(storage, [token])
      return { status: 200, body: view }
    },
  )

const remove = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/refresh-tokens/{id}',
      summary: 'End a refresh token',
      tag: 'refresh-tokens',
      scopes: ['delete:refresh_tokens'],
      params,
      answers: { 202: { description: 'It has ended, or never was' } },
    },
    async ({ caller, params: { id } }) => {
      await storage.transaction(async (tx) => {
        const token = await tx.artifacts.find('RefreshToken', id)
        if (token !== undefined) await endRefreshToken(tx, token, { at: clock(), by: caller.clientId })
      })
      return { status: 202 }
    },
  )

const revokeBody = z.strictObject({
  ids: z.array(z.string().min(1).max(200)).min(1).max(100).optional(),
  user_id: userId.optional(),
  client_id: clientIdField.optional(),
})

const revokeMany = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/refresh-tokens/revoke',
      summary: 'End refresh tokens: by id, or all of a user, of a client, or of both together',
      tag: 'refresh-tokens',
      scopes: ['delete:refresh_tokens'],
      body: revokeBody,
      answers: { 202: { description: 'They have ended' } },
    },
    async ({ caller, body }) => {
      const owner = body.user_id !== undefined || body.client_id !== undefined
      if ((body.ids !== undefined) === owner) throw invalidBody('Either ids, or user_id and client_id, or one of them.')
      const by = { at: clock(), by: caller.clientId }
      if (body.ids !== undefined) await endByIds(storage, body.ids, by)
      else await endOfOwner(storage, body, by)
      return { status: 202 }
    },
  )

type Storage = ManagementDeps['storage']

const endByIds = (storage: Storage, ids: readonly string[], by: EndedBy): Promise<void> =>
  storage.transaction(async (tx) => {
    for (const id of new Set(ids)) {
      const token = await tx.artifacts.find('RefreshToken', id)
      if (token !== undefined) await endRefreshToken(tx, token, by)
    }
  })

const BATCH = 200

/** In batches: a client may have as many as it has users. */
async function endOfOwner(storage: Storage, owner: z.infer<typeof revokeBody>, by: EndedBy): Promise<void> {
  for (let left = BATCH; left === BATCH; ) {
    left = await storage.transaction(async (tx) => {
      const { items } = await tx.artifacts.list('RefreshToken', {
        offset: 0,
        limit: BATCH,
        liveAt: by.at,
        ...(owner.user_id === undefined ? {} : { userId: owner.user_id }),
        ...(owner.client_id === undefined ? {} : { clientId: owner.client_id }),
      })
      for (const token of items) await endRefreshToken(tx, token, by)
      return items.length
    })
  }
}

interface EndedBy {
  readonly at: number
  readonly by: string
}

export async function endRefreshToken(tx: Repositories, token: Artifact, { at, by }: EndedBy): Promise<void> {
  await tx.artifacts.delete('RefreshToken', token.idHash)
  await tx.events.append({
    type: 'refresh_token.revoked',
    at,
    outcome: 'ok',
    ...(token.userId === undefined ? {} : { userId: token.userId }),
    ...(token.clientId === undefined ? {} : { clientId: token.clientId }),
    data: { by },
  })
}

async function getToken(storage: Repositories, id: string, now: number): Promise<Artifact> {
  const token = await storage.artifacts.find('RefreshToken', id)
  if (token === undefined || token.expiresAt <= now || token.consumedAt !== undefined)
    throw new NotFound('inexistent_refresh_token', 'The refresh token does not exist.')
  return token
}

export async function viewRefreshTokens(
  storage: Repositories,
  tokens: readonly Artifact[],
): Promise<readonly JsonObject[]> {
  const ids = [...new Set(tokens.flatMap(({ clientId }) => clientId ?? []))]
  const clients = await Promise.all(ids.map((id) => storage.clients.find(id)))
  const rules = new Map(
    clients.flatMap((record) =>
      record === undefined ? [] : [[record.clientId, parseClient(record).refreshToken] as const],
    ),
  )
  return tokens.map((token) => serializeRefreshToken(token, rules.get(token.clientId ?? '')))
}
