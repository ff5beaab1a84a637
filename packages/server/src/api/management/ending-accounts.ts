// The forecast over the API.
import { z } from 'zod'
import { endingAccounts } from '../../accounts/ending-accounts.ts'
import { endOf } from '../../domain/account-end.ts'
import type { VaultAccount } from '../../domain/tokenset.ts'
import type { JsonObject } from '../../lib/json.ts'
import { toIso } from '../../lib/time.ts'
import type { ConnectionRecord } from '../../storage/records.ts'
import { type Operation, operation } from '../operation.ts'
import type { ManagementDeps } from './deps.ts'

const DEFAULT_DAYS = 30
const MAX_DAYS = 400
const DAY_SECONDS = 86_400

const query = z.object({
  within_days: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, { error: 'a whole number of days' })
    .transform(Number)
    .pipe(z.number().max(MAX_DAYS))
    .optional(),
})

const answer = z.object({
  within_days: z.int(),
  total: z.int(),
  counts: z.array(z.object({ connection: z.string(), strategy: z.string(), accounts: z.int() })),
  accounts: z.array(
    z.object({
      id: z.string(),
      user_id: z.string(),
      connection: z.string(),
      purpose: z.enum(['agents', 'sign_in']),
      ends_at: z.string(),
      last_used_at: z.string().optional(),
    }),
  ),
})

export const endingAccountOperations = (deps: ManagementDeps): readonly Operation[] => [listEnding(deps)]

const listEnding = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/connected-accounts/ending',
      summary: 'Accounts that nothing renews any more within so many days, with counts by connection',
      tag: 'users',
      scopes: ['read:users'],
      query,
      answers: { 200: { description: 'The soonest 100, and how many there are', schema: answer } },
    },
    async ({ query: { within_days: days = DEFAULT_DAYS } }) => {
      const before = clock() + days * DAY_SECONDS
      const { total, counts, accounts } = await endingAccounts(storage, before)
      return {
        status: 200,
        body: {
          within_days: days,
          total,
          counts: counts.map(({ connection, accounts: count }) => serializeCount(connection, count)),
          accounts: accounts.map(({ account, connection }) => serializeAccount(account, connection)),
        },
      }
    },
  )

const serializeCount = (connection: ConnectionRecord | undefined, accounts: number): JsonObject => ({
  connection: connection?.name ?? '',
  strategy: connection?.strategy ?? '',
  accounts,
})

function serializeAccount(account: VaultAccount, connection: ConnectionRecord | undefined): JsonObject {
  const { id, userId, purpose, lastUsedAt } = account
  const endsAt = endOf(account) ?? 0
  return {
    id,
    user_id: userId,
    connection: connection?.name ?? '',
    purpose,
    ends_at: toIso(endsAt),
    ...(lastUsedAt === undefined ? {} : { last_used_at: toIso(lastUsedAt) }),
  }
}
