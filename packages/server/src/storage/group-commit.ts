// The one writer of a process to a SQLite file: transactions that are waiting at the same time share one commit, and so
// one fsync, without seeing or disturbing each other.
import { setImmediate as nextTick } from 'node:timers/promises'
import { Db } from './sql/db.ts'
import { SqlRepositories } from './sql/repositories.ts'
import type { Statements } from './sql/statement.ts'
import { type SqliteConnection, whileBusy } from './sqlite-connection.ts'
import type { Repositories } from './storage.ts'
import { TransactionEnded, TransactionHeld } from './transaction-errors.ts'

export interface GroupCommitOptions {
  readonly connection: SqliteConnection
  readonly statements: Statements
  /** How long to try for the write lock while other processes hold it. */
  readonly patienceMs: number
}

const MAX_BATCH = 64
const HOLD_LIMIT_MS = 5_000

export class GroupCommit {
  readonly #connection: SqliteConnection
  readonly #statements: Statements
  readonly #patienceMs: number
  readonly #queue: Job[] = []
  #draining: Promise<void> | undefined
  #closed = false

  constructor({ connection, statements, patienceMs }: GroupCommitOptions) {
    this.#connection = connection
    this.#statements = statements
    this.#patienceMs = patienceMs
  }

  transaction<T>(work: (tx: Repositories) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('the storage is closed'))
    return new Promise((resolve, reject) => {
      // `resolve` gets what this very `work` returned.
      this.#queue.push({ work, resolve: resolve as (value: unknown) => void, reject })
      this.#draining ??= this.#drain()
    })
  }

  /** Takes no more work; resolves once what was queued is done. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#draining
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      // Requests that arrived in the same turn of the event loop get as far as their own transaction first.
      await nextTick()
      await this.#commitBatch()
    }
    this.#draining = undefined
  }

  async #commitBatch(): Promise<void> {
    try {
      await whileBusy(this.#patienceMs, () => this.#connection.execute('begin immediate'))
    } catch (error) {
      for (const job of this.#queue.splice(0)) job.reject(error)
      return
    }
    const batch = this.#queue.splice(0, MAX_BATCH)
    const settle = await this.#runAndCommit(batch)
    for (const answer of settle) answer()
  }

  /** Returns what to tell each caller; nobody hears anything before the commit is on the disk. */
  async #runAndCommit(batch: readonly Job[]): Promise<readonly (() => void)[]> {
    const deadline = createDeadline()
    try {
      const settle: (() => void)[] = []
      for (const job of batch) settle.push(await this.#runInSavepoint(job, deadline.passed))
      this.#connection.execute('commit')
      return settle
    } catch (error) {
      // The commit failed, or SQLite rolled everything back on its own: none of the batch has happened.
      if (this.#connection.isInTransaction) this.#connection.execute('rollback')
      return batch.map((job) => () => job.reject(error))
    } finally {
      deadline.cancel()
    }
  }

  async #runInSavepoint(job: Job, deadline: Promise<never>): Promise<() => void> {
    this.#connection.execute('savepoint work')
    const { tx, end } = this.#openTransaction()
    try {
      const value = await Promise.race([job.work(tx), deadline])
      this.#connection.execute('release work')
      return () => job.resolve(value)
    } catch (error) {
      if (!this.#connection.isInTransaction) throw error
      this.#connection.execute('rollback to work')
      this.#connection.execute('release work')
      return () => job.reject(error)
    } finally {
      end()
    }
  }

  #openTransaction(): { tx: Repositories; end: () => void } {
    let ended = false
    const db = new Db({
      statements: this.#statements,
      mayWrite: true,
      run: (statement) => {
        if (ended) throw new TransactionEnded()
        return this.#connection.run(statement)
      },
    })
    return {
      tx: new SqlRepositories(db),
      end: () => {
        ended = true
      },
    }
  }
}

interface Job {
  readonly work: (tx: Repositories) => Promise<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

function createDeadline(): { passed: Promise<never>; cancel: () => void } {
  const { promise, reject } = Promise.withResolvers<never>()
  // Unobserved when the batch is done in time.
  promise.catch(() => {})
  const timer = setTimeout(() => reject(new TransactionHeld(HOLD_LIMIT_MS / 1000)), HOLD_LIMIT_MS)
  return { passed: promise, cancel: () => clearTimeout(timer) }
}
