// Short reads of all requests share two connections, on which statements follow one another without waiting for
// answers: half the work of taking a connection from the pool for each.
import type { Pool, PoolClient, QueryConfig, QueryResult } from 'pg'

/** What the readers keep from the pool for themselves. */
export const READERS = 2

/**
 * Look-ups by key have one good plan. Left to itself the planner finds that few questions at once are cheaper than the many
 * that it expects, and plans anew each time; and that a small table is read faster as a whole. Either costs more than the
 * answers.
 */
const LOOK_UPS = [
  'set plan_cache_mode = force_generic_plan',
  'set enable_seqscan = off',
  'set enable_hashjoin = off',
  'set enable_mergejoin = off',
].join(';')

export class SharedReaders {
  readonly #readers: readonly SharedReader[]
  #turn = 0

  constructor(pool: Pool) {
    this.#readers = Array.from({ length: READERS }, () => new SharedReader(pool))
  }

  /** For statements that answer at once: whatever comes after on the same connection waits for them. */
  query(query: QueryConfig): Promise<QueryResult> {
    this.#turn = (this.#turn + 1) % READERS
    const reader = this.#readers[this.#turn]
    if (!reader) throw new RangeError('there is no such reader')
    return reader.query(query)
  }

  async close(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.close()))
  }
}

class SharedReader {
  readonly #pool: Pool
  #client: Promise<PoolClient> | undefined

  constructor(pool: Pool) {
    this.#pool = pool
  }

  async query(query: QueryConfig): Promise<QueryResult> {
    this.#client ??= this.#connect()
    return (await this.#client).query(query)
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined)
    this.#client = undefined
    client?.release()
  }

  async #connect(): Promise<PoolClient> {
    const forget = () => {
      this.#client = undefined
    }
    try {
      const client = await this.#pool.connect()
      // Sent ahead, not waited for.
      client.query(LOOK_UPS).catch(() => {})
      client.once('end', () => {
        // After `close` it is the pool that ends it.
        if (this.#client === undefined) return
        forget()
        client.release(true)
      })
      return client
    } catch (error) {
      forget()
      throw error
    }
  }
}
