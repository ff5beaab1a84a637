// Many more people like one that is there: copies of every row of theirs under names of their own, made inside the database.
// Nobody ever asks for them; what they are for is to be in the way.
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import { randomToken } from '../src/crypto/hashing.ts'
import { CONNECTION } from './seed.ts'

/** What a copy has of its own, as SQL over its name; every other column is as the model's. In an order that keys allow. */
const OWN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  given_user_ids: { user_id: 'USER' },
  users: { user_id: 'USER' },
  artifacts: {
    user_id: 'USER',
    // As long as a hash, and anywhere among them.
    id_hash: "case model.kind when 'Grant' then NAME || 'grant' else NAME || NAME || NAME || NAME || NAME end",
    grant_id: "case model.kind when 'Grant' then null else NAME || 'grant' end",
  },
  user_keys: { user_id: 'USER' },
  accounts: { user_id: 'USER', id: "'cac_' || NAME", subject: 'NAME', label: 'NAME' },
  events: { user_id: 'USER', account_id: "'cac_' || NAME" },
}
/** Given by the database. */
const SERIAL = new Set(['seq'])
const BATCH = 10_000

export interface FillOptions {
  readonly url: string
  /** Whose rows are copied. */
  readonly modelUserId: string
  readonly count: number
  readonly onProgress: (done: number) => void
}

export async function fill({ url, modelUserId, count, onProgress }: FillOptions): Promise<void> {
  const database = await open(url)
  try {
    const statements: string[] = []
    for (const [table, own] of Object.entries(OWN)) {
      const columns = (await database.columnsOf(table)).filter((column) => !SERIAL.has(column))
      statements.push(copyStatement(table, columns, own, database.names))
    }
    for (let done = 0; done < count; ) {
      const names = Array.from({ length: Math.min(BATCH, count - done) }, () => randomToken(9))
      await database.runAll(statements, names, modelUserId)
      done += names.length
      onProgress(done)
    }
    await database.analyze()
  } finally {
    await database.close()
  }
}

function copyStatement(
  table: string,
  columns: readonly string[],
  own: Readonly<Record<string, string>>,
  names: string,
): string {
  const values = columns.map((column) => own[column] ?? `model.${column}`).join(', ')
  const text = `insert into ${table} (${columns.join(', ')}) select ${values} from ${table} as model, ${names}
    where model.user_id = $2`
  return text.replaceAll('USER', `'${CONNECTION}|' || NAME`).replaceAll('NAME', 'name.value')
}

interface FillDatabase {
  /** A table of the names of `$1`. */
  readonly names: string
  columnsOf(table: string): Promise<readonly string[]>
  /** In one transaction. */
  runAll(statements: readonly string[], names: readonly string[], modelUserId: string): Promise<void>
  /** What the planner knows of the tables, as a server that has run for a while would know it. */
  analyze(): Promise<void>
  close(): Promise<void>
}

const open = (url: string): Promise<FillDatabase> =>
  url.startsWith('sqlite:') ? openFile(url.slice('sqlite:'.length)) : openServer(url)

async function openFile(path: string): Promise<FillDatabase> {
  const file = new DatabaseSync(path, { timeout: 30_000 })
  // What is filled in need not outlive the machine.
  file.exec('pragma synchronous = off; pragma cache_size = -400000')
  return {
    names: 'json_each($1) as name',
    columnsOf: async (table) =>
      file
        .prepare(`pragma table_info(${table})`)
        .all()
        .map(({ name }) => String(name)),
    async runAll(statements, names, modelUserId) {
      file.exec('begin immediate')
      for (const text of statements)
        file.prepare(text.replace('$1', '?').replace('$2', '?')).run(JSON.stringify(names), modelUserId)
      file.exec('commit')
    },
    // The server knows nothing of statistics: it never makes them.
    analyze: async () => {},
    close: async () => file.close(),
  }
}

async function openServer(url: string): Promise<FillDatabase> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query('set synchronous_commit = off')
  return {
    names: 'unnest($1::text[]) as name (value)',
    async columnsOf(table) {
      const columns = 'select column_name from information_schema.columns where table_schema = $1 and table_name = $2'
      const { rows } = await client.query(columns, ['public', table])
      return rows.map(({ column_name: name }) => String(name))
    },
    async runAll(statements, names, modelUserId) {
      await client.query('begin')
      for (const text of statements) await client.query(text, [names, modelUserId])
      await client.query('commit')
    },
    analyze: async () => {
      await client.query('vacuum analyze')
    },
    close: () => client.end(),
  }
}
