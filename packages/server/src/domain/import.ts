// What becomes of one row of an import. An import adds: what somebody has already is theirs, and changes only where the
// operator asks for it, and never an address or a password.
import { mayLink } from './addresses-of-user.ts'
import type { User } from './user.ts'

/** An identity of the row, with who has it now. */
export interface RowIdentity {
  readonly key: { readonly connectionId: string; readonly subject: string }
  /** JSON pointer into the row. */
  readonly field: string
  readonly ownerId: string | undefined
  /** Who last unlinked it. */
  readonly unlinkedFrom: string | undefined
}

export interface RowFacts {
  /** The row's user, when there is one. */
  readonly existing: User | undefined
  /** The row's user was merged into another one. */
  readonly isMerged: boolean
  readonly identities: readonly RowIdentity[]
  /** Whose the row's address is in the password connection; undefined when it is free, or the row's own identity's. */
  readonly addressTakenBy: string | undefined
  readonly email: string | undefined
  readonly upsert: boolean
}

export type RowDecision =
  | { readonly kind: 'create' }
  /** Adds what is missing: a password to the identity that has none and, when asked for, changes and identities. */
  | { readonly kind: 'add'; readonly identities: readonly RowIdentity[] }
  | { readonly kind: 'leave' }
  | { readonly kind: 'refuse'; readonly code: RowRefusal; readonly field: string }

type RowRefusal =
  | 'identity_taken'
  | 'identity_unlinked'
  | 'address_in_use'
  | 'address_differs'
  | 'address_unproven'
  | 'user_blocked'

export function decideRow(facts: RowFacts): RowDecision {
  const { existing, identities } = facts
  if (existing === undefined && facts.isMerged) return { kind: 'leave' }
  const foreign = identities.find(({ ownerId }) => ownerId !== undefined && ownerId !== existing?.userId)
  if (foreign !== undefined) return refuse('identity_taken', foreign.field)
  if (facts.addressTakenBy !== undefined) return refuse('address_in_use', '/email')
  if (existing === undefined) return { kind: 'create' }
  if (!facts.upsert) return { kind: 'add', identities: [] }
  if (facts.email !== undefined && facts.email !== existing.email) return refuse('address_differs', '/email')
  return decideIdentities(existing, identities)
}

function decideIdentities(existing: User, identities: readonly RowIdentity[]): RowDecision {
  const missing = identities.filter(({ ownerId }) => ownerId === undefined)
  const [first] = missing
  if (first === undefined) return { kind: 'add', identities: [] }
  // What a person took off their account stays off (linking.md §6).
  const unlinked = missing.find(({ unlinkedFrom }) => unlinkedFrom === existing.userId)
  if (unlinked !== undefined) return refuse('identity_unlinked', unlinked.field)
  if (existing.blocked) return refuse('user_blocked', first.field)
  if (!mayLink(existing)) return refuse('address_unproven', first.field)
  return { kind: 'add', identities: missing }
}

const refuse = (code: RowRefusal, field: string): RowDecision => ({ kind: 'refuse', code, field })
