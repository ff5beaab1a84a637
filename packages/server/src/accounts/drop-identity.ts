// An identity leaves a user for good, and everything that came by it with it.
import { identityKeyOf } from '../domain/identity-key.ts'
import type { Identity } from '../domain/user.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import type { AccountVault } from './account-vault.ts'
import { restateEvidence } from './restate-evidence.ts'

/**
 * Takes an identity away with what it kept, what was issued to it and what its connection said of the user's address;
 * nobody gets it. The user's row is locked for it.
 *
 * @returns false when it was not the user's any more: nothing but what was issued to it is gone.
 */
export async function dropIdentity(
  tx: Repositories,
  vault: AccountVault,
  identity: Identity,
  at: EpochSeconds,
): Promise<boolean> {
  const { userId, connectionId, subject } = identity
  const kept = await tx.accounts.findBySubject({ userId, connectionId, subject, purpose: 'sign_in' })
  if (kept !== undefined) await vault.drop(tx, kept, at)
  const wasTheirs = await tx.identities.unlink({ connectionId, subject, userId }, at)
  await tx.artifacts.deleteOfUser(userId, { identityKey: identityKeyOf({ connectionId, subject }) })
  if (wasTheirs) await restateEvidence(tx, identity, at)
  return wasTheirs
}
