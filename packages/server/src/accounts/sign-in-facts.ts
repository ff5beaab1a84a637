// Gathers what a sign-in is decided by. The journey, `link explain` and the simulation all ask here.
import { mayLink } from '../domain/addresses-of-user.ts'
import { isPrivileged } from '../domain/operators.ts'
import type { LinkPolicy } from '../domain/settings.ts'
import type { AddressHolder, SignInFacts } from '../domain/sign-in.ts'
import type { AddressEvidence, Grade } from '../domain/user.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import { findSeparate } from './separate.ts'

/** How long an unlinked identity is remembered (linking.md S4). */
export const TOMBSTONE_SECONDS = 90 * 24 * 3600

export interface SignInQuestion {
  readonly connectionId: string
  readonly subject: string
  /** Canonical, as the connection gave it. */
  readonly email: string | undefined
  readonly grade: Grade
  readonly sessionUserId: string | undefined
  readonly policy: LinkPolicy
  /** `settings.operators`: user ids or proven addresses. */
  readonly operators: readonly string[]
  readonly at: EpochSeconds
  /** Asks what if nobody had the identity yet: its user then counts neither as owner nor among the holders. */
  readonly asIfNew?: boolean
}

export async function gatherSignInFacts(repositories: Repositories, question: SignInQuestion): Promise<SignInFacts> {
  const { connectionId, subject, email, grade, sessionUserId, policy, at } = question
  const known = await repositories.identities.find(connectionId, subject)
  const identity = question.asIfNew === true ? undefined : known
  const owner = identity && (await repositories.users.find(identity.userId))
  const tombstone = await repositories.identities.findTombstone(connectionId, subject)
  return {
    owner: owner && { userId: owner.userId, blocked: owner.blocked },
    sessionUserId,
    tombstoned: tombstone !== undefined && tombstone.unlinkedAt + TOMBSTONE_SECONDS > at,
    grade,
    // For somebody known the address is not looked at; one that nobody vouches for is held against nobody.
    holders:
      email === undefined || identity || grade === 0
        ? []
        : await holdersOf(repositories, question, email, known?.userId),
    policy,
  }
}

async function holdersOf(
  repositories: Repositories,
  { connectionId, subject, operators }: SignInQuestion,
  email: string,
  ownUserId: string | undefined,
): Promise<readonly AddressHolder[]> {
  const holders: AddressHolder[] = []
  for (const [userId, grade] of bestGrades(await repositories.evidence.listForAddress(email))) {
    const user = await repositories.users.find(userId)
    if (user === undefined || userId === ownUserId) continue
    const separate = (await findSeparate(repositories, { connectionId, subject }, userId)) !== undefined
    const privileged = isPrivileged(operators, userId, await repositories.evidence.listOfUser(userId))
    holders.push({ userId, grade, closed: user.blocked || !mayLink(user), privileged, separate })
  }
  return holders
}

function bestGrades(evidence: readonly AddressEvidence[]): ReadonlyMap<string, Grade> {
  const best = new Map<string, Grade>()
  for (const { userId, grade } of evidence) if (grade >= (best.get(userId) ?? 0)) best.set(userId, grade)
  return best
}
