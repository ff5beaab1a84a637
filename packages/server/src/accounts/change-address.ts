// Moves a user to another address: what was known of the old one, and a password that signs in by it.
import { isAddressProven } from '../domain/addresses-of-user.ts'
import { Conflict } from '../domain/errors.ts'
import type { AddressEvidence, User } from '../domain/user.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import type { AccountVault } from './account-vault.ts'
import { forgetEvidence } from './restate-evidence.ts'
import { sweepSquatters } from './sweep.ts'

/** Who says so of the new address, and how surely. */
export type Word = Pick<AddressEvidence, 'source' | 'grade'>

/**
 * Leaves the old address: what we or an operator knew of it spoke of an address that is no longer this user's; a
 * connection's word stands as long as its identity does. The password of the first identity follows the new address.
 *
 * @throws {Conflict} `user_exists`: the address is somebody's in the password connection.
 */
export async function moveAddress(
  tx: Repositories,
  user: User,
  { email, word, at }: { readonly email: string | undefined; readonly word: Word; readonly at: EpochSeconds },
): Promise<void> {
  if (user.email !== undefined)
    await forgetEvidence(tx, user.userId, user.email, (source) => !source.startsWith('connection:'))
  if (email !== undefined) {
    await forgetEvidence(tx, user.userId, email, (source) => word.grade === 0 || !source.startsWith('connection:'))
    await tx.evidence.put({ userId: user.userId, address: email, saidAt: at, ...word })
  }
  const password = await findPassword(tx, user.userId)
  if (password === undefined || email === undefined) return
  const { connectionId, subject, identity } = password
  if (!(await tx.passwords.replaceAddress(connectionId, subject, email)))
    throw new Conflict('user_exists', 'The specified new email already exists')
  const profileData = { ...identity.profileData, email }
  await tx.identities.touch({ connectionId, subject, profileData, lastLogin: identity.lastLogin })
}

/**
 * The user proved this mailbox and goes by it from now on. Whoever only claimed it loses it; what was mailed about the
 * account before, to an address that may be somebody else's by now, opens nothing any more.
 *
 * @throws {Conflict} `address_taken`: another user has proven it, or signs in by it.
 */
export async function changeAddress(
  tx: Repositories,
  vault: AccountVault,
  { user, address, at }: { readonly user: User; readonly address: string; readonly at: EpochSeconds },
): Promise<void> {
  const { userId } = user
  const holders = (await tx.users.listByAddress(address)).filter((one) => one.userId !== userId)
  if (holders.some(({ emailVerified }) => emailVerified)) throw addressTaken()
  await sweepSquatters(tx, vault, { address, ownerId: userId, at })
  await moveAddress(tx, user, { email: address, word: { source: 'mail', grade: 3 }, at }).catch((cause: unknown) => {
    throw cause instanceof Conflict && cause.code === 'user_exists' ? addressTaken(cause) : cause
  })
  const emailVerified = isAddressProven(await tx.evidence.listOfUser(userId), address)
  await tx.users.replace({ ...user, email: address, emailVerified, updatedAt: at })
  await tx.proofs.deleteOfUser(userId)
  await tx.events.append({ type: 'user.address_changed', at, outcome: 'ok', userId, actor: userId })
}

const addressTaken = (cause?: unknown) =>
  new Conflict('address_taken', 'Another account here goes by this address.', { cause })

export async function findPassword(tx: Repositories, userId: string) {
  for (const identity of await tx.identities.listOfUser(userId)) {
    const { connectionId, subject } = identity
    if ((await tx.passwords.find(connectionId, subject)) !== undefined) return { connectionId, subject, identity }
  }
  return undefined
}
