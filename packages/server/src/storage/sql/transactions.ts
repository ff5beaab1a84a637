import type { Transactions } from '../protocol-repositories.ts'
import type { UpstreamTransaction } from '../records.ts'
import type { UpstreamTransactionsTable } from '../schema.ts'
import type { Db } from './db.ts'
import { listOf, passingLocked, pick } from './rows.ts'
import { type Dialect, statement } from './statement.ts'

export const transactionsTable = (db: Db): Transactions => ({
  async find(stateHash) {
    const row = await db.first(findTransaction, { stateHash })
    return row && transactionOf(row)
  },
  async insert(transaction) {
    await db.change(insertTransaction, rowOf(transaction))
  },
  async consume(stateHash) {
    return (await db.change(deleteTransaction, { stateHash })) === 1
  },
  async deleteOfUser(userId) {
    await db.change(deleteOfUser, { userId })
  },
  async deleteExpired(before, limit) {
    return db.change(deleteExpired, { before, limit })
  },
})

const COLUMNS = [
  'state_hash',
  'kind',
  'connection_id',
  'callback_path',
  'browser_hash',
  'interaction_hash',
  'session_uid',
  'user_id',
  'client_id',
  'nonce',
  'verifier_envelope',
  'scopes',
  'created_at',
  'expires_at',
] as const

const findTransaction = statement((q, p: { stateHash: string }) =>
  q.selectFrom('upstream_transactions').select(COLUMNS).where('state_hash', '=', p.stateHash),
)

const insertTransaction = statement((q, p: Row) => q.insertInto('upstream_transactions').values(pick(p, COLUMNS)))

const deleteTransaction = statement((q, p: { stateHash: string }) =>
  q.deleteFrom('upstream_transactions').where('state_hash', '=', p.stateHash),
)

const deleteOfUser = statement((q, p: { userId: string }) =>
  q.deleteFrom('upstream_transactions').where('user_id', '=', p.userId),
)

const deleteExpired = statement((q, p: { before: number; limit: number }, dialect: Dialect) =>
  q
    .with('ended', (of) =>
      passingLocked(
        of.selectFrom('upstream_transactions').select('state_hash').where('expires_at', '<', p.before).limit(p.limit),
        dialect,
      ),
    )
    .deleteFrom('upstream_transactions')
    .where('state_hash', 'in', (of) => of.selectFrom('ended').select('state_hash')),
)

type Row = Readonly<Pick<UpstreamTransactionsTable, (typeof COLUMNS)[number]>>

const transactionOf = (row: Row): UpstreamTransaction => ({
  stateHash: row.state_hash,
  kind: row.kind,
  connectionId: row.connection_id,
  callbackPath: row.callback_path,
  browserHash: row.browser_hash,
  interactionHash: row.interaction_hash,
  sessionUid: row.session_uid ?? undefined,
  userId: row.user_id ?? undefined,
  clientId: row.client_id ?? undefined,
  nonce: row.nonce,
  verifierEnvelope: row.verifier_envelope,
  scopes: listOf(row.scopes),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
})

const rowOf = (transaction: UpstreamTransaction): Row => ({
  state_hash: transaction.stateHash,
  kind: transaction.kind,
  connection_id: transaction.connectionId,
  callback_path: transaction.callbackPath,
  browser_hash: transaction.browserHash,
  interaction_hash: transaction.interactionHash,
  session_uid: transaction.sessionUid ?? null,
  user_id: transaction.userId ?? null,
  client_id: transaction.clientId ?? null,
  nonce: transaction.nonce,
  verifier_envelope: transaction.verifierEnvelope,
  scopes: JSON.stringify(transaction.scopes),
  created_at: transaction.createdAt,
  expires_at: transaction.expiresAt,
})
