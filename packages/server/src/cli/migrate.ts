// `tenon migrate`: brings the database to the schema of this version.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { migrate as migrateDatabase } from '../storage/migrate.ts'
import type { CommandInput, ExitStatus } from './command.ts'
import { configOf } from './deployment-access.ts'

export async function migrate(input: CommandInput): Promise<ExitStatus> {
  const { database } = configOf(input)
  if (database.kind === 'sqlite') mkdirSync(dirname(database.path), { recursive: true, mode: 0o700 })
  const { from, to } = await migrateDatabase(database.url)
  input.print(from === to ? `The database has version ${to} already.` : `Migrated from version ${from} to ${to}.`)
  return 0
}
