// Backups by the commands, as an operator makes them.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Client } from 'pg'
import { type Ended, runTenon } from '../cli/run.ts'

interface Place {
  readonly dataDir: string
  readonly databaseUrl: string
}

export const tenonAt = ({ dataDir, databaseUrl }: Place, ...args: readonly string[]): Promise<Ended> =>
  runTenon(args, { TENON_DATA_DIR: dataDir, TENON_DATABASE_URL: databaseUrl })

export async function succeed(ended: Promise<Ended>): Promise<Ended> {
  const done = await ended
  assert.equal(done.code, 0, done.stderr)
  return done
}

/** As if the disk, or the database, had been lost. */
export async function wipe({ dataDir, databaseUrl }: Place): Promise<void> {
  if (databaseUrl.startsWith('sqlite:')) {
    for (const name of readdirSync(dataDir)) if (name.startsWith('tenon.db')) rmSync(join(dataDir, name))
    return
  }
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query('drop schema public cascade')
  await client.query('create schema public')
  await client.end()
}

/** The lines of a backup that come from tables, without the events that restoring left. */
export const tableLines = (path: string): readonly string[] =>
  gunzipSync(readFileSync(path))
    .toString('utf8')
    .split('\n')
    .slice(1, -2)
    .filter((line) => !line.includes('"deployment.restored"'))
