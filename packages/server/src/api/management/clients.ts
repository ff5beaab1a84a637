// Clients (auth0-wire.md §6.2). A secret is shown once: in the answer that made or rotated it.
import { z } from 'zod'
import { withCredentials, withoutCredentials } from '../../accounts/client-credentials.ts'
import { type PlacedUrl, requireReachable } from '../../accounts/reachable-urls.ts'
import { newClientId, randomToken, sha256Hex } from '../../crypto/hashing.ts'
import { parseClient } from '../../domain/client.ts'
import { NotFound } from '../../domain/errors.ts'
import { isJsonObject, type JsonObject, stringsOf } from '../../lib/json.ts'
import {
  clientCreateBody,
  clientFields,
  clientPatchBody,
  clientStored,
  needsSecret,
} from '../../protocol/client-document.ts'
import { withDefaults } from '../../protocol/fields.ts'
import type { ClientRecord } from '../../storage/records.ts'
import type { Repositories } from '../../storage/storage.ts'
import { fieldsQuery, selectFields, shownOf } from '../fields.ts'
import { type Caller, type Operation, operation, validate } from '../operation.ts'
import { booleanText, cursorQuery, offsetQuery, pageAnswer, sliceOf, windowOf } from '../paging.ts'
import { insufficientScope, invalidBody } from '../refusal.ts'
import { parseClientSearch } from './client-search.ts'
import type { ManagementDeps } from './deps.ts'
import { cursorAnswer, listAnswer } from './list-answer.ts'
import { applyPatch, withoutNulls } from './patch.ts'

export const clientIdParams = z.object({ id: z.string().min(1).max(255) })
const shape = z.object({ client_id: z.string(), name: z.string() }).loose()
const connectionShape = z.object({ id: z.string(), name: z.string(), strategy: z.string() })
const notFound = { 404: { description: 'inexistent_client' } }

export function clientOperations(deps: ManagementDeps): readonly Operation[] {
  return [
    listClients(deps),
    createClient(deps),
    findClient(deps),
    changeClient(deps),
    deleteClient(deps),
    rotateSecret(deps),
    listConnections(deps),
  ]
}

const listClients = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/clients',
      summary: 'List clients',
      tag: 'clients',
      scopes: ['read:clients'],
      query: z.object({
        ...offsetQuery,
        ...cursorQuery,
        ...fieldsQuery,
        is_first_party: booleanText.optional(),
        is_global: booleanText.optional(),
        app_type: z.string().max(200).optional(),
        external_client_id: z.string().max(2048).optional(),
        q: z.string().max(1024).optional(),
      }),
      answers: { 200: { description: 'A page of clients', schema: listAnswer('clients', shownOf(shape)) } },
    },
    async ({ query }) => {
      const window = windowOf(query)
      const types = query.app_type?.split(',')
      const isFiltered =
        query.is_first_party !== undefined ||
        types !== undefined ||
        query.is_global === true ||
        query.external_client_id !== undefined ||
        query.q !== undefined
      const search = query.q === undefined ? undefined : parseClientSearch(query.q)
      const grants = search === undefined ? undefined : await grantsByClient(storage)
      const matches = (record: ClientRecord) => {
        const client = parseClient(record)
        if (query.is_global === true) return false
        if (query.is_first_party !== undefined && client.firstParty !== query.is_first_party) return false
        if (query.external_client_id !== undefined && record.document.external_client_id !== query.external_client_id)
          return false
        if (search !== undefined && !search(grants?.get(record.clientId) ?? [])) return false
        return types === undefined || types.includes(client.appType)
      }
      const page = isFiltered
        ? sliceOf((await allClients(storage)).filter(matches), window)
        : await storage.clients.list(window)
      const items = page.items.map((record) => selectFields(serializeClient(record), query))
      return pageAnswer('clients', window, { items, total: page.total })
    },
  )

const PAGE = 500

async function allClients(storage: Repositories): Promise<readonly ClientRecord[]> {
  const all: ClientRecord[] = []
  for (;;) {
    const { items } = await storage.clients.list({ offset: all.length, limit: PAGE })
    all.push(...items)
    if (items.length < PAGE) return all
  }
}

async function grantsByClient(storage: Repositories): Promise<ReadonlyMap<string, readonly JsonObject[]>> {
  const found = new Map<string, JsonObject[]>()
  for (let offset = 0; ; offset += PAGE) {
    const { items } = await storage.clientGrants.list({ offset, limit: PAGE })
    for (const { clientId, document } of items) found.set(clientId, [...(found.get(clientId) ?? []), document])
    if (items.length < PAGE) return found
  }
}

const createClient = ({ storage, clock, allowedPrivateNetworks }: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/clients',
      summary: 'Register a client',
      tag: 'clients',
      scopes: ['create:clients'],
      body: clientCreateBody,
      answers: { 201: { description: 'The client, with its secret', schema: shape } },
    },
    async ({ caller, body }) => {
      requireMaySetVaultAccess(caller, body)
      requireReachable(calledUrls(body), allowedPrivateNetworks)
      const at = clock()
      const clientId = newClientId()
      const secret = needsSecret(body) ? randomToken(48) : undefined
      const record: ClientRecord = {
        clientId,
        secretHash: secret === undefined ? undefined : sha256Hex(secret),
        document: withCredentials(withoutNulls(body), { clientId, before: undefined, at }),
        createdAt: at,
        updatedAt: at,
      }
      await storage.transaction(async (tx) => {
        await tx.clients.insert(record)
        await appendEvent(tx, 'client.created', { record, at, by: caller.clientId })
      })
      return { status: 201, body: serializeClient(record, secret) }
    },
  )

const findClient = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/clients/{id}',
      summary: 'One client',
      tag: 'clients',
      scopes: ['read:clients', 'read:client_keys'],
      params: clientIdParams,
      query: z.object(fieldsQuery),
      answers: { 200: { description: 'The client', schema: shownOf(shape) }, ...notFound },
    },
    async ({ params: { id }, query }) => ({
      status: 200,
      body: selectFields(serializeClient(await getClient(storage, id)), query),
    }),
  )

const changeClient = ({ storage, clock, allowedPrivateNetworks }: ManagementDeps) =>
  operation(
    {
      method: 'patch',
      path: '/clients/{id}',
      summary: 'Change a client',
      tag: 'clients',
      scopes: ['update:clients'],
      params: clientIdParams,
      body: clientPatchBody,
      answers: { 200: { description: 'The client', schema: shape }, ...notFound },
    },
    async ({ caller, params: { id }, body }) => {
      requireMaySetVaultAccess(caller, body)
      requireReachable(calledUrls(body), allowedPrivateNetworks)
      const made = randomToken(48)
      const { record, secret } = await storage.transaction(async (tx) => {
        const before = await getClient(tx, id)
        const { client_id: _, ...document } = validateStored({
          ...applyPatch(withoutCredentials(before.document), body),
          client_id: id,
        })
        // A client that comes to authenticate by secret gets one; one that no longer does keeps none.
        const needs = needsSecret(document)
        const isNew = needs && before.secretHash === undefined
        const secretHash = needs ? (before.secretHash ?? sha256Hex(made)) : undefined
        const at = clock()
        const kept = withCredentials(withoutNulls(document), { clientId: id, before: before.document, at })
        const after: ClientRecord = { ...before, secretHash, document: kept, updatedAt: at }
        await tx.clients.put(after)
        await appendEvent(tx, 'client.updated', { record: after, at, by: caller.clientId })
        return { record: after, secret: isNew ? made : undefined }
      })
      return { status: 200, body: serializeClient(record, secret) }
    },
  )

/** Who may name users without them is decided by those alone who hold the scope for it (auth0-wire.md §2.2). */
function requireMaySetVaultAccess({ scopes }: Caller, body: object): void {
  const scope = 'update:client_token_vault_privileged_access'
  if ('token_vault_privileged_access' in body && !scopes.has(scope)) throw insufficientScope([scope])
}

/** Where the server itself calls a client: to tell it of sessions that ended. */
function calledUrls({ oidc_logout: logout }: { readonly oidc_logout?: unknown }): readonly PlacedUrl[] {
  const urls = isJsonObject(logout) ? stringsOf(logout.backchannel_logout_urls) : []
  return urls.map((url, index) => [`/oidc_logout/backchannel_logout_urls/${index}`, url])
}

const validateStored = (document: JsonObject) => validate(clientStored, document, 'body')

const deleteClient = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/clients/{id}',
      summary: 'Delete a client with everything issued to it',
      tag: 'clients',
      scopes: ['delete:clients'],
      params: clientIdParams,
      answers: { 204: { description: 'Gone, or never there' } },
    },
    async ({ caller, params: { id } }) => {
      await storage.transaction(async (tx) => {
        const record = await tx.clients.find(id)
        if (record === undefined) return
        await tx.clients.delete(id)
        await appendEvent(tx, 'client.deleted', { record, at: clock(), by: caller.clientId })
      })
      return { status: 204 }
    },
  )

const rotateSecret = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/clients/{id}/rotate-secret',
      summary: 'Give a client a new secret; the old one ends at once',
      tag: 'clients',
      scopes: ['update:client_keys'],
      params: clientIdParams,
      answers: { 200: { description: 'The client, with its secret', schema: shape }, ...notFound },
    },
    async ({ caller, params: { id } }) => {
      const secret = randomToken(48)
      const record = await storage.transaction(async (tx) => {
        const before = await getClient(tx, id)
        if (!needsSecret(before.document)) throw invalidBody('The client does not authenticate by a secret.')
        const at = clock()
        const after: ClientRecord = { ...before, secretHash: sha256Hex(secret), updatedAt: at }
        await tx.clients.put(after)
        await appendEvent(tx, 'client.secret_rotated', { record: after, at, by: caller.clientId })
        return after
      })
      return { status: 200, body: serializeClient(record, secret) }
    },
  )

const listConnections = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/clients/{id}/connections',
      summary: 'Connections that a client may use',
      tag: 'clients',
      scopes: ['read:connections'],
      params: clientIdParams,
      query: z.object(cursorQuery),
      answers: {
        200: { description: 'A page of connections', schema: cursorAnswer('connections', connectionShape) },
        ...notFound,
      },
    },
    async ({ params: { id }, query }) => {
      await getClient(storage, id)
      const window = { ...windowOf(query), form: 'cursor' } as const
      const connections = await storage.connections.listForClient(id)
      const items = connections.map((one) => ({ id: one.id, name: one.name, strategy: one.strategy }))
      return pageAnswer('connections', window, sliceOf(items, window))
    },
  )

/** A client with its defaults filled in, and with its secret when this answer is the one that shows it. */
function serializeClient(record: ClientRecord, secret?: string): JsonObject {
  const client = parseClient(record)
  return {
    ...withDefaults(clientFields, withoutCredentials(record.document)),
    client_id: record.clientId,
    ...(secret === undefined ? {} : { client_secret: secret }),
    grant_types: client.grantTypes,
    token_endpoint_auth_method: client.keys.length > 0 ? null : client.authMethod,
    global: false,
  }
}

export async function getClient(storage: Repositories, id: string): Promise<ClientRecord> {
  const record = await storage.clients.find(id)
  if (record === undefined) throw new NotFound('inexistent_client', 'The client does not exist.')
  return record
}

const appendEvent = (
  tx: Repositories,
  type: string,
  { record, at, by }: { record: ClientRecord; at: number; by: string },
) => tx.events.append({ type, at, outcome: 'ok', clientId: record.clientId, data: { by } })
