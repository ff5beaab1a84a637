// Changes a user as an operator asks for it (Management API, tenant file).
import { canonicalAddress } from '../domain/address.ts'
import { isAddressProven } from '../domain/addresses-of-user.ts'
import { Invalid, NotFound } from '../domain/errors.ts'
import { changeProfile, type ProfileWireName, patchMetadata } from '../domain/profile.ts'
import type { User } from '../domain/user.ts'
import type { JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import type { AccountVault } from './account-vault.ts'
import { findPassword, moveAddress } from './change-address.ts'
import { endEverythingIssued } from './end-access.ts'
import { forgetEvidence } from './restate-evidence.ts'

export interface UserChange {
  /** A new address is unproven unless `emailVerified` says otherwise; null takes it away. */
  readonly email?: string | null | undefined
  readonly emailVerified?: boolean | undefined
  readonly blocked?: boolean | undefined
  readonly profile?: Readonly<Partial<Record<ProfileWireName, string | null>>> | undefined
  /** Merged at the top level; null removes a key, `{}` clears. */
  readonly userMetadata?: JsonObject | undefined
  readonly appMetadata?: JsonObject | undefined
  /** argon2id; ends whatever was issued to the user. */
  readonly passwordHash?: string | undefined
}

/**
 * Applies a change to a user. Blocking, and a new password, end every session, grant and token at once.
 *
 * @throws {NotFound} `inexistent_user`.
 * @throws {Invalid} `invalid_address`; `no_password` when the user has no password identity.
 * @throws {Conflict} `user_exists`: the address is somebody's in the password connection.
 */
export async function updateUser(
  tx: Repositories,
  vault: AccountVault,
  { userId, change, at, clientId }: UserUpdate,
): Promise<User> {
  const [user] = await tx.users.lock([userId])
  if (user === undefined) throw new NotFound('inexistent_user', 'The user does not exist.')
  const email = wantedAddress(change, user)
  if (email !== user.email) await moveAddress(tx, user, { email, word: { source: 'operator', grade: 0 }, at })
  await restateAddress(tx, { user, email, change, at })
  if (change.passwordHash !== undefined) await replacePassword(tx, vault, { user, hash: change.passwordHash, at })
  const next: User = {
    ...user,
    email,
    emailVerified: isAddressProven(await tx.evidence.listOfUser(userId), email),
    profile: changeProfile(user.profile, change.profile ?? {}),
    userMetadata: patchMetadata(user.userMetadata, change.userMetadata),
    appMetadata: patchMetadata(user.appMetadata, change.appMetadata),
    blocked: change.blocked ?? user.blocked,
    updatedAt: at,
  }
  await tx.users.replace(next)
  if (next.blocked && !user.blocked) await endEverythingIssued(tx, vault, userId)
  await appendEvents(tx, user, next, { userId, change, at, clientId })
  return next
}

export interface UserUpdate {
  readonly userId: string
  readonly change: UserChange
  readonly at: EpochSeconds
  /** Who asked, for the event. */
  readonly clientId?: string | undefined
}

function wantedAddress(change: UserChange, user: User): string | undefined {
  if (change.email === undefined) return user.email
  if (change.email === null) return undefined
  const address = canonicalAddress(change.email)
  if (address === undefined) throw new Invalid('invalid_address', 'The email address is not valid.')
  return address
}

/** What the operator says of the address counts as our own proof (G3), or takes every proof away. */
async function restateAddress(
  tx: Repositories,
  { user, email, change, at }: { user: User; email: string | undefined; change: UserChange; at: EpochSeconds },
): Promise<void> {
  if (change.emailVerified === undefined || email === undefined) return
  const { userId } = user
  if (!change.emailVerified) await forgetEvidence(tx, userId, email, () => true)
  const grade = change.emailVerified ? 3 : 0
  await tx.evidence.put({ userId, address: email, source: 'operator', grade, saidAt: at })
}

async function replacePassword(
  tx: Repositories,
  vault: AccountVault,
  { user, hash, at }: { user: User; hash: string; at: EpochSeconds },
): Promise<void> {
  const password = await findPassword(tx, user.userId)
  if (password === undefined) throw new Invalid('no_password', 'The user has no password to change.')
  await tx.passwords.replaceHash(password.connectionId, password.subject, hash, at)
  // Whoever signed in with the old password may be the reason for the new one, and may hold more than a session (T-PRE-02).
  await endEverythingIssued(tx, vault, user.userId)
}

async function appendEvents(
  tx: Repositories,
  before: User,
  after: User,
  { userId, change, at, clientId }: UserUpdate,
): Promise<void> {
  const common = { at, outcome: 'ok', userId, ...(clientId === undefined ? {} : { clientId }) } as const
  const changed = Object.keys(change).filter((key) => change[key as keyof UserChange] !== undefined)
  await tx.events.append({ ...common, type: 'user.updated', data: { changed } })
  if (before.blocked !== after.blocked)
    await tx.events.append({ ...common, type: after.blocked ? 'user.blocked' : 'user.unblocked' })
}
