// What a client may do with what people connected: the operator's word about it, and the decision on one use. Pure.
import type { JsonObject } from '../lib/json.ts'
import type { JsonReader } from '../lib/json-reader.ts'
import type { EpochSeconds } from '../lib/time.ts'
import { parseMinutes, secondsUntilOpen, WEEK_DAYS, type WeekHours } from '../lib/week-hours.ts'
import { reachesApis } from './identity-scopes.ts'
import { fitsPath } from './path-pattern.ts'

export interface AgentPolicy {
  /** Decided and recorded, and not held to: how a policy is tried out. */
  readonly observed: boolean
  /** Undefined: every connection that is enabled for the client. */
  readonly connections: readonly ConnectionRule[] | undefined
  readonly hours: WeekHours | undefined
  /** Uses of one user's accounts in a minute, counted in each process. */
  readonly perMinute: number | undefined
  /** May start connecting an account. */
  readonly mayConnect: boolean
  /** `proxy`: it never sees a token, of no connection. */
  readonly access: Access
  readonly approvals: readonly ApprovalRule[]
}

/** How an account is used: with its token, or through the proxy, which keeps it here. */
export type Access = (typeof ACCESS)[number]
const ACCESS = ['token', 'proxy'] as const

export interface ConnectionRule {
  readonly connection: string
  /** What a token that it uses may reach at most; undefined: whatever the person allowed. */
  readonly scopes: readonly string[] | undefined
  /** Undefined: the operator said neither. */
  readonly access: Access | undefined
  /** Of calls through the proxy; undefined: all. */
  readonly methods: readonly string[] | undefined
}

/** What needs the person's yes. A part that is undefined narrows nothing. */
export interface ApprovalRule {
  readonly connection: string | undefined
  readonly scopes: readonly string[] | undefined
  readonly methods: readonly string[] | undefined
  readonly paths: readonly string[] | undefined
  /** How long a yes serves for everything that the rule means; 0: once, for the very request. */
  readonly validSeconds: number
}

export function parseAgentPolicy(policy: JsonReader): AgentPolicy {
  return {
    observed: policy.word('mode', ['enforce', 'observe']) === 'observe',
    connections: policy.has('connections') ? policy.objects('connections').flatMap(parseConnectionRule) : undefined,
    hours: policy.has('hours') ? parseHours(policy.group('hours')) : undefined,
    perMinute: policy.group('rate').number('per_minute'),
    mayConnect: policy.flag('connect', true),
    access: policy.word('access', ACCESS),
    approvals: policy.objects('approvals').map((rule) => ({
      connection: rule.text('connection'),
      scopes: rule.strings('scopes'),
      methods: rule.strings('methods'),
      paths: rule.strings('paths'),
      validSeconds: rule.number('valid_seconds') ?? 0,
    })),
  }
}

function parseConnectionRule(rule: JsonReader): ConnectionRule[] {
  const connection = rule.text('connection')
  if (connection === undefined) return []
  const named = rule.text('access')
  const access = ACCESS.find((one) => one === named)
  return [{ connection, scopes: rule.strings('scopes'), access, methods: rule.strings('methods') }]
}

function parseHours(hours: JsonReader): WeekHours {
  const named = hours.strings('days')
  return {
    timeZone: hours.text('time_zone') ?? 'UTC',
    days: WEEK_DAYS.filter((day) => named === undefined || named.includes(day)),
    from: parseMinutes(hours.text('from') ?? '') ?? 0,
    to: parseMinutes(hours.text('to') ?? '') ?? 1440,
  }
}

export type PolicyAct =
  /** A token that reaches `granted` would be given out; `scopes` is what was asked. */
  | {
      readonly kind: 'token'
      readonly connection: string
      readonly scopes: readonly string[]
      readonly granted: readonly string[]
    }
  /** A call with a token that reaches `granted`. */
  | {
      readonly kind: 'call'
      readonly connection: string
      readonly granted: readonly string[]
      readonly method: string
      readonly path: string
    }
  | { readonly kind: 'connect'; readonly connection: string; readonly scopes: readonly string[] }

export interface PolicyFacts {
  readonly policy: AgentPolicy | undefined
  readonly act: PolicyAct
  readonly now: EpochSeconds
  /** Seconds until the rate allows the next use; 0 while it does. */
  readonly rateWaitSeconds: number
  /** Scopes of the first that the second does not cover, as the provider reads them. */
  readonly missing: (wanted: readonly string[], granted: readonly string[]) => readonly string[]
}

/**
 * Which rule decided. P0: the client has no policy. P1: connections. P2: hours. P3: connecting. P4: tokens or the proxy
 * alone. P5: scopes. P6: methods. P7: rate. P8: the person's yes. P9: nothing stood against it.
 */
export type PolicyRule = 'P0' | 'P1' | 'P2' | 'P3' | 'P4' | 'P5' | 'P6' | 'P7' | 'P8' | 'P9'

export type PolicyReason =
  | 'connection_not_in_policy'
  | 'outside_hours'
  | 'connect_not_in_policy'
  | 'proxy_only'
  | 'scope_not_in_policy'
  | 'token_exceeds_policy'
  | 'method_not_in_policy'
  | 'rate_in_policy'

export type PolicyDecision =
  | { readonly kind: 'allow'; readonly rule: PolicyRule; readonly evidence: JsonObject }
  | { readonly kind: 'ask'; readonly rule: PolicyRule; readonly evidence: JsonObject; readonly approval: ApprovalRule }
  | {
      readonly kind: 'refuse'
      readonly rule: PolicyRule
      readonly reason: PolicyReason
      readonly evidence: JsonObject
      readonly missingScopes?: readonly string[]
      readonly retryAfterSeconds?: number
    }

/** The first rule that stands against a use decides; the person is asked about what everything else allows. */
export function decidePolicy(facts: PolicyFacts): PolicyDecision {
  const { policy } = facts
  if (policy === undefined) return { kind: 'allow', rule: 'P0', evidence: {} }
  return (
    judgeConnection(policy, facts) ??
    judgeHours(policy, facts) ??
    judgeWay(policy, facts) ??
    judgeScopes(policy, facts) ??
    judgeMethod(policy, facts) ??
    judgeRate(policy, facts) ??
    judgeApproval(policy, facts) ?? { kind: 'allow', rule: 'P9', evidence: {} }
  )
}

/** The refusal when the client may not start connecting this; scopes are compared as they are written. */
export function decideConnect(
  policy: AgentPolicy | undefined,
  { connection, scopes, now }: { connection: string; scopes: readonly string[]; now: EpochSeconds },
): Extract<PolicyDecision, { kind: 'refuse' }> | undefined {
  if (policy?.observed === true) return undefined
  const act = { kind: 'connect', connection, scopes } as const
  const missing: PolicyFacts['missing'] = (wanted, granted) => wanted.filter((one) => !granted.includes(one))
  const decision = decidePolicy({ policy, act, now, rateWaitSeconds: 0, missing })
  return decision.kind === 'refuse' ? decision : undefined
}

/** True when the client may know of the connection. */
export const isInPolicy = (policy: AgentPolicy | undefined, connection: string): boolean =>
  policy === undefined ||
  policy.observed ||
  policy.connections === undefined ||
  ruleOf(policy, connection) !== undefined

export const ruleOf = ({ connections }: AgentPolicy, connection: string): ConnectionRule | undefined =>
  connections?.find((one) => one.connection === connection)

/** Whoever holds a token is held to no method and no path, so that a rule about these keeps the token here. */
export function isProxyOnly(policy: AgentPolicy, connection: string): boolean {
  const rule = ruleOf(policy, connection)
  const aboutCalls = policy.approvals.some(
    (one) => concerns(one, connection) && (one.methods !== undefined || one.paths !== undefined),
  )
  return policy.access === 'proxy' || rule?.access === 'proxy' || rule?.methods !== undefined || aboutCalls
}

/**
 * A key or password that a person typed is given out only by the operator's express word about this client and connection:
 * it does not end by itself, and nobody here can end it.
 */
export const mayTakeCredential = (policy: AgentPolicy | undefined, connection: string): boolean =>
  policy !== undefined &&
  !policy.observed &&
  ruleOf(policy, connection)?.access === 'token' &&
  !isProxyOnly(policy, connection)

const concerns = (rule: ApprovalRule, connection: string): boolean =>
  rule.connection === undefined || rule.connection === connection

type Judge = (policy: AgentPolicy, facts: PolicyFacts) => PolicyDecision | undefined

const judgeConnection: Judge = (policy, { act: { connection } }) => {
  if (policy.connections === undefined || ruleOf(policy, connection) !== undefined) return undefined
  return { kind: 'refuse', rule: 'P1', reason: 'connection_not_in_policy', evidence: { connection } }
}

const judgeHours: Judge = ({ hours }, { now }) => {
  const retryAfterSeconds = hours === undefined ? 0 : secondsUntilOpen(hours, now)
  if (hours === undefined || retryAfterSeconds === 0) return undefined
  const evidence = { time_zone: hours.timeZone, opens_in: retryAfterSeconds }
  return { kind: 'refuse', rule: 'P2', reason: 'outside_hours', evidence, retryAfterSeconds }
}

const judgeWay: Judge = (policy, { act }) => {
  if (act.kind === 'connect')
    return policy.mayConnect
      ? undefined
      : { kind: 'refuse', rule: 'P3', reason: 'connect_not_in_policy', evidence: { connection: act.connection } }
  if (act.kind !== 'token' || !isProxyOnly(policy, act.connection)) return undefined
  return { kind: 'refuse', rule: 'P4', reason: 'proxy_only', evidence: { connection: act.connection } }
}

const judgeScopes: Judge = (policy, { act, missing }) => {
  const ceiling = ruleOf(policy, act.connection)?.scopes
  if (ceiling === undefined) return undefined
  const asked = act.kind === 'call' ? [] : act.scopes.filter(reachesApis)
  const missingScopes = missing(asked, ceiling)
  const evidence = { ceiling: [...ceiling] }
  if (missingScopes.length > 0)
    return { kind: 'refuse', rule: 'P5', reason: 'scope_not_in_policy', evidence, missingScopes }
  // A provider's token is given, or used, whole.
  const reached = act.kind === 'connect' ? [] : act.granted.filter(reachesApis)
  if (missing(reached, ceiling).length === 0) return undefined
  return { kind: 'refuse', rule: 'P5', reason: 'token_exceeds_policy', evidence }
}

const judgeMethod: Judge = (policy, { act }) => {
  const methods = ruleOf(policy, act.connection)?.methods
  if (act.kind !== 'call' || methods === undefined || isMethodOf(methods, act.method)) return undefined
  const evidence = { method: act.method, methods: [...methods] }
  return { kind: 'refuse', rule: 'P6', reason: 'method_not_in_policy', evidence }
}

/** RFC 9110 §9.3.2: HEAD is a GET whose answer is not sent. */
const isMethodOf = (methods: readonly string[], method: string): boolean =>
  methods.includes(method) || (method === 'HEAD' && methods.includes('GET'))

const judgeRate: Judge = ({ perMinute = 0 }, { rateWaitSeconds }) => {
  if (rateWaitSeconds === 0) return undefined
  const evidence = { per_minute: perMinute }
  return { kind: 'refuse', rule: 'P7', reason: 'rate_in_policy', evidence, retryAfterSeconds: rateWaitSeconds }
}

const judgeApproval: Judge = ({ approvals }, facts) => {
  const approval = approvals.find((rule) => asksAbout(rule, facts))
  return approval && { kind: 'ask', rule: 'P8', evidence: { valid_seconds: approval.validSeconds }, approval }
}

function asksAbout(rule: ApprovalRule, { act, missing }: PolicyFacts): boolean {
  if (act.kind === 'connect' || !concerns(rule, act.connection)) return false
  const { scopes, methods, paths } = rule
  // Whatever was asked, the token reaches all that was granted.
  if (scopes !== undefined && !scopes.some((one) => missing([one], act.granted).length === 0)) return false
  if (act.kind === 'token') return true
  if (methods !== undefined && !isMethodOf(methods, act.method)) return false
  return paths === undefined || paths.some((one) => fitsPath(one, act.path))
}
