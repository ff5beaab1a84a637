// One connection to a SQLite file: statements prepared once, and patience with other processes without ever sleeping.
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { setImmediate as nextTick, setTimeout as sleep } from 'node:timers/promises'
import type { QueryResult } from './sql/db.ts'
import type { BoundStatement } from './sql/statement.ts'

export interface ConnectionOptions {
  readonly readOnly?: boolean
  /**
   * When a commit is on the disk: before it returns; once its caller flushed the log (`wal-flush.ts`), which cannot
   * damage the file meanwhile; or whenever the system likes, for databases that live as long as a test.
   */
  readonly durable?: 'at once' | 'by flush' | 'never'
}

const SYNCHRONOUS = { 'at once': 'full', 'by flush': 'normal', never: 'off' } as const

const MAX_PREPARED = 500
/** 32 MiB of log, which a start after a crash reads through in a moment. */
const CHECKPOINT_PAGES = 8000

export class SqliteConnection {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, Prepared>()
  #factsVersion: StatementSync | undefined

  /** @throws when the file cannot be opened, or (busy, see `isBusy`) while another process recovers it. */
  constructor(path: string, { readOnly = false, durable = 'at once' }: ConnectionOptions = {}) {
    // A busy timeout would put the whole event loop to sleep.
    this.#database = new DatabaseSync(path, { readOnly, timeout: 0, enableForeignKeyConstraints: true })
    try {
      if (!readOnly) this.#database.exec('pragma journal_mode = wal; pragma journal_size_limit = 67108864')
      // Copying the log into the file holds everybody up: the rarer the better, for what changed often is copied once.
      if (!readOnly) this.#database.exec(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
      this.#database.exec(
        `pragma synchronous = ${SYNCHRONOUS[durable]}; pragma cache_size = -65536; pragma temp_store = memory`,
      )
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  /** False after SQLite itself rolled back (disk full, input/output error). */
  get isInTransaction(): boolean {
    return this.#database.isTransaction
  }

  run({ text, values }: Pick<BoundStatement, 'text' | 'values'>): QueryResult {
    const { statement, yieldsRows } = this.#prepare(text)
    // Statements bind texts, numbers, bytes and null only; the tables of `schema.ts` hold nothing else.
    const parameters = values as readonly SQLInputValue[]
    if (yieldsRows) {
      const rows = statement.all(...parameters)
      return { rows, changes: rows.length }
    }
    return { rows: [], changes: Number(statement.run(...parameters).changes) }
  }

  /** Another number once anything was committed, by whomever, that an exchange is decided on. */
  factsVersion(): number {
    this.#factsVersion ??= this.#database.prepare('select version from facts_version')
    return Number(this.#factsVersion.get()?.version)
  }

  /** Runs SQL of ours without parameters or rows. */
  execute(text: string): void {
    this.#prepare(text).statement.run()
  }

  /** Runs several statements of ours that are worth no preparation. */
  executeScript(text: string): void {
    this.#database.exec(text)
  }

  close(): void {
    this.#prepared.clear()
    this.#database.close()
  }

  #prepare(text: string): Prepared {
    const known = this.#prepared.get(text)
    if (known) return known
    // Lists of varying length make texts of their own; starting over now and then keeps them from piling up.
    if (this.#prepared.size >= MAX_PREPARED) this.#prepared.clear()
    const statement = this.#database.prepare(text)
    const prepared = { statement, yieldsRows: statement.columns().length > 0 }
    this.#prepared.set(text, prepared)
    return prepared
  }
}

interface Prepared {
  readonly statement: StatementSync
  readonly yieldsRows: boolean
}

/** Makes the file when it is absent, for its owner alone; SQLite gives its companion files the same mode. */
export function createPrivateFile(path: string): void {
  try {
    // Never a second descriptor on a file that is there: closing one drops every POSIX lock that the process has on it.
    closeSync(openSync(path, 'ax', 0o600))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

const SQLITE_BUSY = 5

/** True when another process holds the lock that was wanted. */
export const isBusy = (error: unknown): boolean =>
  error instanceof Error &&
  'errcode' in error &&
  typeof error.errcode === 'number' &&
  // The low byte is the primary code; the rest says which kind of busy.
  (error.errcode & 0xff) === SQLITE_BUSY

const SPIN_MS = 50
const PAUSE_MS = 2

/**
 * Tries again on the next tick while another process is in the way, and after a while less eagerly.
 *
 * @throws the last busy error once `patienceMs` have passed; every other error at once.
 */
export async function whileBusy<T>(patienceMs: number, action: () => T): Promise<T> {
  const startedAt = performance.now()
  for (;;) {
    try {
      return action()
    } catch (error) {
      const waitedMs = performance.now() - startedAt
      if (!isBusy(error) || waitedMs > patienceMs) throw error
      await (waitedMs < SPIN_MS ? nextTick() : sleep(PAUSE_MS))
    }
  }
}
