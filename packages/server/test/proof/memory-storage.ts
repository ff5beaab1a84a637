// The real statements, repositories and transactions over SQLite in memory, with what a search needs besides: looking at
// every row, and going back to how things stood.
import { GroupCommit } from '../../src/storage/group-commit.ts'
import { columnTypes, migrations } from '../../src/storage/migrations.ts'
import type { QueryResult } from '../../src/storage/sql/db.ts'
import { Db } from '../../src/storage/sql/db.ts'
import { SqlRepositories } from '../../src/storage/sql/repositories.ts'
import type { BoundStatement } from '../../src/storage/sql/statement.ts'
import { Statements } from '../../src/storage/sql/statement.ts'
import { SqliteConnection } from '../../src/storage/sqlite-connection.ts'
import type { Repositories, Storage } from '../../src/storage/storage.ts'

/** Columns by name, as SQLite gives them. */
export type Row = Readonly<Record<string, unknown>>
/** Every row of every table that changes. What did not change, a table or a row, is the same object. */
export type Tables = Readonly<Record<string, readonly Row[]>>

/** What nobody on the way reads: who was told what. Of the events, the two kinds that decide which id a user may have. */
const FORGOTTEN: Readonly<Record<string, string>> = {
  events: "delete from events where type not in ('user.retired', 'user.deleted')",
  limits: 'delete from limits',
  revocations: 'delete from revocations',
}

/** Written when the tenant is set up, and by nobody afterwards. */
const STILL = [
  'clients',
  'connections',
  'connection_clients',
  'resource_servers',
  'client_grants',
  'signing_keys',
  'schema_version',
]

/** The storage of one process whose reader sees what its writer committed, for they are one connection. */
export class MemoryStorage extends SqlRepositories implements Storage {
  readonly dialect = 'sqlite'
  readonly #connection: WatchedConnection
  readonly #commits: GroupCommit
  readonly #schema: readonly TableShape[]
  #tables: Tables

  constructor() {
    const connection = new WatchedConnection(':memory:', { durable: 'never' })
    for (const migration of migrations) for (const text of migration(columnTypes.sqlite)) connection.executeScript(text)
    const statements = new Statements('sqlite')
    super(new Db({ statements, mayWrite: false, run: (statement) => connection.run(statement) }))
    this.#connection = connection
    this.#commits = new GroupCommit({
      connection,
      flush: async () => {},
      statements,
      patienceMs: 0,
      holdLimitMs: 60_000,
    })
    this.#schema = schemaOf(connection).filter(({ name }) => !STILL.includes(name))
    this.#tables = Object.fromEntries(this.#schema.map(({ name }) => [name, []]))
  }

  transaction<T>(work: (tx: Repositories) => Promise<T>): Promise<T> {
    return this.#commits.transaction(work)
  }

  transactionAtOnce<T>(work: (tx: Repositories) => Promise<T>): Promise<T> {
    return this.transaction(work)
  }

  async ready(): Promise<boolean> {
    return true
  }

  async close(): Promise<void> {
    await this.#commits.close()
    this.#connection.close()
  }

  /** How things stood at the last look. */
  last(): Tables {
    return this.#tables
  }

  /** How things stand now. */
  look(): Tables {
    const before = this.#tables
    const written = this.#connection.takeWritten()
    for (const [name, text] of Object.entries(FORGOTTEN)) if (written(name)) this.#connection.execute(text)
    const found = this.#schema
      .filter(({ name }) => written(name))
      .map(({ name }) => {
        // Rows of `select *` are objects of columns.
        const rows = this.#connection.run({ text: `select * from ${name}`, values: [] }).rows as readonly Row[]
        const known = before[name] ?? []
        return [name, areEqual(known, rows) ? known : rows.map((row) => known.find((one) => sameRow(one, row)) ?? row)]
      })
    this.#tables = { ...before, ...Object.fromEntries(found) }
    return this.#tables
  }

  /** Takes the mails away that wait to be sent. */
  takeMails(): readonly Row[] {
    if (!this.#connection.hasWritten('mails')) return []
    const { rows } = this.#connection.run({ text: 'delete from mails returning id, envelope', values: [] })
    // Two columns of the table.
    return rows as readonly Row[]
  }

  /**
   * Makes things stand as they once did, when `look` saw them. Only rows that differ are touched: whoever goes takes along
   * nothing that stays, and keys refer to what is there.
   */
  goBack(to: Tables): void {
    const changed = this.#schema.filter(({ name }) => this.#tables[name] !== to[name])
    this.#connection.execute('begin immediate')
    const steps = changed.map((table) => ({
      table,
      ...difference(table, this.#tables[table.name] ?? [], to[table.name] ?? []),
    }))
    for (const { table, gone } of steps.toReversed())
      for (const row of gone)
        this.#connection.run({ text: table.remove, values: table.key.map((column) => row[column]) })
    for (const { table, missing } of steps)
      for (const row of missing)
        this.#connection.run({ text: table.put, values: table.columns.map((column) => row[column]) })
    this.#connection.execute('commit')
    this.#connection.takeWritten()
    this.#tables = to
  }
}

interface TableShape {
  readonly name: string
  readonly columns: readonly string[]
  readonly key: readonly string[]
  readonly remove: string
  readonly put: string
}

/** Count versions, and never go back. */
const COUNTERS = "'schema_version', 'facts_version'"

/** In the order in which they were made: what is referred to comes first. */
function schemaOf(connection: SqliteConnection): readonly TableShape[] {
  const tablesOfOurs = `type = 'table' and name not like 'sqlite_%' and name not in (${COUNTERS})`
  const text = `select name from sqlite_master where ${tablesOfOurs} order by rowid`
  // One column, of text; then what the pragma is documented to give.
  const tables = connection.run({ text, values: [] }).rows as readonly { name: string }[]
  return tables.map(({ name }) => {
    const info = connection.run({ text: `pragma table_info(${name})`, values: [] }).rows
    const found = info as readonly { readonly name: string; readonly pk: number }[]
    const columns = found.map((column) => column.name)
    const key = found.filter(({ pk }) => pk > 0).map((column) => column.name)
    const others = columns.filter((column) => !key.includes(column)).map((column) => `${column} = excluded.${column}`)
    const values = `insert into ${name} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`
    return {
      name,
      columns,
      key,
      remove: `delete from ${name} where ${key.map((column) => `${column} = ?`).join(' and ')}`,
      put: `${values} on conflict (${key.join(', ')}) do ${others.length === 0 ? 'nothing' : `update set ${others.join(', ')}`}`,
    }
  })
}

function difference({ key }: TableShape, from: readonly Row[], to: readonly Row[]) {
  const nameOf = (row: Row) => key.map((column) => String(row[column])).join(' ')
  const before = new Map(from.map((row) => [nameOf(row), row]))
  const missing = to.filter((row) => {
    const name = nameOf(row)
    const known = before.get(name)
    before.delete(name)
    return known === undefined || !sameRow(known, row)
  })
  return { gone: [...before.values()], missing }
}

/** Knows which tables were written since it was last asked. */
class WatchedConnection extends SqliteConnection {
  #written = new Set<string>()

  override run(statement: Pick<BoundStatement, 'text' | 'values'>): QueryResult {
    const table = writtenBy(statement.text)
    if (table !== undefined) this.#written.add(table)
    return super.run(statement)
  }

  hasWritten(table: string): boolean {
    return this.#written.has(table) || this.#written.has(EVERYTHING)
  }

  takeWritten(): (table: string) => boolean {
    const written = this.#written
    this.#written = new Set()
    return (table) => written.has(table) || written.has(EVERYTHING)
  }
}

const EVERYTHING = '*'
const tableOf = new Map<string, string | undefined>()

/** The table that a statement writes, everything when it may be several, nothing when it reads. */
function writtenBy(text: string): string | undefined {
  if (!tableOf.has(text)) tableOf.set(text, parseWrite(text))
  return tableOf.get(text)
}

function parseWrite(text: string): string | undefined {
  if (/^(select|pragma)\b/.test(text)) return undefined
  const [, verb, table = ''] = /^(insert into|update|delete from) "?(\w+)/.exec(text) ?? []
  // Whoever is deleted takes along what hangs on them.
  return verb === undefined || (verb === 'delete from' && PARENTS.has(table)) ? EVERYTHING : table
}

/** Rows that others hang on. */
const PARENTS = new Set(['users', 'links', 'given_user_ids'])

const areEqual = (a: readonly Row[], b: readonly Row[]): boolean =>
  a.length === b.length && a.every((row, index) => sameRow(row, b[index]))

function sameRow(a: Row, b: Row | undefined): boolean {
  if (b === undefined) return false
  for (const column in a) if (!sameValue(a[column], b[column])) return false
  return true
}

const sameValue = (a: unknown, b: unknown): boolean =>
  a === b || (a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0)
