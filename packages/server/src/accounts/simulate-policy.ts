// What a policy for sign-ins would have done with the present users, had it held when they came. Writes nothing.
import { canonicalAddress } from '../domain/address.ts'
import { connectionSource } from '../domain/identity-key.ts'
import type { LinkPolicy } from '../domain/settings.ts'
import { decideSignIn, type SignInDecision } from '../domain/sign-in.ts'
import type { AddressEvidence, Identity } from '../domain/user.ts'
import { isString } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import { gatherSignInFacts } from './sign-in-facts.ts'

export interface SimulatedPolicy {
  readonly policy: LinkPolicy
  /** `settings.operators`. */
  readonly operators: readonly string[]
  readonly at: EpochSeconds
}

/** An identity of a user whose address an older user has as well, and what would become of it. */
export interface SimulatedArrival {
  readonly identity: Identity
  readonly decision: SignInDecision
}

/** How often what would have been decided. */
export interface SimulatedOutcome {
  readonly decision: SignInDecision['kind']
  readonly rule: SignInDecision['rule']
  readonly reason: SignInDecision['reason']
  readonly count: number
}

export interface SimulationTally {
  add(decision: SignInDecision): void
  readonly examined: () => number
  /** The most frequent first. */
  readonly outcomes: () => readonly SimulatedOutcome[]
}

export function createSimulationTally(): SimulationTally {
  const counted = new Map<string, SimulatedOutcome>()
  let examined = 0
  return {
    add({ kind: decision, rule, reason }) {
      examined++
      const key = `${decision} ${rule} ${reason}`
      counted.set(key, { decision, rule, reason, count: (counted.get(key)?.count ?? 0) + 1 })
    },
    examined: () => examined,
    outcomes: () => [...counted.values()].sort((a, b) => b.count - a.count),
  }
}

const PAGE = 100

/** Holders of addresses that are alike, one after another: a place to stop, and to go on from later. */
export interface SimulatedGroup {
  /** Its place among all groups, from 0. */
  readonly at: number
  readonly total: number
  readonly arrivals: AsyncIterable<SimulatedArrival>
}

/** Group by group from a place on, and what would become of each in it one by one: there may be many of both. */
export async function* simulatePolicy(
  repositories: Repositories,
  simulated: SimulatedPolicy,
  from = 0,
): AsyncGenerator<SimulatedGroup> {
  for (let offset = from; ; offset += PAGE) {
    const { items, total } = await repositories.evidence.listAlike({ offset, limit: PAGE, all: true })
    for (const [index, group] of items.entries())
      yield { at: offset + index, total, arrivals: simulateGroup(repositories, simulated, group) }
    if (offset + PAGE >= total) return
  }
}

async function* simulateGroup(
  repositories: Repositories,
  simulated: SimulatedPolicy,
  group: readonly AddressEvidence[],
): AsyncGenerator<SimulatedArrival> {
  for (const [address, evidence] of Map.groupBy(group, (one) => one.address))
    yield* simulateAddress(repositories, simulated, address, evidence)
}

async function* simulateAddress(
  repositories: Repositories,
  simulated: SimulatedPolicy,
  address: string,
  evidence: readonly AddressEvidence[],
): AsyncGenerator<SimulatedArrival> {
  for (const userId of await newcomers(repositories, evidence)) {
    for (const identity of await repositories.identities.listOfUser(userId)) {
      const { connectionId, subject, profileData } = identity
      const source = connectionSource(connectionId)
      const word = evidence.find((one) => one.userId === userId && one.source === source)
      const { email } = profileData
      if (word === undefined || !isString(email) || canonicalAddress(email) !== address) continue
      const question = { connectionId, subject, email: address, grade: word.grade, sessionUserId: undefined }
      const facts = await gatherSignInFacts(repositories, { ...question, ...simulated, asIfNew: true })
      yield { identity, decision: decideSignIn(facts) }
    }
  }
}

/** Of the users who have an address, all but the one who came first. */
async function newcomers(repositories: Repositories, evidence: readonly AddressEvidence[]): Promise<readonly string[]> {
  const userIds = [...new Set(evidence.map(({ userId }) => userId))]
  if (userIds.length < 2) return []
  const users = await Promise.all(userIds.map((userId) => repositories.users.find(userId)))
  return users
    .filter((user) => user !== undefined)
    .sort((a, b) => a.createdAt - b.createdAt || (a.userId < b.userId ? -1 : 1))
    .slice(1)
    .map(({ userId }) => userId)
}
