// Statements are written once with Kysely, which types them and words them for either database. Those whose shape never
// changes are compiled once for each storage and run many times with other parameters.
import {
  type Compilable,
  type DialectAdapter,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Schema } from '../schema.ts'

export type Dialect = 'sqlite' | 'postgres'

/** Builds statements; it has no connection and runs none. */
export type Builder = Kysely<Schema>

export type Params = Readonly<Record<string, unknown>>

/** A statement of fixed shape: parameters of type P, rows of type R. */
export interface Statement<P, R> {
  readonly build: (q: Builder, p: P, dialect: Dialect) => Compilable<R>
}

/**
 * Defines a statement. `build` runs once for each dialect, with stand-ins in `p`: they may become parameters of the
 * statement and nothing else (no branching on them, no arithmetic).
 */
export const statement = <P extends Params, R>(build: Statement<P, R>['build']): Statement<P, R> => ({ build })

/** A statement with its values, ready for a driver. */
export interface BoundStatement {
  readonly text: string
  readonly values: readonly unknown[]
  /** Same text, same name, for drivers that keep prepared statements by name; undefined when it is not worth keeping. */
  readonly name: string | undefined
  readonly reads: boolean
}

/** The statements of one storage, compiled for its dialect. */
export class Statements {
  readonly dialect: Dialect
  readonly builder: Builder
  readonly #compiled = new Map<unknown, CompiledStatement>()

  constructor(dialect: Dialect) {
    this.dialect = dialect
    this.builder = createBuilder(dialect)
  }

  bind<P extends Params, R>(statement: Statement<P, R>, params: P): BoundStatement {
    const { text, parameters, name, reads } = this.#compiled.get(statement) ?? this.#compile(statement)
    const values = parameters.map((one) => (one instanceof Slot ? params[one.param] : one))
    return { text, values, name, reads }
  }

  bindQuery(query: Compilable): BoundStatement {
    const { sql, parameters, query: node } = query.compile()
    return { text: sql, values: parameters, name: undefined, reads: node.kind === 'SelectQueryNode' }
  }

  #compile<P extends Params, R>(statement: Statement<P, R>): CompiledStatement {
    // The proxy answers a stand-in for every name, so that it looks like P to the builder, which only passes values on.
    const slots = new Proxy({}, { get: (_, param) => new Slot(String(param)) }) as P
    const { sql, parameters, query } = statement.build(this.builder, slots, this.dialect).compile()
    const reads = query.kind === 'SelectQueryNode'
    const compiled = { text: sql, parameters, name: `tenon_${this.#compiled.size}`, reads }
    this.#compiled.set(statement, compiled)
    return compiled
  }
}

interface CompiledStatement {
  readonly text: string
  /** Constants, and slots where a value of the call belongs. */
  readonly parameters: readonly unknown[]
  readonly name: string
  readonly reads: boolean
}

class Slot {
  readonly param: string
  constructor(param: string) {
    this.param = param
  }
}

function createBuilder(dialect: Dialect): Builder {
  const [adapter, compiler]: [DialectAdapter, QueryCompiler] =
    dialect === 'sqlite'
      ? [new SqliteAdapter(), new SqliteQueryCompiler()]
      : [new PostgresAdapter(), new PostgresQueryCompiler()]
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => adapter,
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => (dialect === 'sqlite' ? new SqliteIntrospector(db) : new PostgresIntrospector(db)),
      createQueryCompiler: () => compiler,
    },
  })
}
