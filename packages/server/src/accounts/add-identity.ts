// Adds an identity that was just proven to a user who was proven, too. Every journey that links an unknown identity ends
// here; joining two users that both exist is `link.ts`.
import { mayLink } from '../domain/addresses-of-user.ts'
import { Conflict, Forbidden, NotFound } from '../domain/errors.ts'
import { connectionSource } from '../domain/identity-key.ts'
import type { Grade, Identity, User } from '../domain/user.ts'
import type { JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import { newLinkId, readUndoDays, recordIdentityLink } from './link-record.ts'

export interface NewIdentity {
  readonly userId: string
  readonly connectionId: string
  readonly subject: string
  /** What the connection said, in wire names. */
  readonly profileData: JsonObject
  /** Canonical; filed as evidence. */
  readonly email: string | undefined
  readonly grade: Grade
  /** Which journey it was, for the record: `suggested`, `client`, `account`, … */
  readonly rule: string
  /** How both sides were proven: ids, grades, methods; no address, no token. */
  readonly proof: JsonObject
  readonly at: EpochSeconds
  readonly clientId?: string | undefined
}

export type AddedIdentity =
  | { readonly kind: 'linked'; readonly user: User; readonly identity: Identity; readonly linkId: string }
  /** The user had it; what the connection says now was filed. */
  | { readonly kind: 'already_linked'; readonly user: User; readonly identity: Identity }
  /** It is another user's and stays there. */
  | { readonly kind: 'conflict'; readonly ownerId: string }

/**
 * Adds the identity at the end of the user's list. The address that it brings becomes evidence with its grade; the
 * user's own address, name and verified flag stay (linking.md §3).
 *
 * @throws {NotFound} `inexistent_user`. @throws {Forbidden} `user_blocked`, `address_unproven`.
 * @throws {Conflict} `identity_conflict`: somebody else was faster.
 */
export async function addIdentity(tx: Repositories, given: NewIdentity): Promise<AddedIdentity> {
  const { userId, connectionId, subject, at } = given
  // The lock runs first: what follows it sees what whoever had it left.
  const [[user], known, identities, undoDays] = await Promise.all([
    tx.users.lock([userId]),
    tx.identities.find(connectionId, subject),
    tx.identities.listOfUser(userId),
    readUndoDays(tx),
  ])
  if (user === undefined) throw new NotFound('inexistent_user', 'The user does not exist.')
  if (user.blocked) throw new Forbidden('user_blocked', 'The user is blocked.')
  if (known !== undefined && known.userId !== userId) return { kind: 'conflict', ownerId: known.userId }
  if (known !== undefined) {
    await tx.identities.touch({ ...known, profileData: given.profileData })
    await fileAddress(tx, given)
    return { kind: 'already_linked', user, identity: { ...known, profileData: given.profileData } }
  }
  if (!mayLink(user)) throw new Forbidden('address_unproven', "The user's address is not proven.")
  const linkId = newLinkId()
  const [identity] = await Promise.all([
    insertLast(tx, given, identities),
    fileAddress(tx, given),
    tx.users.replace({ ...user, updatedAt: at }),
    // What was mailed before, to change the account, was for somebody with fewer ways in (T-PRE-04).
    tx.proofs.deleteOfUser(userId),
    recordIdentityLink(tx, { ...given, id: linkId, undoDays }),
    tx.events.append({
      type: 'identity.linked',
      at,
      outcome: 'ok',
      userId,
      connectionId,
      ...(given.clientId === undefined ? {} : { clientId: given.clientId }),
      data: { link_id: linkId, subject, rule: given.rule, proof: given.proof, grade: given.grade },
    }),
  ])
  return { kind: 'linked', user: { ...user, updatedAt: at }, identity, linkId }
}

/** The user's row is locked: nobody else adds to the list meanwhile. */
async function insertLast(tx: Repositories, given: NewIdentity, others: readonly Identity[]): Promise<Identity> {
  const { userId, connectionId, subject, profileData, at } = given
  const position = (others.at(-1)?.position ?? -1) + 1
  const identity: Identity = {
    connectionId,
    subject,
    userId,
    position,
    profileData,
    createdAt: at,
    lastLogin: undefined,
  }
  if (!(await tx.identities.insert(identity)))
    throw new Conflict('identity_conflict', 'The identity was taken meanwhile: try again.')
  return identity
}

async function fileAddress(tx: Repositories, { userId, connectionId, email, grade, at }: NewIdentity): Promise<void> {
  if (email === undefined) return
  await tx.evidence.put({ userId, address: email, source: connectionSource(connectionId), grade, saidAt: at })
}
