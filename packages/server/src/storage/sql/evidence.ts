import { sql } from 'kysely'
import type { AddressEvidence, Grade } from '../../domain/user.ts'
import type { EvidenceTable } from '../schema.ts'
import type { Evidence } from '../storage.ts'
import type { Db } from './db.ts'
import { countOf, fromExcluded, orNone, pick } from './rows.ts'
import { type Dialect, statement } from './statement.ts'

export const evidenceTable = (db: Db): Evidence => ({
  async listOfUser(userId) {
    return (await db.all(listOfUser, { userId })).map(evidenceOf)
  },
  async listForAddress(address) {
    return (await db.all(listForAddress, { address })).map(evidenceOf)
  },
  async listAlike({ offset, limit, all = false }) {
    const keys = await db.query(groupKeys(db, all).orderBy('key').limit(limit).offset(offset))
    const total = await db.query(
      db.builder.selectFrom(groupKeys(db, all).as('shared')).select((eb) => eb.fn.countAll().as('count')),
    )
    const rows = await db.query(
      rowsOfKeys(
        db,
        keys.map(({ key }) => key),
      ),
    )
    const items = keys.map(({ key }) => rows.filter((row) => row.key === key).map(evidenceOf))
    return { items, total: countOf(total) }
  },
  async put(evidence) {
    await db.change(putEvidence, rowOf(evidence))
  },
  async deleteBySource(userId, source) {
    await db.change(deleteBySource, { userId, source })
  },
  async moveUser(fromUserId, toUserId) {
    await Promise.all([
      db.change(copyEvidence, { fromUserId, toUserId }),
      db.change(deleteOfUser, { userId: fromUserId }),
    ])
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

/**
 * The address without dots and `+tag` in its local part. Canonical addresses have one `@`, and a local part that is all
 * tag keeps it.
 */
function likeness(dialect: Dialect, column: 'address' | 'one.address' | 'other.address' = 'address') {
  const positionOf = sql.raw(dialect === 'sqlite' ? 'instr' : 'strpos')
  const address = sql.ref(column)
  const at = sql`${positionOf}(${address}, '@')`
  const local = sql`substr(${address}, 1, ${at} - 1)`
  const plus = sql`${positionOf}(${local}, '+')`
  const untagged = sql`case when ${plus} > 1 then substr(${address}, 1, ${plus} - 1) else ${local} end`
  return sql<string>`replace(${untagged}, '.', '') || substr(${address}, ${at})`
}

const sharedKeys = (db: Db) =>
  db.builder
    .selectFrom('evidence')
    .select(likeness(db.dialect).as('key'))
    .groupBy('key')
    .having((eb) => eb.fn.count('user_id').distinct(), '>', 1)

/** All, or those in which somebody is left who is not kept apart from somebody else. */
function groupKeys(db: Db, all: boolean) {
  const groups = db.builder
    .selectFrom(sharedKeys(db).select(countUsers.as('users')).as('shared'))
    .leftJoin(apartKeys(db).as('apart'), 'apart.key', 'shared.key')
    .select('shared.key as key')
  return all ? groups : groups.where(sql<boolean>`coalesce(apart.pairs, 0) * 2 < shared.users * (shared.users - 1)`)
}

const countUsers = sql<number>`count(distinct user_id)`

/** By what addresses have in common, how many pairs of their holders are kept apart: found from the pairs, which are few. */
function apartKeys(db: Db) {
  const [one, other] = [likeness(db.dialect, 'one.address'), likeness(db.dialect, 'other.address')]
  const pairs = db.builder
    .selectFrom('users_apart as pair')
    .innerJoin('evidence as one', 'one.user_id', 'pair.lesser_user_id')
    .innerJoin('evidence as other', 'other.user_id', 'pair.greater_user_id')
    .select([one.as('key'), 'pair.lesser_user_id', 'pair.greater_user_id'])
    .where(one, '=', other)
    .distinct()
  return db.builder
    .selectFrom(pairs.as('pairs'))
    .select((eb) => ['pairs.key', eb.fn.countAll<number>().as('pairs')])
    .groupBy('pairs.key')
}

const rowsOfKeys = (db: Db, keys: readonly string[]) =>
  db.builder
    .selectFrom('evidence')
    .select([...COLUMNS, likeness(db.dialect).as('key')])
    .where(likeness(db.dialect), 'in', orNone(keys))
    .orderBy('address')
    .orderBy('user_id')
    .orderBy('source')

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
