import type { Identity } from '../domain/user.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import type { AccountVault } from './account-vault.ts'

/** Takes an identity away with what it kept and what was issued to it; nobody gets it. */
export async function dropIdentity(
  tx: Repositories,
  vault: AccountVault,
  { userId, connectionId, subject }: Identity,
  at: EpochSeconds,
): Promise<void> {
  const kept = await tx.accounts.findBySubject({ userId, connectionId, subject, purpose: 'sign_in' })
  if (kept !== undefined) await vault.drop(tx, kept, at)
  await tx.identities.unlink({ connectionId, subject, userId }, at)
  await tx.artifacts.deleteOfUser(userId, { identityKey: `${connectionId}|${subject}` })
}
