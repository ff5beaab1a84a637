// Users who may be one person, by their addresses: told apart by how sure that is. A report for people, never a match
// (linking.md §1). Pure.
import { gradeOfAddress } from './addresses-of-user.ts'
import type { AddressEvidence, Grade } from './user.ts'

/**
 * `proven`: several users proved the same address. `canonical`: they have the same address, and not all of them proved
 * it. `soft`: addresses that are equal but for dots and tags, which are other mailboxes at most providers.
 */
export type DuplicateMatch = 'proven' | 'canonical' | 'soft'

export type DuplicateReason =
  | 'same_address_proven'
  | 'same_address_unproven'
  | 'spelled_differently'
  | 'differs_by_dots'
  | 'differs_by_tag'

export interface DuplicateUser {
  readonly userId: string
  readonly address: string
  /** The best that anybody says of it. */
  readonly grade: Grade
}

export interface Duplicate {
  readonly match: DuplicateMatch
  readonly reasons: readonly DuplicateReason[]
  readonly users: readonly DuplicateUser[]
}

/** Two users, the one whose id sorts first in front. */
export interface UserPair {
  readonly lesserUserId: string
  readonly greaterUserId: string
}

export const pairOf = (userId: string, otherUserId: string): UserPair =>
  userId < otherUserId
    ? { lesserUserId: userId, greaterUserId: otherUserId }
    : { lesserUserId: otherUserId, greaterUserId: userId }

/** Without those who are kept apart from everybody beside them. */
export function withoutApart(duplicates: readonly Duplicate[], apart: readonly UserPair[]): readonly Duplicate[] {
  const keyOf = ({ lesserUserId, greaterUserId }: UserPair) => JSON.stringify([lesserUserId, greaterUserId])
  const kept = new Set(apart.map(keyOf))
  return duplicates.flatMap((duplicate) => {
    const users = duplicate.users.filter(({ userId }) =>
      duplicate.users.some((other) => other.userId !== userId && !kept.has(keyOf(pairOf(userId, other.userId)))),
    )
    return users.length > 1 ? [{ ...duplicate, users }] : []
  })
}

/** What the users' connections and profiles call an address, by its canonical form. */
export type Spellings = ReadonlyMap<string, ReadonlySet<string>>

/** @param evidence everything said of addresses that are alike. */
export function findDuplicates(evidence: readonly AddressEvidence[], spellings: Spellings): readonly Duplicate[] {
  const holders = holdersOf(evidence)
  const exact = [...Map.groupBy(holders, ({ address }) => address).values()].flatMap((users) =>
    duplicatesOfAddress(users, spellings),
  )
  return [...exact, ...softDuplicate(holders)]
}

/** Each user once for each address. */
function holdersOf(evidence: readonly AddressEvidence[]): readonly DuplicateUser[] {
  const groups = Map.groupBy(evidence, ({ userId, address }) => `${address} ${userId}`)
  return [...groups.values()].flatMap((words) => {
    const [first] = words
    if (first === undefined) return []
    const { userId, address } = first
    return { userId, address, grade: gradeOfAddress(words, address) ?? 0 }
  })
}

function duplicatesOfAddress(users: readonly DuplicateUser[], spellings: Spellings): readonly Duplicate[] {
  const proven = users.filter(({ grade }) => grade >= 1)
  const spelled = users.some(({ address }) => (spellings.get(address)?.size ?? 0) > 1)
  const more: readonly DuplicateReason[] = spelled ? ['spelled_differently'] : []
  const found: Duplicate[] = []
  if (proven.length > 1) found.push({ match: 'proven', reasons: ['same_address_proven', ...more], users: proven })
  if (users.length > 1 && proven.length < users.length)
    found.push({ match: 'canonical', reasons: ['same_address_unproven', ...more], users })
  return found
}

function softDuplicate(holders: readonly DuplicateUser[]): readonly Duplicate[] {
  const addresses = new Set(holders.map(({ address }) => address))
  const users = new Set(holders.map(({ userId }) => userId))
  if (addresses.size < 2 || users.size < 2) return []
  const locals = [...addresses].map((address) => address.slice(0, address.indexOf('@')))
  const untagged = new Set(locals.map(withoutTag))
  const reasons: DuplicateReason[] = []
  if (untagged.size > 1) reasons.push('differs_by_dots')
  if (untagged.size < addresses.size || locals.some((local) => withoutTag(local) !== local))
    reasons.push('differs_by_tag')
  return [{ match: 'soft', reasons, users: holders }]
}

function withoutTag(local: string): string {
  const plus = local.indexOf('+')
  return plus > 0 ? local.slice(0, plus) : local
}
