// `tenon link simulate`: what a policy would have done with the present users, before it is turned on.
import { simulatePolicy } from '../accounts/simulate-policy.ts'
import type { SignInReason, SignInRule } from '../domain/sign-in.ts'
import { SIGN_IN_REASONS } from '../domain/sign-in-reasons.ts'
import type { CommandInput, ExitStatus } from './command.ts'
import { withDeployment } from './deployment-access.ts'
import { policyOf, settingsNow } from './link-options.ts'

interface Outcome {
  readonly decision: string
  readonly rule: SignInRule
  readonly reason: SignInReason
  count: number
}

/** Prints each join and suggestion as it is found, and how many of what at the end. */
export const simulateLinks = (input: CommandInput): Promise<ExitStatus> =>
  withDeployment<ExitStatus>(input, async ({ storage, clock }) => {
    const { linking, operators } = await settingsNow(storage)
    const policy = policyOf(input, linking.policy)
    const json = input.commandLine.isOn('json')
    const outcomes = new Map<string, Outcome>()
    let examined = 0
    if (!json) input.print(`Policy ${policy}; the settings say ${linking.policy}.`)
    for await (const { identity, decision } of simulatePolicy(storage, { policy, operators, at: clock() })) {
      examined++
      const { kind, rule, reason } = decision
      const outcome = outcomes.get(`${kind} ${rule} ${reason}`) ?? { decision: kind, rule, reason, count: 0 }
      outcome.count++
      outcomes.set(`${kind} ${rule} ${reason}`, outcome)
      if (decision.kind !== 'join' && decision.kind !== 'suggest') continue
      const { userId: from, connectionId, subject } = identity
      const found = { decision: kind, rule, reason, connection_id: connectionId, subject, from, into: decision.userId }
      input.print(json ? JSON.stringify(found) : `  ${kind} ${subject} of ${from} with ${decision.userId}`)
    }
    const summary = [...outcomes.values()].sort((a, b) => b.count - a.count)
    if (json) input.print(JSON.stringify({ policy, present_policy: linking.policy, examined, outcomes: summary }))
    else for (const line of sentencesOf(examined, summary)) input.print(line)
    return 0
  })

const sentencesOf = (examined: number, summary: readonly Outcome[]): readonly string[] => [
  `Looked at ${examined} identities whose address an older user has as well.`,
  ...summary.map(
    ({ decision, rule, reason, count }) =>
      `  ${String(count).padStart(6)} ${decision} (${rule}, ${reason}): ${SIGN_IN_REASONS[reason]}`,
  ),
]
