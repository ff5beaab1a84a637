// What a sign-in leads to (linking.md §2): pure, in the order of its table, with the rule that fitted.
import type { Grade } from './user.ts'

export interface SignInFacts {
  /** The user whose identity this is; undefined when it is unknown, or was unlinked. */
  readonly owner: { readonly userId: string; readonly blocked: boolean } | undefined
  /** Who holds the session in this browser, unless the person asked to sign in anew. */
  readonly sessionUserId: string | undefined
  /** Unlinked within the last 90 days: "unlink means unlink". */
  readonly tombstoned: boolean
  /** How sure the upstream's word about the address makes us. */
  readonly grade: Grade
  /** Other users who hold the address, each with the best grade of their evidence for it. */
  readonly holders: readonly { readonly userId: string; readonly grade: Grade }[]
}

export type SignInRule = 'S1' | 'S2' | 'S3' | 'S5' | 'S6' | 'S8' | 'S9' | 'S10' | 'S11'

export type SignInDecision =
  | { readonly kind: 'sign_in'; readonly rule: 'S1'; readonly userId: string }
  /** Another user's session is here: never switch silently. */
  | { readonly kind: 'conflict'; readonly rule: 'S2'; readonly userId: string }
  | { readonly kind: 'refuse'; readonly rule: 'S3' }
  /** Somebody is signed in and the identity is new: theirs, or another person's? */
  | { readonly kind: 'ask'; readonly rule: 'S5'; readonly userId: string }
  | { readonly kind: 'create'; readonly rule: Exclude<SignInRule, 'S1' | 'S2' | 'S3' | 'S5'> }

/**
 * Decides by the identity alone who somebody is. An address never identifies: where others hold it, the newcomer is a
 * user of their own (the rule says which row of the table that was).
 */
export function decideSignIn(facts: SignInFacts): SignInDecision {
  const { owner, sessionUserId } = facts
  if (owner !== undefined) {
    if (owner.blocked) return { kind: 'refuse', rule: 'S3' }
    if (sessionUserId !== undefined && sessionUserId !== owner.userId) {
      return { kind: 'conflict', rule: 'S2', userId: owner.userId }
    }
    return { kind: 'sign_in', rule: 'S1', userId: owner.userId }
  }
  if (sessionUserId !== undefined) return { kind: 'ask', rule: 'S5', userId: sessionUserId }
  return { kind: 'create', rule: ruleOfNewcomer(facts) }
}

function ruleOfNewcomer({ grade, holders }: SignInFacts): 'S6' | 'S8' | 'S9' | 'S10' | 'S11' {
  if (grade === 0) return 'S10'
  if (holders.length === 0) return 'S6'
  const proven = holders.filter((holder) => holder.grade >= 2)
  if (proven.length > 1) return 'S11'
  return proven.length === 1 ? 'S8' : 'S9'
}
