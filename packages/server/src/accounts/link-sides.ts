// Reads both sides of a merge, and says who may be joined at all.
import { mayLink } from '../domain/addresses-of-user.ts'
import { Forbidden, Invalid, NotFound } from '../domain/errors.ts'
import type { IssuedCounts, MergeSide } from '../domain/merge.ts'
import type { User } from '../domain/user.ts'
import type { Repositories } from '../storage/storage.ts'

export interface MergePair {
  readonly primaryUserId: string
  readonly secondaryUserId: string
}

export interface MergeSides {
  readonly primary: MergeSide
  readonly secondary: MergeSide
}

/** @throws {Invalid} `self_link`. */
export function requireTwo({ primaryUserId, secondaryUserId }: MergePair): void {
  if (primaryUserId === secondaryUserId) throw new Invalid('self_link', 'A user cannot be linked to itself.')
}

/**
 * Both sides, of users that were read, or locked, before.
 *
 * @throws {NotFound} `inexistent_user`. @throws {Forbidden} `address_unproven`, `user_blocked`.
 */
export async function loadMergeable(
  repositories: Repositories,
  users: readonly User[],
  { primaryUserId, secondaryUserId }: MergePair,
): Promise<MergeSides> {
  const primary = userOf(users, primaryUserId)
  const secondary = userOf(users, secondaryUserId)
  if (!mayLink(primary)) throw new Forbidden('address_unproven', "The user's address is not proven.")
  // A blocked person must not come back in by being joined to somebody who may.
  if (primary.blocked || secondary.blocked) throw new Forbidden('user_blocked', 'The user is blocked.')
  const sides = [loadSide(repositories, primary), loadSide(repositories, secondary)] as const
  const [one, other] = await Promise.all(sides)
  return { primary: one, secondary: other }
}

function userOf(users: readonly User[], userId: string): User {
  const user = users.find((one) => one.userId === userId)
  if (user === undefined) throw new NotFound('inexistent_user', 'The user does not exist.')
  return user
}

export async function loadSide(repositories: Repositories, user: User): Promise<MergeSide> {
  const { userId } = user
  const [identities, accounts, evidence, stops, issued] = await Promise.all([
    repositories.identities.listOfUser(userId),
    repositories.accounts.listOfUser(userId),
    repositories.evidence.listOfUser(userId),
    repositories.agentStops.listOfUser(userId),
    countIssued(repositories, userId),
  ])
  const stopped = [...stops].map(([clientId, stoppedAt]) => ({ clientId, stoppedAt }))
  return { user, identities, accounts, evidence, stops: stopped, issued }
}

async function countIssued({ artifacts }: Repositories, userId: string): Promise<IssuedCounts> {
  const [grants, sessions, refreshTokens] = await Promise.all([
    artifacts.listOfUser('Grant', userId),
    artifacts.listOfUser('Session', userId),
    artifacts.listOfUser('RefreshToken', userId),
  ])
  const clientIds = new Set(grants.flatMap(({ clientId }) => (clientId === undefined ? [] : [clientId])))
  return {
    sessions: sessions.length,
    grants: grants.length,
    refreshTokens: refreshTokens.length,
    clientIds: [...clientIds].sort(),
  }
}
