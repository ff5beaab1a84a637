// A PostgreSQL database's side of backup and restore.
import { Client } from 'pg'
import { typesOfRows } from '../postgres.ts'
import { applyStep, lockForMigration, postgresVersion } from '../postgres-migrate.ts'
import { type BackupSource, DatabaseNotEmpty, type RestorePlan } from './sides.ts'
import type { BackupRow, TableShape } from './tables.ts'

const BATCH = 500

/** One state of the database: what is committed when this resolves. */
export async function readPostgres(url: string): Promise<BackupSource> {
  const client = await connect(url)
  await client.query('begin isolation level repeatable read, read only')
  return {
    schemaVersion: () => postgresVersion(client),
    async *rows(table) {
      await client.query(`declare rows_of_table no scroll cursor for ${selectOf(table)}`)
      for (;;) {
        const { rows } = await client.query<BackupRow[]>({
          text: `fetch ${BATCH} from rows_of_table`,
          rowMode: 'array',
        })
        // Rows come as arrays, as asked for, of what `schema.ts` holds.
        yield rows as unknown as readonly BackupRow[]
        if (rows.length < BATCH) break
      }
      await client.query('close rows_of_table')
    },
    close: () => client.end(),
  }
}

const selectOf = ({ name, columns, key }: TableShape): string =>
  `select ${columns.map((column) => column.name).join(', ')} from ${name} order by ${key.join(', ')}`

/**
 * One transaction, the tables themselves included: what is interrupted leaves an empty database.
 *
 * @throws {DatabaseNotEmpty}
 */
export async function restorePostgres(url: string, { steps, version, load, record }: RestorePlan): Promise<void> {
  const client = await connect(url)
  try {
    await client.query('begin')
    await lockForMigration(client)
    if ((await postgresVersion(client)) > 0) throw new DatabaseNotEmpty('a PostgreSQL database with tables of ours')
    for (let at = 0; at < version; at++) await applyStep(client, steps, at)
    const numbered = new Map<string, string>()
    await load({
      async insert(table, rows) {
        if (table.serial !== undefined) numbered.set(table.name, table.serial)
        if (rows.length > 0) await client.query({ text: insertOf(table, rows.length), values: rows.flat() })
      },
    })
    for (const [table, column] of numbered) await client.query(goOnAfter(table, column))
    await client.query(record())
    for (let at = version; at < steps.length; at++) await applyStep(client, steps, at)
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  } finally {
    await client.end()
  }
}

function insertOf({ name, columns, serial }: TableShape, count: number): string {
  const names = columns.map((column) => column.name).join(', ')
  const row = (at: number) => `(${columns.map((_, column) => `$${at * columns.length + column + 1}`).join(', ')})`
  const rows = Array.from({ length: count }, (_, at) => row(at)).join(', ')
  return `insert into ${name} (${names}) ${serial === undefined ? '' : 'overriding system value '}values ${rows}`
}

/** New rows are numbered after those that came along. */
const goOnAfter = (table: string, column: string): string =>
  `select setval(pg_get_serial_sequence('${table}', '${column}'), max(${column})) from ${table} having count(*) > 0`

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000, types: typesOfRows })
  // Without a listener a connection that breaks would end the process; the query that runs tells of it.
  client.on('error', () => {})
  await client.connect()
  return client
}
