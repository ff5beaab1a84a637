import type { Apart } from '../apart-repository.ts'
import type { Db } from './db.ts'
import { countOf, orNone } from './rows.ts'
import { statement } from './statement.ts'

export const apartTable = (db: Db): Apart => ({
  async put({ lesserUserId, greaterUserId, keptAt, keptBy }) {
    return (await db.change(insertPair, { lesserUserId, greaterUserId, keptAt, keptBy })) === 1
  },
  async delete({ lesserUserId, greaterUserId }) {
    return (await db.change(deletePair, { lesserUserId, greaterUserId })) === 1
  },
  async deleteOfUser(userId) {
    await db.change(deleteOfUser, { userId })
  },
  async list({ offset, limit }) {
    const rows = await db.query(
      presentPairs(db)
        .select(COLUMNS)
        .orderBy('kept_at', 'desc')
        .orderBy('lesser_user_id')
        .orderBy('greater_user_id')
        .limit(limit)
        .offset(offset),
    )
    const total = await db.query(presentPairs(db).select((eb) => eb.fn.countAll().as('count')))
    const items = rows.map((row) => ({ ...pairOf(row), keptAt: row.kept_at, keptBy: row.kept_by }))
    return { items, total: countOf(total) }
  },
  async listAmong(userIds) {
    const ids = orNone(userIds)
    const rows = await db.query(
      db.builder
        .selectFrom('users_apart')
        .select(['lesser_user_id', 'greater_user_id'])
        .where('lesser_user_id', 'in', ids)
        .where('greater_user_id', 'in', ids),
    )
    return rows.map(pairOf)
  },
})

const COLUMNS = ['lesser_user_id', 'greater_user_id', 'kept_at', 'kept_by'] as const

type Pair = { lesserUserId: string; greaterUserId: string }

const pairOf = (row: { lesser_user_id: string; greater_user_id: string }) => ({
  lesserUserId: row.lesser_user_id,
  greaterUserId: row.greater_user_id,
})

/** Somebody who was joined into another user is nobody now, and comes back when that is undone. */
const presentPairs = (db: Db) =>
  db.builder
    .selectFrom('users_apart')
    .where('lesser_user_id', 'in', (eb) => eb.selectFrom('users').select('user_id'))
    .where('greater_user_id', 'in', (eb) => eb.selectFrom('users').select('user_id'))

const insertPair = statement((q, p: Pair & { keptAt: number; keptBy: string }) =>
  q
    .insertInto('users_apart')
    .values({
      lesser_user_id: p.lesserUserId,
      greater_user_id: p.greaterUserId,
      kept_at: p.keptAt,
      kept_by: p.keptBy,
    })
    .onConflict((conflict) => conflict.doNothing()),
)

const deletePair = statement((q, p: Pair) =>
  q
    .deleteFrom('users_apart')
    .where('lesser_user_id', '=', p.lesserUserId)
    .where('greater_user_id', '=', p.greaterUserId),
)

const deleteOfUser = statement((q, p: { userId: string }) =>
  q
    .deleteFrom('users_apart')
    .where((eb) => eb.or([eb('lesser_user_id', '=', p.userId), eb('greater_user_id', '=', p.userId)])),
)
