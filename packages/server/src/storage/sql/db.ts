// What a repository sees of the database: run a statement, get rows. One object stands for the readers of a process,
// one more for each transaction.
import type { Compilable } from 'kysely'
import { Invalid } from '../../domain/errors.ts'
import type { BoundStatement, Builder, Dialect, Params, Statement, Statements } from './statement.ts'

export interface QueryResult {
  readonly rows: readonly unknown[]
  /** Rows that an insert, update or delete touched. */
  readonly changes: number
}

/** How a connection runs one statement. */
export type Run = (statement: BoundStatement) => QueryResult | Promise<QueryResult>

/** A text that a database cannot hold: NUL (PostgreSQL refuses it) or half a surrogate pair (both would alter it). */
export class UnstorableText extends Invalid {
  constructor() {
    super('unstorable_text', 'a text holds NUL or an unpaired surrogate and cannot be stored')
  }
}

/** A write that was tried without a transaction: a bug of the caller. */
export class WriteOutsideTransaction extends Error {
  readonly code = 'write_outside_transaction'
  constructor() {
    super('writes need a transaction')
  }
}

export class Db {
  readonly #statements: Statements
  readonly #run: Run
  readonly #mayWrite: boolean

  constructor(options: { statements: Statements; run: Run; mayWrite: boolean }) {
    this.#statements = options.statements
    this.#run = options.run
    this.#mayWrite = options.mayWrite
  }

  get dialect(): Dialect {
    return this.#statements.dialect
  }

  /** For statements whose shape depends on the call. */
  get builder(): Builder {
    return this.#statements.builder
  }

  async all<P extends Params, R>(statement: Statement<P, R>, params: P): Promise<readonly R[]> {
    return rowsOf<R>(await this.#execute(this.#statements.bind(statement, params)))
  }

  async first<P extends Params, R>(statement: Statement<P, R>, params: P): Promise<R | undefined> {
    return rowsOf<R>(await this.#execute(this.#statements.bind(statement, params)))[0]
  }

  /** Runs a write; returns how many rows it touched. */
  async change<P extends Params>(statement: Statement<P, unknown>, params: P): Promise<number> {
    return (await this.#execute(this.#statements.bind(statement, params))).changes
  }

  async query<R>(query: Compilable<R>): Promise<readonly R[]> {
    return rowsOf<R>(await this.#execute(this.#statements.bindQuery(query)))
  }

  async changeQuery(query: Compilable): Promise<number> {
    return (await this.#execute(this.#statements.bindQuery(query))).changes
  }

  /** @throws {WriteOutsideTransaction} for what only makes sense inside one, such as a row lock. */
  requireTransaction(): void {
    if (!this.#mayWrite) throw new WriteOutsideTransaction()
  }

  #execute(statement: BoundStatement): QueryResult | Promise<QueryResult> {
    if (!statement.reads) this.requireTransaction()
    if (!statement.values.every(isStorable)) {
      // No row can have such a key, so that looking for one finds nothing.
      if (statement.reads) return NOTHING
      throw new UnstorableText()
    }
    return this.#run(statement)
  }
}

const NOTHING: QueryResult = { rows: [], changes: 0 }

/** False for a text that neither database can hold as it is, and for a list that has one. */
export const isStorable = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.every(isStorable)
    : typeof value !== 'string' || (!value.includes('\0') && value.isWellFormed())

/** The driver's rows are what the statement, typed by Kysely against the schema, asked for. */
const rowsOf = <R>(result: QueryResult): readonly R[] => result.rows as readonly R[]
