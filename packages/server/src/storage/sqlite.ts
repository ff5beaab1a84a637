// Storage over a SQLite file: one writing connection that groups commits, one reading connection that sees what is
// committed.
import { existsSync } from 'node:fs'
import { GroupCommit } from './group-commit.ts'
import { requireCurrentVersion, schemaVersion } from './migrations.ts'
import { rememberFacts } from './remembered-facts.ts'
import { Db, type Run } from './sql/db.ts'
import { SqlRepositories } from './sql/repositories.ts'
import { Statements } from './sql/statement.ts'
import { isBusy, SqliteConnection, whileBusy } from './sqlite-connection.ts'
import { sqliteVersion } from './sqlite-migrate.ts'
import type { Repositories, Storage } from './storage.ts'
import type { Exchanges } from './vault-repositories.ts'
import { openWalFlush, type WalFlush } from './wal-flush.ts'

export interface SqliteOptions {
  readonly path: string
  readonly durable?: boolean
  /** How long a write waits for other processes before it fails. */
  readonly patienceMs?: number
  /** How long one transaction may keep the others of this process waiting before it is given up. */
  readonly holdLimitMs?: number
  /** Called after both connections are closed. */
  readonly onClosed?: () => void
}

export const DEFAULT_PATIENCE_MS = 10_000
const DEFAULT_HOLD_LIMIT_MS = 5_000

/** Opens a file that is there: nothing is made, so that a mistyped path does not pass for an empty database. */
export async function openSqlite(options: SqliteOptions): Promise<Storage> {
  const { path, durable = true, patienceMs = DEFAULT_PATIENCE_MS, holdLimitMs = DEFAULT_HOLD_LIMIT_MS } = options
  if (!existsSync(path)) requireCurrentVersion(0)
  const writer = await whileBusy(
    patienceMs,
    () => new SqliteConnection(path, { durable: durable ? 'by flush' : 'never' }),
  )
  try {
    requireCurrentVersion(await whileBusy(patienceMs, () => sqliteVersion(writer)))
  } catch (error) {
    writer.close()
    throw error
  }
  const reader = await whileBusy(patienceMs, () => new SqliteConnection(path, { readOnly: true }))
  const disk = durable ? openWalFlush(path) : NO_DISK
  return new SqliteStorage({ writer, reader, disk, patienceMs, holdLimitMs, onClosed: options.onClosed ?? (() => {}) })
}

const NO_DISK: WalFlush = { flush: async () => {}, close: () => {} }

interface Parts {
  readonly writer: SqliteConnection
  readonly reader: SqliteConnection
  readonly disk: WalFlush
  readonly patienceMs: number
  readonly holdLimitMs: number
  readonly onClosed: () => void
}

class SqliteStorage extends SqlRepositories implements Storage {
  readonly dialect = 'sqlite'
  readonly #parts: Parts
  readonly #commits: GroupCommit
  readonly #exchanges: Exchanges

  constructor(parts: Parts) {
    const { writer, reader, disk, patienceMs, holdLimitMs } = parts
    const statements = new Statements('sqlite')
    // Between transactions the writer reads as well: its own commits, unlike another connection's, leave its pages cached.
    const ask = <T>(question: Question<T>) =>
      read(writer.isInTransaction ? reader : writer, reader, question, patienceMs)
    const run: Run = (statement) => ask((connection) => connection.run(statement))
    super(new Db({ statements, mayWrite: false, run }))
    this.#parts = parts
    this.#exchanges = rememberFacts(super.exchanges, () => ask((connection) => connection.factsVersion()))
    this.#commits = new GroupCommit({ connection: writer, flush: disk.flush, statements, patienceMs, holdLimitMs })
  }

  override get exchanges(): Exchanges {
    return this.#exchanges
  }

  transaction<T>(work: (tx: Repositories) => Promise<T>): Promise<T> {
    return this.#commits.transaction(work)
  }

  transactionAtOnce<T>(work: (tx: Repositories) => Promise<T>): Promise<T> {
    return this.transaction(work)
  }

  async ready(): Promise<boolean> {
    const { reader, patienceMs } = this.#parts
    if (this.#commits.isBroken) return false
    return whileBusy(patienceMs, () => sqliteVersion(reader) === schemaVersion).catch(() => false)
  }

  async close(): Promise<void> {
    await this.#commits.close()
    this.#parts.disk.close()
    this.#parts.reader.close()
    this.#parts.writer.close()
    this.#parts.onClosed()
  }
}

type Question<T> = (connection: SqliteConnection) => T

/**
 * Readers do not wait for writers; they may for a moment meet a process that recovers the file or closes it last. By then
 * a transaction may be open on the writer, so that the next tries are the reader's.
 */
function read<T>(first: SqliteConnection, reader: SqliteConnection, question: Question<T>, patienceMs: number) {
  try {
    return question(first)
  } catch (error) {
    if (!isBusy(error)) throw error
    return whileBusy(patienceMs, () => question(reader))
  }
}
