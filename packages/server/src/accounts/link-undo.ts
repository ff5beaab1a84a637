// Takes a link back (linking.md §5): two users are two again, or an identity leaves the user that it was added to.
import { EnvelopeError } from '../crypto/envelope.ts'
import { Conflict, NotFound } from '../domain/errors.ts'
import { identityKeyOf } from '../domain/identity-key.ts'
import type { MergeSide } from '../domain/merge.ts'
import { type MergeSnapshot, planUndo, type UndoConflict, type UndoPlan } from '../domain/unmerge.ts'
import type { AddressEvidence, User } from '../domain/user.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { LinkRecord } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'
import { moveAccount, provenAddresses } from './link.ts'
import type { LinkDeps } from './link-deps.ts'
import { displayNameOf } from './link-notices.ts'
import { loadSide } from './link-sides.ts'
import { openSnapshot } from './link-snapshot.ts'
import { removeIdentity } from './unlink.ts'

export interface UndoRequest {
  readonly linkId: string
  readonly at: EpochSeconds
  /** What was changed since stays as it is and the rest is taken back; otherwise a change refuses the whole. */
  readonly keepChanges?: boolean
  /** Client or user, for the record. */
  readonly by?: string | undefined
  readonly clientId?: string | undefined
  readonly actor?: string | undefined
}

export interface UndoResult {
  readonly link: LinkRecord
  /** The user that is back; undefined when an identity alone was taken away. */
  readonly restoredUserId: string | undefined
  /** What had changed since, and stayed. */
  readonly conflicts: readonly UndoConflict[]
}

/** Things changed since the link: each of them, for whoever decides. */
export class UndoConflicts extends Conflict {
  readonly conflicts: readonly UndoConflict[]

  constructor(conflicts: readonly UndoConflict[]) {
    super('undo_conflict', 'Something has changed since. With keep_changes that stays, and the rest is undone.')
    this.conflicts = conflicts
  }
}

/**
 * Undoes a link. The secondary comes back with its id, profile, metadata, identities and connected accounts; tokens that
 * the merge revoked are not there any more, so that their accounts wait to be connected again. Sessions do not come back,
 * and those that came in by an identity that leaves end.
 *
 * @throws {NotFound} `inexistent_link`. @throws {UndoConflicts} unless changes are to be kept.
 * @throws {Conflict} `link_undone`; `undo_expired`; `link_superseded`: the primary was itself merged away, undo that first;
 *   `undo_unavailable`: nothing is left to take back; `last_identity`: one of the two could not sign in any more.
 * @throws {VaultConflict} a token was refreshed meanwhile; run the transaction again.
 */
export async function undoLink(tx: Repositories, deps: LinkDeps, request: UndoRequest): Promise<UndoResult> {
  const { linkId, at, by } = request
  const link = await tx.links.find(linkId)
  if (link === undefined) throw new NotFound('inexistent_link', 'The link does not exist.')
  const [primary] = await tx.users.lock([link.primaryUserId])
  requireInTime(link, at)
  if (!(await tx.links.claimUndo(linkId, at, by))) throw new Conflict('link_undone', 'The link is undone already.')
  if (primary === undefined) throw await primaryGone(tx, link)
  const conflicts =
    link.secondaryUserId === undefined
      ? await takeIdentityAway(tx, deps, link, request)
      : await takeApart(tx, deps, { link, primary, request, secondaryUserId: link.secondaryUserId })
  const undone = { ...link, undoneAt: at, undoneBy: by }
  return { link: undone, restoredUserId: link.secondaryUserId, conflicts }
}

/** What undoing a link would do now: the conflicts that want a choice, or the code of what forbids it. */
export type UndoPreview =
  | {
      readonly kind: 'possible'
      /** Undefined when an identity alone would be taken away. */
      readonly plan: UndoPlan | undefined
      readonly conflicts: readonly UndoConflict[]
    }
  | { readonly kind: 'refused'; readonly code: string }

/** Looks at it as `undoLink` would. Writes nothing. */
export async function previewUndo(
  repositories: Repositories,
  deps: Pick<LinkDeps, 'keyring'>,
  { link, at }: { readonly link: LinkRecord; readonly at: EpochSeconds },
): Promise<UndoPreview> {
  const { primaryUserId, secondaryUserId, identity } = link
  try {
    requireInTime(link, at)
    const primary = await repositories.users.find(primaryUserId)
    if (primary === undefined) throw await primaryGone(repositories, link)
    if (secondaryUserId !== undefined) {
      const { plan, now } = await planOfUndo(repositories, deps, { link, primary, secondaryUserId, at })
      requireWaysIn(plan, now)
      return { kind: 'possible', plan, conflicts: plan.conflicts }
    }
    const present = identity && (await repositories.identities.find(identity.connectionId, identity.subject))
    if (present?.userId !== primaryUserId) throw unavailable()
    return { kind: 'possible', plan: undefined, conflicts: [] }
  } catch (error) {
    if (!(error instanceof Conflict)) throw error
    return { kind: 'refused', code: error.code }
  }
}

function requireInTime({ undoneAt, undoUntil }: LinkRecord, at: EpochSeconds): void {
  if (undoneAt !== undefined) throw new Conflict('link_undone', 'The link is undone already.')
  if (undoUntil < at) throw new Conflict('undo_expired', 'The time for undoing this link is over.')
}

async function primaryGone(tx: Pick<Repositories, 'users'>, { primaryUserId }: LinkRecord): Promise<Conflict> {
  return (await tx.users.findAlias(primaryUserId)) === undefined
    ? new Conflict('undo_unavailable', 'The user has been deleted.')
    : new Conflict('link_superseded', 'The user was itself linked into another one since: undo that first.')
}

async function takeIdentityAway(
  tx: Repositories,
  deps: LinkDeps,
  { id, primaryUserId, identity }: LinkRecord,
  { at, clientId, actor }: UndoRequest,
): Promise<readonly UndoConflict[]> {
  if (identity === undefined) throw unavailable()
  const evidence = await tx.evidence.listOfUser(primaryUserId)
  const removed = await removeIdentity(tx, deps.vault, { userId: primaryUserId, ...identity, at, clientId, actor })
  if (removed === undefined) throw unavailable()
  await appendUndone(tx, { id, userId: primaryUserId, at, clientId, actor, conflicts: [] })
  const addresses = provenAddresses({ evidence })
  const connection = await displayNameOf(tx, identity.connectionId)
  const notice = { kind: 'identity_unlinked', linkId: id, userId: primaryUserId, addresses, connection, at } as const
  await deps.notify(tx, notice)
  return []
}

interface Parting {
  readonly link: LinkRecord
  readonly primary: User
  readonly secondaryUserId: string
  readonly request: UndoRequest
}

async function takeApart(
  tx: Repositories,
  deps: LinkDeps,
  { link, primary, secondaryUserId, request }: Parting,
): Promise<readonly UndoConflict[]> {
  const { at, clientId, actor } = request
  const { plan, now } = await planOfUndo(tx, deps, { link, primary, secondaryUserId, at })
  if (plan.conflicts.length > 0 && request.keepChanges !== true) throw new UndoConflicts(plan.conflicts)
  requireWaysIn(plan, now)
  await restoreSecondary(tx, plan)
  await moveBack(tx, deps, plan, at)
  await restoreEvidence(tx, now, plan)
  for (const { clientId, stoppedAt } of plan.secondaryStops)
    await tx.agentStops.put(secondaryUserId, clientId, stoppedAt)
  for (const clientId of plan.resumed) await tx.agentStops.delete(primary.userId, clientId)
  await tx.users.replace(plan.primary)
  await tx.users.removeAlias(secondaryUserId)
  await tx.proofs.deleteOfUser(primary.userId)
  await tx.transactions.deleteOfUser(primary.userId)
  await tx.links.deleteSnapshot(link.id)
  const { conflicts } = plan
  await appendUndone(tx, { id: link.id, userId: primary.userId, secondaryUserId, at, clientId, actor, conflicts })
  const addresses = provenAddresses(now, { evidence: plan.secondaryEvidence })
  await deps.notify(tx, { kind: 'users_parted', linkId: link.id, userId: primary.userId, addresses, at })
  return conflicts
}

/** @throws {Conflict} `undo_unavailable`. */
async function planOfUndo(
  repositories: Repositories,
  deps: Pick<LinkDeps, 'keyring'>,
  { link, primary, secondaryUserId, at }: Omit<Parting, 'request'> & { readonly at: EpochSeconds },
): Promise<{ readonly plan: UndoPlan; readonly now: MergeSide }> {
  // An identity that was unlinked since has taken the id with it.
  if ((await repositories.users.find(secondaryUserId)) !== undefined) throw unavailable()
  const snapshot = await readSnapshot(repositories, deps, link.id)
  const now = await loadSide(repositories, primary)
  return { plan: planUndo(snapshot, now, at), now }
}

async function readSnapshot(
  tx: Repositories,
  { keyring }: Pick<LinkDeps, 'keyring'>,
  linkId: string,
): Promise<MergeSnapshot> {
  const envelope = await tx.links.findSnapshot(linkId)
  if (envelope === undefined) throw unavailable()
  try {
    return openSnapshot(keyring, linkId, envelope)
  } catch (cause) {
    if (!(cause instanceof EnvelopeError)) throw cause
    throw new Conflict('undo_unavailable', 'What is needed to undo this link is damaged.', { cause })
  }
}

const unavailable = () => new Conflict('undo_unavailable', 'There is nothing left to take back.')

function requireWaysIn({ identities }: UndoPlan, now: MergeSide): void {
  if (identities.length === 0 || identities.length === now.identities.length)
    throw new Conflict('last_identity', 'One of the two users would have no way to sign in.')
}

async function restoreSecondary(tx: Repositories, plan: UndoPlan): Promise<void> {
  const { secondary, primary } = plan
  // Its id was never given to anybody else.
  await tx.users.insert(secondary)
  for (const identity of plan.identities) {
    const { connectionId, subject } = identity
    await tx.identities.touch(identity)
    const moved = await tx.identities.move({ connectionId, subject, fromUserId: primary.userId }, secondary.userId)
    if (!moved) throw new Conflict('identity_conflict', 'The users changed meanwhile: try again.')
    await tx.artifacts.deleteOfUser(primary.userId, { identityKey: identityKeyOf(identity) })
  }
}

async function moveBack(tx: Repositories, deps: LinkDeps, plan: UndoPlan, at: EpochSeconds): Promise<void> {
  const { secondary, primary } = plan
  for (const { id, isDefault } of plan.accounts) {
    const account = await tx.accounts.find(id)
    if (account !== undefined) await moveAccount(tx, deps, { account, toUserId: secondary.userId, isDefault, at })
  }
  for (const account of plan.revived) {
    const isDefault = account.userId === secondary.userId && account.isDefault
    await deps.vault.revive(tx, { ...account, isDefault }, at)
  }
  for (const id of plan.primaryDefaults) await tx.accounts.setDefault(id, primary.userId)
}

/** A newer word would not give way to an older one: those of the primary go first. */
async function restoreEvidence(tx: Repositories, now: MergeSide, plan: UndoPlan): Promise<void> {
  const { userId } = plan.primary
  for (const source of new Set(now.evidence.map((one: AddressEvidence) => one.source)))
    await tx.evidence.deleteBySource(userId, source)
  for (const word of plan.primaryEvidence) await tx.evidence.put(word)
  for (const word of plan.secondaryEvidence) await tx.evidence.put(word)
}

interface Undone extends Pick<UndoRequest, 'at' | 'clientId' | 'actor'> {
  readonly id: string
  readonly userId: string
  readonly secondaryUserId?: string
  readonly conflicts: readonly UndoConflict[]
}

async function appendUndone(tx: Repositories, undone: Undone): Promise<void> {
  const { id, userId, secondaryUserId, at, clientId, actor, conflicts } = undone
  const common = {
    at,
    outcome: 'ok',
    ...(clientId === undefined ? {} : { clientId }),
    ...(actor === undefined ? {} : { actor }),
  } as const
  const kept = conflicts.map(({ code }) => code)
  await tx.events.append({ ...common, type: 'link.undone', userId, data: { link_id: id, kept } })
  if (secondaryUserId === undefined) return
  const data = { link_id: id, merged_into: userId }
  await tx.events.append({ ...common, type: 'user.restored', userId: secondaryUserId, data })
}
