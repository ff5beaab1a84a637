import { sql } from 'kysely'
import type { Limits } from '../storage.ts'
import type { Db } from './db.ts'
import { passingLocked } from './rows.ts'
import { type Dialect, statement } from './statement.ts'

export const limitsTable = (db: Db): Limits => ({
  async find(key, now) {
    const row = await db.first(findCounter, { key, now })
    return row && { points: row.points, expiresAt: row.expires_at }
  },
  async add(key, points, now, expiresAt) {
    const row = await db.first(addPoints, { key, points, now, expiresAt })
    return { points: row?.points ?? points, expiresAt: row?.expires_at ?? expiresAt }
  },
  async delete(key) {
    await db.change(deleteCounter, { key })
  },
  async deleteExpired(before, limit) {
    return db.change(deleteExpired, { before, limit })
  },
})

const findCounter = statement((q, p: { key: string; now: number }) =>
  q.selectFrom('limits').select(['points', 'expires_at']).where('key', '=', p.key).where('expires_at', '>', p.now),
)

/** A counter that has ended starts anew; one that lives keeps its end. */
const addPoints = statement((q, p: { key: string; points: number; now: number; expiresAt: number }) =>
  q
    .insertInto('limits')
    .values({ key: p.key, points: p.points, expires_at: p.expiresAt })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({
        points: sql<number>`excluded.points + case when limits.expires_at <= ${p.now} then 0 else limits.points end`,
        expires_at: sql<number>`case when limits.expires_at <= ${p.now} then excluded.expires_at else limits.expires_at end`,
      }),
    )
    .returning(['points', 'expires_at']),
)

const deleteCounter = statement((q, p: { key: string }) => q.deleteFrom('limits').where('key', '=', p.key))

const deleteExpired = statement((q, p: { before: number; limit: number }, dialect: Dialect) =>
  q
    .with('ended', (of) =>
      passingLocked(of.selectFrom('limits').select('key').where('expires_at', '<', p.before).limit(p.limit), dialect),
    )
    .deleteFrom('limits')
    .where('key', 'in', (of) => of.selectFrom('ended').select('ended.key')),
)
