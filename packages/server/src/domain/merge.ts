// What joining two users would do, as a typed diff that can be shown, applied and recorded (linking.md §5). Pure.
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Purpose, VaultAccount } from './tokenset.ts'
import type { AddressEvidence, Grade, Identity, User } from './user.ts'

export interface MergeSide {
  readonly user: User
  /** In order of position. */
  readonly identities: readonly Identity[]
  readonly accounts: readonly VaultAccount[]
  readonly evidence: readonly AddressEvidence[]
  /** How many of each the user has now. */
  readonly issued: IssuedCounts
}

export interface IssuedCounts {
  readonly sessions: number
  readonly grants: number
  readonly refreshTokens: number
}

export interface MergePolicy {
  readonly metadata: 'keep_primary' | 'deep_merge'
}

export type MergeOutcome = 'kept' | 'moved' | 'merged' | 'dropped'

export interface PlannedIdentity {
  readonly connectionId: string
  readonly subject: string
  /** Position on the primary afterwards. */
  readonly position: number
  readonly outcome: 'kept' | 'moved'
}

export interface PlannedAccount {
  readonly id: string
  readonly connectionId: string
  readonly subject: string
  readonly purpose: Purpose
  /** Whose it is before. */
  readonly from: 'primary' | 'secondary'
  readonly outcome: 'kept' | 'moved' | 'dropped'
  readonly why: 'primary_stays' | 'follows_identity' | 'newer_tokenset_stays'
  /** A moved account is a default only where the primary has none. */
  readonly isDefault: boolean
}

export interface PlannedAddress {
  readonly address: string
  readonly source: string
  readonly grade: Grade
  readonly saidAt: EpochSeconds
  readonly from: 'primary' | 'secondary'
  readonly outcome: 'kept' | 'moved' | 'dropped'
  readonly why: 'primary_stays' | 'evidence_follows_person' | 'better_word_counts'
}

export interface PlannedKey {
  readonly store: 'user_metadata' | 'app_metadata'
  readonly key: string
  readonly outcome: MergeOutcome
  readonly why: 'primary_stays' | 'policy_keep_primary' | 'policy_deep_merge' | 'primary_wins'
}

export interface MergePlan {
  readonly primaryUserId: string
  readonly secondaryUserId: string
  readonly identities: readonly PlannedIdentity[]
  readonly accounts: readonly PlannedAccount[]
  readonly addresses: readonly PlannedAddress[]
  readonly metadata: readonly PlannedKey[]
  /** The primary's metadata afterwards. */
  readonly userMetadata: JsonObject
  readonly appMetadata: JsonObject
  /** Of the secondary: all of them end. */
  readonly ended: IssuedCounts
}

/** Plans the merge of `secondary` into `primary`, who keeps profile, address, `user_id` and order of identities. */
export function planMerge(primary: MergeSide, secondary: MergeSide, policy: MergePolicy): MergePlan {
  const stores = [
    planMetadata('user_metadata', primary.user.userMetadata, secondary.user.userMetadata, policy),
    planMetadata('app_metadata', primary.user.appMetadata, secondary.user.appMetadata, policy),
  ] as const
  return {
    primaryUserId: primary.user.userId,
    secondaryUserId: secondary.user.userId,
    identities: [
      ...primary.identities.map((one, position) => planIdentity(one, position, 'kept')),
      ...secondary.identities.map((one, at) => planIdentity(one, primary.identities.length + at, 'moved')),
    ],
    accounts: planAccounts(primary.accounts, secondary.accounts),
    addresses: planAddresses(primary.evidence, secondary.evidence),
    metadata: stores.flatMap(({ keys }) => keys),
    userMetadata: stores[0].result,
    appMetadata: stores[1].result,
    ended: secondary.issued,
  }
}

/** The plan as an event may hold it: ids, keys, grades and reasons, but no address and no metadata value. */
export function describeMergePlan(plan: MergePlan): JsonObject {
  return {
    primary_user_id: plan.primaryUserId,
    secondary_user_id: plan.secondaryUserId,
    identities: plan.identities.map((one) => ({
      connection_id: one.connectionId,
      subject: one.subject,
      position: one.position,
      outcome: one.outcome,
    })),
    accounts: plan.accounts.map(({ id, purpose, from, outcome, why }) => ({ id, purpose, from, outcome, why })),
    addresses: plan.addresses.map(({ source, grade, from, outcome, why }) => ({ source, grade, from, outcome, why })),
    metadata: plan.metadata.map(({ store, key, outcome, why }) => ({ store, key, outcome, why })),
    ended: { ...plan.ended },
  }
}

const planIdentity = (
  { connectionId, subject }: Identity,
  position: number,
  outcome: 'kept' | 'moved',
): PlannedIdentity => ({ connectionId, subject, position, outcome })

/** Accounts of the same upstream account and purpose cannot both stay: the one connected last does. */
function planAccounts(primary: readonly VaultAccount[], secondary: readonly VaultAccount[]): PlannedAccount[] {
  const sameKey = (a: VaultAccount) => (b: VaultAccount) =>
    a.connectionId === b.connectionId && a.subject === b.subject && a.purpose === b.purpose
  const planOne = (
    account: VaultAccount,
    from: 'primary' | 'secondary',
    plan: Pick<PlannedAccount, 'outcome' | 'why' | 'isDefault'>,
  ): PlannedAccount => {
    const { id, connectionId, subject, purpose } = account
    return { id, connectionId, subject, purpose, from, ...plan }
  }
  const kept = primary.map((account) => {
    const rival = secondary.find(sameKey(account))
    const stays = rival === undefined || isNewerOrEqual(account, rival)
    return stays
      ? planOne(account, 'primary', { outcome: 'kept', why: 'primary_stays', isDefault: account.isDefault })
      : planOne(account, 'primary', { outcome: 'dropped', why: 'newer_tokenset_stays', isDefault: false })
  })
  const moved = secondary.map((account) => {
    const rival = primary.find(sameKey(account))
    if (rival !== undefined && isNewerOrEqual(rival, account))
      return planOne(account, 'secondary', { outcome: 'dropped', why: 'newer_tokenset_stays', isDefault: false })
    const replacesDefault = rival?.isDefault === true
    const primaryHasDefault = primary.some((one) => one.connectionId === account.connectionId && one.isDefault)
    const isDefault = replacesDefault || (account.isDefault && !primaryHasDefault)
    return planOne(account, 'secondary', { outcome: 'moved', why: 'follows_identity', isDefault })
  })
  return [...kept, ...moved]
}

const isNewerOrEqual = (a: VaultAccount, b: VaultAccount): boolean => a.connectedAt >= b.connectedAt

/** One row stands for (address, source): where both sides have it, the better grade does, then the newer word. */
function planAddresses(primary: readonly AddressEvidence[], secondary: readonly AddressEvidence[]): PlannedAddress[] {
  const rivalOf = (one: AddressEvidence, others: readonly AddressEvidence[]) =>
    others.find((other) => other.address === one.address && other.source === one.source)
  const planOne = (
    { address, source, grade, saidAt }: AddressEvidence,
    from: 'primary' | 'secondary',
    plan: Pick<PlannedAddress, 'outcome' | 'why'>,
  ): PlannedAddress => ({ address, source, grade, saidAt, from, ...plan })
  return [
    ...primary.map((one) => {
      const rival = rivalOf(one, secondary)
      return rival === undefined || countsMore(one, rival)
        ? planOne(one, 'primary', { outcome: 'kept', why: 'primary_stays' })
        : planOne(one, 'primary', { outcome: 'dropped', why: 'better_word_counts' })
    }),
    ...secondary.map((one) => {
      const rival = rivalOf(one, primary)
      return rival !== undefined && countsMore(rival, one)
        ? planOne(one, 'secondary', { outcome: 'dropped', why: 'better_word_counts' })
        : planOne(one, 'secondary', { outcome: 'moved', why: 'evidence_follows_person' })
    }),
  ]
}

/** Between the primary's word and the secondary's: the primary's where both are equal. */
const countsMore = (own: AddressEvidence, other: AddressEvidence): boolean =>
  own.grade > other.grade || (own.grade === other.grade && own.saidAt >= other.saidAt)

function planMetadata(
  store: PlannedKey['store'],
  primary: JsonObject,
  secondary: JsonObject,
  policy: MergePolicy,
): { readonly keys: readonly PlannedKey[]; readonly result: JsonObject } {
  const kept = Object.keys(primary).map((key): PlannedKey => ({ store, key, outcome: 'kept', why: 'primary_stays' }))
  if (policy.metadata === 'keep_primary') {
    const dropped = Object.keys(secondary).map(
      (key): PlannedKey => ({ store, key, outcome: 'dropped', why: 'policy_keep_primary' }),
    )
    return { keys: [...kept, ...dropped], result: primary }
  }
  const brought = Object.entries(secondary).map(([key, value]): PlannedKey => {
    const own = ownValue(primary, key)
    if (own === undefined) return { store, key, outcome: 'moved', why: 'policy_deep_merge' }
    return isJsonObject(own) && isJsonObject(value)
      ? { store, key, outcome: 'merged', why: 'policy_deep_merge' }
      : { store, key, outcome: 'dropped', why: 'primary_wins' }
  })
  return { keys: [...kept, ...brought], result: deepMerge(primary, secondary) }
}

/** Both sides' keys, at every depth; where both have a value that is no object, the first's stays. */
function deepMerge(first: JsonObject, second: JsonObject): JsonObject {
  const merged = new Map<string, JsonValue>(Object.entries(first))
  for (const [key, value] of Object.entries(second)) {
    const own = merged.get(key)
    if (own === undefined) merged.set(key, value)
    else if (isJsonObject(own) && isJsonObject(value)) merged.set(key, deepMerge(own, value))
  }
  return Object.fromEntries(merged)
}

const ownValue = (object: JsonObject, key: string): JsonValue | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined
