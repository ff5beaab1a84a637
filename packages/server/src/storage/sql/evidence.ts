import { sql } from 'kysely'
import type { AddressEvidence, Grade } from '../../domain/user.ts'
import type { EvidenceTable } from '../schema.ts'
import type { Evidence } from '../storage.ts'
import type { Db } from './db.ts'
import { fromExcluded, pick } from './rows.ts'
import { statement } from './statement.ts'

export const evidenceTable = (db: Db): Evidence => ({
  async listOfUser(userId) {
    return (await db.all(listOfUser, { userId })).map(evidenceOf)
  },
  async listForAddress(address) {
    return (await db.all(listForAddress, { address })).map(evidenceOf)
  },
  async put(evidence) {
    await db.change(putEvidence, rowOf(evidence))
  },
  async deleteBySource(userId, source) {
    await db.change(deleteBySource, { userId, source })
  },
  async moveUser(fromUserId, toUserId) {
    await db.change(copyEvidence, { fromUserId, toUserId })
    await db.change(deleteOfUser, { userId: fromUserId })
  },
})

const COLUMNS = ['user_id', 'address', 'source', 'grade', 'said_at'] as const
const KEY = ['user_id', 'address', 'source'] as const

const listOfUser = statement((q, p: { userId: string }) =>
  q.selectFrom('evidence').select(COLUMNS).where('user_id', '=', p.userId).orderBy('address').orderBy('source'),
)

const listForAddress = statement((q, p: { address: string }) =>
  q.selectFrom('evidence').select(COLUMNS).where('address', '=', p.address).orderBy('user_id').orderBy('source'),
)

/** An older word that arrives late does not undo a newer one. */
const newerCounts = sql<boolean>`excluded.said_at >= evidence.said_at`

const putEvidence = statement((q, p: Row) =>
  q
    .insertInto('evidence')
    .values(pick(p, COLUMNS))
    .onConflict((conflict) =>
      conflict
        .columns(KEY)
        .doUpdateSet(fromExcluded(['grade', 'said_at']))
        .where(newerCounts),
    ),
)

const deleteBySource = statement((q, p: { userId: string; source: string }) =>
  q.deleteFrom('evidence').where('user_id', '=', p.userId).where('source', '=', p.source),
)

const copyEvidence = statement((q, p: { fromUserId: string; toUserId: string }) =>
  q
    .insertInto('evidence')
    .columns(COLUMNS)
    .expression((eb) =>
      eb
        .selectFrom('evidence as old')
        .select([sql<string>`${p.toUserId}`.as('user_id'), 'old.address', 'old.source', 'old.grade', 'old.said_at'])
        .where('old.user_id', '=', p.fromUserId),
    )
    .onConflict((conflict) =>
      conflict
        .columns(KEY)
        .doUpdateSet(fromExcluded(['grade', 'said_at']))
        .where(newerCounts),
    ),
)

const deleteOfUser = statement((q, p: { userId: string }) => q.deleteFrom('evidence').where('user_id', '=', p.userId))

type Row = Readonly<Pick<EvidenceTable, (typeof COLUMNS)[number]>>

const evidenceOf = (row: Row): AddressEvidence => ({
  userId: row.user_id,
  address: row.address,
  source: row.source,
  // Only rows of `rowOf` stand in the table.
  grade: row.grade as Grade,
  saidAt: row.said_at,
})

const rowOf = (evidence: AddressEvidence): Row => ({
  user_id: evidence.userId,
  address: evidence.address,
  source: evidence.source,
  grade: evidence.grade,
  said_at: evidence.saidAt,
})
