// A connected account as its owner's apps see it (auth0-wire.md §3.5).
import { z } from 'zod'
import { endOf } from '../../domain/account-end.ts'
import type { VaultAccount } from '../../domain/tokenset.ts'
import type { JsonObject } from '../../lib/json.ts'
import { toIso } from '../../lib/time.ts'
import type { ConnectionRecord } from '../../storage/records.ts'

export const accountShape = z.object({
  id: z.string(),
  connection: z.string(),
  access_type: z.literal('offline'),
  scopes: z.array(z.string()),
  created_at: z.string(),
  expires_at: z.string().optional(),
})

export function serializeAccount(account: VaultAccount, connection: Pick<ConnectionRecord, 'name'>): JsonObject {
  return {
    id: account.id,
    connection: connection.name,
    access_type: 'offline',
    scopes: account.scopesGranted,
    created_at: toIso(account.createdAt),
    ...expiryOf(account),
  }
}

export function expiryOf(account: VaultAccount): JsonObject {
  const endsAt = endOf(account)
  return endsAt === undefined ? {} : { expires_at: toIso(endsAt) }
}
