// Every reason that linking gives: its stable code and a sentence for people. docs/reference/linking.md is written from
// here, and a code that has no sentence does not compile.
import type { DuplicateReason } from './duplicates.ts'
import type { PlannedAccount, PlannedAddress, PlannedField, PlannedIdentity, PlannedKey, PlannedStop } from './merge.ts'
import type { UndoConflictCode } from './unmerge.ts'

/** Which rule allowed a link, as its record names it. */
export const LINK_RULES = {
  management: 'An operator, or a backend that may change users, joined them.',
  console: 'An operator saw in the console what would change, and answered for it.',
  link_with: 'The person showed a fresh ID token of the other account to an app that they were signed in to.',
  account: 'The person added it on their account page, after signing in anew.',
  client: 'An app asked for it, and the person agreed on our page.',
  S8: 'Both had the same proven address; the person proved the older account, and agreed.',
  S2: 'The person came by an account of another user, proved both, saw what would change, and agreed.',
  S5: 'The person came by an unknown identity while signed in, and chose to add it.',
  S7: 'The policy joins those whose address both sides are authoritative for.',
} as const satisfies Readonly<Record<string, string>>

export type LinkRule = keyof typeof LINK_RULES

export const explainRule = (rule: string): string =>
  Object.hasOwn(LINK_RULES, rule)
    ? // Just looked up.
      LINK_RULES[rule as LinkRule]
    : 'A rule of another version of the server.'

export type PlanReason = (
  | PlannedIdentity
  | PlannedAccount
  | PlannedAddress
  | PlannedField
  | PlannedStop
  | PlannedKey
)['why']

/** Why a part of a plan is kept, moved, merged or dropped. */
export const PLAN_REASONS: Readonly<Record<PlanReason, string>> = {
  primary_stays: "It is the primary's, and the primary stays as it is.",
  identity_conserved: 'Every identity goes on signing its person in.',
  lives_on_in_identity: "The secondary's first identity goes on showing it.",
  follows_identity: 'Connected accounts go where their person goes; their tokens are sealed anew.',
  newer_tokenset_stays:
    'Both had the same account of the provider: the one connected last stays, the other is revoked.',
  evidence_follows_person: 'What is known of an address goes where its person goes.',
  better_word_counts: 'Both had a word of the same source: the better one stays.',
  stopped_stays_stopped: 'An agent that was stopped for one stays stopped for both.',
  stopped_already: 'The primary had stopped it, too.',
  policy_keep_primary: "`linking.metadata` is `keep_primary`: the secondary's metadata wait in the snapshot.",
  policy_deep_merge: '`linking.metadata` is `deep_merge`: keys that the primary lacks are brought.',
  primary_wins: "Both had a value that cannot be joined: the primary's stays.",
}

/** What has changed since a link, and stands in the way of undoing it. */
export const UNDO_CONFLICTS: Readonly<Record<UndoConflictCode, string>> = {
  identity_gone: 'An identity of the secondary was unlinked, or went elsewhere; it stays where it is.',
  account_gone: 'A connected account was disconnected, or went elsewhere; it stays away.',
  metadata_changed: 'A key that the merge had written was written again; it stays with the primary.',
  address_withdrawn: 'What was said of an address was taken back; it is not said again.',
}

/** Why a link is not made, or not undone. */
export const LINK_REFUSALS = {
  self_link: 'Both sides are the same user.',
  inexistent_user: 'There is no such user, or it was merged away.',
  inexistent_link: 'There is no such link.',
  address_unproven: "The primary's own address is not proven: nothing may be added before it is.",
  user_blocked: 'One of the two is blocked.',
  plan_stale: 'Something that the plan depends on has changed since the preview.',
  identity_conflict: 'An identity belongs to somebody else, or moved at this very moment.',
  link_undone: 'The link was undone before.',
  undo_expired: 'The time for undoing it (`linking.undo_days`) is over.',
  undo_conflict: 'Something has changed since; with `keep_changes` that stays, and the rest is undone.',
  link_superseded: 'The primary was itself merged away since: undo that first.',
  undo_unavailable: 'The primary was deleted, or nothing is left to take back.',
  last_identity: 'One of the two could not sign in any more.',
} as const satisfies Readonly<Record<string, string>>

export const explainRefusal = (code: string): string | undefined =>
  // Just looked up.
  Object.hasOwn(LINK_REFUSALS, code) ? LINK_REFUSALS[code as keyof typeof LINK_REFUSALS] : undefined

/** Why users stand in the duplicates report. */
export const DUPLICATE_REASONS: Readonly<Record<DuplicateReason, string>> = {
  same_address_proven: 'They proved the same address.',
  same_address_unproven: 'They have the same address, and not all of them proved it.',
  spelled_differently: 'The address is written in several ways: another case, or the domain in another script.',
  differs_by_dots: 'The addresses are equal but for dots in front of the `@`.',
  differs_by_tag: 'The addresses are equal but for a `+tag`.',
}
