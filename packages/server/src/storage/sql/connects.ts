import type { Connects } from '../protocol-repositories.ts'
import type { ConnectRequest } from '../records.ts'
import type { ConnectRequestsTable } from '../schema.ts'
import type { Db } from './db.ts'
import { documentOf, listOf, passingLocked, pick } from './rows.ts'
import { type Dialect, statement } from './statement.ts'

export const connectsTable = (db: Db): Connects => ({
  async find(authSessionHash) {
    const row = await db.first(findRequest, { authSessionHash })
    return row && requestOf(row)
  },
  async findByTicket(ticketHash) {
    const row = await db.first(findByTicket, { ticketHash })
    return row && requestOf(row)
  },
  async insert(request) {
    await db.change(insertRequest, rowOf(request))
  },
  async advance(authSessionHash, from, to, change) {
    const query = db.builder
      .updateTable('connect_requests')
      .set({ status: to, ...changedColumns(change) })
      .where('auth_session_hash', '=', authSessionHash)
      .where('status', '=', from)
    return (await db.changeQuery(query)) === 1
  },
  async deleteOfUser(userId) {
    await db.change(deleteOfUser, { userId })
  },
  async deleteExpired(before, limit) {
    return db.change(deleteExpired, { before, limit })
  },
})

const COLUMNS = [
  'auth_session_hash',
  'ticket_hash',
  'connect_code_hash',
  'user_id',
  'client_id',
  'connection_id',
  'redirect_uri',
  'state',
  'code_challenge',
  'scopes',
  'authorization_params',
  'dpop_thumbprint',
  'status',
  'browser_hash',
  'session_uid',
  'pending_envelope',
  'created_at',
  'expires_at',
] as const

const findRequest = statement((q, p: { authSessionHash: string }) =>
  q.selectFrom('connect_requests').select(COLUMNS).where('auth_session_hash', '=', p.authSessionHash),
)

const findByTicket = statement((q, p: { ticketHash: string }) =>
  q.selectFrom('connect_requests').select(COLUMNS).where('ticket_hash', '=', p.ticketHash),
)

const insertRequest = statement((q, p: Row) => q.insertInto('connect_requests').values(pick(p, COLUMNS)))

const deleteOfUser = statement((q, p: { userId: string }) =>
  q.deleteFrom('connect_requests').where('user_id', '=', p.userId),
)

const deleteExpired = statement((q, p: { before: number; limit: number }, dialect: Dialect) =>
  q
    .with('ended', (of) =>
      passingLocked(
        of.selectFrom('connect_requests').select('auth_session_hash').where('expires_at', '<', p.before).limit(p.limit),
        dialect,
      ),
    )
    .deleteFrom('connect_requests')
    .where('auth_session_hash', 'in', (of) => of.selectFrom('ended').select('auth_session_hash')),
)

type Row = Readonly<Pick<ConnectRequestsTable, (typeof COLUMNS)[number]>>

/** A member that is there and undefined empties its column; one that is absent leaves it. */
const changedColumns = (change: Parameters<Connects['advance']>[3]): Partial<Row> => ({
  ...('browserHash' in change && { browser_hash: change.browserHash ?? null }),
  ...('sessionUid' in change && { session_uid: change.sessionUid ?? null }),
  ...('connectCodeHash' in change && { connect_code_hash: change.connectCodeHash ?? null }),
  ...('pendingEnvelope' in change && { pending_envelope: change.pendingEnvelope ?? null }),
})

const requestOf = (row: Row): ConnectRequest => ({
  authSessionHash: row.auth_session_hash,
  ticketHash: row.ticket_hash,
  connectCodeHash: row.connect_code_hash ?? undefined,
  userId: row.user_id,
  clientId: row.client_id,
  connectionId: row.connection_id,
  redirectUri: row.redirect_uri,
  state: row.state ?? undefined,
  codeChallenge: row.code_challenge ?? undefined,
  scopes: listOf(row.scopes),
  authorizationParams: documentOf(row.authorization_params),
  dpopThumbprint: row.dpop_thumbprint ?? undefined,
  status: row.status,
  browserHash: row.browser_hash ?? undefined,
  sessionUid: row.session_uid ?? undefined,
  pendingEnvelope: row.pending_envelope ?? undefined,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
})

const rowOf = (request: ConnectRequest): Row => ({
  auth_session_hash: request.authSessionHash,
  ticket_hash: request.ticketHash,
  connect_code_hash: request.connectCodeHash ?? null,
  user_id: request.userId,
  client_id: request.clientId,
  connection_id: request.connectionId,
  redirect_uri: request.redirectUri,
  state: request.state ?? null,
  code_challenge: request.codeChallenge ?? null,
  scopes: JSON.stringify(request.scopes),
  authorization_params: JSON.stringify(request.authorizationParams),
  dpop_thumbprint: request.dpopThumbprint ?? null,
  status: request.status,
  browser_hash: request.browserHash ?? null,
  session_uid: request.sessionUid ?? null,
  pending_envelope: request.pendingEnvelope ?? null,
  created_at: request.createdAt,
  expires_at: request.expiresAt,
})
