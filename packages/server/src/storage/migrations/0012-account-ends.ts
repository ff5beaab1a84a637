// Accounts by when they end by themselves, so that those that end soon are found without looking at all.
// docs/formats/storage.md explains the table.
import type { Migration } from '../migrations.ts'

export const accountEnds: Migration = () => [
  `create index accounts_end on accounts (
    (case when has_refresh_token = 1 then refresh_expires_at else access_expires_at end), id
  ) where health not in ('revoked', 'reconnect_required')
    and (case when has_refresh_token = 1 then refresh_expires_at else access_expires_at end) is not null`,
]
