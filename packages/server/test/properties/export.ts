// An export of people: every row about them, each tokenset in clear, and what the Management API shows.
import { canonicalJson } from '../../src/lib/canonical-json.ts'
import type { JsonValue } from '../../src/lib/json.ts'
import { DataKeys } from '../../src/vault/data-keys.ts'
import { openTokenset } from '../../src/vault/tokensets.ts'
import { path, type World } from '../api/world.ts'
import { type Row, type Rows, rowsOfUsers } from '../support/rows.ts'

/** Tables that an export leaves out, each with why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  events: 'a log grows',
  revocations: 'a queue: the tokens that a merge dropped',
  user_keys: 'a data key dies with its user; what it sealed is compared in clear',
  given_user_ids: 'ids that were ever given, of everybody',
  user_facts_versions: 'changes with whatever changes',
}

/** Of an account whose tokens a merge revoked: what comes back says that it waits to be connected again. */
const REVOKED = ['health', 'health_reason', 'access_expires_at', 'refresh_expires_at', 'has_refresh_token']

/** Primary and secondary. */
export type Couple = readonly [string, string]

export interface Exporting {
  readonly world: World
  readonly databaseUrl: string
  /** Accounts that the merge drops: their tokens are gone for good. */
  readonly revoked: ReadonlySet<string>
}

/** One text for both people: equal texts, equal people. What was issued is the primary's alone: the other's ends. */
export async function exportOf(exporting: Exporting, userIds: Couple): Promise<string> {
  const { world: w, databaseUrl, revoked } = exporting
  const rows = await rowsOfUsers(databaseUrl, userIds)
  const accounts = await Promise.all((rows.accounts ?? []).map((row) => accountOf(w, row, revoked)))
  const views = await Promise.all(
    userIds.map(async (id) => (await w.management(w.machineToken(), 'GET', path(id))).json),
  )
  const artifacts = (rows.artifacts ?? []).filter((row) => row.user_id === userIds[0])
  return canonicalJson(plain({ views, ...kept(rows), artifacts, accounts }))
}

function kept(rows: Rows): Rows {
  return Object.fromEntries(Object.entries(rows).filter(([table]) => !(table in LEFT_OUT)))
}

/** Without what each write raises, and its envelope opened. */
async function accountOf(w: World, { generation: _, envelope: __, ...row }: Row, revoked: ReadonlySet<string>) {
  const id = String(row.id)
  if (revoked.has(id)) return Object.fromEntries(Object.entries(row).filter(([column]) => !REVOKED.includes(column)))
  const stored = await w.storage.accounts.find(id)
  if (stored === undefined) throw new Error('an account went while it was exported')
  // A memory of its own, so that what is opened is what lies in the database now.
  const dataKeys = new DataKeys({ keyring: w.keyring, clock: w.clock })
  return { ...row, tokenset: await openTokenset(w.storage, dataKeys, stored), given: await w.accessToken(id) }
}

const plain = (value: unknown): JsonValue => JSON.parse(JSON.stringify(value))
