// A client's policy as the client itself is told of it: what it may do, and what it need not try.
import {
  type AgentPolicy,
  type ApprovalRule,
  isProxyOnly,
  mayTakeCredential,
  ruleOf,
} from '../../domain/agent-policy.ts'
import type { Client } from '../../domain/client.ts'
import { CREDENTIAL_STRATEGIES } from '../../domain/connection.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { EpochSeconds } from '../../lib/time.ts'
import { secondsUntilOpen, shownMinutes } from '../../lib/week-hours.ts'
import { TOKEN_EXCHANGE_GRANT, VAULT_GRANT } from '../../protocol/grant-types.ts'
import type { ConnectionRecord } from '../../storage/records.ts'

/** True when the client has the right to use accounts at all. */
export const mayUse = ({ grantTypes, firstParty, oidcConformant }: Client): boolean =>
  firstParty && oidcConformant && (grantTypes.includes(VAULT_GRANT) || grantTypes.includes(TOKEN_EXCHANGE_GRANT))

/** A policy that is only observed stops nothing. */
const heldOf = ({ policy }: Client): AgentPolicy | undefined => (policy?.observed === true ? undefined : policy)

/** What holds for every connection. */
export function policyOf(client: Client, now: EpochSeconds): JsonObject {
  const policy = heldOf(client)
  if (policy === undefined) return {}
  const { hours, perMinute, mayConnect } = policy
  const open = hours && {
    time_zone: hours.timeZone,
    days: [...hours.days],
    from: shownMinutes(hours.from),
    to: shownMinutes(hours.to),
    opens_in: secondsUntilOpen(hours, now),
  }
  const rate = perMinute === undefined ? {} : { rate: { per_minute: perMinute } }
  return { policy: { connect: mayConnect, ...(open ? { hours: open } : {}), ...rate } }
}

export function connectionPolicyOf(
  client: Client,
  { name: connection, strategy }: Pick<ConnectionRecord, 'name' | 'strategy'>,
  mayProxy: boolean,
): JsonObject {
  const policy = heldOf(client)
  const mayTake = !CREDENTIAL_STRATEGIES.has(strategy) || mayTakeCredential(policy, connection)
  const mayToken = mayUse(client) && mayTake && !(policy !== undefined && isProxyOnly(policy, connection))
  const access = [...(mayToken ? ['token'] : []), ...(mayProxy ? ['proxy'] : [])]
  if (policy === undefined) return { access }
  const rule = ruleOf(policy, connection)
  const approvals = policy.approvals.filter((one) => one.connection === undefined || one.connection === connection)
  return {
    access,
    ...listed('scopes_allowed', rule?.scopes),
    ...listed('methods_allowed', rule?.methods),
    ...(approvals.length === 0 ? {} : { approvals: approvals.map(approvalView) }),
  }
}

const approvalView = ({ connection, scopes, methods, paths, validSeconds }: ApprovalRule): JsonObject => ({
  ...(connection === undefined ? {} : { connection }),
  ...listed('scopes', scopes),
  ...listed('methods', methods),
  ...listed('paths', paths),
  valid_seconds: validSeconds,
})

const listed = (name: string, list: readonly string[] | undefined): JsonObject =>
  list === undefined ? {} : { [name]: [...list] }
