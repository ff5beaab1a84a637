// Joins two users into one (linking.md §5; compatible form: auth0-wire.md §3.2). The plan is made and applied under the same lock.
import { isAddressProven, mayLink } from '../domain/addresses-of-user.ts'
import { Conflict, Forbidden, Invalid, NotFound } from '../domain/errors.ts'
import { describeMergePlan, type MergePlan, type MergePolicy, type MergeSide, planMerge } from '../domain/merge.ts'
import { profileToWire } from '../domain/profile.ts'
import type { Identity, User } from '../domain/user.ts'
import type { JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import type { AccountVault } from './account-vault.ts'

export interface LinkRequest {
  readonly primaryUserId: string
  readonly secondaryUserId: string
  readonly policy: MergePolicy
  /** Which rule allowed it, for the record: `management`, `link_with`, … */
  readonly rule: string
  /** How both sides were proven: ids, grades, scopes; no address, no token. */
  readonly proof: JsonObject
  readonly at: EpochSeconds
  readonly clientId?: string | undefined
  readonly actor?: string | undefined
}

export interface LinkResult {
  readonly user: User
  /** The primary's, in order. */
  readonly identities: readonly Identity[]
  readonly plan: MergePlan
}

/**
 * Moves identities, connected accounts and evidence of the secondary to the primary and retires the secondary: its
 * sessions, grants and tokens end, its id answers no longer and becomes an alias.
 *
 * @throws {NotFound} `inexistent_user`. @throws {Invalid} `self_link`.
 * @throws {Forbidden} `address_unproven`, `user_blocked`. @throws {Conflict} `identity_conflict`: something moved meanwhile.
 */
export async function linkUsers(tx: Repositories, vault: AccountVault, request: LinkRequest): Promise<LinkResult> {
  const { primaryUserId, secondaryUserId } = request
  if (primaryUserId === secondaryUserId) throw new Invalid('self_link', 'A user cannot be linked to itself.')
  // In id order, whichever is the primary: opposite links at once must not wait for each other.
  const locked = await tx.users.lock([primaryUserId, secondaryUserId].sort())
  const primary = await loadSide(tx, locked, primaryUserId)
  const secondary = await loadSide(tx, locked, secondaryUserId)
  if (!mayLink(primary.user)) throw new Forbidden('address_unproven', "The user's address is not proven.")
  // A blocked person must not come back in by being joined to somebody who may.
  if (primary.user.blocked || secondary.user.blocked) throw new Forbidden('user_blocked', 'The user is blocked.')
  const plan = planMerge(primary, secondary, request.policy)
  await applyAccounts(tx, vault, plan, request.at)
  await moveIdentities(tx, secondary, primaryUserId)
  await moveEvidence(tx, plan)
  const user = await replacePrimary(tx, primary.user, plan, request.at)
  await tx.users.delete(secondaryUserId)
  await tx.users.addAlias(secondaryUserId, primaryUserId, request.at)
  await appendEvents(tx, request, plan)
  return { user, identities: await tx.identities.listOfUser(primaryUserId), plan }
}

async function loadSide(tx: Repositories, locked: readonly User[], userId: string): Promise<MergeSide> {
  const user = locked.find((one) => one.userId === userId)
  if (user === undefined) throw new NotFound('inexistent_user', 'The user does not exist.')
  return {
    user,
    identities: await tx.identities.listOfUser(userId),
    accounts: await tx.accounts.listOfUser(userId),
    evidence: await tx.evidence.listOfUser(userId),
    issued: {
      sessions: (await tx.artifacts.listOfUser('Session', userId)).length,
      grants: (await tx.artifacts.listOfUser('Grant', userId)).length,
      refreshTokens: (await tx.artifacts.listOfUser('RefreshToken', userId)).length,
    },
  }
}

/** What is dropped goes first, so that what moves finds its place free. */
async function applyAccounts(tx: Repositories, vault: AccountVault, plan: MergePlan, at: EpochSeconds): Promise<void> {
  for (const { id, outcome } of plan.accounts) {
    if (outcome !== 'dropped') continue
    const account = await tx.accounts.find(id)
    if (account !== undefined) await vault.drop(tx, account, at)
  }
  for (const { id, outcome, isDefault } of plan.accounts) {
    if (outcome !== 'moved') continue
    const account = await tx.accounts.find(id)
    if (account === undefined) continue
    const envelope = await vault.reseal(tx, account, plan.primaryUserId)
    if (!(await tx.accounts.move(id, plan.primaryUserId, envelope, account.generation))) throw changedMeanwhile()
    if (isDefault) await tx.accounts.setDefault(id, plan.primaryUserId)
  }
}

async function moveIdentities(tx: Repositories, secondary: MergeSide, toUserId: string): Promise<void> {
  for (const { connectionId, subject, userId, profileData, position, lastLogin } of secondary.identities) {
    // The root profile of the secondary lives on as what its first identity says (auth0-wire.md §3.2).
    if (position === 0)
      await tx.identities.touch({
        connectionId,
        subject,
        profileData: { ...profileData, ...rootOf(secondary.user) },
        lastLogin,
      })
    if (!(await tx.identities.move({ connectionId, subject, fromUserId: userId }, toUserId))) throw changedMeanwhile()
  }
}

/** The move itself lets the newer word win; the plan has the last one. */
async function moveEvidence(tx: Repositories, { primaryUserId, secondaryUserId, addresses }: MergePlan): Promise<void> {
  await tx.evidence.moveUser(secondaryUserId, primaryUserId)
  for (const { address, source, grade, saidAt, outcome } of addresses) {
    if (outcome === 'dropped') continue
    const rivals = addresses.filter((one) => one.address === address && one.source === source)
    const newest = Math.max(saidAt, ...rivals.map((one) => one.saidAt))
    if (rivals.length > 1) await tx.evidence.put({ userId: primaryUserId, address, source, grade, saidAt: newest })
  }
}

const rootOf = (user: User): JsonObject => ({
  ...profileToWire(user.profile),
  ...(user.email === undefined ? {} : { email: user.email, email_verified: user.emailVerified }),
})

async function replacePrimary(tx: Repositories, primary: User, plan: MergePlan, at: EpochSeconds): Promise<User> {
  const user: User = {
    ...primary,
    emailVerified: isAddressProven(await tx.evidence.listOfUser(primary.userId), primary.email),
    userMetadata: plan.userMetadata,
    appMetadata: plan.appMetadata,
    updatedAt: at,
  }
  await tx.users.replace(user)
  return user
}

async function appendEvents(tx: Repositories, request: LinkRequest, plan: MergePlan): Promise<void> {
  const { primaryUserId, secondaryUserId, rule, proof, at, clientId, actor } = request
  const common = {
    at,
    outcome: 'ok',
    ...(clientId === undefined ? {} : { clientId }),
    ...(actor === undefined ? {} : { actor }),
  } as const
  await tx.events.append({
    ...common,
    type: 'user.linked',
    userId: primaryUserId,
    data: { rule, proof, plan: describeMergePlan(plan) },
  })
  const first = plan.identities.find(({ outcome }) => outcome === 'moved')
  await tx.events.append({
    ...common,
    type: 'user.retired',
    userId: secondaryUserId,
    // The first identity: what may give the id back when it is unlinked (see unlink.ts).
    data: {
      merged_into: primaryUserId,
      ...(first === undefined ? {} : { connection_id: first.connectionId, subject: first.subject }),
    },
  })
}

const changedMeanwhile = () => new Conflict('identity_conflict', 'The users changed meanwhile: try again.')
