import type { ClientRecord } from '../records.ts'
import type { ClientsTable } from '../schema.ts'
import type { Clients } from '../storage.ts'
import type { Db } from './db.ts'
import { countOf, documentOf, fromExcluded, pick } from './rows.ts'
import { statement } from './statement.ts'

export const clientsTable = (db: Db): Clients => ({
  async find(clientId) {
    const row = await db.first(findClient, { clientId })
    return row && recordOf(row)
  },
  async list({ offset, limit }) {
    const rows = await db.all(listClients, { offset, limit })
    return { items: rows.map(recordOf), total: countOf(await db.all(countClients, {})) }
  },
  async insert(client) {
    return (await db.change(insertClient, rowOf(client))) === 1
  },
  async put(client) {
    await db.change(putClient, rowOf(client))
  },
  async delete(clientId) {
    for (const dependants of [deleteGrants, deleteEnablements, deleteArtifacts])
      await db.change(dependants, { clientId })
    return (await db.change(deleteClient, { clientId })) === 1
  },
})

const COLUMNS = ['client_id', 'secret_hash', 'document', 'created_at', 'updated_at'] as const

const findClient = statement((q, p: { clientId: string }) =>
  q.selectFrom('clients').select(COLUMNS).where('client_id', '=', p.clientId),
)

const listClients = statement((q, p: { offset: number; limit: number }) =>
  q.selectFrom('clients').select(COLUMNS).orderBy('created_at').orderBy('client_id').limit(p.limit).offset(p.offset),
)

const countClients = statement((q, _: Record<string, never>) =>
  q.selectFrom('clients').select((eb) => eb.fn.countAll().as('count')),
)

const insertClient = statement((q, p: Row) =>
  q
    .insertInto('clients')
    .values(pick(p, COLUMNS))
    .onConflict((conflict) => conflict.doNothing()),
)

const putClient = statement((q, p: Row) =>
  q
    .insertInto('clients')
    .values(pick(p, COLUMNS))
    .onConflict((conflict) =>
      conflict.column('client_id').doUpdateSet(fromExcluded(['secret_hash', 'document', 'updated_at'])),
    ),
)

const deleteClient = statement((q, p: { clientId: string }) =>
  q.deleteFrom('clients').where('client_id', '=', p.clientId),
)

const deleteGrants = statement((q, p: { clientId: string }) =>
  q.deleteFrom('client_grants').where('client_id', '=', p.clientId),
)

const deleteEnablements = statement((q, p: { clientId: string }) =>
  q.deleteFrom('connection_clients').where('client_id', '=', p.clientId),
)

const deleteArtifacts = statement((q, p: { clientId: string }) =>
  q.deleteFrom('artifacts').where('client_id', '=', p.clientId),
)

type Row = Readonly<Pick<ClientsTable, (typeof COLUMNS)[number]>>

const recordOf = (row: Row): ClientRecord => ({
  clientId: row.client_id,
  secretHash: row.secret_hash ?? undefined,
  document: documentOf(row.document),
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

const rowOf = (client: ClientRecord): Row => ({
  client_id: client.clientId,
  secret_hash: client.secretHash ?? null,
  document: JSON.stringify(client.document),
  created_at: client.createdAt,
  updated_at: client.updatedAt,
})
