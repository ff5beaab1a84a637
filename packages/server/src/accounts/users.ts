// Makes users and records their sign-ins. Every function runs in the transaction that it is given and appends its event there.
import { newId, randomHex } from '../crypto/hashing.ts'
import { canonicalAddress } from '../domain/address.ts'
import { electAddress, isAddressProven } from '../domain/addresses-of-user.ts'
import type { Connection } from '../domain/connection.ts'
import { Conflict, Invalid } from '../domain/errors.ts'
import { connectionSource } from '../domain/identity-key.ts'
import { followProfile, profileOf, profileToWire } from '../domain/profile.ts'
import type { Grade, Identity, Profile, User } from '../domain/user.ts'
import { plainUserId, suffixedUserId } from '../domain/user-id.ts'
import type { JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'

/** What names a connection here: its row will do. */
export type ConnectionRef = Pick<Connection, 'id' | 'name' | 'strategy'>

export interface NewUser {
  readonly connection: ConnectionRef
  readonly subject: string
  /** What the connection said, in wire names (`name`, `given_name`, `email`, `email_verified`, …). */
  readonly profileData: JsonObject
  /** The address to file as evidence, in any spelling; one that has no canonical form is not kept. */
  readonly email?: string | undefined
  readonly grade: Grade
  /** Source of the evidence: `connection:<id>`, `mail`, `operator`, `self`. */
  readonly source: string
  readonly at: EpochSeconds
  readonly ip?: string | undefined
  readonly userMetadata?: JsonObject | undefined
  readonly appMetadata?: JsonObject | undefined
  readonly blocked?: boolean | undefined
}

/**
 * Makes a user with its first identity. Counts no sign-in: `recordSignIn` does, for the first as for any other.
 *
 * @throws {Conflict} `user_exists`: the identity is somebody's already.
 */
export async function createUser(tx: Repositories, given: NewUser): Promise<User> {
  const userId = await claimUserId(tx, given.connection, given.subject)
  return insertUser(tx, { ...given, userId })
}

/** Inserts a user under an id that was claimed before. */
export async function insertUser(tx: Repositories, given: NewUser & { readonly userId: string }): Promise<User> {
  const { userId, connection, subject, profileData, at } = given
  const address = given.email === undefined ? undefined : canonicalAddress(given.email)
  const user: User = {
    userId,
    email: address,
    emailVerified: address !== undefined && given.grade >= 1,
    profile: profileOf(profileData),
    userMetadata: given.userMetadata ?? {},
    appMetadata: given.appMetadata ?? {},
    blocked: given.blocked ?? false,
    createdAt: at,
    updatedAt: at,
    lastLogin: undefined,
    lastIp: given.ip,
    loginsCount: 0,
  }
  await tx.users.insert(user)
  const identity = { connectionId: connection.id, subject, userId, position: 0, profileData, createdAt: at }
  if (!(await tx.identities.insert({ ...identity, lastLogin: undefined })))
    throw new Conflict('user_exists', 'The user already exists.')
  if (address !== undefined)
    await tx.evidence.put({ userId, address, source: given.source, grade: given.grade, saidAt: at })
  await tx.events.append({
    type: 'user.created',
    at,
    outcome: 'ok',
    userId,
    connectionId: connection.id,
    data: { subject, ...(address === undefined ? {} : { grade: given.grade, source: given.source }) },
  })
  return user
}

export interface NewPasswordUser {
  readonly connection: ConnectionRef
  readonly email: string
  /** argon2id, in its own text form. */
  readonly hash: string
  /** 24 hex digits, or what an operator chose; made when absent. */
  readonly subject?: string | undefined
  readonly profile?: Profile | undefined
  readonly grade: Grade
  readonly source: string
  readonly at: EpochSeconds
  readonly ip?: string | undefined
  readonly userMetadata?: JsonObject | undefined
  readonly appMetadata?: JsonObject | undefined
  readonly blocked?: boolean | undefined
}

/**
 * Makes a user who signs in by address and password.
 *
 * @throws {Invalid} `invalid_address`. Without an address nobody could sign in here.
 * @throws {Conflict} `user_exists`: address or subject is taken in this connection.
 */
export async function createPasswordUser(tx: Repositories, given: NewPasswordUser): Promise<User> {
  const { connection, hash, at } = given
  const address = canonicalAddress(given.email)
  if (address === undefined) throw new Invalid('invalid_address', 'The address has no canonical form.')
  const subject = given.subject ?? randomHex(24)
  const profile = { name: address, nickname: address.slice(0, address.lastIndexOf('@')), ...given.profile }
  const profileData = { ...profileToWire(profile), email: address, email_verified: given.grade >= 1 }
  const user = await createUser(tx, { ...given, subject, profileData, email: address })
  if (!(await tx.passwords.insert({ connectionId: connection.id, subject, address, hash, changedAt: at })))
    throw new Conflict('user_exists', 'The user already exists.')
  return user
}

export interface SignIn {
  readonly user: User
  readonly identity: Identity
  readonly profileData: JsonObject
  readonly email?: string | undefined
  readonly grade: Grade
  readonly at: EpochSeconds
  readonly ip: string | undefined
}

/**
 * Records a sign-in by an identity that its user has: what the connection said now, as profile and as evidence, and the
 * count. The root profile follows the first identity; an address, once there, never changes here (linking.md S1).
 *
 * @returns the user as it is stored now.
 * @throws {Conflict} `user_gone`: deleted or blocked while the provider answered.
 */
export async function recordSignIn(tx: Repositories, signIn: SignIn): Promise<User> {
  const { identity, profileData, at, ip } = signIn
  const { userId } = signIn.user
  const [user] = await tx.users.lock([userId])
  if (user === undefined || user.blocked) throw new Conflict('user_gone', 'The user may not sign in.')
  const { connectionId, subject } = identity
  await tx.identities.touch({ connectionId, subject, profileData, lastLogin: at })
  await putConnectionEvidence(tx, signIn)
  const evidence = await tx.evidence.listOfUser(userId)
  const email = user.email ?? electAddress(evidence)
  const followed =
    identity.position === 0 ? followProfile(user.profile, identity.profileData, profileData) : user.profile
  const next: User = { ...user, email, emailVerified: isAddressProven(evidence, email), profile: followed }
  if (differs(user, next)) await tx.users.replace({ ...next, updatedAt: at })
  await tx.users.recordLogin(userId, at, ip)
  await tx.events.append({
    type: 'user.signed_in',
    at,
    outcome: 'ok',
    userId,
    connectionId,
    data: { subject, first: user.loginsCount === 0 },
  })
  return { ...next, lastLogin: at, lastIp: ip ?? user.lastIp, loginsCount: user.loginsCount + 1 }
}

/** Files what a connection says of an address now. A password connection says nothing: its addresses are proven by mail. */
async function putConnectionEvidence(tx: Repositories, { user, identity, email, grade, at }: SignIn): Promise<void> {
  const address = email === undefined ? undefined : canonicalAddress(email)
  if (address === undefined) return
  if ((await tx.passwords.find(identity.connectionId, identity.subject)) !== undefined) return
  const source = connectionSource(identity.connectionId)
  await tx.evidence.put({ userId: user.userId, address, source, grade, saidAt: at })
}

/** Takes the plain id `provider|subject` for good, or that with a random suffix when it was ever given. */
export async function claimUserId(tx: Repositories, connection: ConnectionRef, subject: string): Promise<string> {
  const plain = plainUserId(connection, subject)
  if (await tx.users.claimId(plain)) return plain
  return claimSuffixedId(tx, plain)
}

export async function claimSuffixedId(tx: Repositories, plain: string): Promise<string> {
  for (;;) {
    const userId = suffixedUserId(plain, newId('', 10).toLowerCase())
    if (await tx.users.claimId(userId)) return userId
  }
}

const differs = (a: User, b: User): boolean =>
  a.email !== b.email || a.emailVerified !== b.emailVerified || JSON.stringify(a.profile) !== JSON.stringify(b.profile)
