// What backup and restore want of a database, whichever it is.
import type { Migration } from '../migrations.ts'
import type { BackupRow, TableShape } from './tables.ts'

/** One state of a database, read from its beginning to its end. */
export interface BackupSource {
  schemaVersion(): Promise<number>
  /** In the order of the table's key, some at a time. */
  rows(table: TableShape): AsyncIterable<readonly BackupRow[]>
  close(): Promise<void>
}

/** Where the rows go; all of them are there at the end, or none. */
export interface RestoreTarget {
  insert(table: TableShape, rows: readonly BackupRow[]): Promise<void>
}

export interface RestorePlan {
  /** The schema's history. */
  readonly steps: readonly Migration[]
  /** The version whose tables the rows fit; the later steps follow once they are in. */
  readonly version: number
  readonly load: (target: RestoreTarget) => Promise<void>
  /** The event that tells of it, as SQL; numbered after those of the backup. */
  readonly record: () => string
}

/** There is a database already: it is not written over. */
export class DatabaseNotEmpty extends Error {
  readonly code = 'database_not_empty'
  /** @param place holds no password. */
  constructor(place: string) {
    super(`there is a database already: ${place}`)
  }
}
