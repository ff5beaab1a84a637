// The page that asks the rules what another policy would have done.
import { createSimulationTally, type SimulatedArrival, simulatePolicy } from '../../accounts/simulate-policy.ts'
import type { LinkPolicy } from '../../domain/settings.ts'
import { loadNames } from '../account/names.ts'
import { type FoundView, LINK_POLICIES, renderConsoleSimulate, type SimulationView } from '../pages/console-simulate.ts'
import { type Built, type ConsoleDeps, type ConsoleVisit, consoleFrame, recordLook } from './page.ts'
import { shownName } from './users.ts'

/** As many as a page may take the time for; the command has no such end. */
const MAX_EXAMINED = 5000
const MAX_LISTED = 100

export async function simulatePage(deps: ConsoleDeps, visit: ConsoleVisit): Promise<Built> {
  const present = deps.settings().linking.policy
  const asked = LINK_POLICIES.find((one) => one === visit.query.policy)
  const result = asked && (await simulate(deps, asked))
  if (asked && result)
    await recordLook(deps, visit, {
      type: 'console.policy_simulated',
      data: { policy: asked, examined: result.examined },
    })
  const html = renderConsoleSimulate({ ...consoleFrame(deps, visit), present, chosen: asked ?? present, result })
  return { html }
}

type Found = Omit<SimulatedArrival, 'decision'> & {
  readonly decision: Extract<SimulatedArrival['decision'], { kind: 'join' | 'suggest' }>
}

async function simulate(deps: ConsoleDeps, policy: LinkPolicy): Promise<SimulationView> {
  const { storage, clock } = deps
  const { operators } = deps.settings()
  const tally = createSimulationTally()
  const found: Found[] = []
  let isCut = false
  for await (const { identity, decision } of simulatePolicy(storage, { policy, operators, at: clock() })) {
    isCut = tally.examined() === MAX_EXAMINED
    if (isCut) break
    tally.add(decision)
    if (decision.kind === 'join' || decision.kind === 'suggest') found.push({ identity, decision })
  }
  return {
    examined: tally.examined(),
    isCut,
    outcomes: tally.outcomes(),
    found: await foundViews(deps, found.slice(0, MAX_LISTED)),
    isListCut: found.length > MAX_LISTED,
  }
}

async function foundViews(deps: ConsoleDeps, found: readonly Found[]): Promise<readonly FoundView[]> {
  const names = await loadNames(deps, {
    connections: found.map(({ identity }) => identity.connectionId),
    clients: [],
  })
  const nameOf = async (userId: string) => {
    const user = await deps.storage.users.find(userId)
    return { userId, name: user && shownName(user) }
  }
  return Promise.all(
    found.map(async ({ identity, decision }) => ({
      decision: decision.kind,
      rule: decision.rule,
      connection: names.connection(identity.connectionId)?.name,
      newcomer: await nameOf(identity.userId),
      older: await nameOf(decision.userId),
    })),
  )
}
