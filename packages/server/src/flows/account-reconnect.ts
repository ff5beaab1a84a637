// New tokens for an account that is connected already; another account at the provider is not taken for it.
import type { User } from '../domain/user.ts'
import type { Repositories } from '../storage/storage.ts'
import { keepAccount, requireMayAdd } from './account-connect.ts'
import type { AccountNotice } from './account-notice.ts'
import { type Arrival, giveBack } from './arrival.ts'
import type { FlowDeps } from './deps.ts'

/** Stands in a transaction where nothing is to be reconnected. */
export const NEW_ACCOUNT = 'new'

export interface Reconnection {
  readonly arrival: Arrival
  /** The connected account that was to be renewed. */
  readonly accountId: string
}

export async function reconnectAccount(
  deps: FlowDeps,
  tx: Repositories,
  { userId }: User,
  { arrival, accountId }: Reconnection,
): Promise<AccountNotice> {
  const known = await tx.accounts.find(accountId)
  const own = known?.userId === userId ? known : undefined
  if (own === undefined || own.connectionId !== arrival.connection.id || own.subject !== arrival.subject) {
    await giveBack(deps, tx, arrival, userId)
    return { code: 'gone', thing: '' }
  }
  await requireMayAdd(tx, userId)
  await keepAccount(deps, tx, userId, arrival, own.purpose)
  return { code: 'reconnected', thing: own.label }
}
