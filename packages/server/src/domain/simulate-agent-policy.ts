// What a policy would have done with uses that were made, had it held then. Pure: facts come from events and rows.
import { isString, type JsonObject, stringsOf } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import {
  type AgentPolicy,
  decidePolicy,
  type PolicyAct,
  type PolicyDecision,
  type PolicyFacts,
} from './agent-policy.ts'
import type { Event } from './event.ts'

/** Events of uses, and of accounts that a client connected. */
export const SIMULATED_EVENTS = ['vault.exchanged', 'vault.proxied', 'connected_account.connected'] as const

export interface KnownConnection {
  readonly name: string
  readonly missing: PolicyFacts['missing']
}

export interface KnownFacts {
  /** Undefined: it is gone. */
  readonly connection: (id: string) => KnownConnection | undefined
  /** What the account's token reaches now; undefined: it is gone. */
  readonly granted: (accountId: string) => readonly string[] | undefined
}

export interface SimulatedUse {
  readonly event: Event
  readonly decision: PolicyDecision
}

/**
 * Decides on each use as if the policy were enforced. Left out is what was refused for another reason than a policy, and
 * what was done at a connection that is gone. A call's path is known without names and ids: `{}` stands for them.
 *
 * @param events of one client, the oldest first.
 */
export function simulateAgentPolicy(
  policy: AgentPolicy,
  events: readonly Event[],
  known: KnownFacts,
): readonly SimulatedUse[] {
  const rate = createRate(policy.perMinute)
  return events.flatMap((event) => {
    const connection = event.connectionId === undefined ? undefined : known.connection(event.connectionId)
    if (connection === undefined || (event.outcome === 'refused' && event.data?.rule === undefined)) return []
    const act = actOf(event, connection.name, known)
    const rateWaitSeconds = act.kind === 'connect' ? 0 : rate(event.userId ?? '', event.at)
    const { missing } = connection
    return [{ event, decision: decidePolicy({ policy, act, now: event.at, rateWaitSeconds, missing }) }]
  })
}

export interface SimulatedOutcome {
  /** The first of its kind, rule and reason. */
  readonly decision: PolicyDecision
  readonly count: number
}

/** How often what would have been decided, the most frequent first. */
export function tallyDecisions(simulated: readonly SimulatedUse[]): readonly SimulatedOutcome[] {
  const groups = Map.groupBy(simulated, ({ decision }) =>
    decision.kind === 'refuse' ? `${decision.rule} ${decision.reason}` : decision.kind,
  )
  return [...groups.values()]
    .flatMap(([first, ...others]) =>
      first === undefined ? [] : [{ decision: first.decision, count: others.length + 1 }],
    )
    .toSorted((a, b) => b.count - a.count)
}

/** The use would not have ended as it did. */
export const endsOtherwise = ({ event, decision }: SimulatedUse): boolean =>
  (event.outcome === 'ok') !== (decision.kind === 'allow')

function actOf({ type, data = {}, accountId }: Event, connection: string, known: KnownFacts): PolicyAct {
  const scopes = stringsOf(data.scopes)
  if (type === 'connected_account.connected') return { kind: 'connect', connection, scopes }
  const granted = (accountId === undefined ? undefined : known.granted(accountId)) ?? scopes
  if (type === 'vault.exchanged') return { kind: 'token', connection, scopes, granted }
  return { kind: 'call', connection, granted, method: textOf(data, 'method'), path: textOf(data, 'path') }
}

const textOf = (data: JsonObject, name: string): string => {
  const value = data[name]
  return isString(value) ? value : ''
}

const MINUTE_SECONDS = 60

/** As the limit counts: a minute begins with the first use in it. */
function createRate(perMinute: number | undefined): (userId: string, at: EpochSeconds) => number {
  const minutes = new Map<string, { readonly from: EpochSeconds; readonly count: number }>()
  return (userId, at) => {
    if (perMinute === undefined) return 0
    const last = minutes.get(userId)
    const isOpen = last !== undefined && at < last.from + MINUTE_SECONDS
    const minute = isOpen ? { from: last.from, count: last.count + 1 } : { from: at, count: 1 }
    minutes.set(userId, minute)
    return minute.count > perMinute ? minute.from + MINUTE_SECONDS - at : 0
  }
}
