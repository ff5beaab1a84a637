// Joins two users into one (linking.md §5; compatible form: auth0-wire.md §3.2). The plan is made, compared with the one
// that was shown, and applied, under the same lock.
import { EnvelopeError } from '../crypto/envelope.ts'
import { sha256Base64url } from '../crypto/hashing.ts'
import { isAddressProven } from '../domain/addresses-of-user.ts'
import { Conflict } from '../domain/errors.ts'
import type { NewEvent } from '../domain/event.ts'
import {
  describeMergePlan,
  evidenceAfter,
  type MergePlan,
  type MergePolicy,
  type MergeSide,
  mergeFingerprint,
  planMerge,
  rootOf,
} from '../domain/merge.ts'
import type { StoredAccount } from '../domain/tokenset.ts'
import type { AddressEvidence, Identity, User } from '../domain/user.ts'
import { canonicalJson } from '../lib/canonical-json.ts'
import type { JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { LinkRecord } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'
import { VaultConflict } from '../vault/keeping.ts'
import type { LinkDeps } from './link-deps.ts'
import { newLinkId } from './link-record.ts'
import { loadMergeable, type MergePair, type MergeSides, requireTwo } from './link-sides.ts'
import { sealSnapshot } from './link-snapshot.ts'

export interface MergePreview extends MergeSides {
  readonly plan: MergePlan
  /** Stays the same until something changes that the plan depends on. */
  readonly planHash: string
}

export interface MergeRequest extends MergePair {
  readonly policy: MergePolicy & { readonly undoDays: number }
  /** Of the preview that was agreed to; undefined: whatever the plan is now. */
  readonly planHash?: string | undefined
  /** Which rule allowed it, for the record: `management`, `link_with`, … */
  readonly rule: string
  /** How both sides were proven: ids, grades, scopes; no address, no token. */
  readonly proof: JsonObject
  readonly at: EpochSeconds
  readonly clientId?: string | undefined
  /** The user who asked. */
  readonly actor?: string | undefined
}

export interface MergeResult {
  readonly user: User
  /** The primary's, in order. */
  readonly identities: readonly Identity[]
  readonly plan: MergePlan
  readonly link: LinkRecord
}

const DAY_SECONDS = 86_400

/**
 * What joining the two would do. Writes nothing.
 *
 * @throws as `mergeUsers`, but for what only happens meanwhile.
 */
export async function previewMerge(
  repositories: Repositories,
  request: MergePair & { readonly policy: MergePolicy },
): Promise<MergePreview> {
  requireTwo(request)
  const found = await Promise.all([
    repositories.users.find(request.primaryUserId),
    repositories.users.find(request.secondaryUserId),
  ])
  const users = found.filter((user) => user !== undefined)
  return planOf(await loadMergeable(repositories, users, request), request.policy)
}

/**
 * Moves identities, connected accounts and evidence of the secondary to the primary and retires the secondary: its
 * sessions, grants, tokens and whatever was pending end, its id answers no longer and becomes an alias. Leaves a record,
 * and a sealed snapshot for undoing it.
 *
 * After the transaction the secondary's data key is to be forgotten (`vault.forgetUser`).
 *
 * @throws {NotFound} `inexistent_user`. @throws {Invalid} `self_link`.
 * @throws {Forbidden} `address_unproven`, `user_blocked`.
 * @throws {Conflict} `plan_stale`: another plan than the one that was shown; `identity_conflict`: something moved meanwhile.
 * @throws {VaultConflict} a token was refreshed meanwhile; run the transaction again.
 */
export async function mergeUsers(tx: Repositories, deps: LinkDeps, request: MergeRequest): Promise<MergeResult> {
  const { primaryUserId, secondaryUserId, at } = request
  requireTwo(request)
  // In id order, whichever is the primary: opposite links at once must not wait for each other.
  const locked = await tx.users.lock([primaryUserId, secondaryUserId].sort())
  const { primary, secondary, plan, planHash } = planOf(await loadMergeable(tx, locked, request), request.policy)
  if (request.planHash !== undefined && request.planHash !== planHash)
    throw new Conflict('plan_stale', 'The users have changed since the preview: look at a new one.')
  await applyAccounts(tx, deps, plan, at)
  const evidence = await moveBelongings(tx, secondary, plan)
  const user = primaryAfter(primary.user, plan, evidence, at)
  const link = linkOf(request, plan, planHash)
  const snapshot = { primary, secondary, policy: request.policy, mergedAt: at }
  await Promise.all([
    tx.users.replace(user),
    // What was mailed or begun for either before speaks of somebody who is no more.
    tx.proofs.deleteOfUser(primaryUserId),
    tx.users.delete(secondaryUserId),
    tx.users.addAlias(secondaryUserId, primaryUserId, at),
    tx.links.insert(link),
    tx.links.putSnapshot(link.id, sealSnapshot(deps.keyring, link.id, snapshot), link.undoUntil),
    tx.events.appendAll(eventsOf(request, link)),
  ])
  const addresses = provenAddresses(primary, secondary)
  const [identities] = await Promise.all([
    tx.identities.listOfUser(primaryUserId),
    deps.notify(tx, { kind: 'users_linked', linkId: link.id, userId: primaryUserId, addresses, at }),
  ])
  return { user, identities, plan, link }
}

function planOf(sides: MergeSides, policy: MergePolicy): MergePreview {
  const fingerprint = canonicalJson(mergeFingerprint(sides.primary, sides.secondary, policy))
  return { ...sides, plan: planMerge(sides.primary, sides.secondary, policy), planHash: sha256Base64url(fingerprint) }
}

/** What is dropped goes first, so that what moves finds its place free. */
async function applyAccounts(tx: Repositories, deps: LinkDeps, plan: MergePlan, at: EpochSeconds): Promise<void> {
  for (const { id } of plan.accounts.filter(({ outcome }) => outcome === 'dropped')) {
    const account = await tx.accounts.find(id)
    if (account !== undefined) await deps.vault.drop(tx, account, at)
  }
  for (const { id, isDefault } of plan.accounts.filter(({ outcome }) => outcome === 'moved')) {
    const account = await tx.accounts.find(id)
    if (account === undefined) throw new VaultConflict('an account was taken away just now')
    await moveAccount(tx, deps, { account, toUserId: plan.primaryUserId, isDefault, at })
  }
  // Connected between the look and here: the next try sees it.
  if ((await tx.accounts.listOfUser(plan.secondaryUserId)).length > 0)
    throw new VaultConflict('an account was connected just now')
}

/** @throws {VaultConflict} its token was refreshed just now. */
export async function moveAccount(
  tx: Repositories,
  { vault }: LinkDeps,
  {
    account,
    toUserId,
    isDefault,
    at,
  }: { account: StoredAccount; toUserId: string; isDefault: boolean; at: EpochSeconds },
): Promise<void> {
  const { id, generation } = account
  const envelope = await vault.reseal(tx, account, toUserId).catch((error: unknown) => {
    if (error instanceof EnvelopeError) return undefined
    throw error
  })
  // What does not open is of no use to anybody, and is not given to somebody else.
  if (envelope === undefined) return vault.drop(tx, account, at)
  if (!(await tx.accounts.move(id, toUserId, envelope, generation)))
    throw new VaultConflict('the account was refreshed just now')
  if (isDefault) await tx.accounts.setDefault(id, toUserId)
  return undefined
}

/** Identities, words on addresses and stopped agents, in one round trip. @returns what stands on the primary's addresses. */
async function moveBelongings(
  tx: Repositories,
  secondary: MergeSide,
  plan: MergePlan,
): Promise<readonly AddressEvidence[]> {
  const { primaryUserId, secondaryUserId } = plan
  const [evidence] = await Promise.all([
    Promise.all([
      tx.evidence.moveUser(secondaryUserId, primaryUserId),
      ...evidenceAfter(plan).map((word) => tx.evidence.put(word)),
    ]).then(() => tx.evidence.listOfUser(primaryUserId)),
    ...secondary.identities.map((identity) => moveIdentity(tx, secondary.user, identity, primaryUserId)),
    ...secondary.stops.map(({ clientId, stoppedAt }) => tx.agentStops.put(primaryUserId, clientId, stoppedAt)),
  ])
  return evidence
}

/** Those that are moved at once keep their order: none of the statements waits for another. */
async function moveIdentity(
  tx: Repositories,
  owner: User,
  { connectionId, subject, userId, profileData, position, lastLogin }: Identity,
  toUserId: string,
): Promise<void> {
  // The root profile of the secondary lives on as what its first identity says (auth0-wire.md §3.2).
  const shown = { connectionId, subject, profileData: { ...profileData, ...rootOf(owner) }, lastLogin }
  const [moved] = await Promise.all([
    tx.identities.move({ connectionId, subject, fromUserId: userId }, toUserId),
    ...(position === 0 ? [tx.identities.touch(shown)] : []),
  ])
  if (!moved) throw new Conflict('identity_conflict', 'The users changed meanwhile: try again.')
}

const primaryAfter = (
  primary: User,
  plan: MergePlan,
  evidence: readonly AddressEvidence[],
  at: EpochSeconds,
): User => ({
  ...primary,
  emailVerified: isAddressProven(evidence, primary.email),
  userMetadata: plan.userMetadata,
  appMetadata: plan.appMetadata,
  updatedAt: at,
})

function linkOf(request: MergeRequest, plan: MergePlan, planHash: string): LinkRecord {
  const { primaryUserId, secondaryUserId, policy, rule, proof, at, clientId, actor } = request
  const first = plan.identities.find(({ from }) => from === 'secondary')
  return {
    id: newLinkId(),
    primaryUserId,
    secondaryUserId,
    identity: first && { connectionId: first.connectionId, subject: first.subject },
    clientId,
    actor,
    rule,
    proof,
    plan: describeMergePlan(plan),
    planHash,
    createdAt: at,
    undoUntil: at + policy.undoDays * DAY_SECONDS,
    undoneAt: undefined,
    undoneBy: undefined,
  }
}

/** Of either side, once each: whoever reads one of them shall hear of it. */
export function provenAddresses(...sides: readonly Pick<MergeSide, 'evidence'>[]): readonly string[] {
  const proven = sides.flatMap(({ evidence }) => evidence).filter(({ grade }) => grade >= 1)
  return [...new Set(proven.map(({ address }) => address))].sort()
}

function eventsOf(request: MergeRequest, link: LinkRecord): readonly NewEvent[] {
  const { primaryUserId, secondaryUserId, rule, proof, at, clientId, actor } = request
  const common = {
    at,
    outcome: 'ok',
    ...(clientId === undefined ? {} : { clientId }),
    ...(actor === undefined ? {} : { actor }),
  } as const
  return [
    { ...common, type: 'user.linked', userId: primaryUserId, data: { link_id: link.id, rule, proof, plan: link.plan } },
    {
      ...common,
      type: 'user.retired',
      userId: secondaryUserId,
      // The first identity: what may give the id back when it is unlinked (see unlink.ts).
      data: {
        link_id: link.id,
        merged_into: primaryUserId,
        ...(link.identity === undefined
          ? {}
          : { connection_id: link.identity.connectionId, subject: link.identity.subject }),
      },
    },
  ]
}
