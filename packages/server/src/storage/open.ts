// Opens the database behind a URL.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseDatabaseUrl } from './database-url.ts'
import { migrations } from './migrations.ts'
import { openPostgres } from './postgres.ts'
import { DEFAULT_PATIENCE_MS, openSqlite } from './sqlite.ts'
import { migrateSqlite } from './sqlite-migrate.ts'
import type { Storage } from './storage.ts'

export interface OpenOptions {
  /** `sqlite:PATH`, `sqlite::memory:` (empty, migrated, gone when closed) or `postgres://…`. */
  readonly url: string
  /** Connections of this process to PostgreSQL; SQLite has two. */
  readonly maxConnections?: number
}

/**
 * Opens a migrated database.
 *
 * @throws {SchemaTooOld} when it waits for `migrate`. @throws {SchemaTooNew} when a newer server wrote it.
 */
export async function openStorage({ url, maxConnections }: OpenOptions): Promise<Storage> {
  const database = parseDatabaseUrl(url)
  switch (database.kind) {
    case 'postgres':
      return openPostgres({ url: database.url, ...(maxConnections !== undefined && { maxConnections }) })
    case 'memory':
      return openTemporary()
    case 'file':
      return openSqlite({ path: database.path })
  }
}

/** SQLite's own memory databases cannot be shared by a writer and a reader that sees what is committed. */
async function openTemporary(): Promise<Storage> {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-memory-'))
  const path = join(folder, 'tenon.db')
  await migrateSqlite(path, migrations, DEFAULT_PATIENCE_MS)
  return openSqlite({ path, durable: false, onClosed: () => rmSync(folder, { recursive: true, force: true }) })
}
