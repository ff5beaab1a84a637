// Ends what a user has: access alone, or the user.
import type { StoredAccount } from '../domain/tokenset.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import type { AccountVault } from './account-vault.ts'
import { forgetSnapshots } from './link-snapshot.ts'

/**
 * Ends every session, grant, code and token of a user and whatever is under way, and makes refreshes in flight fail
 * their write. Connected accounts stay.
 */
export async function revokeUserAccess(
  tx: Repositories,
  vault: AccountVault,
  { userId, at, clientId }: { userId: string; at: EpochSeconds; clientId: string },
): Promise<void> {
  await endEverythingIssued(tx, vault, userId)
  await tx.events.append({ type: 'user.access_revoked', at, outcome: 'ok', userId, clientId })
}

/** The same without an event of its own, for changes that record a larger fact. */
export async function endEverythingIssued(tx: Repositories, vault: AccountVault, userId: string): Promise<void> {
  await tx.artifacts.deleteOfUser(userId)
  await tx.connects.deleteOfUser(userId)
  await tx.transactions.deleteOfUser(userId)
  await tx.proofs.deleteOfUser(userId)
  for (const account of await storedAccounts(tx, userId)) await vault.interrupt(tx, account)
}

/**
 * Deletes a user with everything of theirs; their tokens at providers are queued for revocation, their data key is
 * destroyed. The user id is never given again.
 *
 * @returns false when there was none.
 */
export async function deleteUser(
  tx: Repositories,
  vault: AccountVault,
  {
    userId,
    at,
    clientId,
    actor,
  }: { userId: string; at: EpochSeconds; clientId?: string | undefined; actor?: string | undefined },
): Promise<boolean> {
  const [user] = await tx.users.lock([userId])
  if (user === undefined) return false
  for (const account of await storedAccounts(tx, userId)) await vault.drop(tx, account, at)
  await forgetSnapshots(tx, userId)
  await tx.apart.deleteOfUser(userId)
  await tx.secondFactors.deleteOfUser(userId)
  const deleted = await tx.users.delete(userId)
  await tx.events.append({
    type: 'user.deleted',
    at,
    outcome: 'ok',
    userId,
    ...(clientId === undefined ? {} : { clientId }),
    ...(actor === undefined ? {} : { actor }),
  })
  return deleted
}

async function storedAccounts(tx: Repositories, userId: string): Promise<readonly StoredAccount[]> {
  const stored: StoredAccount[] = []
  for (const { id } of await tx.accounts.listOfUser(userId)) {
    const account = await tx.accounts.find(id)
    if (account !== undefined) stored.push(account)
  }
  return stored
}
