import type { Meta } from '../storage.ts'
import type { Db } from './db.ts'
import { fromExcluded } from './rows.ts'
import { statement } from './statement.ts'

export const metaTable = (db: Db): Meta => ({
  async find(key) {
    return (await db.first(findValue, { key }))?.value
  },
  async put(key, value) {
    await db.change(putValue, { key, value })
  },
  async putIfAbsent(key, value) {
    await db.change(insertValue, { key, value })
    // The row stands now, ours or another's, and rows of this table are never deleted.
    return (await db.first(findValue, { key }))?.value ?? value
  },
})

const findValue = statement((q, p: { key: string }) => q.selectFrom('meta').select('value').where('key', '=', p.key))

const putValue = statement((q, p: { key: string; value: string }) =>
  q
    .insertInto('meta')
    .values({ key: p.key, value: p.value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet(fromExcluded(['value']))),
)

const insertValue = statement((q, p: { key: string; value: string }) =>
  q
    .insertInto('meta')
    .values({ key: p.key, value: p.value })
    .onConflict((conflict) => conflict.doNothing()),
)
