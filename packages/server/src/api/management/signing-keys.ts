// The keys that sign our tokens (auth0-wire.md §6.4). Private halves never leave the server.
import { z } from 'zod'
import { NotFound } from '../../domain/errors.ts'
import type { JsonObject } from '../../lib/json.ts'
import { toIso } from '../../lib/time.ts'
import { certifySigningKey, revokeSigningKey, rotateSigningKeys } from '../../oauth/signing-keys.ts'
import type { SigningKeyRecord } from '../../storage/records.ts'
import { type Operation, operation } from '../operation.ts'
import type { ManagementDeps } from './deps.ts'

const params = z.object({ kid: z.string().min(1).max(200) })
const shape = z.object({
  kid: z.string(),
  cert: z.string(),
  pkcs7: z.string(),
  current: z.boolean(),
  next: z.boolean(),
  previous: z.boolean(),
  revoked: z.boolean(),
  current_since: z.string().optional(),
  current_until: z.string().optional(),
  revoked_at: z.string().optional(),
  fingerprint: z.string(),
  thumbprint: z.string(),
})
const changed = z.object({ kid: z.string(), cert: z.string() })
const notFound = { 404: { description: 'inexistent_key' } }

export function signingKeyOperations(deps: ManagementDeps): readonly Operation[] {
  return [list(deps), rotate(deps), find(deps), revoke(deps)]
}

const list = (deps: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/keys/signing',
      summary: 'Keys that sign, will sign, or signed tokens',
      tag: 'keys',
      scopes: ['read:signing_keys'],
      answers: { 200: { description: 'All of them', schema: z.array(shape) } },
    },
    async () => {
      const rows = await deps.storage.signingKeys.list()
      return { status: 200, body: await Promise.all(rows.map((row) => serializeKey(deps, row))) }
    },
  )

const find = (deps: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/keys/signing/{kid}',
      summary: 'One key',
      tag: 'keys',
      scopes: ['read:signing_keys'],
      params,
      answers: { 200: { description: 'The key', schema: shape }, ...notFound },
    },
    async ({ params: { kid } }) => ({ status: 200, body: await serializeKey(deps, await getKey(deps, kid)) }),
  )

const rotate = (deps: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/keys/signing/rotate',
      summary: 'Let the next key sign from now on; the one before verifies until its tokens have ended',
      tag: 'keys',
      scopes: ['create:signing_keys', 'update:signing_keys'],
      answers: { 201: { description: 'The key that signs now', schema: changed } },
    },
    async ({ caller }) => {
      const kid = await rotateSigningKeys(deps, caller.clientId)
      const { cert } = await serializeKey(deps, await getKey(deps, kid))
      return { status: 201, body: { kid, cert } }
    },
  )

const revoke = (deps: ManagementDeps) =>
  operation(
    {
      method: 'put',
      path: '/keys/signing/{kid}/revoke',
      summary: 'End a previous key, and with it the tokens that it signed',
      tag: 'keys',
      scopes: ['update:signing_keys'],
      params,
      answers: { 200: { description: 'The key', schema: changed }, ...notFound },
    },
    async ({ caller, params: { kid } }) => {
      await revokeSigningKey(deps, kid, caller.clientId)
      const { cert } = await serializeKey(deps, await getKey(deps, kid))
      return { status: 200, body: { kid, cert } }
    },
  )

async function getKey({ storage }: ManagementDeps, kid: string): Promise<SigningKeyRecord> {
  const row = (await storage.signingKeys.list()).find((one) => one.kid === kid)
  if (row === undefined) throw new NotFound('inexistent_key', 'The key does not exist.')
  return row
}

async function serializeKey(deps: ManagementDeps, row: SigningKeyRecord): Promise<JsonObject> {
  const { kid, state, changedAt } = row
  const { pem, pkcs7, thumbprint } = await certifySigningKey(deps, row)
  return {
    kid,
    cert: pem,
    pkcs7,
    current: state === 'current',
    next: state === 'next',
    previous: state === 'previous',
    revoked: state === 'revoked',
    ...(state === 'current' ? { current_since: toIso(changedAt) } : {}),
    ...(state === 'previous' ? { current_until: toIso(changedAt) } : {}),
    ...(state === 'revoked' ? { revoked_at: toIso(changedAt) } : {}),
    fingerprint: (thumbprint.match(/../g) ?? []).join(':'),
    thumbprint,
  }
}
