// A database of its own for each test, on the server that TENON_TEST_POSTGRES names.
import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { migrate } from '../../src/storage/migrate.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { TestDatabase } from './conformance.ts'

/** URL of a server that lets us create databases; undefined when there is none. */
export const postgresServer: string | undefined = process.env.TENON_TEST_POSTGRES

/** Creates an empty database; `remove` drops it, whoever may still be connected. */
export async function createEmptyDatabase(): Promise<{ url: string; remove: () => Promise<void> }> {
  const name = `tenon_${randomUUID().replaceAll('-', '')}`
  await administer(`create database ${name}`)
  const url = new URL(postgresServer ?? '')
  url.pathname = `/${name}`
  return { url: url.href, remove: () => administer(`drop database ${name} with (force)`) }
}

export async function createPostgresDatabase(): Promise<TestDatabase & { readonly url: string }> {
  const { url, remove } = await createEmptyDatabase()
  await migrate(url)
  return { url, open: () => openStorage({ url }), remove }
}

async function administer(sql: string): Promise<void> {
  const client = new Client({ connectionString: postgresServer })
  await client.connect()
  await client.query(sql)
  await client.end()
}

/** Ends every session of the database but our own, as a restart of the server would. */
export async function disconnectAll(url: string): Promise<void> {
  const database = new URL(url).pathname.slice(1)
  await administer(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}'`)
}

/** Rows of `accounts` that sessions have read up to now, by index or one after the other; told when a session ends. */
export async function accountRowsRead(url: string): Promise<number> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const text = `select seq_tup_read + idx_tup_fetch as read from pg_stat_user_tables where relname = 'accounts'`
  const { rows } = await client.query<{ read: string }>(text)
  await client.end()
  return Number(rows[0]?.read)
}
