// What every journey that links does: the arriving identity becomes a proven user's, and the person is told by mail.
import { type AddedIdentity, addIdentity, type NewIdentity } from '../accounts/add-identity.ts'
import { provenAddresses } from '../accounts/link.ts'
import { displayNameOf } from '../accounts/link-notices.ts'
import { Conflict, Forbidden, NotFound } from '../domain/errors.ts'
import type { Repositories } from '../storage/storage.ts'
import type { Arrival } from './arrival.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'

/**
 * Adds an arrival to a user who was proven. Its tokens are the caller's to keep.
 *
 * @throws {FlowError} `user_blocked`, `address_unproven`. @throws {Conflict} `identity_conflict`: it is somebody's now.
 */
export async function addArrival(
  deps: FlowDeps,
  tx: Repositories,
  { connection, subject, profileData, email, grade }: Arrival,
  given: Pick<NewIdentity, 'userId' | 'rule' | 'proof' | 'at' | 'clientId'>,
): Promise<Exclude<AddedIdentity, { kind: 'conflict' }>> {
  const identity = { ...given, connectionId: connection.id, subject, profileData, email, grade }
  const added = await addIdentity(tx, identity).catch((cause: unknown) => {
    if (cause instanceof NotFound) throw new FlowError('user_blocked', { cause })
    if (!(cause instanceof Forbidden)) throw cause
    throw new FlowError(cause.code === 'user_blocked' ? 'user_blocked' : 'address_unproven', { cause })
  })
  if (added.kind === 'conflict') throw new Conflict('identity_conflict', 'The identity is somebody else’s now.')
  if (added.kind === 'linked')
    await tellOf(deps, tx, { kind: 'identity_linked', linkId: added.linkId, connectionId: connection.id, ...given })
  return added
}

/** Mails every proven address of a user what was added to, or taken from, the ways to sign in. */
export async function tellOf(
  { notifyLink }: Pick<FlowDeps, 'notifyLink'>,
  tx: Repositories,
  told: {
    readonly kind: 'identity_linked' | 'identity_unlinked'
    readonly linkId: string | undefined
    readonly userId: string
    readonly connectionId: string
    readonly at: number
  },
): Promise<void> {
  const { kind, linkId, userId, connectionId, at } = told
  const addresses = provenAddresses({ evidence: await tx.evidence.listOfUser(userId) })
  await notifyLink(tx, { kind, linkId, userId, addresses, connection: await displayNameOf(tx, connectionId), at })
}
