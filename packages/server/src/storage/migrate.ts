// Brings a database to the schema that this server wants.
import { parseDatabaseUrl } from './database-url.ts'
import { type Migration, type MigrationResult, migrations } from './migrations.ts'
import { migratePostgres } from './postgres-migrate.ts'
import { DEFAULT_PATIENCE_MS } from './sqlite.ts'
import { migrateSqlite } from './sqlite-migrate.ts'

/**
 * Applies the migrations that are missing, each in a transaction of its own: what was interrupted goes on at the next
 * call, and processes that start together wait for one another. Returns the versions before and after.
 *
 * @param steps the schema's history; another one is for tests.
 * @throws {SchemaTooNew} a newer server wrote the database.
 */
export async function migrate(url: string, steps: readonly Migration[] = migrations): Promise<MigrationResult> {
  const database = parseDatabaseUrl(url)
  if (database.kind === 'postgres') return migratePostgres(database.url, steps)
  // A database in memory is migrated by the one who opens it.
  if (database.kind === 'memory') return { from: 0, to: 0 }
  return migrateSqlite(database.path, steps, DEFAULT_PATIENCE_MS)
}
