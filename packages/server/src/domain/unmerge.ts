// What taking a merge back would do, seen from both sides as they were, the plan that was applied, and the primary as it
// is now (linking.md §5). Pure. What was not touched since goes back to where it was; what was is a conflict, and stays.
import { sameJson } from '../lib/canonical-json.ts'
import type { JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import { canonicalAddress } from './address.ts'
import { isAddressProven } from './addresses-of-user.ts'
import { connectionSource } from './identity-key.ts'
import {
  type AgentStop,
  evidenceAfter,
  type MergePlan,
  type MergePolicy,
  type MergeSide,
  planMerge,
  rootOf,
} from './merge.ts'
import type { VaultAccount } from './tokenset.ts'
import { takeBackDocument } from './unmerge-metadata.ts'
import type { AddressEvidence, Identity, User } from './user.ts'

/** Both sides right before a merge, and the policy that it followed. */
export interface MergeSnapshot {
  readonly primary: MergeSide
  readonly secondary: MergeSide
  readonly policy: MergePolicy
  readonly mergedAt: EpochSeconds
}

/** The primary now; of the secondary nothing is left. */
export type PresentSide = Pick<MergeSide, 'user' | 'identities' | 'accounts' | 'evidence' | 'stops'>

export type UndoConflictCode = 'identity_gone' | 'account_gone' | 'metadata_changed' | 'address_withdrawn'

/** Something that has changed since the merge and cannot be as it was. */
export interface UndoConflict {
  readonly code: UndoConflictCode
  readonly connectionId?: string
  readonly subject?: string
  readonly accountId?: string
  /** `user_metadata.city` */
  readonly key?: string
  /** Who had said it of the address. */
  readonly source?: string
}

export interface UndoPlan {
  readonly conflicts: readonly UndoConflict[]
  /** The secondary as it comes back, and the primary as it goes on. */
  readonly secondary: User
  readonly primary: User
  /** Move to the secondary, in this order, with what is shown of them. */
  readonly identities: readonly Identity[]
  /** Move to the secondary. */
  readonly accounts: readonly RestoredAccount[]
  /** The merge dropped them and revoked their tokens: they come back to be connected again. */
  readonly revived: readonly VaultAccount[]
  /** Accounts of the primary that are its defaults again. */
  readonly primaryDefaults: readonly string[]
  readonly primaryEvidence: readonly AddressEvidence[]
  readonly secondaryEvidence: readonly AddressEvidence[]
  /** Agents that the secondary had stopped, and those that the primary lets go on again. */
  readonly secondaryStops: readonly AgentStop[]
  readonly resumed: readonly string[]
}

export interface RestoredAccount {
  readonly id: string
  readonly isDefault: boolean
}

export function planUndo(snapshot: MergeSnapshot, now: PresentSide, at: EpochSeconds): UndoPlan {
  const plan = planMerge(snapshot.primary, snapshot.secondary, snapshot.policy)
  const identities = takeBackIdentities(snapshot, now)
  const accounts = takeBackAccounts(snapshot, plan, now, identities.back)
  const evidence = takeBackEvidence(snapshot, plan, now, identities.staying)
  const primary = takeBackPrimary(snapshot, plan, now, { evidence: evidence.primary, at })
  const { user } = snapshot.secondary
  return {
    conflicts: [...identities.conflicts, ...accounts.conflicts, ...evidence.conflicts, ...primary.conflicts],
    secondary: {
      ...user,
      emailVerified: isAddressProven(evidence.secondary, user.email),
      // Whoever was blocked since does not come back in by being two again.
      blocked: user.blocked || now.user.blocked,
    },
    primary: primary.user,
    identities: identities.back,
    accounts: accounts.back,
    revived: accounts.revived,
    primaryDefaults: accounts.primaryDefaults,
    primaryEvidence: evidence.primary,
    secondaryEvidence: evidence.secondary,
    secondaryStops: snapshot.secondary.stops,
    resumed: plan.stops
      .filter((one) => one.outcome === 'moved' && isUntouched(one, now.stops))
      .map((one) => one.clientId),
  }
}

/** The stop that the merge brought; one that the person set since is their own. */
const isUntouched = ({ clientId, stoppedAt }: AgentStop, stops: readonly AgentStop[]): boolean =>
  stops.some((one) => one.clientId === clientId && one.stoppedAt === stoppedAt)

type Key = Pick<Identity, 'connectionId' | 'subject'>
const isSame = (a: Key) => (b: Key) => a.connectionId === b.connectionId && a.subject === b.subject

function takeBackIdentities({ secondary }: MergeSnapshot, now: PresentSide) {
  const back: Identity[] = []
  const conflicts: UndoConflict[] = []
  for (const before of secondary.identities) {
    const present = now.identities.find(isSame(before))
    const { connectionId, subject } = before
    if (present === undefined) conflicts.push({ code: 'identity_gone', connectionId, subject })
    else back.push({ ...present, profileData: profileDataOf(secondary.user, before, present) })
  }
  const staying = now.identities.filter((one) => !secondary.identities.some(isSame(one)))
  return { back, staying, conflicts }
}

/** As before the merge, unless the connection has said something else since. */
function profileDataOf(user: User, before: Identity, present: Identity): JsonObject {
  const merged = before.position === 0 ? { ...before.profileData, ...rootOf(user) } : before.profileData
  return sameJson(present.profileData, merged) ? before.profileData : present.profileData
}

function takeBackAccounts(
  { primary, secondary }: MergeSnapshot,
  plan: MergePlan,
  now: PresentSide,
  identitiesBack: readonly Identity[],
) {
  const present = new Map(now.accounts.map((account) => [account.id, account]))
  const moved = plan.accounts.filter(({ outcome }) => outcome === 'moved')
  const wasDefault = new Map([...primary.accounts, ...secondary.accounts].map(({ id, isDefault }) => [id, isDefault]))
  const planned = new Set(moved.map(({ id }) => id))
  const conflicts = moved
    .filter(({ id }) => !present.has(id))
    .map(({ id }): UndoConflict => ({ code: 'account_gone', accountId: id }))
  // What was kept of a sign-in since belongs to the identity that signs in by it.
  const following = now.accounts.filter(
    (one) => one.purpose === 'sign_in' && !planned.has(one.id) && identitiesBack.some(isSame(one)),
  )
  const back = [
    ...moved.filter(({ id }) => present.has(id)).map(({ id }) => ({ id, isDefault: wasDefault.get(id) === true })),
    ...following.map(({ id, isDefault }) => ({ id, isDefault })),
  ]
  const leaving = new Set(back.map(({ id }) => id))
  const staying = now.accounts.filter(({ id }) => !leaving.has(id))
  const dropped = new Set(plan.accounts.filter(({ outcome }) => outcome === 'dropped').map(({ id }) => id))
  const revived = [
    ...primary.accounts.filter((one) => dropped.has(one.id) && !staying.some(isRival(one))),
    ...secondary.accounts.filter((one) => dropped.has(one.id) && !following.some((other) => isRival(one)(other))),
  ]
  return { back, conflicts, revived, primaryDefaults: defaultsOf(primary, staying, revived) }
}

const isRival = (a: VaultAccount) => (b: VaultAccount) => isSame(a)(b) && a.purpose === b.purpose

/** Defaults that the merge took from the primary, where it has none now. */
function defaultsOf(primary: MergeSide, staying: readonly VaultAccount[], revived: readonly VaultAccount[]): string[] {
  const there = [...staying, ...revived.filter((one) => one.userId === primary.user.userId)]
  return primary.accounts
    .filter((one) => one.isDefault && there.some(({ id }) => id === one.id))
    .filter((one) => !staying.some((other) => other.isDefault && isSamePlace(one, other)))
    .map(({ id }) => id)
}

const isSamePlace = (a: VaultAccount, b: VaultAccount) => a.connectionId === b.connectionId && a.purpose === b.purpose

function takeBackEvidence(
  { primary, secondary }: MergeSnapshot,
  plan: MergePlan,
  now: PresentSide,
  staying: readonly Identity[],
) {
  const merged = evidenceAfter(plan)
  const onPrimary: AddressEvidence[] = []
  const onSecondary: AddressEvidence[] = []
  const conflicts: UndoConflict[] = []
  for (const present of now.evidence) {
    const own = primary.evidence.find(isSameWord(present))
    const brought = secondary.evidence.some(isSameWord(present))
    const untouched = merged.some((one) => isSameWord(one)(present) && isEqualWord(one, present))
    if (!brought) onPrimary.push(present)
    else if (untouched) onPrimary.push(...(own === undefined ? [] : [own]))
    else if (own !== undefined || isStillSaid(present, now.user, staying)) onPrimary.push(present)
  }
  for (const word of secondary.evidence) {
    if (now.evidence.some(isSameWord(word))) onSecondary.push(word)
    else conflicts.push({ code: 'address_withdrawn', source: word.source })
  }
  return { primary: onPrimary, secondary: onSecondary, conflicts }
}

const isSameWord = (a: AddressEvidence) => (b: AddressEvidence) => a.address === b.address && a.source === b.source
const isEqualWord = (a: AddressEvidence, b: AddressEvidence) => a.grade === b.grade && a.saidAt === b.saidAt

/** Somebody who stays with the primary says it, or the primary goes by it. */
const isStillSaid = ({ address, source }: AddressEvidence, user: User, staying: readonly Identity[]): boolean =>
  user.email === address ||
  staying.some(({ connectionId, profileData: { email } }) => {
    return connectionSource(connectionId) === source && typeof email === 'string' && canonicalAddress(email) === address
  })

function takeBackPrimary(
  { primary, mergedAt }: MergeSnapshot,
  plan: MergePlan,
  now: PresentSide,
  { evidence, at }: { evidence: readonly AddressEvidence[]; at: EpochSeconds },
) {
  const stores = [
    takeBackDocument(primary.user.userMetadata, plan.userMetadata, now.user.userMetadata),
    takeBackDocument(primary.user.appMetadata, plan.appMetadata, now.user.appMetadata),
  ] as const
  const names = ['user_metadata', 'app_metadata']
  const conflicts = stores.flatMap(({ changed }, index) =>
    changed.map((key): UndoConflict => ({ code: 'metadata_changed', key: `${names[index]}.${key}` })),
  )
  const user: User = {
    ...now.user,
    userMetadata: stores[0].document,
    appMetadata: stores[1].document,
    emailVerified: isAddressProven(evidence, now.user.email),
    updatedAt: now.user.updatedAt === mergedAt ? primary.user.updatedAt : at,
  }
  return { user, conflicts }
}
