// `tenon backup` and `tenon restore`: the whole deployment but its keys, into a file and out of it.
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isBackupSealed, sealBackup } from '../crypto/backup-seal.ts'
import { openKeyring } from '../crypto/keyring.ts'
import { systemClock } from '../lib/time.ts'
import { ConfigError } from '../protocol/config-error.ts'
import { DatabaseNotEmpty } from '../storage/backup/sides.ts'
import { type RowCounts, restoreBackup, writeBackup } from '../storage/backup.ts'
import type { CommandInput, ExitStatus } from './command.ts'
import { configOf, withDeployment } from './deployment-access.ts'

/** Beside a server that serves, or without one. */
export const backup = (input: CommandInput): Promise<ExitStatus> =>
  withDeployment<ExitStatus>(input, async ({ keyring, clock }) => {
    const path = fileOf(input)
    if (existsSync(path))
      throw new ConfigError({ code: 'file_exists', pointer: 'FILE', found: 'a file', expected: 'a name that is free' })
    const seal = (digest: string) => sealBackup(keyring, digest)
    const counts = await writeBackup({ databaseUrl: configOf(input).database.url, path, at: clock(), seal })
    input.print(`Backed up ${sumOf(counts)}. The vault key is not in it: keep that as well, elsewhere.`)
    return 0
  })

/** Into a database that is not there yet. Needs the vault key that the backup was made under. */
export async function restore(input: CommandInput): Promise<ExitStatus> {
  const { database, vaultKey } = configOf(input)
  const path = fileOf(input)
  if (!existsSync(path))
    throw new ConfigError({ code: 'file_missing', pointer: 'FILE', found: 'no such file', expected: 'a backup' })
  const keyring = openKeyring({ source: vaultKey, environment: input.environment, pollMs: 0 })
  try {
    if (database.kind === 'sqlite') mkdirSync(dirname(database.path), { recursive: true, mode: 0o700 })
    const keepSessions = input.commandLine.isOn('keep-sessions')
    const counts = await restoreBackup({
      databaseUrl: database.url,
      path,
      at: systemClock(),
      isSealed: (digest, sealed) => isBackupSealed(keyring, digest, sealed),
      keepSessions,
    })
    input.print(`Restored ${sumOf(counts)}. ${keepSessions ? 'Sessions go on.' : 'Everybody signs in anew.'}`)
    return 0
  } catch (error) {
    throw error instanceof DatabaseNotEmpty ? notEmpty(error) : error
  } finally {
    keyring.close()
  }
}

function fileOf({ commandLine, folder }: CommandInput): string {
  const [file] = commandLine.positionals
  if (file !== undefined && file !== '') return resolve(folder, file)
  throw new ConfigError({ code: 'missing_value', pointer: 'FILE', found: 'nothing', expected: 'the name of a file' })
}

const sumOf = (counts: RowCounts): string => {
  const rows = [...counts.values()].reduce((sum, count) => sum + count, 0)
  return `${counts.get('users') ?? 0} users, ${rows} rows in all`
}

const notEmpty = ({ code, message }: DatabaseNotEmpty) =>
  new ConfigError({ code, pointer: '--database-url', found: message, expected: 'none: restore writes over nothing' })
