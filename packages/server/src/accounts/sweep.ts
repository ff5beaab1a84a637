// What happens to an account that sat on somebody's address, when its true owner first proves it (linking.md §7). This
// answers the pre-hijacking attacks (T-PRE-01 to T-PRE-05).
//
// The sitter loses what hangs on the address: the address itself, passwords that sign in by it, sessions, grants, tokens
// and everything pending. An identity at a provider stays with its user: whoever comes by it proves again to be that very
// account there, reaches nothing of the owner's, and is not locked out of what was always their own.

import { canonicalAddress } from '../domain/address.ts'
import { electAddress, gradeOfAddress, isAddressProven } from '../domain/addresses-of-user.ts'
import type { Identity, User } from '../domain/user.ts'
import { isString } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import type { AccountVault } from './account-vault.ts'
import { dropIdentity } from './drop-identity.ts'
import { endEverythingIssued } from './end-access.ts'
import { forgetEvidence } from './restate-evidence.ts'

export interface Sweep {
  /** Canonical. */
  readonly address: string
  /** Who proved it: untouched. */
  readonly ownerId: string
  readonly at: EpochSeconds
}

export interface OwnSweep {
  readonly userId: string
  /** The one that was proven; canonical. */
  readonly address: string
  /** What they came by. */
  readonly kept: Pick<Identity, 'connectionId' | 'subject'>
  readonly at: EpochSeconds
}

/** Takes the address from every other user who only claimed it. @returns whom it was taken from. */
export async function sweepSquatters(
  tx: Repositories,
  vault: AccountVault,
  { address, ownerId, at }: Sweep,
): Promise<readonly string[]> {
  const claims = (await tx.evidence.listForAddress(address)).filter(({ userId }) => userId !== ownerId)
  const swept: string[] = []
  for (const user of await tx.users.lock([...new Set(claims.map(({ userId }) => userId))].sort())) {
    // Read again under the lock: they may have proven it meanwhile.
    const evidence = await tx.evidence.listOfUser(user.userId)
    if (gradeOfAddress(evidence, address) !== 0) continue
    await takeAddress(tx, vault, user, { address, ownerId, at })
    swept.push(user.userId)
  }
  return swept
}

/**
 * The owner of an address gets an account to themselves that somebody may have prepared for them: passwords and
 * identities other than the one that they came by go, with every other address, connected accounts, second factors and
 * everything issued (T-PRE-01, T-PRE-03). An address that stayed would let its own owner in again.
 */
export async function sweepOwnAccount(
  tx: Repositories,
  vault: AccountVault,
  { userId, address, kept, at }: OwnSweep,
): Promise<void> {
  const others = (await tx.identities.listOfUser(userId)).filter(
    ({ connectionId, subject }) => connectionId !== kept.connectionId || subject !== kept.subject,
  )
  for (const identity of others) await dropIdentity(tx, vault, identity, at)
  // An agent of the owner's would write into what is somebody else's.
  const connected = await tx.accounts.listOfUser(userId, { purpose: 'agents' })
  for (const { id } of connected) {
    const account = await tx.accounts.find(id)
    if (account !== undefined) await vault.drop(tx, account, at)
  }
  await keepAddress(tx, userId, address, at)
  // Whoever prepared the account would keep its owner out by them.
  await tx.secondFactors.deleteOfUser(userId)
  await endEverythingIssued(tx, vault, userId)
  if (others.length === 0 && connected.length === 0) return
  await tx.events.append({
    type: 'user.swept',
    at,
    outcome: 'ok',
    userId,
    data: { why: 'address_first_proven', identities: others.length, accounts: connected.length },
  })
}

/** Whoever had proven another address would hear of everything, and could come in by it (linking.md S7). */
async function keepAddress(tx: Repositories, userId: string, address: string, at: EpochSeconds): Promise<void> {
  const [user] = await tx.users.lock([userId])
  if (user === undefined) return
  const evidence = await tx.evidence.listOfUser(userId)
  const gone = evidence.map((one) => one.address).filter((one) => one !== address)
  for (const one of gone) await forgetEvidence(tx, userId, one, () => true)
  const left = await tx.evidence.listOfUser(userId)
  const profile = gone.reduce((profile, one) => withoutAddress({ profile }, one), user.profile)
  const emailVerified = isAddressProven(left, address)
  await tx.users.replace({ ...user, profile, email: address, emailVerified, updatedAt: at })
}

async function takeAddress(
  tx: Repositories,
  vault: AccountVault,
  user: User,
  { address, ownerId, at }: Sweep,
): Promise<void> {
  const { userId } = user
  await forgetEvidence(tx, userId, address, () => true)
  let passwords = 0
  for (const identity of await tx.identities.listOfUser(userId)) {
    const password = await tx.passwords.find(identity.connectionId, identity.subject)
    if (password?.address !== address) continue
    await dropIdentity(tx, vault, identity, at)
    passwords++
  }
  const left = await tx.evidence.listOfUser(userId)
  const email = user.email === address ? electAddress(left) : user.email
  const profile = withoutAddress(user, address)
  await tx.users.replace({ ...user, profile, email, emailVerified: isAddressProven(left, email), updatedAt: at })
  await endEverythingIssued(tx, vault, userId)
  await tx.events.append({
    type: 'user.swept',
    at,
    outcome: 'ok',
    userId,
    data: { why: 'address_proven_by_another', owner: ownerId, passwords },
  })
}

/** Pages and tokens would go on to show it where it is the name. */
function withoutAddress({ profile }: Pick<User, 'profile'>, address: string): User['profile'] {
  const entries = Object.entries(profile).filter(([, value]) => !isString(value) || canonicalAddress(value) !== address)
  return Object.fromEntries(entries)
}
