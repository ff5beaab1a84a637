// The tables of a schema version as a backup has them: out of the migrations themselves, so that no table is forgotten.
import { DatabaseSync } from 'node:sqlite'
import { columnTypes, type Migration } from '../migrations.ts'

export interface TableShape {
  readonly name: string
  readonly columns: readonly ColumnShape[]
  /** What the rows are ordered by: the primary key. */
  readonly key: readonly string[]
  /** The column that the database numbers, if any. */
  readonly serial: string | undefined
}

export interface ColumnShape {
  readonly name: string
  readonly type: 'text' | 'integer' | 'bytes'
}

/** Texts, numbers, bytes and null, in the order of the columns. */
export type BackupRow = readonly (string | number | Uint8Array | null)[]

/** Facts about the database itself, which the new one has of its own. */
const OWN: ReadonlySet<string> = new Set(['schema_version', 'facts_version'])

/** Tables that others refer to come first; apart from that, by name. */
export function tablesOf(steps: readonly Migration[]): readonly TableShape[] {
  const database = new DatabaseSync(':memory:')
  try {
    for (const step of steps) for (const text of step(columnTypes.sqlite)) database.exec(text)
    const named = database
      .prepare("select name, sql from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name")
      .all()
      .map(({ name, sql }) => ({ name: String(name), sql: String(sql) }))
      .filter(({ name }) => !OWN.has(name))
    const referred = new Map(named.map(({ name }) => [name, referencesOf(database, name)]))
    const shapes = new Map(named.map(({ name, sql }) => [name, shapeOf(database, name, sql)]))
    return inOrder(referred).flatMap((name) => shapes.get(name) ?? [])
  } finally {
    database.close()
  }
}

function shapeOf(database: DatabaseSync, name: string, sql: string): TableShape {
  const rows = database.prepare('select name, type, pk from pragma_table_info(?) order by cid').all(name)
  const columns = rows.map((row) => ({ name: String(row.name), type: typeOf(String(row.type)) }))
  const key = rows
    .filter(({ pk }) => Number(pk) > 0)
    .sort((a, b) => Number(a.pk) - Number(b.pk))
    .map((row) => String(row.name))
  return {
    name,
    columns,
    key: key.length > 0 ? key : columns.map((column) => column.name),
    serial: /\bautoincrement\b/i.test(sql) ? key[0] : undefined,
  }
}

function typeOf(declared: string): ColumnShape['type'] {
  const type = declared.toLowerCase()
  if (type === 'blob') return 'bytes'
  if (type === 'text' || type === 'integer') return type
  throw new TypeError(`a column of type ${declared}, which a backup does not know`)
}

const referencesOf = (database: DatabaseSync, name: string): readonly string[] =>
  database
    .prepare('select distinct "table" as name from pragma_foreign_key_list(?)')
    .all(name)
    .map((row) => String(row.name))

/** Each name after those that it refers to. */
function inOrder(referred: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const ordered = new Set<string>()
  const place = (name: string) => {
    if (ordered.has(name)) return
    for (const other of referred.get(name) ?? []) if (other !== name) place(other)
    ordered.add(name)
  }
  for (const name of referred.keys()) place(name)
  return [...ordered]
}
