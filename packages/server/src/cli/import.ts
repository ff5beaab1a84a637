// `tenon import auth0`: users and identities out of the files that Auth0's export and bulk import know.
import { createReadStream, existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { type ImportSummary, importUsers, type RefusedRow } from '../accounts/import-users.ts'
import { createPasswords } from '../crypto/passwords.ts'
import { type JsonRow, jsonRows, RowsBroken } from '../lib/json-rows.ts'
import { ConfigError } from '../protocol/config-error.ts'
import { createVault } from '../vault/vault.ts'
import type { CommandInput, ExitStatus } from './command.ts'
import { type DeploymentAccess, withDeployment } from './deployment-access.ts'
import { lastSaid, settingsNow } from './link-options.ts'

/** 0 when every row went in or was there; 1 when some were refused, each named on standard output. */
export const importAuth0 = (input: CommandInput): Promise<ExitStatus> =>
  withDeployment<ExitStatus>(input, async (access) => {
    const files = input.commandLine.positionals.map((file) => resolve(input.folder, file))
    if (files.length === 0) throw problem('missing_value', 'nothing', 'files of users')
    const absent = files.find((file) => !existsSync(file))
    if (absent !== undefined) throw problem('file_missing', 'no such file', 'a file of users')
    const deps = { ...access, vault: await vaultOf(input, access), passwords: createPasswords() }
    let status: ExitStatus = 0
    for (const [at, file] of files.entries()) {
      const name = input.commandLine.positionals[at] ?? ''
      const summary = await importUsers(
        deps,
        rowsOf(file, (error) => {
          status = 1
          tell(input, { file: name, line: error.line, code: error.code, field: '' })
        }),
        {
          upsert: input.commandLine.isOn('upsert'),
          connection: lastSaid(input, 'connection'),
          onRefused: ({ row, fault }: RefusedRow) => tell(input, { file: name, line: row.line, ...fault }),
        },
      )
      if (summary.refused > 0) status = 1
      sum(input, name, summary)
    }
    return status
  })

const problem = (code: string, found: string, expected: string) =>
  new ConfigError({ code, pointer: 'FILE', found, expected })

/** What a change of users asks of the vault; nothing here asks a provider. */
async function vaultOf({ log }: CommandInput, { storage, keyring, clock }: DeploymentAccess) {
  const settings = await settingsNow(storage)
  return createVault({
    storage,
    keyring,
    clock,
    log,
    connectorFor: async () => undefined,
    settings: () => settings.vault,
  })
}

/** The rows up to where the file breaks off, if it does. */
async function* rowsOf(path: string, onBroken: (error: RowsBroken) => void): AsyncGenerator<JsonRow> {
  try {
    yield* jsonRows(await textOf(path))
  } catch (error) {
    if (!(error instanceof RowsBroken)) throw error
    onBroken(error)
  }
}

/** Exports come compressed as often as not. */
async function textOf(path: string): Promise<Readable> {
  const file = createReadStream(path)
  const [first, second] = await firstBytes(path)
  const text = first === 0x1f && second === 0x8b ? file.pipe(createGunzip()) : file
  file.on('error', (error) => text.destroy(error))
  return text.setEncoding('utf8')
}

async function firstBytes(path: string): Promise<Buffer> {
  for await (const chunk of createReadStream(path, { end: 1 })) return chunk
  return Buffer.alloc(0)
}

interface Told {
  readonly file: string
  readonly line: number
  readonly code: string
  readonly field: string
}

/** Where and why, and nothing of what the row holds. */
function tell(input: CommandInput, { file, line, code, field }: Told): void {
  if (input.commandLine.isOn('json')) input.print(JSON.stringify({ refused: { file, line, code, field } }))
  else input.print(`${file}:${line}: ${code}${field === '' ? '' : ` at ${field}`}`)
}

function sum(input: CommandInput, file: string, summary: ImportSummary): void {
  const { total, inserted, updated, unchanged, refused } = summary
  const parts = [`${inserted} new`, `${updated} changed`, `${unchanged} as they were`, `${refused} refused`]
  if (input.commandLine.isOn('json')) input.print(JSON.stringify({ file, ...summary }))
  else input.print(`${file}: ${total} users: ${parts.join(', ')}.`)
}
