// A SQLite file's side of backup and restore.
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { openServerLock } from '../server-lock.ts'
import { SqliteConnection, whileBusy } from '../sqlite-connection.ts'
import { migrateSqlite, sqliteVersion } from '../sqlite-migrate.ts'
import { type BackupSource, DatabaseNotEmpty, type RestorePlan } from './sides.ts'
import type { BackupRow, TableShape } from './tables.ts'

const PATIENCE_MS = 10_000
const BATCH = 500

/** One state of the file, however long it is read and whoever writes meanwhile. */
export async function readSqlite(path: string): Promise<BackupSource> {
  const database = await whileBusy(PATIENCE_MS, () => new DatabaseSync(path, { readOnly: true, timeout: 0 }))
  database.exec('begin')
  return {
    async schemaVersion() {
      // The first read fixes the state that all the others see.
      const row = await whileBusy(PATIENCE_MS, () => database.prepare('select version from schema_version').get())
      return Number(row?.version)
    },
    async *rows(table) {
      const statement = database.prepare(selectOf(table))
      statement.setReturnArrays(true)
      let batch: BackupRow[] = []
      for (const row of statement.iterate()) {
        // Rows come as arrays, as asked for, of what `schema.ts` holds.
        batch.push(row as unknown as BackupRow)
        if (batch.length < BATCH) continue
        yield batch
        batch = []
      }
      yield batch
    },
    close: async () => database.close(),
  }
}

const selectOf = ({ name, columns, key }: TableShape): string =>
  `select ${columns.map((column) => column.name).join(', ')} from ${name} order by ${key.join(', ')}`

/**
 * Makes the file whole under another name, and gives it its own at the very end: what is interrupted leaves no database.
 *
 * @throws {DatabaseNotEmpty} @throws {DatabaseInUse} a server still has a file of this name open.
 */
export async function restoreSqlite(path: string, plan: RestorePlan): Promise<void> {
  const { steps, version } = plan
  const lock = openServerLock(path)
  const unfinished = `${path}.restoring`
  try {
    for (const place of [path, `${path}-wal`, `${path}-journal`])
      if (existsSync(place)) throw new DatabaseNotEmpty(place)
    removeFile(unfinished)
    await migrateSqlite(unfinished, steps.slice(0, version), PATIENCE_MS)
    await fill(unfinished, plan)
    await migrateSqlite(unfinished, steps, PATIENCE_MS)
    fold(unfinished)
    syncPath(unfinished)
    renameSync(unfinished, path)
    syncPath(dirname(path))
  } catch (error) {
    removeFile(unfinished)
    throw error
  } finally {
    lock.release()
  }
}

async function fill(path: string, { load, record }: RestorePlan): Promise<void> {
  // Nobody has the file yet, and it is put on the disk as a whole.
  const connection = new SqliteConnection(path, { durable: 'never' })
  try {
    connection.execute('begin immediate')
    await load({
      async insert(table, rows) {
        const text = insertOf(table)
        for (const row of rows) connection.run({ text, values: row as readonly SQLInputValue[] })
      },
    })
    connection.executeScript(record())
    connection.execute('commit')
  } finally {
    connection.close()
  }
}

const insertOf = ({ name, columns }: TableShape): string =>
  `insert into ${name} (${columns.map((column) => column.name).join(', ')}) values (${columns.map(() => '?').join(', ')})`

/** Brings everything into the one file. */
function fold(path: string): void {
  const connection = new SqliteConnection(path)
  try {
    if (sqliteVersion(connection) === 0) throw new Error('the restored file has no schema')
    connection.executeScript('pragma wal_checkpoint(truncate)')
  } finally {
    connection.close()
  }
}

function removeFile(path: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${end}`, { force: true })
}

/** Puts a file, or the names in a folder, on the disk. */
function syncPath(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
