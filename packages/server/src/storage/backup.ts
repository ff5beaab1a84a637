// Backup and restore: every table of a deployment in one file that either database can be made from. The format is
// docs/formats/backup.md.
import { createHash } from 'node:crypto'
import { createWriteStream, renameSync, rmSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { EpochSeconds } from '../lib/time.ts'
import { restoredRow } from './backup/ended.ts'
import * as format from './backup/format.ts'
import { linesIn } from './backup/lines.ts'
import { readPostgres, restorePostgres } from './backup/postgres-backup.ts'
import type { BackupSource, RestorePlan, RestoreTarget } from './backup/sides.ts'
import { readSqlite, restoreSqlite } from './backup/sqlite-backup.ts'
import { type BackupRow, type TableShape, tablesOf } from './backup/tables.ts'
import { parseDatabaseUrl } from './database-url.ts'
import { migrations, requireKnownVersion } from './migrations.ts'

/** By table. */
export type RowCounts = ReadonlyMap<string, number>

export interface BackupRequest {
  readonly databaseUrl: string
  readonly path: string
  readonly at: EpochSeconds
  /** Seals the file's digest by the keys that belong to the database. */
  readonly seal: (digest: string) => Uint8Array
}

/**
 * Writes one state of the database, while servers go on with theirs, into a file for its owner alone. Interrupted, it
 * leaves no file of this name.
 *
 * @throws {SchemaTooNew} a newer server wrote the database.
 */
export async function writeBackup({ databaseUrl, path, at, seal }: BackupRequest): Promise<RowCounts> {
  const source = await openSource(databaseUrl)
  const unfinished = `${path}.part`
  try {
    const counts = await writeFile(unfinished, source, at, seal)
    renameSync(unfinished, path)
    return counts
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
  } finally {
    await source.close()
  }
}

async function openSource(url: string): Promise<BackupSource> {
  const database = parseDatabaseUrl(url)
  if (database.kind === 'postgres') return readPostgres(database.url)
  if (database.kind === 'file') return readSqlite(database.path)
  throw new Error('a database in memory has nothing to back up')
}

async function writeFile(
  path: string,
  source: BackupSource,
  at: EpochSeconds,
  seal: BackupRequest['seal'],
): Promise<RowCounts> {
  const counts = new Map<string, number>()
  await pipeline(
    textOf(source, { at, seal, counts }),
    createGzip(),
    createWriteStream(path, { mode: 0o600, flush: true }),
  )
  return counts
}

async function* textOf(
  source: BackupSource,
  { at, seal, counts }: Pick<BackupRequest, 'at' | 'seal'> & { readonly counts: Map<string, number> },
): AsyncGenerator<string> {
  const schemaVersion = await source.schemaVersion()
  requireKnownVersion(schemaVersion)
  const digest = createHash('sha256')
  const counted = (lines: readonly string[]): string => {
    const text = lines.map((line) => `${line}\n`).join('')
    digest.update(text)
    return text
  }
  yield counted([format.writeHead({ schemaVersion, madeAt: at })])
  for (const table of tablesOf(migrations.slice(0, schemaVersion))) {
    yield counted([format.writeTable(table)])
    let count = 0
    for await (const rows of source.rows(table)) {
      if (rows.length > 0) yield counted(rows.map(format.writeRow))
      count += rows.length
    }
    counts.set(table.name, count)
  }
  const sum = digest.digest('hex')
  yield `${format.writeEnd({ digest: sum, sealed: seal(sum) })}\n`
}

export interface RestoreRequest {
  readonly databaseUrl: string
  readonly path: string
  readonly at: EpochSeconds
  /** Whether the keys at hand sealed this digest. */
  readonly isSealed: (digest: string, sealed: Uint8Array) => boolean
  /** Everything goes on as it was: for a move, when nothing happened since the backup. */
  readonly keepSessions: boolean
}

/**
 * Makes the database out of a backup, of this or an older version. The whole file is checked before anything is written;
 * interrupted, it leaves no database.
 *
 * @throws {BackupDamaged} @throws {BackupTooNew} @throws {DatabaseNotEmpty} @throws {DatabaseInUse}
 */
export async function restoreBackup(request: RestoreRequest): Promise<RowCounts> {
  const { databaseUrl, path, isSealed } = request
  const { head, end } = await checkFile(path)
  if (!isSealed(end.digest, end.sealed))
    throw new format.BackupDamaged('it was sealed by another vault key, or changed after it was made')
  const counts = new Map<string, number>()
  await restoreInto(databaseUrl, {
    steps: migrations,
    version: head.schemaVersion,
    load: (target) => loadRows(target, { ...request, head, digest: end.digest, counts }),
    record: () => recordOf(request, head),
  })
  return counts
}

const restoreInto = (url: string, plan: RestorePlan): Promise<void> => {
  const database = parseDatabaseUrl(url)
  if (database.kind === 'postgres') return restorePostgres(database.url, plan)
  if (database.kind === 'file') return restoreSqlite(database.path, plan)
  throw new Error('a database in memory cannot be restored')
}

/** Reads the file to its end. @throws {BackupDamaged} @throws {BackupTooNew} */
async function checkFile(path: string): Promise<{ head: format.BackupHead; end: format.BackupEnd }> {
  let head: format.BackupHead | undefined
  const digest = createHash('sha256')
  let last: Buffer | undefined
  for await (const line of linesIn(path)) {
    if (head === undefined) head = format.readHead(line.toString('utf8'))
    if (last !== undefined) digest.update(last).update('\n')
    // The stream reuses nothing of a chunk that it gave out.
    last = line
  }
  if (head === undefined || last === undefined) throw new format.BackupDamaged('it is empty')
  if (head.schemaVersion > migrations.length) throw new format.BackupTooNew(`schema version ${head.schemaVersion}`)
  const end = format.readEnd(last.toString('utf8'))
  if (digest.digest('hex') !== end.digest) throw new format.BackupDamaged('its digest does not fit what it holds')
  return { head, end }
}

interface Loading extends RestoreRequest {
  readonly head: format.BackupHead
  /** What the file had when it was checked. */
  readonly digest: string
  readonly counts: Map<string, number>
}

const BATCH = 500

async function loadRows(target: RestoreTarget, loading: Loading): Promise<void> {
  const { path, head, keepSessions, counts } = loading
  const tables = new Map(tablesOf(migrations.slice(0, head.schemaVersion)).map((table) => [table.name, table]))
  const digest = createHash('sha256')
  let table: TableShape | undefined
  let batch: BackupRow[] = []
  const flush = async () => {
    if (table !== undefined && batch.length > 0) await target.insert(table, batch)
    batch = []
  }
  let last: Buffer | undefined
  let isHead = true
  for await (const line of linesIn(path)) {
    if (last !== undefined) {
      digest.update(last).update('\n')
      const text = last.toString('utf8')
      if (isHead) isHead = false
      else if (text.startsWith('{')) {
        await flush()
        table = format.readTable(text, tables)
        counts.set(table.name, 0)
      } else {
        if (table === undefined) throw new format.BackupDamaged('a row of no table')
        const row = format.readRow(text, table)
        const kept = keepSessions ? row : restoredRow(table, row)
        if (kept !== undefined) {
          batch.push(kept)
          counts.set(table.name, (counts.get(table.name) ?? 0) + 1)
        }
      }
      if (batch.length >= BATCH) await flush()
    }
    last = line
  }
  await flush()
  if (digest.digest('hex') !== loading.digest) throw new format.BackupDamaged('it changed while it was read')
}

/** Numbers and flags alone: nothing in it needs quoting. */
function recordOf({ at, keepSessions }: RestoreRequest, { madeAt }: format.BackupHead): string {
  const event = { type: 'deployment.restored', data: { backup_made_at: madeAt, kept_sessions: keepSessions } }
  const values = `'${event.type}', ${at}, 'ok', '${JSON.stringify(event.data)}'`
  return `insert into events (type, at, outcome, data) values (${values})`
}
