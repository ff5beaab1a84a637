import type { ConnectionRecord } from '../records.ts'
import type { ConnectionsTable } from '../schema.ts'
import type { Connections } from '../storage.ts'
import type { Db } from './db.ts'
import { countOf, documentOf, fromExcluded, orNone, pick } from './rows.ts'
import { type Builder, statement } from './statement.ts'

export const connectionsTable = (db: Db): Connections => ({
  async find(id) {
    const row = await db.first(findById, { id })
    return row && recordOf(row)
  },
  async findByName(name) {
    const row = await db.first(findByName, { name })
    return row && recordOf(row)
  },
  async list({ offset, limit, ...filter }) {
    const matching = connectionsMatching(db.builder, filter)
    const rows = await db.query(matching.select(COLUMNS).orderBy('name').limit(limit).offset(offset))
    const total = await db.query(matching.select((eb) => eb.fn.countAll().as('count')))
    return { items: rows.map(recordOf), total: countOf(total) }
  },
  async listForClient(clientId) {
    return (await db.all(listForClient, { clientId })).map(recordOf)
  },
  async insert(connection) {
    return (await db.change(insertConnection, rowOf(connection))) === 1
  },
  async put(connection) {
    await db.change(putConnection, rowOf(connection))
  },
  async delete(id) {
    await db.change(keepAside, { id })
    return (await db.change(deleteConnection, { id })) === 1
  },
  async findFormer(id) {
    const row = await db.first(findFormer, { id })
    return row && recordOf(row)
  },
  async deleteOrphans() {
    await db.change(deleteOrphans, {})
  },
  async isInUse(id) {
    return (await db.first(identityOf, { id })) !== undefined || (await db.first(accountOf, { id })) !== undefined
  },
  async clientsOf(id) {
    return (await db.all(clientsOf, { id })).map((row) => row.client_id)
  },
  async isEnabled(id, clientId) {
    return (await db.first(findEnabled, { id, clientId })) !== undefined
  },
  async setClient(id, clientId, enabled) {
    await db.change(enabled ? enableClient : disableClient, { id, clientId })
  },
})

const COLUMNS = ['id', 'name', 'strategy', 'document', 'secret_envelope', 'created_at', 'updated_at'] as const

const findById = statement((q, p: { id: string }) => q.selectFrom('connections').select(COLUMNS).where('id', '=', p.id))

const findByName = statement((q, p: { name: string }) =>
  q.selectFrom('connections').select(COLUMNS).where('name', '=', p.name),
)

type Filter = Omit<Parameters<Connections['list']>[0], 'offset' | 'limit'>

function connectionsMatching(q: Builder, { name, strategies }: Filter) {
  let query = q.selectFrom('connections')
  if (name !== undefined) query = query.where('name', '=', name)
  if (strategies !== undefined) query = query.where('strategy', 'in', orNone(strategies))
  return query
}

const listForClient = statement((q, p: { clientId: string }) =>
  q
    .selectFrom('connections')
    .innerJoin('connection_clients', 'connection_clients.connection_id', 'connections.id')
    .select(COLUMNS)
    .where('connection_clients.client_id', '=', p.clientId)
    .orderBy('name'),
)

const insertConnection = statement((q, p: Row) =>
  q
    .insertInto('connections')
    .values(pick(p, COLUMNS))
    .onConflict((conflict) => conflict.doNothing()),
)

const putConnection = statement((q, p: Row) =>
  q
    .insertInto('connections')
    .values(pick(p, COLUMNS))
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet(fromExcluded(['name', 'strategy', 'document', 'secret_envelope', 'updated_at'])),
    ),
)

const identityOf = statement((q, p: { id: string }) =>
  q.selectFrom('identities').select('subject').where('connection_id', '=', p.id).limit(1),
)

const accountOf = statement((q, p: { id: string }) =>
  q.selectFrom('accounts').select('id').where('connection_id', '=', p.id).limit(1),
)

/** An id of the tenant's choice may come and go again. */
const keepAside = statement((q, p: { id: string }) =>
  q
    .insertInto('former_connections')
    .columns(COLUMNS)
    .expression((eb) =>
      eb
        .selectFrom('connections')
        .select(COLUMNS)
        .where('id', '=', p.id)
        .where((of) =>
          of.exists(
            of.selectFrom('revocations').select('revocations.id').where('revocations.connection_id', '=', p.id),
          ),
        ),
    )
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet(fromExcluded(['name', 'strategy', 'document', 'secret_envelope', 'created_at', 'updated_at'])),
    ),
)

const findFormer = statement((q, p: { id: string }) =>
  q.selectFrom('former_connections').select(COLUMNS).where('id', '=', p.id),
)

const deleteOrphans = statement((q) =>
  q
    .deleteFrom('former_connections')
    .where('id', 'not in', (of) => of.selectFrom('revocations').select('revocations.connection_id')),
)

const deleteConnection = statement((q, p: { id: string }) => q.deleteFrom('connections').where('id', '=', p.id))

const clientsOf = statement((q, p: { id: string }) =>
  q.selectFrom('connection_clients').select('client_id').where('connection_id', '=', p.id).orderBy('client_id'),
)

const findEnabled = statement((q, p: { id: string; clientId: string }) =>
  q
    .selectFrom('connection_clients')
    .select('client_id')
    .where('connection_id', '=', p.id)
    .where('client_id', '=', p.clientId),
)

const enableClient = statement((q, p: { id: string; clientId: string }) =>
  q
    .insertInto('connection_clients')
    .values({ connection_id: p.id, client_id: p.clientId })
    .onConflict((conflict) => conflict.doNothing()),
)

const disableClient = statement((q, p: { id: string; clientId: string }) =>
  q.deleteFrom('connection_clients').where('connection_id', '=', p.id).where('client_id', '=', p.clientId),
)

type Row = Readonly<Pick<ConnectionsTable, (typeof COLUMNS)[number]>>

const recordOf = (row: Row): ConnectionRecord => ({
  id: row.id,
  name: row.name,
  strategy: row.strategy,
  document: documentOf(row.document),
  secretEnvelope: row.secret_envelope ?? undefined,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

const rowOf = (connection: ConnectionRecord): Row => ({
  id: connection.id,
  name: connection.name,
  strategy: connection.strategy,
  document: JSON.stringify(connection.document),
  secret_envelope: connection.secretEnvelope ?? null,
  created_at: connection.createdAt,
  updated_at: connection.updatedAt,
})
