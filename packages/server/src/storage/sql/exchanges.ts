// One statement for an exchange: client, connection, subject and accounts as they are committed now, so that whatever
// is stopped anywhere is stopped here, without a cache that would have to be told.
import { sql } from 'kysely'
import { isString } from '../../lib/json.ts'
import type { ClientRecord, ConnectionRecord, ExchangeFacts, ExchangeQuery, ExchangeSubject } from '../records.ts'
import type { Exchanges } from '../vault-repositories.ts'
import { STORED_COLUMNS, type StoredRow, storedOf } from './account-rows.ts'
import type { Db } from './db.ts'
import { documentOf } from './rows.ts'
import { type Builder, statement } from './statement.ts'

export function exchangesTable(db: Db): Exchanges {
  const clients = new RowCache<ClientRecord>()
  const connections = new RowCache<ConnectionRecord>()
  return {
    async find(query) {
      const rows = await rowsFor(db, query)
      const [row] = rows
      // The statement always has a row; it is not even sent when a text of it cannot be stored.
      if (row === undefined) return NOTHING
      return {
        client: clientOf(row, clients),
        connection: connectionOf(row, connections),
        enabled: row.enabled !== null,
        stopped: row.caller_stopped_at !== null || row.holder_stopped_at !== null,
        subject: subjectOf(row),
        accounts: rows.filter(hasAccount).map(storedOf),
      }
    },
  }
}

const NOTHING: ExchangeFacts = {
  client: undefined,
  connection: undefined,
  enabled: false,
  stopped: false,
  subject: undefined,
  accounts: [],
}

function rowsFor(db: Db, { clientId = null, connection, subject }: Nullable<ExchangeQuery>): Promise<readonly Row[]> {
  if (subject.kind === 'refresh_token')
    return db.all(findByRefreshToken, { clientId, connection, tokenHash: subject.tokenHash })
  if (subject.kind === 'none') return db.all(findByRefreshToken, { clientId, connection, tokenHash: '' })
  const { clientId: issuedTo, userId, grantId } = subject
  return db.all(findByGrant, { clientId, connection, issuedTo, userId, grantId })
}

type Nullable<Q extends ExchangeQuery> = Omit<Q, 'clientId'> & { readonly clientId?: string | null | undefined }

interface Target {
  readonly clientId: string | null
  readonly connection: string
  readonly [more: string]: unknown
}

const findByRefreshToken = statement((q, p: Target & { tokenHash: string }) =>
  factsOf(
    start(q).leftJoin('artifacts as token', (join) =>
      join.on('token.kind', '=', 'RefreshToken').on('token.id_hash', '=', p.tokenHash),
    ),
    p,
  ),
)

/** For an access token its grant stands: what was deleted with the grant, or never was its own, does not count. */
const findByGrant = statement((q, p: Target & { issuedTo: string; userId: string; grantId: string }) =>
  factsOf(
    start(q).leftJoin('artifacts as token', (join) =>
      join
        .on('token.kind', '=', 'Grant')
        .on('token.id_hash', '=', p.grantId)
        .on('token.user_id', '=', p.userId)
        .on('token.client_id', '=', p.issuedTo),
    ),
    p,
  ),
)

/** One row, so that what is missing shows as null and hides nothing else. */
const start = (q: Builder) => q.selectFrom(sql<{ one: number }>`(select 1 as one)`.as('start'))

const withToken = (q: Builder) => start(q).leftJoin('artifacts as token', (join) => join.onTrue())

const factsOf = (subject: ReturnType<typeof withToken>, p: Target) =>
  subject
    .leftJoin('artifacts as grant', (join) =>
      join
        .on('grant.kind', '=', 'Grant')
        .on('grant.id_hash', '=', sql<string>`case token.kind when 'Grant' then token.id_hash else token.grant_id end`),
    )
    .leftJoin('users', 'users.user_id', 'token.user_id')
    .leftJoin('clients', (join) =>
      join.on('clients.client_id', '=', sql<string>`coalesce(${p.clientId}, token.client_id)`),
    )
    .leftJoin('connections', (join) => join.on('connections.name', '=', p.connection))
    .leftJoin('connection_clients', (join) =>
      join
        .onRef('connection_clients.connection_id', '=', 'connections.id')
        .onRef('connection_clients.client_id', '=', 'clients.client_id'),
    )
    // The user's word holds against the client that asks and against the one that the token was issued to.
    .leftJoin('agent_stops as caller_stop', (join) =>
      join.onRef('caller_stop.user_id', '=', 'users.user_id').onRef('caller_stop.client_id', '=', 'clients.client_id'),
    )
    .leftJoin('agent_stops as holder_stop', (join) =>
      join.onRef('holder_stop.user_id', '=', 'users.user_id').onRef('holder_stop.client_id', '=', 'token.client_id'),
    )
    .leftJoin('accounts', (join) =>
      join.onRef('accounts.user_id', '=', 'users.user_id').onRef('accounts.connection_id', '=', 'connections.id'),
    )
    .select([
      'clients.client_id as caller_id',
      'clients.secret_hash',
      'clients.document as client_document',
      'clients.created_at as client_created_at',
      'clients.updated_at as client_updated_at',
      'connections.id as target_id',
      'connections.name',
      'connections.strategy',
      'connections.document as target_document',
      'connections.secret_envelope',
      'connections.created_at as target_created_at',
      'connections.updated_at as target_updated_at',
      'connection_clients.client_id as enabled',
      'token.client_id as issued_to',
      'token.user_id as subject_user_id',
      'token.payload',
      'token.expires_at as token_expires_at',
      'token.consumed_at',
      'grant.expires_at as grant_expires_at',
      'users.blocked',
      'caller_stop.stopped_at as caller_stopped_at',
      'holder_stop.stopped_at as holder_stopped_at',
    ])
    .select(ACCOUNT_SELECTION)
    // 'agents' comes before 'sign_in' in the alphabet.
    .orderBy('accounts.purpose')
    .orderBy('accounts.connected_at', 'desc')
    .orderBy('accounts.id', 'desc')

const ACCOUNT_SELECTION = STORED_COLUMNS.map(
  <C extends (typeof STORED_COLUMNS)[number]>(column: C) =>
    // A template literal's type is string unless it is said otherwise.
    `accounts.${column}` as `accounts.${C}`,
)

type Row = Awaited<ReturnType<ReturnType<typeof factsOf>['execute']>>[number]

/** The account's columns are not null in a row that has one. */
const hasAccount = (row: Row): row is Row & StoredRow => row.id !== null

function clientOf(row: Row, cache: RowCache<ClientRecord>): ClientRecord | undefined {
  const { caller_id: clientId, client_document: text, client_created_at: createdAt, client_updated_at: updatedAt } = row
  if (clientId === null || text === null || createdAt === null || updatedAt === null) return undefined
  const secretHash = row.secret_hash ?? undefined
  const known = cache.find(clientId, text)
  if (known?.secretHash === secretHash && known?.updatedAt === updatedAt) return known
  return cache.keep(clientId, text, { clientId, secretHash, document: documentOf(text), createdAt, updatedAt })
}

function connectionOf(row: Row, cache: RowCache<ConnectionRecord>): ConnectionRecord | undefined {
  const { target_id: id, name, strategy, target_document: text } = row
  const { target_created_at: createdAt, target_updated_at: updatedAt } = row
  if (id === null || name === null || strategy === null) return undefined
  if (text === null || createdAt === null || updatedAt === null) return undefined
  const secretEnvelope = row.secret_envelope ?? undefined
  const known = cache.find(id, text)
  const sameHead = known?.name === name && known.strategy === strategy && known.updatedAt === updatedAt
  if (known && sameHead && sameBytes(known.secretEnvelope, secretEnvelope)) return known
  return cache.keep(id, text, { id, name, strategy, document: documentOf(text), secretEnvelope, createdAt, updatedAt })
}

const sameBytes = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0

function subjectOf(row: Row): ExchangeSubject | undefined {
  const { issued_to: clientId, subject_user_id: userId, payload, blocked } = row
  const { token_expires_at: tokenEnd, grant_expires_at: grantEnd } = row
  if (clientId === null || userId === null || payload === null) return undefined
  if (tokenEnd === null || grantEnd === null || blocked === null) return undefined
  const { jkt } = payload.includes('"jkt"') ? documentOf(payload) : {}
  return {
    clientId,
    userId,
    expiresAt: Math.min(tokenEnd, grantEnd),
    consumedAt: row.consumed_at ?? undefined,
    userBlocked: blocked !== 0,
    jkt: isString(jkt) ? jkt : undefined,
  }
}

const MAX_KEPT = 1000

/** Spares parsing a row that is still the same, and lets others know it again by identity. */
class RowCache<T> {
  readonly #kept = new Map<string, { readonly document: string; readonly value: T }>()

  /** What was kept for this key and document; the row's other columns are the caller's to compare. */
  find(key: string, document: string): T | undefined {
    const known = this.#kept.get(key)
    return known?.document === document ? known.value : undefined
  }

  keep(key: string, document: string, value: T): T {
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear()
    this.#kept.set(key, { document, value })
    return value
  }
}
