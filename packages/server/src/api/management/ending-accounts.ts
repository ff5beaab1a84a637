// The forecast: connected accounts that will stop working by themselves, in time to ask their people.
import { z } from 'zod'
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
/** The soonest; `total` and `counts` are of all. */
const MOST_LISTED = 100

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
      const [accounts, counts] = await Promise.all([
        storage.accounts.listEnding({ before, limit: MOST_LISTED }),
        storage.accounts.countEnding(before),
      ])
      const ids = [...new Set([...counts.keys(), ...accounts.map(({ connectionId }) => connectionId)])]
      const found = await Promise.all(ids.map((id) => storage.connections.find(id)))
      const connections = new Map(found.flatMap((one) => (one === undefined ? [] : [[one.id, one] as const])))
      return {
        status: 200,
        body: {
          within_days: days,
          total: [...counts.values()].reduce((sum, count) => sum + count, 0),
          counts: [...counts].map(([id, count]) => serializeCount(connections.get(id), count)),
          accounts: accounts.map((account) => serializeAccount(account, connections.get(account.connectionId))),
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
