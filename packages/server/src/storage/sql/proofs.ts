import type { Proofs } from '../queue-repositories.ts'
import type { MailProof } from '../records.ts'
import type { ProofsTable } from '../schema.ts'
import type { Db } from './db.ts'
import { passingLocked, pick } from './rows.ts'
import { type Dialect, statement } from './statement.ts'

export const proofsTable = (db: Db): Proofs => ({
  async find(idHash) {
    const row = await db.first(findProof, { idHash })
    return row && proofOf(row)
  },
  async insert(proof) {
    await db.change(insertProof, rowOf(proof))
  },
  async deleteOfUser(userId, kind) {
    if (kind === undefined) await db.change(deleteOfUser, { userId })
    else await db.change(deleteOfKind, { userId, kind })
  },
  async consume(idHash) {
    return (await db.change(deleteProof, { idHash })) === 1
  },
  async deleteExpired(before, limit) {
    return db.change(deleteExpired, { before, limit })
  },
})

const COLUMNS = [
  'id_hash',
  'kind',
  'user_id',
  'address',
  'bound_to',
  'goes_to',
  'attempts',
  'created_at',
  'expires_at',
] as const

const findProof = statement((q, p: { idHash: string }) =>
  q.selectFrom('proofs').select(COLUMNS).where('id_hash', '=', p.idHash),
)

const insertProof = statement((q, p: Row) => q.insertInto('proofs').values(pick(p, COLUMNS)))

const deleteOfUser = statement((q, p: { userId: string }) =>
  q.deleteFrom('proofs').where('user_id', '=', p.userId).where('kind', '<>', 'not_me'),
)

const deleteOfKind = statement((q, p: { userId: string; kind: MailProof['kind'] }) =>
  q.deleteFrom('proofs').where('user_id', '=', p.userId).where('kind', '=', p.kind),
)

const deleteProof = statement((q, p: { idHash: string }) => q.deleteFrom('proofs').where('id_hash', '=', p.idHash))

const deleteExpired = statement((q, p: { before: number; limit: number }, dialect: Dialect) =>
  q
    .with('ended', (of) =>
      passingLocked(
        of.selectFrom('proofs').select('id_hash').where('expires_at', '<', p.before).limit(p.limit),
        dialect,
      ),
    )
    .deleteFrom('proofs')
    .where('id_hash', 'in', (of) => of.selectFrom('ended').select('ended.id_hash')),
)

type Row = Readonly<Pick<ProofsTable, (typeof COLUMNS)[number]>>

const proofOf = (row: Row): MailProof => ({
  idHash: row.id_hash,
  kind: row.kind,
  userId: row.user_id,
  address: row.address,
  boundTo: row.bound_to,
  attempts: row.attempts,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  // Written below, and by nothing else.
  ...(row.goes_to === null ? {} : { goesTo: JSON.parse(row.goes_to) as MailProof['goesTo'] }),
})

const rowOf = (proof: MailProof): Row => ({
  id_hash: proof.idHash,
  kind: proof.kind,
  user_id: proof.userId,
  address: proof.address,
  bound_to: proof.boundTo,
  goes_to: proof.goesTo === undefined ? null : JSON.stringify(proof.goesTo),
  attempts: proof.attempts,
  created_at: proof.createdAt,
  expires_at: proof.expiresAt,
})
