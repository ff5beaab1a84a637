// Takes an identity off a user; on the compatible API it becomes a user of its own (auth0-wire.md §3.3, linking.md §6).
import { Conflict, Invalid, NotFound } from '../domain/errors.ts'
import { connectionSource } from '../domain/identity-key.ts'
import type { AddressEvidence, Grade, Identity, User } from '../domain/user.ts'
import { mayTakePlainId, plainUserId } from '../domain/user-id.ts'
import { isString, type JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { PasswordRecord, Repositories } from '../storage/storage.ts'
import type { AccountVault } from './account-vault.ts'
import { dropIdentity } from './drop-identity.ts'
import { findIdentityOfUser, type KnownIdentity, withConnections } from './find-identity.ts'
import { addressOf } from './restate-evidence.ts'
import { claimSuffixedId, insertUser } from './users.ts'
import { waysIn } from './ways-in.ts'

export interface UnlinkRequest {
  readonly userId: string
  /** As in `identities[]`. */
  readonly provider: string
  readonly identityUserId: string
  readonly at: EpochSeconds
  readonly clientId?: string | undefined
  /** The user who asked. */
  readonly actor?: string | undefined
}

export interface UnlinkResult {
  /** What the user keeps, in order. */
  readonly identities: readonly Identity[]
  /** The user that the identity became. */
  readonly standaloneUserId: string
}

/**
 * Makes an identity a standalone user with empty metadata. Its kept tokenset is dropped and revoked upstream, sessions
 * and grants that came in by it end; connected accounts stay where they are.
 *
 * @throws {NotFound} `inexistent_user`. @throws {Conflict} `identity_conflict`: somebody else was faster.
 * @throws {Invalid} `inexistent_identity`, `ambiguous_identity`; `operation_not_supported` for the first identity and for
 *   the last usable way in.
 */
export async function unlinkIdentity(
  tx: Repositories,
  vault: AccountVault,
  request: UnlinkRequest,
): Promise<UnlinkResult> {
  const { userId, provider, identityUserId, ...who } = request
  const user = await lockUser(tx, userId)
  const identities = await tx.identities.listOfUser(userId)
  const known = await findIdentityOfUser(tx, identities, { provider, userId: identityUserId })
  if (known === undefined) throw new Invalid('inexistent_identity', 'The user has no such identity.')
  const taken = await takeOff(tx, vault, { user, known, ...who })
  const standaloneUserId = await makeStandalone(tx, known, { ...taken, at: who.at })
  // It went with the identity.
  if (taken.password !== undefined) await tx.passwords.insert(taken.password)
  if (taken.passkey !== undefined) await tx.passkeys.insert(taken.passkey)
  await appendUnlinked(tx, request, known, { standalone_user_id: standaloneUserId })
  return { identities: taken.remaining, standaloneUserId }
}

export interface IdentityRemoval extends Omit<UnlinkRequest, 'provider' | 'identityUserId'> {
  readonly connectionId: string
  readonly subject: string
}

/**
 * Takes an identity off a user for good: whoever comes by it later is somebody unknown. Otherwise as `unlinkIdentity`.
 *
 * @returns what the user keeps; undefined when the user has no such identity.
 */
export async function removeIdentity(
  tx: Repositories,
  vault: AccountVault,
  removal: IdentityRemoval,
): Promise<readonly Identity[] | undefined> {
  const { userId, connectionId, subject, ...who } = removal
  const user = await lockUser(tx, userId)
  const identities = await tx.identities.listOfUser(userId)
  const identity = identities.find((one) => one.connectionId === connectionId && one.subject === subject)
  const [known] = await withConnections(tx, identity === undefined ? [] : [identity])
  if (known === undefined) return undefined
  const { remaining } = await takeOff(tx, vault, { user, known, ...who })
  await appendUnlinked(tx, removal, known, {})
  return remaining
}

async function lockUser(tx: Repositories, userId: string): Promise<User> {
  const [user] = await tx.users.lock([userId])
  if (user === undefined) throw new NotFound('inexistent_user', 'The user does not exist.')
  return user
}

interface TakeOff {
  readonly user: User
  readonly known: KnownIdentity
  readonly at: EpochSeconds
}

async function takeOff(tx: Repositories, vault: AccountVault, { user, known, at }: TakeOff) {
  const { identity } = known
  const evidence = await tx.evidence.listOfUser(user.userId)
  await requireRemovable(tx, identity)
  const password = await tx.passwords.find(identity.connectionId, identity.subject)
  const passkey = await tx.passkeys.find(identity.connectionId, identity.subject)
  if (!(await dropIdentity(tx, vault, identity, at)))
    throw new Conflict('identity_conflict', 'The identity changed meanwhile: try again.')
  await tx.transactions.deleteOfUser(user.userId)
  await tx.proofs.deleteOfUser(user.userId)
  return { evidence, password, passkey, remaining: await tx.identities.listOfUser(user.userId) }
}

function appendUnlinked(
  tx: Repositories,
  { userId, at, clientId, actor }: Pick<UnlinkRequest, 'userId' | 'at' | 'clientId' | 'actor'>,
  { connection, identity }: KnownIdentity,
  more: JsonObject,
): Promise<void> {
  return tx.events.append({
    type: 'identity.unlinked',
    at,
    outcome: 'ok',
    userId,
    connectionId: connection.id,
    ...(clientId === undefined ? {} : { clientId }),
    ...(actor === undefined ? {} : { actor }),
    data: { subject: identity.subject, ...more },
  })
}

/** The first identity gave the user its id and stays; one that can sign in must remain (T-LINK-12). */
async function requireRemovable(tx: Repositories, target: Identity): Promise<void> {
  if (target.position === 0)
    throw new Invalid('operation_not_supported', 'The primary identity of a user cannot be unlinked.')
  const others = (await waysIn(tx, target.userId)).filter(({ identity }) => !isSame(identity, target))
  if (others.some(({ usable }) => usable)) return
  throw new Invalid('operation_not_supported', 'The last way to sign in cannot be unlinked.')
}

const isSame = (a: Identity, b: Identity): boolean => a.connectionId === b.connectionId && a.subject === b.subject

async function makeStandalone(
  tx: Repositories,
  { connection, identity }: KnownIdentity,
  {
    password,
    evidence,
    at,
  }: { password: PasswordRecord | undefined; evidence: readonly AddressEvidence[]; at: EpochSeconds },
): Promise<string> {
  const address = addressOf(identity)
  const own = evidenceOf(identity, address, evidence, password !== undefined)
  const best = own.reduce<AddressEvidence | undefined>(
    (top, one) => (!top || one.grade > top.grade ? one : top),
    undefined,
  )
  const userId = await standaloneId(tx, { connection, identity })
  const grade: Grade = best?.grade ?? 0
  await insertUser(tx, {
    userId,
    connection,
    subject: identity.subject,
    profileData: identity.profileData,
    email: address,
    grade,
    source: best?.source ?? connectionSource(connection.id),
    at,
  })
  for (const one of own) await tx.evidence.put({ ...one, userId })
  // Of whoever had this id before: the identity begins anew.
  await tx.secondFactors.deleteOfUser(userId)
  return userId
}

/** What is known of the identity's own address: the connection's word, or for a password our own proofs. */
function evidenceOf(
  identity: Identity,
  address: string | undefined,
  evidence: readonly AddressEvidence[],
  isPassword: boolean,
): readonly AddressEvidence[] {
  const own = connectionSource(identity.connectionId)
  return evidence.filter(
    (one) => one.address === address && (isPassword ? !one.source.startsWith('connection:') : one.source === own),
  )
}

/** The plain id when nobody but this identity's own retired user ever had it, else a suffixed one (contract). */
async function standaloneId(tx: Repositories, { connection, identity }: KnownIdentity): Promise<string> {
  const plain = plainUserId(connection, identity.subject)
  const given = !(await tx.users.claimId(plain))
  const history = { given, retiredIdentity: given ? await findRetiredIdentity(tx, plain) : undefined }
  return mayTakePlainId(history, identity) ? plain : claimSuffixedId(tx, plain)
}

/** The first identity of the user that had this id last and was merged away. */
async function findRetiredIdentity(tx: Repositories, userId: string) {
  if ((await tx.users.find(userId)) !== undefined || (await tx.users.findAlias(userId)) === undefined) return undefined
  const [event] = await tx.events.list({ userId, types: ['user.retired', 'user.deleted'], descending: true, limit: 1 })
  const { connection_id: connectionId, subject } = event?.type === 'user.retired' ? (event.data ?? {}) : {}
  return isString(connectionId) && isString(subject) ? { connectionId, subject } : undefined
}
