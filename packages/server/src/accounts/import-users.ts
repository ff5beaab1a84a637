// Imports users, some at a time: each batch is one transaction, so that it is quick, and short beside a server.
import type { HashFault } from '../crypto/imported-hash.ts'
import { type ImportedHash, parseBcryptHash, parseCustomHash } from '../crypto/imported-hash.ts'
import type { Passwords } from '../crypto/passwords.ts'
import { Overloaded } from '../domain/errors.ts'
import type { JsonRow } from '../lib/json-rows.ts'
import type { Clock } from '../lib/time.ts'
import { type ImportedUser, type RowFault, readImportedUser } from '../protocol/imported-user.ts'
import type { ConnectionRecord } from '../storage/records.ts'
import type { Storage } from '../storage/storage.ts'
import type { AccountVault } from './account-vault.ts'
import { type ImportContext, importRow, type PreparedRow, type RowOutcome, RowOvertaken } from './import-row.ts'

export interface ImportDeps {
  readonly storage: Storage
  readonly vault: AccountVault
  readonly passwords: Pick<Passwords, 'adopt'>
  readonly clock: Clock
}

export interface ImportOptions {
  /** Users who are there are changed as well; their address and password are not. */
  readonly upsert: boolean
  /** Of users whose row names no connection. */
  readonly connection?: string | undefined
}

export interface RefusedRow {
  readonly row: JsonRow
  readonly fault: RowFault
}

export interface ImportSummary {
  readonly total: number
  readonly inserted: number
  readonly updated: number
  /** They were there already, or were merged into somebody since. */
  readonly unchanged: number
  readonly refused: number
}

const BATCH = 50

/** Rows of one import go in together or not at all, row by row; a second run of the same rows changes nothing. */
export async function importUsers(
  deps: ImportDeps,
  rows: AsyncIterable<JsonRow> | Iterable<JsonRow>,
  { upsert, connection, onRefused }: ImportOptions & { readonly onRefused: (refused: RefusedRow) => void },
): Promise<ImportSummary> {
  const connections = await connectionsByName(deps.storage)
  const tally = { total: 0, inserted: 0, updated: 0, unchanged: 0, refused: 0 }
  let waiting: JsonRow[] = []
  const flush = async () => {
    const batch = waiting
    waiting = []
    const context = { vault: deps.vault, connections, upsert, at: deps.clock() }
    const outcomes = await importBatch(deps, context, batch, connection)
    for (const [at, outcome] of outcomes.entries()) {
      tally.total++
      tally[outcome.kind]++
      const row = batch[at]
      if (outcome.kind === 'refused' && row !== undefined) onRefused({ row, fault: outcome.fault })
    }
  }
  for await (const row of rows) {
    waiting.push(row)
    if (waiting.length === BATCH) await flush()
  }
  await flush()
  return tally
}

async function connectionsByName(storage: Storage): Promise<ReadonlyMap<string, ConnectionRecord>> {
  const { items } = await storage.connections.list({ offset: 0, limit: 10_000 })
  return new Map(items.map((one) => [one.name, one]))
}

/** The outcome of each row, in order. */
async function importBatch(
  { storage, passwords }: ImportDeps,
  context: ImportContext,
  rows: readonly JsonRow[],
  connection: string | undefined,
): Promise<readonly RowOutcome[]> {
  // Computed before the transaction, which waits for nothing but the database.
  const prepared = await Promise.all(rows.map(({ text }) => prepare(passwords, text, connection)))
  const together = () =>
    storage.transaction(async (tx) => {
      const outcomes: RowOutcome[] = []
      for (const row of prepared) outcomes.push(isRefused(row) ? row : await importRow(tx, context, row))
      return outcomes
    })
  return together().catch((error: unknown) => {
    if (!isOvertaken(error)) throw error
    return oneByOne(storage, context, prepared)
  })
}

const MAX_TRIES = 5

/** A batch holds many rows, so two of them can wait for each other time and again; rows alone pass. */
const isOvertaken = (error: unknown) => error instanceof RowOvertaken || error instanceof Overloaded

/** When somebody else writes the same things at the same time: each row alone, and again, until it sees them. */
async function oneByOne(
  storage: Storage,
  context: ImportContext,
  rows: readonly (PreparedRow | Refused)[],
): Promise<readonly RowOutcome[]> {
  const outcomes: RowOutcome[] = []
  for (const row of rows) {
    for (let tries = 1; !isRefused(row); tries++) {
      try {
        outcomes.push(await storage.transaction((tx) => importRow(tx, context, row)))
        break
      } catch (error) {
        if (!isOvertaken(error) || tries === MAX_TRIES) throw error
      }
    }
    if (isRefused(row)) outcomes.push(row)
  }
  return outcomes
}

type Refused = Extract<RowOutcome, { kind: 'refused' }>
const isRefused = (row: PreparedRow | Refused): row is Refused => 'kind' in row

async function prepare(
  passwords: ImportDeps['passwords'],
  text: string,
  connection: string | undefined,
): Promise<PreparedRow | Refused> {
  const read = readImportedUser(text, connection)
  if ('fault' in read) return { kind: 'refused', fault: read.fault }
  const hash = hashOf(read.user)
  if (hash === undefined) return { user: read.user, passwordHash: undefined }
  if (hash.kind === 'fault') return { kind: 'refused', fault: hash.fault }
  return { user: read.user, passwordHash: await passwords.adopt(hash) }
}

/** @returns a fault whose field is that of the row. */
function hashOf({ passwordHash, customHash }: ImportedUser): ImportedHash | undefined {
  if (customHash !== undefined) return within('/custom_password_hash', parseCustomHash(customHash))
  return passwordHash === undefined ? undefined : within('/password_hash', parseBcryptHash(passwordHash))
}

const within = (field: string, hash: ImportedHash): ImportedHash =>
  hash.kind === 'fault' ? { kind: 'fault', fault: moved(field, hash.fault) } : hash

const moved = (field: string, fault: HashFault): HashFault => ({ code: fault.code, field: `${field}${fault.field}` })
