// The duplicates report: reads what is known of addresses that several users have, and changes nothing.
import { canonicalAddress } from '../domain/address.ts'
import { type Duplicate, findDuplicates, type UserPair, withoutApart } from '../domain/duplicates.ts'
import type { AddressEvidence, User } from '../domain/user.ts'
import { isString } from '../lib/json.ts'
import type { Page } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'

export interface DuplicatesReport {
  /** Of each group of like addresses, in their order. */
  readonly duplicates: readonly Duplicate[]
  readonly users: ReadonlyMap<string, User>
  /** Of the users in this page, the pairs that an operator keeps apart. */
  readonly apart: readonly UserPair[]
  /** Groups of like addresses in this page, and in all. */
  readonly groups: Pick<Page<unknown>, 'total'> & { readonly length: number }
}

/**
 * Reads every address there is: for a report now and then, not for a request of each sign-in. Without `all`, users whom
 * an operator keeps apart are left out.
 */
export async function reportDuplicates(
  repositories: Repositories,
  page: { offset: number; limit: number; all?: boolean },
): Promise<DuplicatesReport> {
  const { items, total } = await repositories.evidence.listAlike(page)
  const userIds = [...new Set(items.flat().map(({ userId }) => userId))]
  const found = await Promise.all(userIds.map((userId) => repositories.users.find(userId)))
  const users = new Map(found.flatMap((user) => (user === undefined ? [] : [[user.userId, user] as const])))
  const spellings = await spellingsOf(repositories, [...users.values()])
  const alike = items.flatMap((group) => findDuplicates(group.filter(isOf(users)), spellings))
  const apart = await repositories.apart.listAmong([...users.keys()])
  const duplicates = page.all === true ? alike : withoutApart(alike, apart)
  return { duplicates, users, apart, groups: { total, length: items.length } }
}

/** Somebody may have gone between the two looks. */
const isOf =
  (users: ReadonlyMap<string, User>) =>
  ({ userId }: AddressEvidence): boolean =>
    users.has(userId)

async function spellingsOf(repositories: Repositories, users: readonly User[]): Promise<Map<string, Set<string>>> {
  const identities = await repositories.identities.listOfUsers(users.map(({ userId }) => userId))
  const said = [...users.map(({ email }) => email), ...identities.map(({ profileData }) => profileData.email)]
  const spellings = new Map<string, Set<string>>()
  for (const text of said.filter(isString)) {
    const address = canonicalAddress(text)
    if (address !== undefined) spellings.set(address, (spellings.get(address) ?? new Set()).add(text))
  }
  return spellings
}
