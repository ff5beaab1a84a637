import type { UserKeyRecord } from '../records.ts'
import type { Schema } from '../schema.ts'
import type { UserKeys } from '../vault-repositories.ts'
import type { Db } from './db.ts'
import { statement } from './statement.ts'

export const userKeysTable = (db: Db): UserKeys => ({
  async find(userId) {
    const row = await db.first(findKey, { userId })
    return row && recordOf(row)
  },
  async insert(key) {
    await db.change(insertKey, key)
    const row = await db.first(findKey, { userId: key.userId })
    // The key lives as long as its user, whose deletion waits for this transaction or has ended it.
    return row ? recordOf(row) : key
  },
  async rewrap(key, expectedKeyId) {
    return (await db.change(rewrapKey, { ...key, expectedKeyId })) === 1
  },
  async listNotUnder(keyId, limit) {
    return (await db.all(listNotUnder, { keyId, limit })).map(recordOf)
  },
  async countByKey() {
    const rows = await db.all(countByKey, {})
    return new Map(rows.map((row) => [row.key_id, Number(row.count)]))
  },
})

const COLUMNS = ['user_id', 'key_id', 'wrapped'] as const

type Key = { readonly userId: string; readonly keyId: string; readonly wrapped: Uint8Array }

const findKey = statement((q, p: { userId: string }) =>
  q.selectFrom('user_keys').select(COLUMNS).where('user_id', '=', p.userId),
)

const insertKey = statement((q, p: Key) =>
  q
    .insertInto('user_keys')
    .values({ user_id: p.userId, key_id: p.keyId, wrapped: p.wrapped })
    .onConflict((conflict) => conflict.column('user_id').doNothing()),
)

const rewrapKey = statement((q, p: Key & { expectedKeyId: string }) =>
  q
    .updateTable('user_keys')
    .set({ key_id: p.keyId, wrapped: p.wrapped })
    .where('user_id', '=', p.userId)
    .where('key_id', '=', p.expectedKeyId),
)

const listNotUnder = statement((q, p: { keyId: string; limit: number }) =>
  q.selectFrom('user_keys').select(COLUMNS).where('key_id', '<>', p.keyId).orderBy('user_id').limit(p.limit),
)

const countByKey = statement((q, _: Record<string, never>) =>
  q
    .selectFrom('user_keys')
    .select((eb) => ['key_id', eb.fn.countAll().as('count')])
    .groupBy('key_id'),
)

const recordOf = (row: Schema['user_keys']): UserKeyRecord => ({
  userId: row.user_id,
  keyId: row.key_id,
  wrapped: row.wrapped,
})
