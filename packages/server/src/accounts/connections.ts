// Makes, changes and removes connections: sealed secrets, network rules, enabled clients, and the users that go with one.

import { EnvelopeError } from '../crypto/envelope.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { Invalid } from '../domain/errors.ts'
import { userOfConnection } from '../domain/search.ts'
import { isJsonObject, isString, type JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { ConnectionRecord } from '../storage/records.ts'
import type { Repositories, Storage } from '../storage/storage.ts'
import { sealConnectionSecret } from '../vault/connections.ts'
import type { AccountVault } from './account-vault.ts'
import { dropIdentity } from './drop-identity.ts'
import { deleteUser } from './end-access.ts'
import { transact } from './transact.ts'

export interface ConnectionWrite {
  readonly id: string
  readonly name: string
  readonly strategy: string
  /** Wire document, with `options.client_secret` when it is to be set. */
  readonly document: JsonObject
  readonly before?: ConnectionRecord | undefined
  readonly at: EpochSeconds
}

/**
 * The row of a connection. Without a new secret the one that is sealed stays; an equal one keeps its envelope, so that
 * writing the same again changes nothing.
 */
export function connectionRow(keyring: Pick<Keyring, 'seal' | 'open'>, write: ConnectionWrite): ConnectionRecord {
  const { id, name, strategy, before, at } = write
  const { enabled_clients: _, ...rest } = write.document
  // The sealing half of a keyring is all that it uses.
  const sealed = sealConnectionSecret(keyring as Keyring, id, rest)
  const isEqual =
    before?.secretEnvelope !== undefined &&
    sealed.secretEnvelope !== undefined &&
    opensTo(keyring, id, before.secretEnvelope, secretOf(rest))
  const secretEnvelope = isEqual || sealed.secretEnvelope === undefined ? before?.secretEnvelope : sealed.secretEnvelope
  const unchanged =
    before !== undefined &&
    secretEnvelope === before.secretEnvelope &&
    JSON.stringify(before.document) === JSON.stringify(sealed.document)
  return {
    id,
    name,
    strategy,
    document: sealed.document,
    secretEnvelope,
    createdAt: before?.createdAt ?? at,
    updatedAt: unchanged ? before.updatedAt : at,
  }
}

/** False as well when it does not open: writing the connection anew is how that is mended. */
function opensTo(keyring: Pick<Keyring, 'open'>, id: string, envelope: Uint8Array, secret: Buffer): boolean {
  try {
    return keyring.open(`connection:${id}`, envelope).equals(secret)
  } catch (error) {
    if (error instanceof EnvelopeError) return false
    throw error
  }
}

function secretOf({ options }: JsonObject): Buffer {
  const secret = isJsonObject(options) ? options.client_secret : undefined
  return Buffer.from(isString(secret) ? secret : '')
}

/** Makes `clientIds` the clients that may use a connection. */
export async function setEnabledClients(
  tx: Repositories,
  connectionId: string,
  clientIds: readonly string[],
): Promise<void> {
  const wanted = new Set(clientIds)
  const present = new Set(await tx.connections.clientsOf(connectionId))
  for (const id of present) if (!wanted.has(id)) await tx.connections.setClient(connectionId, id, false)
  for (const id of wanted) if (!present.has(id)) await tx.connections.setClient(connectionId, id, true)
}

/** @throws {Invalid} `inexistent_client`. */
export async function requireClients(tx: Repositories, clientIds: readonly string[]): Promise<void> {
  for (const id of clientIds) {
    if ((await tx.clients.find(id)) === undefined)
      throw new Invalid('inexistent_client', 'A client of that id does not exist.')
  }
}

const BATCH = 100

/**
 * Deletes a connection with its users (auth0-wire.md §6.3). Users whose first identity it made go; others lose the
 * identity, and what they connected. In batches, so that a large one does not hold the database; ending midway leaves it to be deleted again.
 */
export async function deleteConnection(
  storage: Storage,
  vault: AccountVault,
  { connection, at, clientId }: { connection: ConnectionRecord; at: EpochSeconds; clientId: string },
): Promise<void> {
  await storage.transaction((tx) => setEnabledClients(tx, connection.id, []))
  let left = BATCH
  while (left === BATCH) left = await storage.transaction((tx) => deleteBatch(tx, vault, { connection, at, clientId }))
  left = BATCH
  while (left === BATCH) left = await transact(storage, (tx) => dropAccounts(tx, vault, connection.id, at))
  await storage.transaction(async (tx) => {
    await tx.connections.delete(connection.id)
    await tx.events.append({
      type: 'connection.deleted',
      at,
      outcome: 'ok',
      clientId,
      connectionId: connection.id,
      data: { name: connection.name },
    })
  })
}

async function deleteBatch(
  tx: Repositories,
  vault: AccountVault,
  { connection, at, clientId }: { connection: ConnectionRecord; at: EpochSeconds; clientId: string },
): Promise<number> {
  const matching = userOfConnection(connection.name)
  const { items } = await tx.users.list({ offset: 0, limit: BATCH, matching })
  for (const { userId } of items) {
    const identities = await tx.identities.listOfUser(userId)
    if (identities[0]?.connectionId === connection.id) await deleteUser(tx, vault, { userId, at, clientId })
    else
      for (const identity of identities)
        if (identity.connectionId === connection.id) await dropIdentity(tx, vault, identity, at)
  }
  return items.length
}

/** Those of people who sign in otherwise. */
async function dropAccounts(
  tx: Repositories,
  vault: AccountVault,
  connectionId: string,
  at: EpochSeconds,
): Promise<number> {
  const ids = await tx.accounts.listOfConnection(connectionId, BATCH)
  for (const id of ids) {
    const account = await tx.accounts.find(id)
    if (account !== undefined) await vault.drop(tx, account, at)
  }
  return ids.length
}

/** Deletes whoever signs in with this address, or takes the way in away from a user who has others before it. */
export async function deletePasswordUser(
  tx: Repositories,
  vault: AccountVault,
  { connection, address, at, clientId }: PasswordUserToDelete,
): Promise<void> {
  const password = await tx.passwords.findByAddress(connection.id, address)
  const identity = password && (await tx.identities.find(connection.id, password.subject))
  if (identity === undefined) return
  const [first] = await tx.identities.listOfUser(identity.userId)
  const isFirst = first?.connectionId === connection.id && first.subject === identity.subject
  if (isFirst) await deleteUser(tx, vault, { userId: identity.userId, at, clientId })
  else {
    await dropIdentity(tx, vault, identity, at)
    const who = { userId: identity.userId, clientId, connectionId: connection.id }
    await tx.events.append({
      type: 'identity.unlinked',
      at,
      outcome: 'ok',
      ...who,
      data: { subject: identity.subject },
    })
  }
}

interface PasswordUserToDelete {
  readonly connection: ConnectionRecord
  /** Canonical. */
  readonly address: string
  readonly at: EpochSeconds
  readonly clientId: string
}
