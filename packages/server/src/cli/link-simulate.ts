// `tenon link simulate`: what a policy would have done with the present users, before it is turned on.
import {
  createSimulationTally,
  type SimulatedArrival,
  type SimulatedOutcome,
  simulatePolicy,
} from '../accounts/simulate-policy.ts'
import { SIGN_IN_REASONS } from '../domain/sign-in-reasons.ts'
import type { CommandInput, ExitStatus } from './command.ts'
import { withDeployment } from './deployment-access.ts'
import { policyOf, settingsNow } from './link-options.ts'

/** Prints each join and suggestion as it is found, and how many of what at the end. */
export const simulateLinks = (input: CommandInput): Promise<ExitStatus> =>
  withDeployment<ExitStatus>(input, async ({ storage, clock }) => {
    const { linking, operators } = await settingsNow(storage)
    const policy = policyOf(input, linking.policy)
    const json = input.commandLine.isOn('json')
    const tally = createSimulationTally()
    if (!json) input.print(`Policy ${policy}; the settings say ${linking.policy}.`)
    for await (const { identity, decision } of arrivalsOf(storage, { policy, operators, at: clock() })) {
      tally.add(decision)
      const { kind, rule, reason } = decision
      if (decision.kind !== 'join' && decision.kind !== 'suggest') continue
      const { userId: from, connectionId, subject } = identity
      const found = { decision: kind, rule, reason, connection_id: connectionId, subject, from, into: decision.userId }
      input.print(json ? JSON.stringify(found) : `  ${kind} ${subject} of ${from} with ${decision.userId}`)
    }
    const [examined, outcomes] = [tally.examined(), tally.outcomes()]
    if (json) input.print(JSON.stringify({ policy, present_policy: linking.policy, examined, outcomes }))
    else for (const line of sentencesOf(examined, outcomes)) input.print(line)
    return 0
  })

async function* arrivalsOf(...asked: Parameters<typeof simulatePolicy>): AsyncGenerator<SimulatedArrival> {
  for await (const { arrivals } of simulatePolicy(...asked)) yield* arrivals
}

const sentencesOf = (examined: number, summary: readonly SimulatedOutcome[]): readonly string[] => [
  `Looked at ${examined} identities whose address an older user has as well.`,
  ...summary.map(
    ({ decision, rule, reason, count }) =>
      `  ${String(count).padStart(6)} ${decision} (${rule}, ${reason}): ${SIGN_IN_REASONS[reason]}`,
  ),
]
