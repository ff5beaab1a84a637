// The schema's history, oldest first. A migration that was released never changes; a new one is added at the end.
import { firstSchema } from './migrations/0001-first.ts'
import { links } from './migrations/0002-links.ts'
import { agentStops } from './migrations/0003-agent-stops.ts'
import { factsVersion } from './migrations/0004-facts-version.ts'
import { exchangeProfiles } from './migrations/0005-exchange-profiles.ts'
import { signOutsAndSignUps } from './migrations/0006-sign-outs-and-sign-ups.ts'
import { keptApart } from './migrations/0007-kept-apart.ts'
import { webhooks } from './migrations/0008-webhooks.ts'
import { replayMarks } from './migrations/0009-replay-marks.ts'
import { ticketEnds } from './migrations/0010-ticket-ends.ts'
import { factors } from './migrations/0011-factors.ts'
import { accountEnds } from './migrations/0012-account-ends.ts'
import { openCalls } from './migrations/0013-open-calls.ts'
import { formerConnections } from './migrations/0014-former-connections.ts'
import { userFactsVersions } from './migrations/0015-user-facts-versions.ts'

/** What differs between the databases in a table's definition. */
export interface ColumnTypes {
  readonly dialect: 'sqlite' | 'postgres'
  /** Compared byte by byte on both, so that orders and ranges agree. */
  readonly text: string
  /** Counts and epoch seconds, 64 bits. */
  readonly integer: string
  readonly bytes: string
  /** A key that the database numbers, rising. */
  readonly serial: string
  /** Stands after a table's columns. */
  readonly tableEnd: string
}

/** Statements that lead from the version before to this one. */
export type Migration = (types: ColumnTypes) => readonly string[]

export const columnTypes: Readonly<Record<'sqlite' | 'postgres', ColumnTypes>> = {
  sqlite: {
    dialect: 'sqlite',
    text: 'text',
    integer: 'integer',
    bytes: 'blob',
    serial: 'integer primary key autoincrement',
    tableEnd: ') strict',
  },
  postgres: {
    dialect: 'postgres',
    text: 'text collate "C"',
    integer: 'bigint',
    bytes: 'bytea',
    serial: 'bigint generated always as identity primary key',
    tableEnd: ')',
  },
}

/** The migration at index n leads to version n + 1. */
export const migrations: readonly Migration[] = [
  firstSchema,
  links,
  agentStops,
  factsVersion,
  exchangeProfiles,
  signOutsAndSignUps,
  keptApart,
  webhooks,
  replayMarks,
  ticketEnds,
  factors,
  accountEnds,
  openCalls,
  formerConnections,
  userFactsVersions,
]

/** The version that this server wants. */
export const schemaVersion: number = migrations.length

export interface MigrationResult {
  readonly from: number
  readonly to: number
}

/** The database was written by a newer server. */
export class SchemaTooNew extends Error {
  readonly code = 'schema_too_new'
  constructor(found: number, known: number) {
    super(`the database has schema version ${found}, this server knows ${known}: run the newer server again`)
  }
}

/** The database waits for `tenon migrate`. */
export class SchemaTooOld extends Error {
  readonly code = 'schema_too_old'
  constructor(found: number) {
    super(`the database has schema version ${found}, this server needs ${schemaVersion}: run "tenon migrate"`)
  }
}

/** @throws {SchemaTooNew} */
export function requireKnownVersion(found: number, known: number = schemaVersion): void {
  if (found > known) throw new SchemaTooNew(found, known)
}

/** @throws {SchemaTooNew} @throws {SchemaTooOld} */
export function requireCurrentVersion(found: number): void {
  requireKnownVersion(found)
  if (found < schemaVersion) throw new SchemaTooOld(found)
}
