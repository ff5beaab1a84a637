// What joining two users would do, as a typed diff that can be shown, applied and recorded (linking.md §5). Pure.
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import { profileToWire } from './profile.ts'
import type { Purpose, VaultAccount } from './tokenset.ts'
import type { AddressEvidence, Grade, Identity, User } from './user.ts'

export interface MergeSide {
  readonly user: User
  /** In order of position. */
  readonly identities: readonly Identity[]
  readonly accounts: readonly VaultAccount[]
  readonly evidence: readonly AddressEvidence[]
  readonly stops: readonly AgentStop[]
  /** How many of each the user has now. */
  readonly issued: IssuedCounts
}

/** A client that this person has stopped. */
export interface AgentStop {
  readonly clientId: string
  readonly stoppedAt: EpochSeconds
}

export interface IssuedCounts {
  readonly sessions: number
  readonly grants: number
  readonly refreshTokens: number
  /** Clients that hold one of these grants. */
  readonly clientIds: readonly string[]
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
  readonly from: 'primary' | 'secondary'
  readonly outcome: 'kept' | 'moved'
  readonly why: 'primary_stays' | 'identity_conserved'
}

/** A field of the profile, or the address that it shows. */
export interface PlannedField {
  readonly field: string
  readonly from: 'primary' | 'secondary'
  readonly outcome: 'kept' | 'dropped'
  readonly why: 'primary_stays' | 'lives_on_in_identity'
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

/** A stopped agent stays stopped, for all that it could reach. */
export interface PlannedStop extends AgentStop {
  readonly from: 'primary' | 'secondary'
  readonly outcome: 'kept' | 'moved' | 'dropped'
  readonly why: 'primary_stays' | 'stopped_stays_stopped' | 'stopped_already'
}

export interface PlannedKey {
  readonly store: 'user_metadata' | 'app_metadata'
  readonly key: string
  readonly from: 'primary' | 'secondary'
  readonly outcome: MergeOutcome
  readonly why: 'primary_stays' | 'policy_keep_primary' | 'policy_deep_merge' | 'primary_wins'
}

export interface MergePlan {
  readonly primaryUserId: string
  readonly secondaryUserId: string
  readonly profile: readonly PlannedField[]
  readonly identities: readonly PlannedIdentity[]
  readonly accounts: readonly PlannedAccount[]
  readonly addresses: readonly PlannedAddress[]
  readonly stops: readonly PlannedStop[]
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
    profile: [...planProfile(primary.user, 'primary'), ...planProfile(secondary.user, 'secondary')],
    identities: [
      ...primary.identities.map((one, position) => planIdentity(one, position, 'primary')),
      ...secondary.identities.map((one, at) => planIdentity(one, primary.identities.length + at, 'secondary')),
    ],
    accounts: planAccounts(primary.accounts, secondary.accounts),
    addresses: planAddresses(primary.evidence, secondary.evidence),
    stops: planStops(primary.stops, secondary.stops),
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
    profile: plan.profile.map((one) => ({ ...one })),
    identities: plan.identities.map(({ connectionId, ...one }) => ({ connection_id: connectionId, ...one })),
    connected_accounts: plan.accounts.map(({ id, purpose, connectionId, from, outcome, why }) => ({
      id,
      purpose,
      connection_id: connectionId,
      from,
      outcome,
      why,
    })),
    addresses: plan.addresses.map(({ source, grade, from, outcome, why }) => ({ source, grade, from, outcome, why })),
    stopped_agents: plan.stops.map(({ clientId, from, outcome, why }) => ({ client_id: clientId, from, outcome, why })),
    metadata: plan.metadata.map((one) => ({ ...one })),
    ended: describeEnded(plan.ended),
  }
}

export const describeEnded = ({ sessions, grants, refreshTokens, clientIds }: IssuedCounts): JsonObject => ({
  sessions,
  grants,
  refresh_tokens: refreshTokens,
  client_ids: clientIds,
})

/**
 * Everything that the plan and its result depend on, but for what comes and goes with use: sign-ins, refreshed tokens,
 * and how many sessions and grants end (all of them do). Holds addresses and metadata: to be hashed, not kept.
 */
export const mergeFingerprint = (primary: MergeSide, secondary: MergeSide, policy: MergePolicy): JsonObject => ({
  primary: fingerprintOf(primary),
  secondary: fingerprintOf(secondary),
  metadata_policy: policy.metadata,
})

const fingerprintOf = ({ user, identities, accounts, evidence, stops }: MergeSide): JsonObject => ({
  user_id: user.userId,
  email: user.email ?? null,
  email_verified: user.emailVerified,
  profile: profileToWire(user.profile),
  user_metadata: user.userMetadata,
  app_metadata: user.appMetadata,
  blocked: user.blocked,
  identities: identities.map((one) => [one.connectionId, one.subject, one.profileData]),
  accounts: accounts
    .map((one) => [one.id, one.connectedAt, one.label, one.isDefault, one.clientId ?? null, one.scopesGranted])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
  evidence: evidence.map((one) => [one.address, one.source, one.grade]).sort(byText),
  stops: stops.map(({ clientId }) => clientId).sort(),
})

const byText = (a: readonly unknown[], b: readonly unknown[]): number => (a.join(' ') < b.join(' ') ? -1 : 1)

/** What the connection last said of the secondary's first identity stays with it, under what the secondary was called. */
export const rootOf = (user: User): JsonObject => ({
  ...profileToWire(user.profile),
  ...(user.email === undefined ? {} : { email: user.email, email_verified: user.emailVerified }),
})

/** The words on addresses that stand after a plan was applied. */
export function evidenceAfter({ primaryUserId, addresses }: MergePlan): readonly AddressEvidence[] {
  return addresses
    .filter(({ outcome }) => outcome !== 'dropped')
    .map(({ address, source, grade }) => {
      const rivals = addresses.filter((one) => one.address === address && one.source === source)
      return { userId: primaryUserId, address, source, grade, saidAt: Math.max(...rivals.map((one) => one.saidAt)) }
    })
}

function planProfile(user: User, from: PlannedField['from']): PlannedField[] {
  const plan =
    from === 'primary'
      ? ({ from, outcome: 'kept', why: 'primary_stays' } as const)
      : ({ from, outcome: 'dropped', why: 'lives_on_in_identity' } as const)
  return Object.keys(rootOf(user))
    .filter((field) => field !== 'email_verified')
    .map((field) => ({ field, ...plan }))
}

const planIdentity = (
  { connectionId, subject }: Identity,
  position: number,
  from: PlannedIdentity['from'],
): PlannedIdentity =>
  from === 'primary'
    ? { connectionId, subject, position, from, outcome: 'kept', why: 'primary_stays' }
    : { connectionId, subject, position, from, outcome: 'moved', why: 'identity_conserved' }

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

const planStops = (primary: readonly AgentStop[], secondary: readonly AgentStop[]): PlannedStop[] => [
  ...primary.map((one): PlannedStop => ({ ...one, from: 'primary', outcome: 'kept', why: 'primary_stays' })),
  ...secondary.map((one): PlannedStop => {
    const isKnown = primary.some(({ clientId }) => clientId === one.clientId)
    return isKnown
      ? { ...one, from: 'secondary', outcome: 'dropped', why: 'stopped_already' }
      : { ...one, from: 'secondary', outcome: 'moved', why: 'stopped_stays_stopped' }
  }),
]

function planMetadata(
  store: PlannedKey['store'],
  primary: JsonObject,
  secondary: JsonObject,
  policy: MergePolicy,
): { readonly keys: readonly PlannedKey[]; readonly result: JsonObject } {
  const kept = Object.keys(primary).map(
    (key): PlannedKey => ({ store, key, from: 'primary', outcome: 'kept', why: 'primary_stays' }),
  )
  const from = 'secondary'
  if (policy.metadata === 'keep_primary') {
    const dropped = Object.keys(secondary).map(
      (key): PlannedKey => ({ store, key, from, outcome: 'dropped', why: 'policy_keep_primary' }),
    )
    return { keys: [...kept, ...dropped], result: primary }
  }
  const brought = Object.entries(secondary).map(([key, value]): PlannedKey => {
    const own = ownValue(primary, key)
    if (own === undefined) return { store, key, from, outcome: 'moved', why: 'policy_deep_merge' }
    return isJsonObject(own) && isJsonObject(value)
      ? { store, key, from, outcome: 'merged', why: 'policy_deep_merge' }
      : { store, key, from, outcome: 'dropped', why: 'primary_wins' }
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
