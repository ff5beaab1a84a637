// Migrations of a SQLite file.
import { columnTypes, type Migration, type MigrationResult, requireKnownVersion } from './migrations.ts'
import { createPrivateFile, SqliteConnection, whileBusy } from './sqlite-connection.ts'

/**
 * Brings the file at `path`, made when it is absent, to the newest version. Each step is one transaction that looks at
 * the version under the write lock, so that two processes share the work without doing any of it twice.
 */
export async function migrateSqlite(
  path: string,
  migrations: readonly Migration[],
  patienceMs: number,
): Promise<MigrationResult> {
  createPrivateFile(path)
  const connection = await whileBusy(patienceMs, () => new SqliteConnection(path))
  try {
    const from = await whileBusy(patienceMs, () => sqliteVersion(connection))
    requireKnownVersion(from, migrations.length)
    let version = from
    while (version < migrations.length) {
      await whileBusy(patienceMs, () => connection.execute('begin immediate'))
      version = applyNext(connection, migrations)
    }
    return { from, to: version }
  } finally {
    connection.close()
  }
}

/** Version of the schema that stands in the file; 0 when nothing stands there. */
export function sqliteVersion(connection: SqliteConnection): number {
  const [table] = connection.run({ text: "select 1 from sqlite_master where name = 'schema_version'", values: [] }).rows
  if (table === undefined) return 0
  const [row] = connection.run({ text: 'select version from schema_version', values: [] }).rows
  // The one column of the one row.
  return (row as { version: number } | undefined)?.version ?? 0
}

/** Applies the step that follows the version found, ends the transaction, returns the version that stands then. */
function applyNext(connection: SqliteConnection, migrations: readonly Migration[]): number {
  try {
    const version = sqliteVersion(connection)
    requireKnownVersion(version, migrations.length)
    const migration = migrations[version]
    if (migration) {
      for (const text of migration(columnTypes.sqlite)) connection.executeScript(text)
      connection.executeScript(`create table if not exists schema_version (version integer not null) strict;
        delete from schema_version; insert into schema_version (version) values (${version + 1})`)
    }
    connection.execute('commit')
    return migration ? version + 1 : version
  } catch (error) {
    if (connection.isInTransaction) connection.execute('rollback')
    throw error
  }
}
