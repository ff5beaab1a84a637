import type { SecondFactorKind } from '../../domain/second-factor.ts'
import type { SecondFactorRecord, SecondFactors } from '../factor-repository.ts'
import type { SecondFactorsTable } from '../schema.ts'
import type { Db } from './db.ts'
import { countOf, pick } from './rows.ts'
import { type Builder, statement } from './statement.ts'

export const secondFactorsTable = (db: Db): SecondFactors => ({
  async listOfUser(userId) {
    return (await db.all(listOfUser, { userId })).map(recordOf)
  },
  async insert(factor) {
    return (await db.change(insertFactor, rowOf(factor))) === 1
  },
  async delete(userId, kind) {
    return (await db.change(deleteFactor, { userId, kind })) === 1
  },
  async deleteOfUser(userId) {
    await db.change(deleteFactors, { userId })
    await db.change(deleteCodes, { userId })
  },
  async consumeStep(id, step) {
    return (await db.change(consumeStep, { id, step })) === 1
  },
  async countCodes(userId) {
    return countOf(await db.all(countCodes, { userId }))
  },
  async replaceCodes(userId, hashes) {
    await db.change(deleteCodes, { userId })
    for (const hash of hashes) await db.change(insertCode, { userId, hash })
  },
  async consumeCode(userId, hash) {
    return (await db.change(deleteCode, { userId, hash })) === 1
  },
  async deleteOrphans(now) {
    await db.change(deleteOrphanFactors, { now })
    await db.change(deleteOrphanCodes, { now })
  },
})

const COLUMNS = ['id', 'user_id', 'kind', 'envelope', 'last_step', 'added_at'] as const

const listOfUser = statement((q, p: { userId: string }) =>
  q.selectFrom('second_factors').select(COLUMNS).where('user_id', '=', p.userId).orderBy('kind'),
)

const insertFactor = statement((q, p: Row) =>
  q
    .insertInto('second_factors')
    .values(pick(p, COLUMNS))
    .onConflict((conflict) => conflict.doNothing()),
)

const deleteFactor = statement((q, p: { userId: string; kind: SecondFactorKind }) =>
  q.deleteFrom('second_factors').where('user_id', '=', p.userId).where('kind', '=', p.kind),
)

const deleteFactors = statement((q, p: { userId: string }) =>
  q.deleteFrom('second_factors').where('user_id', '=', p.userId),
)

const consumeStep = statement((q, p: { id: string; step: number }) =>
  q.updateTable('second_factors').set({ last_step: p.step }).where('id', '=', p.id).where('last_step', '<', p.step),
)

const countCodes = statement((q, p: { userId: string }) =>
  q
    .selectFrom('recovery_codes')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('user_id', '=', p.userId),
)

const deleteCodes = statement((q, p: { userId: string }) =>
  q.deleteFrom('recovery_codes').where('user_id', '=', p.userId),
)

const insertCode = statement((q, p: { userId: string; hash: string }) =>
  q.insertInto('recovery_codes').values({ user_id: p.userId, code_hash: p.hash }),
)

const deleteCode = statement((q, p: { userId: string; hash: string }) =>
  q.deleteFrom('recovery_codes').where('user_id', '=', p.userId).where('code_hash', '=', p.hash),
)

/** Users who are here, or may come back. */
const present = (q: Builder, now: number) =>
  q
    .selectFrom('users')
    .select('user_id')
    .unionAll(
      q
        .selectFrom('links')
        .select((eb) => eb.ref('secondary_user_id').$notNull().as('user_id'))
        .where('secondary_user_id', 'is not', null)
        .where('undone_at', 'is', null)
        .where('undo_until', '>=', now),
    )

const deleteOrphanFactors = statement((q, p: { now: number }) =>
  q.deleteFrom('second_factors').where('user_id', 'not in', present(q, p.now)),
)

const deleteOrphanCodes = statement((q, p: { now: number }) =>
  q.deleteFrom('recovery_codes').where('user_id', 'not in', present(q, p.now)),
)

type Row = Readonly<Pick<SecondFactorsTable, (typeof COLUMNS)[number]>>

const recordOf = (row: Row): SecondFactorRecord => ({
  id: row.id,
  userId: row.user_id,
  kind: row.kind,
  envelope: row.envelope ?? undefined,
  lastStep: row.last_step,
  addedAt: row.added_at,
})

const rowOf = (factor: SecondFactorRecord): Row => ({
  id: factor.id,
  user_id: factor.userId,
  kind: factor.kind,
  envelope: factor.envelope ?? null,
  last_step: factor.lastStep,
  added_at: factor.addedAt,
})
