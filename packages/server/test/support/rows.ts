// What the tables hold of some people, read past the server: every table that names a user, also those of next year.
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'

export type Row = Readonly<Record<string, unknown>>
/** By table; a table without such rows is left out. Rows are in the order of their texts. */
export type Rows = Readonly<Record<string, readonly Row[]>>

/** Rows whose `user_id` is one of these, and the passwords of their identities. */
export async function rowsOfUsers(databaseUrl: string, userIds: readonly string[]): Promise<Rows> {
  const { all, close } = await open(databaseUrl)
  try {
    const found: [string, readonly Row[]][] = []
    for (const table of await tablesOf(all)) {
      const rows = await all(`select * from ${table} where user_id in ($1, $2)`, pairOf(userIds))
      found.push([table, rows])
    }
    const passwords = await all(
      `select passwords.* from passwords join identities
        on identities.connection_id = passwords.connection_id and identities.subject = passwords.subject
        where identities.user_id in ($1, $2)`,
      pairOf(userIds),
    )
    return Object.fromEntries(
      [...found, ['passwords', passwords] as const]
        .filter(([, rows]) => rows.length > 0)
        .map(([table, rows]) => [table, [...rows].sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1))]),
    )
  } finally {
    await close()
  }
}

/** Asks the database of a running deployment; `$1`, `$2` stand for the values. */
export async function query(databaseUrl: string, sql: string, values: readonly string[]): Promise<readonly Row[]> {
  const { all, close } = await open(databaseUrl)
  try {
    return await all(sql, values)
  } finally {
    await close()
  }
}

const pairOf = ([one = '', two = one]: readonly string[]) => [one, two]

const textOf = (row: Row) => JSON.stringify(row)

interface Reader {
  readonly all: (sql: string, values?: readonly string[]) => Promise<readonly Row[]>
  readonly close: () => Promise<void>
}

async function open(databaseUrl: string): Promise<Reader> {
  if (databaseUrl.startsWith('sqlite:')) {
    const file = new DatabaseSync(databaseUrl.slice('sqlite:'.length), { readOnly: true, timeout: 5000 })
    return {
      all: async (sql, values = []) => file.prepare(sql.replaceAll('$', '?')).all(...values),
      close: async () => file.close(),
    }
  }
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  return {
    all: async (sql, values = []) => (await client.query<Row>(sql, [...values])).rows,
    close: () => client.end(),
  }
}

/** The first question is understood by SQLite alone, the second by PostgreSQL alone. */
async function tablesOf(all: Reader['all']): Promise<readonly string[]> {
  const rows = await all(
    `select m.name as name from sqlite_master m join pragma_table_info(m.name) c on c.name = 'user_id'
      where m.type = 'table' order by m.name`,
  ).catch(() =>
    all(`select table_name as name from information_schema.columns
      where table_schema = 'public' and column_name = 'user_id' order by table_name`),
  )
  return rows.map(({ name }) => String(name))
}
