// What a sign-in leads to (linking.md §2): pure, in the order of its table, with the rule that fitted, the evidence, a
// stable reason, and what would have changed it.
import type { JsonObject } from '../lib/json.ts'
import type { LinkPolicy } from './settings.ts'
import type { Grade } from './user.ts'

/** Another user who holds the address that the newcomer brings. */
export interface AddressHolder {
  readonly userId: string
  /** The best grade of their evidence for it. */
  readonly grade: Grade
  /** Nothing may be added to them: blocked, or their own address is unproven. */
  readonly closed: boolean
  /** Runs this deployment: nobody is joined to them without their own proof. */
  readonly privileged: boolean
  /** The person said before that this identity and that user stay apart. */
  readonly separate: boolean
}

export interface SignInFacts {
  /** The user whose identity this is; undefined when it is unknown, or was unlinked. */
  readonly owner: { readonly userId: string; readonly blocked: boolean } | undefined
  /** Who holds the session in this browser; undefined, too, once the person chose to sign in as somebody else. */
  readonly sessionUserId: string | undefined
  /** Unlinked within the last 90 days: "unlink means unlink". */
  readonly tombstoned: boolean
  /** How sure the upstream's word about the address makes us. */
  readonly grade: Grade
  readonly holders: readonly AddressHolder[]
  readonly policy: LinkPolicy
}

export type SignInRule = 'S1' | 'S2' | 'S3' | 'S5' | 'S6' | 'S7' | 'S8' | 'S9' | 'S10' | 'S11'

/** Stable: events, `link explain` and the reference name them. */
export type SignInReason =
  | 'identity_known'
  | 'session_of_another'
  | 'user_blocked'
  | 'identity_unknown_in_session'
  | 'address_new'
  | 'both_authoritative'
  | 'address_proven_by_another'
  | 'unlinked_before'
  | 'kept_separate'
  | 'holder_closed'
  | 'policy_off'
  | 'address_unproven_elsewhere'
  | 'address_unproven'
  | 'several_holders'

/** What, other than it was, would have led elsewhere. */
export type SignInChange =
  | 'end_session'
  | 'unblock_user'
  | 'policy_suggest'
  | 'policy_auto'
  | 'authoritative_connection'
  | 'trusted_connection'
  | 'verified_address'
  | 'holder_proves_address'
  | 'holder_not_privileged'
  | 'tombstone_expires'
  | 'link_by_hand'
  | 'one_holder'

interface Explained {
  readonly reason: SignInReason
  readonly changes: readonly SignInChange[]
}

export type SignInDecision = Explained &
  (
    | { readonly kind: 'sign_in'; readonly rule: 'S1'; readonly userId: string }
    /** Another user's session is here: never switch silently. */
    | { readonly kind: 'conflict'; readonly rule: 'S2'; readonly userId: string }
    | { readonly kind: 'refuse'; readonly rule: 'S3'; readonly userId: string }
    /** Somebody is signed in and the identity is new: theirs, or another person's? */
    | { readonly kind: 'ask'; readonly rule: 'S5'; readonly userId: string }
    | { readonly kind: 'join'; readonly rule: 'S7'; readonly userId: string }
    | { readonly kind: 'suggest'; readonly rule: 'S8'; readonly userId: string }
    | {
        readonly kind: 'create'
        readonly rule: 'S6' | 'S8' | 'S9' | 'S10' | 'S11'
        /** Users who only claimed the address: they lose it, and what hung on it (linking.md §7). */
        readonly sweep: readonly string[]
        /** Somebody should look at who else holds the address. */
        readonly duplicate: boolean
      }
  )

/**
 * Decides by the identity alone who somebody is. An address never signs anybody in: at most it leads to the question
 * whether two accounts are one person's, or, where the operator wants it and both sides are authoritative, to a join.
 */
export function decideSignIn(facts: SignInFacts): SignInDecision {
  const { owner, sessionUserId } = facts
  if (owner !== undefined) {
    const { userId } = owner
    if (owner.blocked) return { kind: 'refuse', rule: 'S3', userId, reason: 'user_blocked', changes: ['unblock_user'] }
    if (sessionUserId !== undefined && sessionUserId !== userId)
      return { kind: 'conflict', rule: 'S2', userId, reason: 'session_of_another', changes: ['end_session'] }
    return { kind: 'sign_in', rule: 'S1', userId, reason: 'identity_known', changes: [] }
  }
  if (sessionUserId !== undefined)
    return {
      kind: 'ask',
      rule: 'S5',
      userId: sessionUserId,
      reason: 'identity_unknown_in_session',
      changes: ['end_session'],
    }
  return decideNewcomer(facts)
}

/** The record of a decision: grades and rules, no address, no name. */
export const describeDecision = (facts: SignInFacts, decision: SignInDecision): JsonObject => ({
  rule: decision.rule,
  decision: decision.kind,
  reason: decision.reason,
  grade: facts.grade,
  policy: facts.policy,
  ...(facts.tombstoned ? { tombstoned: true } : {}),
  ...('duplicate' in decision && decision.duplicate ? { duplicate: true } : {}),
  ...(facts.holders.length === 0
    ? {}
    : { holders: facts.holders.map(({ userId, grade }) => ({ user_id: userId, grade })) }),
})

type NewUser = Extract<SignInDecision, { kind: 'create' }>

const create = (
  rule: NewUser['rule'],
  reason: SignInReason,
  changes: readonly SignInChange[],
  more: Partial<Pick<NewUser, 'sweep' | 'duplicate'>> = {},
): NewUser => ({ kind: 'create', rule, reason, changes, sweep: [], duplicate: false, ...more })

function decideNewcomer(facts: SignInFacts): SignInDecision {
  const { grade, holders } = facts
  if (grade === 0) return create('S10', 'address_unproven', ['verified_address', 'trusted_connection'])
  const proven = holders.filter((holder) => holder.grade >= 2)
  const [holder, ...others] = proven
  // The newcomer's address is proven; whoever merely claimed it was sitting on it, whatever else is decided.
  const sweep = proven.length === 0 ? holders.filter((one) => one.grade === 0).map(({ userId }) => userId) : []
  if (holder === undefined) {
    if (holders.length === 0) return create('S6', 'address_new', [])
    const duplicate = holders.some((one) => one.grade > 0)
    return create('S9', 'address_unproven_elsewhere', ['holder_proves_address'], { sweep, duplicate })
  }
  if (others.length > 0) return create('S11', 'several_holders', ['one_holder'], { duplicate: true })
  return decideWith(holder, facts)
}

function decideWith(holder: AddressHolder, { grade, policy, tombstoned }: SignInFacts): SignInDecision {
  const { userId } = holder
  if (holder.separate) return create('S8', 'kept_separate', ['link_by_hand'])
  if (holder.closed) return create('S8', 'holder_closed', ['unblock_user'], { duplicate: true })
  if (policy === 'off') return create('S8', 'policy_off', ['policy_suggest'], { duplicate: true })
  const obstacles = [
    ...(policy === 'suggest' ? (['policy_auto'] as const) : []),
    ...(grade < 2 ? (['authoritative_connection'] as const) : []),
    ...(holder.privileged ? (['holder_not_privileged'] as const) : []),
    ...(tombstoned ? (['tombstone_expires'] as const) : []),
  ]
  if (obstacles.length === 0)
    return { kind: 'join', rule: 'S7', userId, reason: 'both_authoritative', changes: ['policy_suggest'] }
  const reason = tombstoned ? 'unlinked_before' : 'address_proven_by_another'
  return { kind: 'suggest', rule: 'S8', userId, reason, changes: obstacles }
}
