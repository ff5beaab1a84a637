// Rows of `accounts` and the nouns that they stand for.
import type { StoredAccount, VaultAccount } from '../../domain/tokenset.ts'
import type { AccountsTable } from '../schema.ts'
import { documentOf, flag, listOf } from './rows.ts'

/** Everything but the lease and the envelope. */
export const ACCOUNT_COLUMNS = [
  'id',
  'user_id',
  'connection_id',
  'subject',
  'purpose',
  'label',
  'is_default',
  'client_id',
  'scopes_asked',
  'scopes_granted',
  'health',
  'health_reason',
  'extras',
  'created_at',
  'connected_at',
  'last_used_at',
  'access_expires_at',
  'refresh_expires_at',
  'has_refresh_token',
  'generation',
  'intent_generation',
  'intent_started_at',
] as const

/** What an insert fills, too: nobody holds a lease on a new account. */
export const STORED_COLUMNS = [...ACCOUNT_COLUMNS, 'envelope'] as const

export type AccountRow = Readonly<Pick<AccountsTable, (typeof ACCOUNT_COLUMNS)[number]>>
export type StoredRow = Readonly<Pick<AccountsTable, (typeof STORED_COLUMNS)[number]>>

export const accountOf = (row: AccountRow): VaultAccount => ({
  id: row.id,
  userId: row.user_id,
  connectionId: row.connection_id,
  subject: row.subject,
  purpose: row.purpose,
  label: row.label,
  isDefault: row.is_default === 1,
  clientId: row.client_id ?? undefined,
  scopesAsked: listOf(row.scopes_asked),
  scopesGranted: listOf(row.scopes_granted),
  health: row.health,
  healthReason: row.health_reason ?? undefined,
  extras: documentOf(row.extras),
  createdAt: row.created_at,
  connectedAt: row.connected_at,
  lastUsedAt: row.last_used_at ?? undefined,
  accessExpiresAt: row.access_expires_at ?? undefined,
  refreshExpiresAt: row.refresh_expires_at ?? undefined,
  hasRefreshToken: row.has_refresh_token === 1,
  generation: row.generation,
  intentGeneration: row.intent_generation ?? undefined,
  intentStartedAt: row.intent_started_at ?? undefined,
})

export const storedOf = (row: StoredRow): StoredAccount => ({ ...accountOf(row), envelope: row.envelope })

export const rowOf = (account: StoredAccount): StoredRow => ({
  id: account.id,
  user_id: account.userId,
  connection_id: account.connectionId,
  subject: account.subject,
  purpose: account.purpose,
  label: account.label,
  is_default: flag(account.isDefault),
  client_id: account.clientId ?? null,
  scopes_asked: JSON.stringify(account.scopesAsked),
  scopes_granted: JSON.stringify(account.scopesGranted),
  health: account.health,
  health_reason: account.healthReason ?? null,
  extras: JSON.stringify(account.extras),
  created_at: account.createdAt,
  connected_at: account.connectedAt,
  last_used_at: account.lastUsedAt ?? null,
  access_expires_at: account.accessExpiresAt ?? null,
  refresh_expires_at: account.refreshExpiresAt ?? null,
  has_refresh_token: flag(account.hasRefreshToken),
  generation: account.generation,
  intent_generation: account.intentGeneration ?? null,
  intent_started_at: account.intentStartedAt ?? null,
  envelope: account.envelope,
})
