// The one writer of a process to a SQLite file: transactions that are waiting at the same time share one commit, and so
// one wait for the disk, without seeing or disturbing each other. While the disk is at work the next ones gather.
import { setImmediate as nextTick } from 'node:timers/promises'
import { Db } from './sql/db.ts'
import { SqlRepositories } from './sql/repositories.ts'
import type { Statements } from './sql/statement.ts'
import { type SqliteConnection, whileBusy } from './sqlite-connection.ts'
import type { Repositories } from './storage.ts'
import { TransactionEnded, TransactionHeld } from './transaction-errors.ts'

export interface GroupCommitOptions {
  readonly connection: SqliteConnection
  /** Puts what was committed on the disk. */
  readonly flush: () => Promise<void>
  readonly statements: Statements
  /** How long to try for the write lock while other processes hold it. */
  readonly patienceMs: number
  /** How long one work may keep the others waiting before it is given up. */
  readonly holdLimitMs: number
}

const MAX_BATCH = 64

export class GroupCommit {
  readonly #options: GroupCommitOptions
  readonly #connection: SqliteConnection
  readonly #queue: Job[] = []
  #draining: Promise<void> | undefined
  /** Of the last commit; never rejects. */
  #flushing: Promise<void> = Promise.resolve()
  #failure: Error | undefined
  #closed = false

  constructor(options: GroupCommitOptions) {
    this.#options = options
    this.#connection = options.connection
  }

  /** True once the disk refused to keep what was committed: what it holds is not known any more, and nothing is added. */
  get isBroken(): boolean {
    return this.#failure !== undefined
  }

  transaction<T>(work: (tx: Repositories) => Promise<T>): Promise<T> {
    if (this.#failure) return Promise.reject(this.#failure)
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
    await this.#flushing
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      // Requests that arrived in the same turn of the event loop get as far as their own transaction first.
      await nextTick()
      await this.#flushing
      await this.#commitBatch()
    }
    this.#draining = undefined
  }

  async #commitBatch(): Promise<void> {
    try {
      await whileBusy(this.#options.patienceMs, () => this.#connection.execute('begin immediate'))
    } catch (error) {
      for (const job of this.#queue.splice(0)) job.reject(error)
      return
    }
    const batch = this.#queue.splice(0, MAX_BATCH)
    const answers = await this.#runAndCommit(batch)
    this.#flushing = this.#options.flush().then(
      () => {
        for (const answer of answers) answer()
      },
      (cause: unknown) => this.#breakOff(batch, cause),
    )
  }

  /** After a failed sync the system may have dropped what it could not write, and says so only once. */
  #breakOff(batch: readonly Job[], cause: unknown): void {
    this.#failure = new Error('the disk did not take a commit', { cause })
    for (const job of [...batch, ...this.#queue.splice(0)]) job.reject(this.#failure)
  }

  /** Returns what to tell each caller; nobody hears anything before the commit is on the disk. */
  async #runAndCommit(batch: readonly Job[]): Promise<readonly (() => void)[]> {
    try {
      const answers: (() => void)[] = []
      for (const job of batch) answers.push(await (batch.length === 1 ? this.#run(job) : this.#runInSavepoint(job)))
      this.#connection.execute('commit')
      return answers
    } catch (error) {
      // The commit failed, or SQLite rolled everything back on its own: none of the batch has happened.
      if (this.#connection.isInTransaction) this.#connection.execute('rollback')
      return batch.map((job) => () => job.reject(error))
    }
  }

  async #runInSavepoint(job: Job): Promise<() => void> {
    this.#connection.execute('savepoint work')
    try {
      const answer = await this.#run(job)
      this.#connection.execute('release work')
      return answer
    } catch (error) {
      if (!this.#connection.isInTransaction) throw error
      this.#connection.execute('rollback to work')
      this.#connection.execute('release work')
      return () => job.reject(error)
    }
  }

  /** Alone in its batch, a job's failure is the whole transaction's, and needs no savepoint, which costs a copy of pages. */
  async #run(job: Job): Promise<() => void> {
    const { tx, end } = this.#openTransaction()
    try {
      const value = await within(this.#options.holdLimitMs, job.work(tx))
      return () => job.resolve(value)
    } finally {
      end()
    }
  }

  #openTransaction(): { tx: Repositories; end: () => void } {
    let ended = false
    const db = new Db({
      statements: this.#options.statements,
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

function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new TransactionHeld()), limitMs)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
