// The forecast: accounts that will stop working by themselves, in time to ask their people.
import type { VaultAccount } from '../domain/tokenset.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { ConnectionRecord } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'

/** The soonest; totals and counts are of all. */
const MOST_LISTED = 100

export interface EndingAccounts {
  readonly total: number
  /** The connection is undefined when it is gone. */
  readonly counts: readonly { readonly connection: ConnectionRecord | undefined; readonly accounts: number }[]
  /** The soonest hundred. */
  readonly accounts: readonly { readonly account: VaultAccount; readonly connection: ConnectionRecord | undefined }[]
}

/** Accounts that nothing renews past `before`. */
export async function endingAccounts(repositories: Repositories, before: EpochSeconds): Promise<EndingAccounts> {
  const [accounts, counts] = await Promise.all([
    repositories.accounts.listEnding({ before, limit: MOST_LISTED }),
    repositories.accounts.countEnding(before),
  ])
  const ids = [...new Set([...counts.keys(), ...accounts.map(({ connectionId }) => connectionId)])]
  const found = await Promise.all(ids.map((id) => repositories.connections.find(id)))
  const connections = new Map(found.flatMap((one) => (one === undefined ? [] : [[one.id, one] as const])))
  return {
    total: [...counts.values()].reduce((sum, count) => sum + count, 0),
    counts: [...counts].map(([id, count]) => ({ connection: connections.get(id), accounts: count })),
    accounts: accounts.map((account) => ({ account, connection: connections.get(account.connectionId) })),
  }
}
