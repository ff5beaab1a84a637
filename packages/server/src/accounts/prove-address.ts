// A user has proven a mailbox by something that was mailed to it.
import { isAddressProven } from '../domain/addresses-of-user.ts'
import type { AddressEvidence, User } from '../domain/user.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import type { AccountVault } from './account-vault.ts'
import { sweepSquatters } from './sweep.ts'

/** Makes the address G3, and takes it from whoever only claimed it (linking.md §7). @returns all that is known of the user's. */
export async function proveAddress(
  tx: Repositories,
  vault: AccountVault,
  { user, address, at }: { readonly user: User; readonly address: string; readonly at: EpochSeconds },
): Promise<readonly AddressEvidence[]> {
  const { userId } = user
  await tx.evidence.put({ userId, address, source: 'mail', grade: 3, saidAt: at })
  const evidence = await tx.evidence.listOfUser(userId)
  await tx.users.replace({ ...user, emailVerified: isAddressProven(evidence, user.email), updatedAt: at })
  await sweepSquatters(tx, vault, { address, ownerId: userId, at })
  const data = { grade: 3, source: 'mail' }
  await tx.events.append({ type: 'user.address_proven', at, outcome: 'ok', userId, data })
  return evidence
}
