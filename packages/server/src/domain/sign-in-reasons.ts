// What each rule, reason and change of a sign-in's decision says to people. docs/reference/linking.md is written from here.
import type { SignInChange, SignInReason, SignInRule } from './sign-in.ts'

export const SIGN_IN_RULES: Readonly<Record<SignInRule, string>> = {
  S1: 'The identity is known and its user active: sign in. The address is not looked at.',
  S2: 'The identity is known, and another user is signed in: ask, and never switch silently.',
  S3: 'The user of the identity is blocked: refuse.',
  S5: 'The identity is unknown and somebody is signed in: ask whose it is.',
  S6: 'The identity is unknown and nobody has its address: make a user.',
  S7: 'The address is authoritative on both sides and the policy joins such accounts: join, and tell.',
  S8: 'One user has proven the address: suggest to link, unless something forbids it.',
  S9: 'Others only claim the address: make a user, and take the claim from them.',
  S10: 'Nobody vouches for the address: make a user, and say nothing of anybody else.',
  S11: 'Several users have proven the address: make a user, and let an operator look.',
}

export const SIGN_IN_REASONS: Readonly<Record<SignInReason, string>> = {
  identity_known: 'This account of the provider belongs to the user.',
  session_of_another: 'Another user is signed in in this browser.',
  user_blocked: 'The user is blocked.',
  identity_unknown_in_session: 'Nobody has this account of the provider, and somebody is signed in in this browser.',
  address_new: 'Nobody has this account of the provider, nor its address.',
  both_authoritative: 'The provider, and what is known of the user, are authoritative for the address.',
  address_proven_by_another: 'A user has proven the address that this account brings.',
  unlinked_before: 'The account was unlinked less than 90 days ago: it comes back by choice alone.',
  kept_separate: 'The person chose to keep this account and that user apart.',
  holder_closed: 'Nothing may be added to the user who has the address: blocked, or unproven.',
  policy_off: 'The policy suggests nothing.',
  address_unproven_elsewhere: 'Others have the address, and none of them has proven it.',
  address_unproven: 'The provider does not vouch for the address, or is not trusted to.',
  several_holders: 'Several users have proven the address.',
}

export const SIGN_IN_CHANGES: Readonly<Record<SignInChange, string>> = {
  end_session: 'nobody, or the same user, being signed in in this browser',
  unblock_user: 'the user not being blocked',
  policy_suggest: '`linking.policy` being `suggest`',
  policy_auto: '`linking.policy` being `auto_when_authoritative`',
  authoritative_connection: "the address's domain standing in the connection's `email_domains`",
  trusted_connection: "the connection's `trust_email` being on",
  verified_address: 'the provider saying `email_verified: true`',
  holder_proves_address: 'the user who has the address proving it',
  holder_not_privileged: 'the user not being an operator',
  tombstone_expires: 'the account not having been unlinked in the last 90 days',
  link_by_hand: 'the person linking it on the account page',
  one_holder: 'one user alone having proven the address',
}
