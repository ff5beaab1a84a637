// Brings the database into the state that a tenant file asks for. Applying the same file twice writes nothing.
//
// The file is the word on what it names: settings, clients, APIs, client grants and connections are made or changed to
// match it. What it does not name stays. Its users are made once and are then their own.
import { newConnectionId, sha256Hex } from '../crypto/hashing.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Passwords } from '../crypto/passwords.ts'
import { canonicalAddress } from '../domain/address.ts'
import { parseClient } from '../domain/client.ts'
import { PASSWORD_STRATEGY } from '../domain/connection.ts'
import { Conflict, Invalid } from '../domain/errors.ts'
import { profileOf } from '../domain/profile.ts'
import { parseWebhooks } from '../domain/settings.ts'
import { isJsonObject, isString, type JsonObject } from '../lib/json.ts'
import type { Clock, EpochSeconds } from '../lib/time.ts'
import { PASSWORD_CONNECTION } from '../protocol/built-in.ts'
import { ConfigError } from '../protocol/config-error.ts'
import type { TenantFile } from '../protocol/tenant-file.ts'
import type { UserDocument } from '../protocol/user-document.ts'
import type { ClientRecord, ConnectionRecord } from '../storage/records.ts'
import type { Repositories, Storage } from '../storage/storage.ts'
import { withCredentials } from './client-credentials.ts'
import { requireSameParty } from './connection-party.ts'
import { connectionRow, setEnabledClients } from './connections.ts'
import { putExchangeProfile } from './exchange-profiles.ts'
import { putClientGrant, putResourceServer, putSystemServers } from './resource-servers.ts'
import { createPasswordUser } from './users.ts'
import { putWebhooks } from './webhooks.ts'

export const SETTINGS_KEY = 'settings'

export interface ApplyTenantDeps {
  readonly storage: Storage
  readonly keyring: Pick<Keyring, 'seal' | 'open'>
  readonly passwords: Pick<Passwords, 'hash'>
  readonly clock: Clock
  readonly issuer: string
}

/**
 * Applies a tenant file, or, without one, what exists in every tenant.
 *
 * @throws {ConfigError} a user has no usable address. (URLs that upstream calls may not reach are taken; each call refuses.)
 */
export async function applyTenant(deps: ApplyTenantDeps, file: TenantFile | undefined): Promise<void> {
  const { storage, clock, issuer } = deps
  const at = clock()
  await storage.transaction(async (tx) => {
    if (file !== undefined) await mergeSettings(tx, deps.keyring, toDocument(file.settings))
    await putSystemServers(tx, issuer)
    for (const server of file?.resource_servers ?? []) await putResourceServer(tx, toDocument(server), issuer)
    const newClients = await putClients(tx, file?.clients ?? [], at)
    for (const grant of file?.client_grants ?? []) await putClientGrant(tx, toDocument(grant))
    await putPasswordConnection(tx, deps, { newClients, isNamed: namesPasswords(file), at })
    for (const connection of file?.connections ?? []) await putConnection(tx, deps, toDocument(connection), at)
    for (const profile of file?.token_exchange_profiles ?? []) await putExchangeProfile(tx, profile, at)
  })
  for (const user of file?.users ?? []) await ensureUser(deps, user)
}

/** What zod parsed from JSON, without members that are undefined. */
const toDocument = (value: object): JsonObject =>
  // The documents are JSON by their schemas.
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as JsonObject

/** Members that the file names replace those that stand; others stay, so that a change made over the API survives a start. */
async function mergeSettings(
  tx: Repositories,
  keyring: ApplyTenantDeps['keyring'],
  { webhooks, ...settings }: JsonObject,
): Promise<void> {
  const receivers = webhooks === undefined ? undefined : parseWebhooks({ webhooks })
  if (receivers !== undefined) await putWebhooks(tx, keyring, receivers)
  const stored = await tx.meta.find(SETTINGS_KEY)
  const before: unknown = stored === undefined ? {} : JSON.parse(stored)
  const { webhooks: _, ...kept } = isJsonObject(before) ? before : {}
  const after = JSON.stringify({ ...kept, ...settings })
  if (after !== stored) await tx.meta.put(SETTINGS_KEY, after)
}

/** Returns the clients that were not there before. */
async function putClients(
  tx: Repositories,
  clients: TenantFile['clients'],
  at: EpochSeconds,
): Promise<readonly ClientRecord[]> {
  const made: ClientRecord[] = []
  for (const { client_id: clientId, client_secret: secret, ...members } of clients) {
    const before = await tx.clients.find(clientId)
    const record: ClientRecord = {
      clientId,
      secretHash: secret === undefined ? before?.secretHash : sha256Hex(secret),
      document: documentOf(clientId, toDocument(members), before, at),
      createdAt: before?.createdAt ?? at,
      updatedAt: at,
    }
    if (before === undefined) made.push(record)
    if (before === undefined || before.secretHash !== record.secretHash || differs(before.document, record.document))
      await tx.clients.put(record)
  }
  return made
}

/** @throws {ConfigError} a key of the client is none. */
function documentOf(
  clientId: string,
  document: JsonObject,
  before: ClientRecord | undefined,
  at: EpochSeconds,
): JsonObject {
  try {
    return withCredentials(document, { clientId, before: before?.document, at })
  } catch (error) {
    if (!(error instanceof Invalid)) throw error
    const pointer = `/clients/${clientId}`
    throw new ConfigError({ code: 'invalid_credential', pointer, found: 'a credential', expected: error.message })
  }
}

const namesPasswords = (file: TenantFile | undefined): boolean =>
  file?.connections.some(({ name }) => name === PASSWORD_CONNECTION) ?? false

/**
 * The password database exists in every tenant. Where the file does not name it, clients that sign people in may use it
 * from their first appearance on; what an operator changed later stays.
 */
async function putPasswordConnection(
  tx: Repositories,
  deps: ApplyTenantDeps,
  { newClients, isNamed, at }: { newClients: readonly ClientRecord[]; isNamed: boolean; at: EpochSeconds },
): Promise<void> {
  if (isNamed) return
  const document = { name: PASSWORD_CONNECTION, strategy: PASSWORD_STRATEGY, options: {} }
  const before = await tx.connections.findByName(PASSWORD_CONNECTION)
  const { id } = before ?? (await putConnection(tx, deps, document, at))
  for (const client of newClients) {
    const signsIn = parseClient(client).grantTypes.includes('authorization_code')
    if (signsIn) await tx.connections.setClient(id, client.clientId, true)
  }
}

async function putConnection(
  tx: Repositories,
  deps: ApplyTenantDeps,
  document: JsonObject,
  at: EpochSeconds,
): Promise<ConnectionRecord> {
  const { name, strategy, enabled_clients: clients } = document
  if (!isString(name) || !isString(strategy)) throw new TypeError('a connection without name or strategy')
  const before = await tx.connections.findByName(name)
  if (before !== undefined && before.strategy !== strategy)
    throw new ConfigError({
      code: 'immutable',
      pointer: `/connections/${name}/strategy`,
      found: strategy,
      expected: `${before.strategy}, as the connection was made`,
    })
  if (before !== undefined) await requireSameProvider(tx, before, document)
  const row = connectionRow(deps.keyring, { id: before?.id ?? newConnectionId(), name, strategy, document, before, at })
  if (before === undefined) {
    // Another node may have made it a moment ago: then it is that one's, and changed where it differs.
    if (!(await tx.connections.insert(row))) return putConnection(tx, deps, document, at)
  } else if (row.updatedAt !== before.updatedAt || differs(before.document, row.document)) await tx.connections.put(row)
  if (Array.isArray(clients)) await setEnabledClients(tx, row.id, clients.filter(isString))
  return row
}

/** @throws {ConfigError} the connection is in use, or has a secret, and would belong to another provider. */
async function requireSameProvider(tx: Repositories, before: ConnectionRecord, document: JsonObject): Promise<void> {
  try {
    await requireSameParty(tx, before, document)
  } catch (error) {
    if (!(error instanceof Conflict || error instanceof Invalid)) throw error
    const pointer = `/connections/${before.name}/options`
    throw new ConfigError({ code: error.code, pointer, found: 'another provider', expected: error.message })
  }
}

/** Makes the user when nobody signs in with that address yet. */
async function ensureUser({ storage, passwords, clock }: ApplyTenantDeps, given: UserDocument): Promise<void> {
  const connection = await storage.connections.findByName(given.connection)
  const address = canonicalAddress(given.email)
  if (connection === undefined || address === undefined) return
  if ((await storage.passwords.findByAddress(connection.id, address)) !== undefined) return
  if (given.user_id !== undefined && (await storage.passwords.find(connection.id, given.user_id)) !== undefined) return
  const hash = await passwords.hash(given.password)
  const made = storage.transaction((tx) =>
    createPasswordUser(tx, {
      connection,
      email: address,
      hash,
      subject: given.user_id,
      profile: profileOf(toDocument(given)),
      grade: given.email_verified === true ? 3 : 0,
      source: 'operator',
      at: clock(),
      userMetadata: given.user_metadata,
      appMetadata: given.app_metadata,
      blocked: given.blocked,
    }),
  )
  await made.catch((error: unknown) => {
    // Another node was faster.
    if (!(error instanceof Conflict)) throw error
  })
}

const differs = (a: JsonObject, b: JsonObject): boolean => JSON.stringify(a) !== JSON.stringify(b)
