// A client's policy at the moment of a use: the facts that change, the decision, and the person's yes.
import type { ApprovalDeps } from '../accounts/approvals.ts'
import { approvalForUse } from '../accounts/use-approvals.ts'
import { type ApprovalRule, decidePolicy, type PolicyAct, type PolicyDecision } from '../domain/agent-policy.ts'
import { POLL_SECONDS } from '../domain/approval.ts'
import type { AskedUse } from '../domain/asked-use.ts'
import type { Client } from '../domain/client.ts'
import { createMinuteLimit, type MinuteLimit } from '../lib/minute-limit.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { ReplayMark } from '../storage/records.ts'
import type { Storage } from '../storage/storage.ts'
import type { ScopeRules } from '../upstream/connector.ts'
import { ExchangeRefusal } from './exchange-refusal.ts'

export interface UsePolicy {
  /**
   * What the policy says to a use, carried out: counted, decided, asked of the person.
   *
   * @throws {ExchangeRefusal} `policy_denied`, `rate_limited`, `approval_pending`.
   */
  admit(use: PolicyUse): Promise<Admission>
}

export interface PolicyUse {
  readonly client: Client
  readonly userId: string
  readonly act: PolicyAct
  readonly rules: Pick<ScopeRules, 'missing'>
  readonly at: EpochSeconds
  /** False when the same use was counted before, and is judged once more. */
  readonly isNew: boolean
  /** The client's own words. */
  readonly purpose: string | undefined
  /** What the person would be asked. @throws {ExchangeRefusal} it cannot be shown to them. */
  readonly question: (rule: ApprovalRule) => AskedUse
}

export interface Admission {
  /** To be stored before the use is answered: a yes that serves once. */
  readonly mark: ReplayMark | undefined
  /** What a policy that is only observed would have said, for the event. */
  readonly observed: string | undefined
}

export interface UsePolicyDeps {
  readonly storage: Storage
  readonly approvals: ApprovalDeps
}

const ADMITTED: Admission = { mark: undefined, observed: undefined }

export function createUsePolicy(deps: UsePolicyDeps): UsePolicy {
  const rates = new Map<number, MinuteLimit>()
  return {
    async admit(use) {
      const { policy } = use.client
      if (policy === undefined) return ADMITTED
      const { act, at, rules } = use
      const rateWaitSeconds = use.isNew ? await waitFor(rates, policy.perMinute, use) : 0
      const decision = decidePolicy({ policy, act, now: at, rateWaitSeconds, missing: rules.missing })
      if (decision.kind === 'allow') return ADMITTED
      if (policy.observed) return { mark: undefined, observed: observedOf(decision) }
      if (decision.kind === 'refuse') throw refusalOf(decision, act.connection)
      return { mark: await requireYes(deps, use, decision.approval), observed: undefined }
    },
  }
}

async function waitFor(
  rates: Map<number, MinuteLimit>,
  points: number | undefined,
  { client, userId }: PolicyUse,
): Promise<number> {
  if (points === undefined) return 0
  const limit = rates.get(points) ?? createMinuteLimit({ points, enabled: () => true })
  rates.set(points, limit)
  const verdict = await limit.count(`${client.clientId} ${userId}`)
  return verdict.kind === 'within' ? 0 : verdict.retryAfterSeconds
}

const observedOf = (decision: Exclude<PolicyDecision, { kind: 'allow' }>): string =>
  decision.kind === 'ask' ? 'approval' : decision.reason

/** A refusal by a rule, for whoever asked: the reason, and for scopes which. */
export function refusalOf(decision: Extract<PolicyDecision, { kind: 'refuse' }>, connection: string): ExchangeRefusal {
  const { reason, rule, missingScopes, retryAfterSeconds } = decision
  const details = {
    connection,
    reason,
    rule,
    ...(missingScopes && { missingScopes }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  }
  return new ExchangeRefusal(reason === 'rate_in_policy' ? 'rate_limited' : 'policy_denied', details)
}

async function requireYes(
  { storage, approvals }: UsePolicyDeps,
  { client: { clientId }, userId, act: { connection }, at, purpose, question }: PolicyUse,
  rule: ApprovalRule,
): Promise<ReplayMark | undefined> {
  const asked = { userId, clientId, use: question(rule), purpose, at }
  const verdict = await approvalForUse(storage, approvals, asked)
  switch (verdict.kind) {
    case 'allowed':
      return verdict.mark
    case 'pending':
      throw new ExchangeRefusal('approval_pending', {
        connection,
        authReqId: verdict.authReqId,
        rule: 'P8',
        interval: POLL_SECONDS,
      })
    case 'denied':
      throw new ExchangeRefusal('policy_denied', { connection, reason: 'approval_denied', rule: 'P8' })
    case 'refused': {
      const { reason } = verdict
      if ('retryAfterSeconds' in verdict)
        throw new ExchangeRefusal('rate_limited', {
          connection,
          reason,
          rule: 'P8',
          retryAfterSeconds: verdict.retryAfterSeconds,
        })
      throw new ExchangeRefusal('policy_denied', { connection, reason, rule: 'P8' })
    }
  }
}

/** The yes served somebody else a moment ago. */
export const approvalUsed = (connection: string): ExchangeRefusal =>
  new ExchangeRefusal('policy_denied', { connection, reason: 'approval_used', rule: 'P8' })
