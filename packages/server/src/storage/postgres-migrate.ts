// Migrations of a PostgreSQL database.
import { Client } from 'pg'
import { columnTypes, type Migration, type MigrationResult, requireKnownVersion } from './migrations.ts'

/** What runs a query: a client or a pool. */
export interface Queryable {
  query(text: string): Promise<{ rows: unknown[] }>
}

/**
 * Brings the database to the newest version. Each step is one transaction that looks at the version under an advisory
 * lock, so that nodes that start together share the work without doing any of it twice.
 */
export async function migratePostgres(url: string, migrations: readonly Migration[]): Promise<MigrationResult> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect()
  try {
    const from = await postgresVersion(client)
    requireKnownVersion(from, migrations.length)
    let version = from
    while (version < migrations.length) version = await applyNext(client, migrations)
    return { from, to: version }
  } finally {
    await client.end()
  }
}

/** Version of the schema that stands in the database; 0 when nothing stands there. */
export async function postgresVersion(database: Queryable): Promise<number> {
  const table = await database.query(
    "select 1 from pg_tables where schemaname = current_schema and tablename = 'schema_version'",
  )
  if (table.rows.length === 0) return 0
  const { rows } = await database.query('select version from schema_version')
  // The one column of the one row; `version` is a four-byte integer.
  return (rows[0] as { version: number } | undefined)?.version ?? 0
}

/** Any number that nobody else's program uses in the same database. */
const MIGRATION_LOCK = 7_366_601

async function applyNext(client: Client, migrations: readonly Migration[]): Promise<number> {
  await client.query('begin')
  try {
    await lockForMigration(client)
    const version = await postgresVersion(client)
    requireKnownVersion(version, migrations.length)
    const next = await applyStep(client, migrations, version)
    await client.query('commit')
    return next
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  }
}

/** Until the transaction ends nobody else migrates. */
export async function lockForMigration(client: Queryable): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`)
}

/** Within a transaction: the step that follows `version`, if there is one. @returns the version that stands then. */
export async function applyStep(client: Queryable, migrations: readonly Migration[], version: number): Promise<number> {
  const migration = migrations[version]
  if (!migration) return version
  for (const text of migration(columnTypes.postgres)) await client.query(text)
  await client.query('create table if not exists schema_version (version integer not null)')
  await client.query('delete from schema_version')
  await client.query(`insert into schema_version (version) values (${version + 1})`)
  return version + 1
}
