// Storage over PostgreSQL: a pool for reads, one client for each transaction, prepared statements by name.
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool, types } from 'pg'
import { Overloaded } from '../domain/errors.ts'
import { requireCurrentVersion, schemaVersion } from './migrations.ts'
import { isOvertaken, isTaken } from './postgres-errors.ts'
import { postgresVersion } from './postgres-migrate.ts'
import { READERS, SharedReaders } from './postgres-readers.ts'
import { queryOf, type RunTransaction, resultOf, runAtOnce, runInTurn, type Work } from './postgres-transaction.ts'
import { rememberFactsOfUsers } from './remembered-user-facts.ts'
import { Db } from './sql/db.ts'
import { versionedExchangesTable } from './sql/exchanges.ts'
import { SqlRepositories } from './sql/repositories.ts'
import { type BoundStatement, Statements } from './sql/statement.ts'
import type { Storage } from './storage.ts'
import { Turns } from './turns.ts'
import type { Exchanges } from './vault-repositories.ts'

export interface PostgresOptions {
  readonly url: string
  /** For transactions and searches; two more carry the short reads. */
  readonly maxConnections?: number
}

/** Hundreds who come at once to a busy machine are served late, and not refused. */
const MAX_WAITING = 1000
const MAX_WAIT_MS = 60_000

export async function openPostgres({ url, maxConnections = 10 }: PostgresOptions): Promise<Storage> {
  const pool = new Pool({
    connectionString: url,
    max: maxConnections + READERS,
    idleTimeoutMillis: 60_000,
    // Nobody waits in the pool: whoever asks it has a turn, for which it has a connection.
    connectionTimeoutMillis: 10_000,
    // A transaction whose process hangs must not hold its locks for ever.
    idle_in_transaction_session_timeout: 30_000,
    types: typesOfRows,
    pipeline: true,
  })
  // A connection that breaks is dropped by the pool, and fails the query that it is busy with. Without listeners the
  // same news would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  try {
    requireCurrentVersion(await postgresVersion(pool))
  } catch (error) {
    await pool.end()
    throw error
  }
  const turns = new Turns({ places: maxConnections, maxWaiting: MAX_WAITING, maxWaitMs: MAX_WAIT_MS })
  return new PostgresStorage(pool, turns)
}

class PostgresStorage extends SqlRepositories implements Storage {
  readonly dialect = 'postgres'
  readonly #pool: Pool
  readonly #turns: Turns
  readonly #readers: SharedReaders
  readonly #statements: Statements
  readonly #exchanges: Exchanges

  constructor(pool: Pool, turns: Turns) {
    const statements = new Statements('postgres')
    const readers = new SharedReaders(pool)
    const db = new Db({ statements, mayWrite: false, run: (statement) => read(statement, { pool, turns, readers }) })
    super(db)
    this.#exchanges = rememberFactsOfUsers(versionedExchangesTable(db))
    this.#pool = pool
    this.#turns = turns
    this.#readers = readers
    this.#statements = statements
  }

  override get exchanges(): Exchanges {
    return this.#exchanges
  }

  transaction<T>(work: Work<T>): Promise<T> {
    return this.#persist(() => this.#attempt(runInTurn, work))
  }

  transactionAtOnce<T>(work: Work<T>): Promise<T> {
    return this.#persist(() => this.#attempt(runAtOnce, work))
  }

  async databaseTime(): Promise<number> {
    const text = 'select extract(epoch from clock_timestamp())::float8 as at'
    const { rows } = await this.#readers.query({ text })
    // The one column of the one row.
    return (rows[0] as { at: number } | undefined)?.at ?? Number.NaN
  }

  async ready(): Promise<boolean> {
    // Whoever is asked for how it fares must not wait for a turn to say so.
    return postgresVersion({ query: (text) => this.#readers.query({ text }) }).then(
      (version) => version === schemaVersion,
      () => false,
    )
  }

  async close(): Promise<void> {
    await this.#readers.close()
    await this.#pool.end()
  }

  async #persist<T>(attempt: () => Promise<T>): Promise<T> {
    for (let count = 1; ; count++) {
      try {
        return await this.#turns.run(attempt)
      } catch (error) {
        if (!isWorthAnotherTry(error)) throw error
        if (count === MAX_ATTEMPTS) throw isOvertaken(error) ? new Overloaded() : error
        await sleep(Math.random() * 10 * count)
      }
    }
  }

  async #attempt<T>(run: RunTransaction, work: Work<T>): Promise<T> {
    const client = await this.#pool.connect()
    try {
      const value = await run(client, this.#statements, work)
      client.release()
      return value
    } catch (error) {
      await client.query('rollback').then(
        () => client.release(),
        () => client.release(true),
      )
      throw error
    }
  }
}

/** Statements of fixed shape are short; a search with its own shape may take its time, on a connection of its own. */
async function read(
  statement: BoundStatement,
  { pool, turns, readers }: { readonly pool: Pool; readonly turns: Turns; readonly readers: SharedReaders },
) {
  const query = queryOf(statement)
  if (statement.name !== undefined) return resultOf(await readers.query(query))
  return resultOf(await turns.run(() => pool.query(query)))
}

const MAX_ATTEMPTS = 5

/** Also a unique key that another transaction took between a look and a write: the next attempt sees it at the look. */
const isWorthAnotherTry = (error: unknown) => isOvertaken(error) || isTaken(error)

const INT8 = 20
const BYTEA = 17

/** Whole numbers as numbers (counts and epoch seconds stay far below 2^53), bytes as plain bytes, the rest as usual. */
const getTypeParser: typeof types.getTypeParser = (oid: number, format?: 'text' | 'binary') => {
  if (format !== 'binary' && oid === INT8) return Number
  if (format !== 'binary' && oid === BYTEA) return (text: string) => Uint8Array.fromHex(text.slice('\\x'.length))
  return types.getTypeParser(oid, format)
}

/** How the driver reads values of our tables. */
export const typesOfRows = { getTypeParser }
