import { isTaken } from '../postgres-errors.ts'
import type { Replays } from '../protocol-repositories.ts'
import type { ReplayMark } from '../records.ts'
import { MarkStood } from '../transaction-errors.ts'
import type { Db } from './db.ts'
import { type Columns, columnsOf, given } from './given.ts'
import { passingLocked, pick } from './rows.ts'
import { type Dialect, statement } from './statement.ts'

export const replaysTable = (db: Db): Replays => ({
  async has(idHash, now) {
    return (await db.first(findMark, { idHash, now })) !== undefined
  },
  async insertOnce(mark) {
    return (await db.change(insertMark, rowOf(mark))) === 1
  },
  insertAllOnce: (marks) => insertAllOnce(db, marks),
  insertAllNew: (marks) => insertAllNew(db, marks),
  async deleteExpired(before, limit) {
    return db.change(deleteExpired, { before, limit })
  },
})

const TYPES = { id_hash: 'text', expires_at: 'bigint' } as const
const COLUMNS = ['id_hash', 'expires_at'] as const
type Many = Columns<Row> & { readonly [name: string]: unknown }
type Row = { readonly id_hash: string; readonly expires_at: number }

const findMark = statement((q, p: { idHash: string; now: number }) =>
  q.selectFrom('replay_marks').select('id_hash').where('id_hash', '=', p.idHash).where('expires_at', '>', p.now),
)

const insertMark = statement((q, p: Row) =>
  q
    .insertInto('replay_marks')
    .values(pick(p, COLUMNS))
    .onConflict((conflict) => conflict.column('id_hash').doNothing()),
)

const insertNewMarks = statement((q, p: Many) =>
  q
    .insertInto('replay_marks')
    .columns(COLUMNS)
    .expression((eb) => eb.selectFrom(given<Row>(p, TYPES).as('many')).select(COLUMNS)),
)

const insertMarks = statement((q, p: Many) =>
  q
    .insertInto('replay_marks')
    .columns(COLUMNS)
    .expression((eb) => eb.selectFrom(given<Row>(p, TYPES).as('many')).select(COLUMNS))
    .onConflict((conflict) => conflict.column('id_hash').doNothing())
    .returning('id_hash'),
)

/** Which of these were not there: true for the first of equal ones, in the order in which they are given. */
async function insertAllOnce(db: Db, marks: readonly ReplayMark[]): Promise<readonly boolean[]> {
  if (db.dialect === 'sqlite') {
    const written: boolean[] = []
    for (const mark of marks) written.push((await db.change(insertMark, rowOf(mark))) === 1)
    return written
  }
  const firsts = new Map(marks.toReversed().map((mark) => [mark.idHash, mark]))
  const inserted = new Set((await db.all(insertMarks, inOrder([...firsts.values()]))).map((row) => row.id_hash))
  return marks.map((mark) => firsts.get(mark.idHash) === mark && inserted.has(mark.idHash))
}

async function insertAllNew(db: Db, marks: readonly ReplayMark[]): Promise<void> {
  if (db.dialect === 'sqlite') {
    for (const mark of marks) if ((await db.change(insertMark, rowOf(mark))) !== 1) throw new MarkStood()
    return
  }
  try {
    await db.change(insertNewMarks, inOrder(marks))
  } catch (error) {
    throw isTaken(error) ? new MarkStood() : error
  }
}

/** In one order, so that two nodes do not wait for each other in a circle. */
const inOrder = (marks: readonly ReplayMark[]): Many => ({
  ...columnsOf(
    COLUMNS,
    marks.map(rowOf).sort((a, b) => (a.id_hash < b.id_hash ? -1 : 1)),
  ),
})

const deleteExpired = statement((q, p: { before: number; limit: number }, dialect: Dialect) =>
  q
    .with('ended', (of) =>
      passingLocked(
        of.selectFrom('replay_marks').select('id_hash').where('expires_at', '<', p.before).limit(p.limit),
        dialect,
      ),
    )
    .deleteFrom('replay_marks')
    .where('id_hash', 'in', (of) => of.selectFrom('ended').select('ended.id_hash')),
)

const rowOf = ({ idHash, expiresAt }: ReplayMark): Row => ({ id_hash: idHash, expires_at: expiresAt })
