// Keys of clients, for private_key_jwt and for exchanges without a user (auth0-wire.md §6.2).
import { z } from 'zod'
import { credentialsOf, isInUse, MAX_CREDENTIALS, newCredential } from '../../accounts/client-credentials.ts'
import { CLIENT_ALGORITHMS } from '../../domain/client.ts'
import { Conflict, NotFound } from '../../domain/errors.ts'
import type { JsonObject } from '../../lib/json.ts'
import { toIso } from '../../lib/time.ts'
import type { Repositories } from '../../storage/storage.ts'
import { type Operation, operation } from '../operation.ts'
import { invalidBody } from '../refusal.ts'
import { clientIdParams, getClient } from './clients.ts'
import type { ManagementDeps } from './deps.ts'

const params = clientIdParams.extend({ credential_id: z.string().min(1).max(64) })
const shape = z.object({
  id: z.string(),
  name: z.string().optional(),
  credential_type: z.literal('public_key'),
  kid: z.string(),
  alg: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  expires_at: z.string().optional(),
})
const notFound = { 404: { description: 'inexistent_client, inexistent_credential' } }

export function clientCredentialOperations(deps: ManagementDeps): readonly Operation[] {
  return [list(deps), create(deps), find(deps), change(deps), remove(deps)]
}

const list = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/clients/{id}/credentials',
      summary: 'Public keys of a client',
      tag: 'clients',
      scopes: ['read:client_credentials'],
      params: clientIdParams,
      answers: {
        200: { description: 'All of them', schema: z.array(shape) },
        404: { description: 'inexistent_client' },
      },
    },
    async ({ params: { id } }) => ({
      status: 200,
      body: credentialsOf((await getClient(storage, id)).document).map(serializeCredential),
    }),
  )

const find = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/clients/{id}/credentials/{credential_id}',
      summary: 'One public key of a client',
      tag: 'clients',
      scopes: ['read:client_credentials'],
      params,
      answers: { 200: { description: 'The credential', schema: shape }, ...notFound },
    },
    async ({ params: { id, credential_id } }) => ({
      status: 200,
      body: serializeCredential(getCredential((await getClient(storage, id)).document, credential_id)),
    }),
  )

const create = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/clients/{id}/credentials',
      summary: 'Register a public key; `client_authentication_methods` of the client puts it to use',
      tag: 'clients',
      scopes: ['create:client_credentials'],
      params: clientIdParams,
      body: z.strictObject({
        credential_type: z.literal('public_key'),
        name: z.string().max(128).optional(),
        pem: z.string().min(1).max(20_000),
        alg: z.enum(CLIENT_ALGORITHMS).optional(),
        kid: z.string().min(10).max(64).optional().meta({ description: 'Ignored: a key is named by its thumbprint.' }),
        parse_expiry_from_cert: z
          .boolean()
          .optional()
          .meta({ description: 'Accepted for compatibility; has no effect.' }),
        expires_at: z.iso.datetime().optional(),
      }),
      answers: {
        201: { description: 'The credential', schema: shape },
        404: { description: 'inexistent_client' },
        409: { description: 'credential_conflict: the client has this key' },
      },
    },
    async ({ caller, params: { id }, body }) => {
      const at = clock()
      const made = newCredential(id, body, at)
      await changeCredentials({ storage, id, at, by: caller.clientId }, (all) => {
        if (all.some((one) => one.id === made.id))
          throw new Conflict('credential_conflict', 'The client has this key already.')
        if (all.length >= MAX_CREDENTIALS) throw invalidBody(`A client has up to ${MAX_CREDENTIALS} credentials.`)
        return [...all, made]
      })
      return { status: 201, body: serializeCredential(made) }
    },
  )

const change = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'patch',
      path: '/clients/{id}/credentials/{credential_id}',
      summary: 'Change when a key ends; `null` is never',
      tag: 'clients',
      scopes: ['update:client_credentials'],
      params,
      body: z.strictObject({ expires_at: z.iso.datetime().nullable() }),
      answers: { 200: { description: 'The credential', schema: shape }, ...notFound },
    },
    async ({ caller, params: { id, credential_id }, body: { expires_at } }) => {
      const at = clock()
      const document = await changeCredentials({ storage, id, at, by: caller.clientId }, (all, before) => {
        const { expires_at: _, ...rest } = getCredential(before, credential_id)
        const end = expires_at === null ? {} : { expires_at: new Date(expires_at).toISOString() }
        const changed = { ...rest, updated_at: toIso(at), ...end }
        return all.map((one) => (one.id === credential_id ? changed : one))
      })
      return { status: 200, body: serializeCredential(getCredential(document, credential_id)) }
    },
  )

const remove = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/clients/{id}/credentials/{credential_id}',
      summary: 'Forget a key that nothing uses',
      tag: 'clients',
      scopes: ['delete:client_credentials'],
      params,
      answers: { 204: { description: 'Gone' }, ...notFound, 409: { description: 'credential_in_use' } },
    },
    async ({ caller, params: { id, credential_id } }) => {
      await changeCredentials({ storage, id, at: clock(), by: caller.clientId }, (all, before) => {
        getCredential(before, credential_id)
        if (isInUse(before, credential_id))
          throw new Conflict('credential_in_use', 'The client proves itself by this key: change the client first.')
        return all.filter((one) => one.id !== credential_id)
      })
      return { status: 204 }
    },
  )

interface Change {
  readonly storage: ManagementDeps['storage']
  readonly id: string
  readonly at: number
  readonly by: string
}

/** Writes what becomes of the credentials. @returns the client's document afterwards. */
const changeCredentials = (
  { storage, id, at, by }: Change,
  next: (all: readonly JsonObject[], document: JsonObject) => readonly JsonObject[],
): Promise<JsonObject> =>
  storage.transaction(async (tx: Repositories) => {
    const before = await getClient(tx, id)
    const credentials = next(credentialsOf(before.document), before.document)
    const after = { ...before, document: { ...before.document, credentials }, updatedAt: at }
    await tx.clients.put(after)
    await tx.events.append({ type: 'client.updated', at, outcome: 'ok', clientId: id, data: { by } })
    return after.document
  })

function getCredential(document: JsonObject, id: string): JsonObject {
  const found = credentialsOf(document).find((one) => one.id === id)
  if (found === undefined) throw new NotFound('inexistent_credential', 'The credential does not exist.')
  return found
}

/** The key itself is known to whoever gave it; its thumbprint names it. */
function serializeCredential({ pem: _, ...credential }: JsonObject): JsonObject {
  return credential
}
