// The lines of a backup (docs/formats/backup.md): texts in, texts out.
import { isJsonObject, isString, type JsonValue } from '../../lib/json.ts'
import type { EpochSeconds } from '../../lib/time.ts'
import type { BackupRow, TableShape } from './tables.ts'

export const FORMAT_VERSION = 1

/** The file is no backup, was cut short or changed, or belongs to other keys. */
export class BackupDamaged extends Error {
  readonly code = 'backup_damaged'
  constructor(found: string) {
    super(`the backup cannot be used: ${found}`)
  }
}

/** A newer version of this server wrote it. */
export class BackupTooNew extends Error {
  readonly code = 'backup_too_new'
  constructor(found: string) {
    super(`the backup was written by a newer server (${found}): restore it with that one`)
  }
}

export interface BackupHead {
  readonly schemaVersion: number
  readonly madeAt: EpochSeconds
}

export const writeHead = ({ schemaVersion, madeAt }: BackupHead): string =>
  JSON.stringify({ tenon_backup: FORMAT_VERSION, schema_version: schemaVersion, made_at: madeAt })

/** @throws {BackupDamaged} @throws {BackupTooNew} */
export function readHead(line: string): BackupHead {
  const head = parseLine(line)
  const version = isJsonObject(head) ? head.tenon_backup : undefined
  if (!isJsonObject(head) || typeof version !== 'number') throw new BackupDamaged('it does not begin like one')
  if (version > FORMAT_VERSION) throw new BackupTooNew(`format ${version}`)
  const { schema_version: schemaVersion, made_at: madeAt } = head
  if (!isCount(schemaVersion) || schemaVersion === 0 || !isCount(madeAt))
    throw new BackupDamaged('it does not begin like one')
  return { schemaVersion, madeAt }
}

export const writeTable = ({ name, columns }: TableShape): string =>
  JSON.stringify({ table: name, columns: columns.map((column) => column.name) })

/** The table that the line announces; undefined when it announces none. @throws {BackupDamaged} */
export function readTable(line: string, tables: ReadonlyMap<string, TableShape>): TableShape {
  const value = parseLine(line)
  const table = isJsonObject(value) && isString(value.table) ? tables.get(value.table) : undefined
  if (table === undefined || line !== writeTable(table))
    throw new BackupDamaged('a table that its schema does not have')
  return table
}

export const writeRow = (row: BackupRow): string =>
  JSON.stringify(row.map((value) => (value instanceof Uint8Array ? value.toBase64() : value)))

/** @throws {BackupDamaged} */
export function readRow(line: string, { name, columns }: TableShape): BackupRow {
  const values = parseLine(line)
  if (!Array.isArray(values) || values.length !== columns.length) throw new BackupDamaged(`a row of ${name}`)
  return columns.map(({ type }, at) => {
    const value: unknown = values[at]
    if (value === null) return null
    if (type === 'integer' && typeof value === 'number') return value
    if (type !== 'integer' && isString(value)) return type === 'bytes' ? Uint8Array.fromBase64(value) : value
    throw new BackupDamaged(`a row of ${name}`)
  })
}

/** The last line: the digest of everything before it, and the digest sealed by the deployment's keys. */
export interface BackupEnd {
  /** SHA-256 in lower-case hex. */
  readonly digest: string
  readonly sealed: Uint8Array
}

export const writeEnd = ({ digest, sealed }: BackupEnd): string =>
  JSON.stringify({ sha256: digest, sealed: sealed.toBase64() })

/** @throws {BackupDamaged} */
export function readEnd(line: string): BackupEnd {
  const end = parseLine(line)
  if (!isJsonObject(end) || !isString(end.sha256) || !isString(end.sealed)) throw new BackupDamaged('it was cut short')
  return { digest: end.sha256, sealed: Uint8Array.fromBase64(end.sealed) }
}

function parseLine(line: string): JsonValue {
  try {
    // JSON.parse returns nothing but JSON values.
    return JSON.parse(line) as JsonValue
  } catch {
    throw new BackupDamaged('a line that is no JSON')
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
