import type { ClientGrantRecord, SubjectType } from '../records.ts'
import type { ClientGrantsTable } from '../schema.ts'
import type { ClientGrants } from '../storage.ts'
import type { Db } from './db.ts'
import { countOf, documentOf, fromExcluded, listOf, pick } from './rows.ts'
import { type Builder, statement } from './statement.ts'

export const clientGrantsTable = (db: Db): ClientGrants => ({
  async find(id) {
    const row = await db.first(findById, { id })
    return row && recordOf(row)
  },
  async findFor(clientId, audience, subjectType) {
    const row = await db.first(findFor, { clientId, audience, subjectType })
    return row && recordOf(row)
  },
  async list({ offset, limit, ...filter }) {
    const matching = grantsMatching(db.builder, filter)
    const rows = await db.query(
      matching.select(COLUMNS).orderBy('client_id').orderBy('audience').orderBy('id').limit(limit).offset(offset),
    )
    const total = await db.query(matching.select((eb) => eb.fn.countAll().as('count')))
    return { items: rows.map(recordOf), total: countOf(total) }
  },
  async put(grant) {
    await db.change(putGrant, rowOf(grant))
  },
  async delete(id) {
    return (await db.change(deleteGrant, { id })) === 1
  },
})

const COLUMNS = ['id', 'client_id', 'audience', 'subject_type', 'scopes', 'document'] as const

const findById = statement((q, p: { id: string }) =>
  q.selectFrom('client_grants').select(COLUMNS).where('id', '=', p.id),
)

const findFor = statement((q, p: { clientId: string; audience: string; subjectType: SubjectType }) =>
  q
    .selectFrom('client_grants')
    .select(COLUMNS)
    .where('client_id', '=', p.clientId)
    .where('audience', '=', p.audience)
    .where('subject_type', '=', p.subjectType),
)

type Filter = Omit<Parameters<ClientGrants['list']>[0], 'offset' | 'limit'>

function grantsMatching(q: Builder, { clientId, audience, subjectType }: Filter) {
  let query = q.selectFrom('client_grants')
  if (clientId !== undefined) query = query.where('client_id', '=', clientId)
  if (audience !== undefined) query = query.where('audience', '=', audience)
  if (subjectType !== undefined) query = query.where('subject_type', '=', subjectType)
  return query
}

const putGrant = statement((q, p: Row) =>
  q
    .insertInto('client_grants')
    .values(pick(p, COLUMNS))
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet(fromExcluded(['client_id', 'audience', 'subject_type', 'scopes', 'document'])),
    ),
)

const deleteGrant = statement((q, p: { id: string }) => q.deleteFrom('client_grants').where('id', '=', p.id))

type Row = Readonly<Pick<ClientGrantsTable, (typeof COLUMNS)[number]>>

const recordOf = (row: Row): ClientGrantRecord => ({
  id: row.id,
  clientId: row.client_id,
  audience: row.audience,
  subjectType: row.subject_type,
  scopes: listOf(row.scopes),
  document: documentOf(row.document),
})

const rowOf = (grant: ClientGrantRecord): Row => ({
  id: grant.id,
  client_id: grant.clientId,
  audience: grant.audience,
  subject_type: grant.subjectType,
  scopes: JSON.stringify(grant.scopes),
  document: JSON.stringify(grant.document),
})
