import type { ExchangeProfile } from '../records.ts'
import type { ExchangeProfilesTable } from '../schema.ts'
import type { ExchangeProfiles } from '../storage.ts'
import type { Db } from './db.ts'
import { countOf, listOf, pick } from './rows.ts'
import { statement } from './statement.ts'

export const exchangeProfilesTable = (db: Db): ExchangeProfiles => ({
  async find(id) {
    const row = await db.first(findById, { id })
    return row && recordOf(row)
  },
  async findByType(subjectTokenType) {
    const row = await db.first(findByType, { subjectTokenType })
    return row && recordOf(row)
  },
  async list({ offset, limit }) {
    const rows = await db.all(listProfiles, { offset, limit })
    return { items: rows.map(recordOf), total: countOf(await db.all(countProfiles, {})) }
  },
  async insert(profile) {
    return (await db.change(insertProfile, rowOf(profile))) === 1
  },
  async rename(id, name, at) {
    await db.change(renameProfile, { id, name, at })
  },
  async delete(id) {
    return (await db.change(deleteProfile, { id })) === 1
  },
})

const COLUMNS = ['id', 'name', 'subject_token_type', 'connection_id', 'audiences', 'created_at', 'updated_at'] as const

const findById = statement((q, p: { id: string }) =>
  q.selectFrom('exchange_profiles').select(COLUMNS).where('id', '=', p.id),
)

const findByType = statement((q, p: { subjectTokenType: string }) =>
  q.selectFrom('exchange_profiles').select(COLUMNS).where('subject_token_type', '=', p.subjectTokenType),
)

const listProfiles = statement((q, p: { offset: number; limit: number }) =>
  q.selectFrom('exchange_profiles').select(COLUMNS).orderBy('name').limit(p.limit).offset(p.offset),
)

const countProfiles = statement((q, _: Record<string, never>) =>
  q.selectFrom('exchange_profiles').select((eb) => eb.fn.countAll().as('count')),
)

const insertProfile = statement((q, p: Row) =>
  q
    .insertInto('exchange_profiles')
    .values(pick(p, COLUMNS))
    .onConflict((conflict) => conflict.doNothing()),
)

const renameProfile = statement((q, p: { id: string; name: string; at: number }) =>
  q.updateTable('exchange_profiles').set({ name: p.name, updated_at: p.at }).where('id', '=', p.id),
)

const deleteProfile = statement((q, p: { id: string }) => q.deleteFrom('exchange_profiles').where('id', '=', p.id))

type Row = Readonly<ExchangeProfilesTable>

const recordOf = (row: Row): ExchangeProfile => ({
  id: row.id,
  name: row.name,
  subjectTokenType: row.subject_token_type,
  connectionId: row.connection_id,
  audiences: listOf(row.audiences),
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

const rowOf = (profile: ExchangeProfile): Row => ({
  id: profile.id,
  name: profile.name,
  subject_token_type: profile.subjectTokenType,
  connection_id: profile.connectionId,
  audiences: JSON.stringify(profile.audiences),
  created_at: profile.createdAt,
  updated_at: profile.updatedAt,
})
