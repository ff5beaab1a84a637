import type { ResourceServerRecord } from '../records.ts'
import type { Schema } from '../schema.ts'
import type { ResourceServers } from '../storage.ts'
import type { Db } from './db.ts'
import { countOf, documentOf, fromExcluded, pick } from './rows.ts'
import { statement } from './statement.ts'

export const resourceServersTable = (db: Db): ResourceServers => ({
  async find(id) {
    const row = await db.first(findById, { id })
    return row && recordOf(row)
  },
  async findByIdentifier(identifier) {
    const row = await db.first(findByIdentifier, { identifier })
    return row && recordOf(row)
  },
  async list({ offset, limit }) {
    const rows = await db.all(listServers, { offset, limit })
    return { items: rows.map(recordOf), total: countOf(await db.all(countServers, {})) }
  },
  async put(server) {
    await db.change(putServer, rowOf(server))
  },
  async delete(id) {
    await db.change(deleteGrantsOf, { id })
    return (await db.change(deleteServer, { id })) === 1
  },
})

const COLUMNS = ['id', 'identifier', 'document'] as const

const findById = statement((q, p: { id: string }) =>
  q.selectFrom('resource_servers').select(COLUMNS).where('id', '=', p.id),
)

const findByIdentifier = statement((q, p: { identifier: string }) =>
  q.selectFrom('resource_servers').select(COLUMNS).where('identifier', '=', p.identifier),
)

const listServers = statement((q, p: { offset: number; limit: number }) =>
  q.selectFrom('resource_servers').select(COLUMNS).orderBy('identifier').limit(p.limit).offset(p.offset),
)

const countServers = statement((q, _: Record<string, never>) =>
  q.selectFrom('resource_servers').select((eb) => eb.fn.countAll().as('count')),
)

const putServer = statement((q, p: Row) =>
  q
    .insertInto('resource_servers')
    .values(pick(p, COLUMNS))
    .onConflict((conflict) => conflict.column('id').doUpdateSet(fromExcluded(['identifier', 'document']))),
)

const deleteGrantsOf = statement((q, p: { id: string }) =>
  q
    .deleteFrom('client_grants')
    .where('audience', 'in', (eb) => eb.selectFrom('resource_servers').select('identifier').where('id', '=', p.id)),
)

const deleteServer = statement((q, p: { id: string }) => q.deleteFrom('resource_servers').where('id', '=', p.id))

type Row = Readonly<Schema['resource_servers']>

const recordOf = (row: Row): ResourceServerRecord => ({ ...row, document: documentOf(row.document) })

const rowOf = ({ id, identifier, document }: ResourceServerRecord): Row => ({
  id,
  identifier,
  document: JSON.stringify(document),
})
