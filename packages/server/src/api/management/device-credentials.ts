// What old SDKs call device credentials (auth0-wire.md §6.4): refresh tokens, and public keys that a person's own devices
// leave here. Such a key is kept, shown and taken away; nothing here takes it for a proof.
import { z } from 'zod'
import { newId } from '../../crypto/hashing.ts'
import { parseClient } from '../../domain/client.ts'
import { Conflict } from '../../domain/errors.ts'
import type { JsonObject } from '../../lib/json.ts'
import { clientIdField } from '../../protocol/client-document.ts'
import type { Artifact } from '../../storage/records.ts'
import type { Repositories } from '../../storage/storage.ts'
import { type Operation, operation } from '../operation.ts'
import { cursorQuery, offsetQuery, pageAnswer, windowOf } from '../paging.ts'
import { insufficientScope } from '../refusal.ts'
import type { ManagementDeps } from './deps.ts'
import { listAnswer } from './list-answer.ts'
import { endRefreshToken } from './refresh-tokens.ts'
import { requireClient } from './verification.ts'

const TYPES = ['public_key', 'refresh_token', 'rotating_refresh_token'] as const
const shape = z.object({
  id: z.string(),
  device_name: z.string(),
  type: z.enum(TYPES),
  user_id: z.string(),
  client_id: z.string(),
})

export function deviceCredentialOperations(deps: ManagementDeps): readonly Operation[] {
  return [list(deps), create(deps), remove(deps)]
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
      const { items, total } = await storage.artifacts.list(type === 'public_key' ? 'DeviceKey' : 'RefreshToken', {
        offset: window.offset,
        limit: window.limit,
        liveAt: clock(),
        ...(query.user_id === undefined ? {} : { userId: query.user_id }),
        ...(query.client_id === undefined ? {} : { clientId: query.client_id }),
      })
      if (type === 'public_key')
        return pageAnswer('device_credentials', window, { items: items.map(serializeKey), total })
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
      summary: "End a refresh token, or take a device's key away",
      tag: 'device-credentials',
      scopes: ['delete:device_credentials', 'delete:current_user_device_credentials'],
      params: z.object({ id: z.string().min(1).max(200) }),
      answers: { 204: { description: 'Gone, or never there' } },
    },
    async ({ caller, params: { id } }) => {
      await storage.transaction(async (tx) => {
        const [token, key] = [await tx.artifacts.find('RefreshToken', id), await tx.artifacts.find('DeviceKey', id)]
        // Of somebody else is not told from none.
        const isTheirs = (one: Artifact) => caller.userId === undefined || caller.userId === one.userId
        const by = { at: clock(), by: caller.clientId }
        if (token !== undefined && isTheirs(token)) await endRefreshToken(tx, token, by)
        if (key === undefined || !isTheirs(key)) return
        await tx.artifacts.delete('DeviceKey', id)
        await appendEvent(tx, 'device_key.removed', key, by)
      })
      return { status: 204 }
    },
  )

/** A person loses no device by adding another; nobody fills the database with them. */
const MAX_KEYS = 50
const TEN_YEARS = 10 * 366 * 86_400

const create = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/device-credentials',
      summary: 'Leave the public key of a device of one’s own',
      tag: 'device-credentials',
      scopes: ['create:current_user_device_credentials'],
      body: z.strictObject({
        device_name: z.string().min(1).max(255),
        type: z.enum(['public_key']),
        value: z
          .string()
          .max(8192)
          .regex(/^[A-Za-z0-9+/_-]{16,}={0,2}$/, { error: 'a public key, base64' }),
        device_id: z.string().min(1).max(255),
        client_id: clientIdField.optional(),
      }),
      answers: {
        201: { description: 'Its id', schema: z.object({ id: z.string() }) },
        400: { description: 'inexistent_client' },
        409: { description: 'device_limit' },
      },
    },
    async ({ caller, body }) => {
      const { userId } = caller
      // The scope is of people alone.
      if (userId === undefined) throw insufficientScope(['create:current_user_device_credentials'])
      const at = clock()
      const clientId = body.client_id ?? caller.clientId
      const id = newId('dcr_', 24)
      await storage.transaction(async (tx) => {
        await requireClient(tx, clientId)
        await tx.users.lock([userId])
        if ((await tx.artifacts.listOfUser('DeviceKey', userId)).length >= MAX_KEYS)
          throw new Conflict('device_limit', `A user has at most ${MAX_KEYS} devices with a key.`)
        const key: Artifact = {
          kind: 'DeviceKey',
          idHash: id,
          uid: undefined,
          grantId: undefined,
          userId,
          clientId,
          payload: { device_name: body.device_name, device_id: body.device_id, value: body.value },
          createdAt: at,
          expiresAt: at + TEN_YEARS,
          consumedAt: undefined,
          successorEnvelope: undefined,
          identityKey: undefined,
        }
        await tx.artifacts.put(key)
        await appendEvent(tx, 'device_key.added', key, { at, by: caller.clientId })
      })
      return { status: 201, body: { id } }
    },
  )

const serializeKey = ({ idHash, userId, clientId, payload }: Artifact): JsonObject => ({
  id: idHash,
  device_name: payload.device_name ?? '',
  device_id: payload.device_id ?? '',
  type: 'public_key',
  user_id: userId ?? '',
  client_id: clientId ?? '',
})

const appendEvent = (
  tx: Repositories,
  type: string,
  { userId, clientId }: Artifact,
  { at, by }: { readonly at: number; readonly by: string },
) =>
  tx.events.append({
    type,
    at,
    outcome: 'ok',
    ...(userId === undefined ? {} : { userId }),
    ...(clientId === undefined ? {} : { clientId }),
    data: { by },
  })
