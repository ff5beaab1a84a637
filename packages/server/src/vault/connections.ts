// Connections with their upstream client secret opened: what connectors are made of. The secret is sealed at rest and
// leaves this process only towards the provider.
import { EnvelopeError } from '../crypto/envelope.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Connection } from '../domain/connection.ts'
import { isActive } from '../domain/connection-use.ts'
import { isJsonObject, isString, type JsonObject } from '../lib/json.ts'
import type { ConnectionRecord } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'

export interface ConnectionReader {
  find(repositories: Repositories, id: string): Promise<Connection | undefined>
  findByName(repositories: Repositories, name: string): Promise<Connection | undefined>
  /** One that was deleted, while tokens of it wait to be revoked. */
  findFormer(repositories: Repositories, id: string): Promise<Connection | undefined>
  /** The same object for as long as the row stays the same. */
  open(record: ConnectionRecord): Connection
}

const contextOf = (connectionId: string): string => `connection:${connectionId}`

export function createConnectionReader({ keyring }: { keyring: Keyring }): ConnectionReader {
  const opened = new Map<string, { readonly record: ConnectionRecord; readonly connection: Connection }>()
  const open = (record: ConnectionRecord): Connection => {
    const known = opened.get(record.id)
    if (known !== undefined && sameRow(known.record, record)) return known.connection
    const connection = openConnection(record, keyring)
    opened.set(record.id, { record, connection })
    return connection
  }
  return {
    async find(repositories, id) {
      const record = await repositories.connections.find(id)
      return record === undefined ? undefined : open(record)
    },
    async findByName(repositories, name) {
      const record = await repositories.connections.findByName(name)
      return record === undefined ? undefined : open(record)
    },
    async findFormer(repositories, id) {
      const record = await repositories.connections.findFormer(id)
      return record === undefined ? undefined : openConnection(record, keyring)
    },
    open,
  }
}

/** Takes the client secret out of a connection document, sealed. */
export function sealConnectionSecret(
  keyring: Keyring,
  connectionId: string,
  document: JsonObject,
): { readonly document: JsonObject; readonly secretEnvelope: Uint8Array | undefined } {
  const { options } = document
  if (!isJsonObject(options) || !isString(options.client_secret)) return { document, secretEnvelope: undefined }
  const { client_secret: secret, ...rest } = options
  return {
    document: { ...document, options: rest },
    secretEnvelope: keyring.seal(contextOf(connectionId), Buffer.from(secret)),
  }
}

function openConnection(record: ConnectionRecord, keyring: Keyring): Connection {
  const { document, secretEnvelope } = record
  const options = isJsonObject(document.options) ? document.options : {}
  const secret = secretEnvelope && openSecret(keyring, record.id, secretEnvelope)
  return {
    ...(secret === DAMAGED && { damaged: true }),
    id: record.id,
    name: record.name,
    strategy: record.strategy,
    displayName: isString(document.display_name) ? document.display_name : undefined,
    options: secret === undefined || secret === DAMAGED ? options : { ...options, client_secret: secret },
    authenticationActive: isActive(document, 'authentication', true),
    connectedAccountsActive: isActive(document, 'connected_accounts', false),
  }
}

const DAMAGED = Symbol('damaged')

function openSecret(keyring: Keyring, id: string, envelope: Uint8Array): string | typeof DAMAGED {
  try {
    return keyring.open(contextOf(id), envelope).toString('utf8')
  } catch (error) {
    // One connection that does not open must not take the others with it.
    if (error instanceof EnvelopeError) return DAMAGED
    throw error
  }
}

const sameRow = (a: ConnectionRecord, b: ConnectionRecord): boolean =>
  a.updatedAt === b.updatedAt &&
  JSON.stringify(a.document) === JSON.stringify(b.document) &&
  Buffer.from(a.secretEnvelope ?? []).equals(Buffer.from(b.secretEnvelope ?? []))
