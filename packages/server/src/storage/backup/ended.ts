// What does not come back with a backup. Since it was made, sessions may have been ended, tokens revoked, codes used and
// accounts unlinked (threat T-OPS-06): nothing that a restored row says about these can be believed.
import type { BackupRow, TableShape } from './tables.ts'

/** Codes, tokens, sessions, grants, approvals, and browsers on their way. Marks of what was used once go on to mark it: older backups have them here. */
const ENDED: Readonly<Record<string, (row: Cells) => boolean>> = {
  artifacts: (row) => row.kind !== 'ReplayDetection',
  upstream_transactions: () => true,
  connect_requests: () => true,
  sign_ups: () => true,
  // "This was not me" only takes away, and its mail may be read tomorrow.
  proofs: (row) => row.kind !== 'not_me',
}

type Cells = Readonly<Record<string, BackupRow[number] | undefined>>

/** The row as it is restored; undefined when what it stands for has ended. */
export function restoredRow({ name, columns }: TableShape, row: BackupRow): BackupRow | undefined {
  const cells: Cells = Object.fromEntries(columns.map((column, at) => [column.name, row[at]]))
  if (ENDED[name]?.(cells) === true) return undefined
  if (name !== 'accounts' || cells.has_refresh_token !== 1) return row
  const changed: Cells = { ...cells, ...UNKNOWN_REFRESH, intent_generation: cells.generation }
  return columns.map((column) => changed[column.name] ?? null)
}

/**
 * As if a refresh had been sent and its answer were lost, longer ago than can be said: the provider is asked once before
 * the stored token is given to anybody (`vault/`).
 */
const UNKNOWN_REFRESH = { intent_started_at: 0, lease_holder: null, lease_generation: null, lease_until: null } as const
