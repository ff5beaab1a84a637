// Who used which account of a person, from what exchanges and calls through the proxy left behind.
import type { UseCount } from '../../storage/storage.ts'
import type { AccountDeps } from './page.ts'

/** A token was given out; a call was made with one that stayed here. */
export const USES = ['vault.exchanged', 'vault.proxied'] as const
export const DAY_SECONDS = 86_400
const LOOKED_BACK_DAYS = 30
/** Enough for a month of anybody's agents; a flood of them only makes the oldest days fade. */
const MAX_EVENTS = 10_000

/** Successful uses of the last month. */
export async function recentUses({ storage, clock }: AccountDeps, userId: string): Promise<readonly UseCount[]> {
  const since = clock() - LOOKED_BACK_DAYS * DAY_SECONDS
  const counts = await Promise.all(
    USES.map((type) => storage.events.countUses({ userId, type, since, limit: MAX_EVENTS })),
  )
  return counts.flat().filter(({ outcome }) => outcome === 'ok')
}

export interface AccountUse {
  /** Client ids, the one that used it last first. */
  readonly clients: readonly string[]
}

export function usesByAccount(uses: readonly UseCount[]): ReadonlyMap<string, AccountUse> {
  const newestFirst = uses.toSorted((a, b) => b.lastAt - a.lastAt)
  const byAccount = Map.groupBy(newestFirst, ({ accountId }) => accountId ?? '')
  return new Map(
    [...byAccount].map(([id, some]) => [id, { clients: [...new Set(some.map(({ clientId }) => clientId))] }]),
  )
}
