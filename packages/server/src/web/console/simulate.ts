// The page that asks the rules what another policy would have done.
import { createSimulationTally, type SimulatedArrival, simulatePolicy } from '../../accounts/simulate-policy.ts'
import type { LinkPolicy } from '../../domain/settings.ts'
import { loadNames } from '../account/names.ts'
import { type FoundView, LINK_POLICIES, renderConsoleSimulate, type SimulationView } from '../pages/console-simulate.ts'
import { type Built, type ConsoleDeps, type ConsoleVisit, consoleFrame, recordLook } from './page.ts'
import { shownName } from './users.ts'

/** As many as a page may take the time for, and the room; the rest is on the pages that follow. */
const ENOUGH_EXAMINED = 5000
const ENOUGH_LISTED = 100

export async function simulatePage(deps: ConsoleDeps, visit: ConsoleVisit): Promise<Built> {
  const present = deps.settings().linking.policy
  const asked = LINK_POLICIES.find((one) => one === visit.query.policy)
  const result = asked && (await simulate(deps, asked, placeOf(visit)))
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

/** The group to begin with: `?from=`, which counts from 0. */
const placeOf = ({ query }: ConsoleVisit): number => (/^\d{1,9}$/.test(query.from ?? '') ? Number(query.from) : 0)

/** Whole groups, until it is enough for a page: what is held in memory does not grow with the number of users. */
async function simulate(deps: ConsoleDeps, policy: LinkPolicy, from: number): Promise<SimulationView> {
  const { storage, clock } = deps
  const { operators } = deps.settings()
  const tally = createSimulationTally()
  const found: Found[] = []
  let [next, total, isListCut] = [from, 0, false]
  for await (const group of simulatePolicy(storage, { policy, operators, at: clock() }, from)) {
    for await (const { identity, decision } of group.arrivals) {
      tally.add(decision)
      if (decision.kind !== 'join' && decision.kind !== 'suggest') continue
      if (found.length < ENOUGH_LISTED) found.push({ identity, decision })
      else isListCut = true
    }
    next = group.at + 1
    total = group.total
    if (tally.examined() >= ENOUGH_EXAMINED || found.length === ENOUGH_LISTED) break
  }
  const pageFrom = (group: number) => `/console/simulate?${new URLSearchParams({ policy, from: String(group) })}`
  return {
    examined: tally.examined(),
    groups: { from: from + 1, to: next, total },
    nextUrl: next < total ? pageFrom(next) : undefined,
    firstUrl: from > 0 ? pageFrom(0) : undefined,
    outcomes: tally.outcomes(),
    found: await foundViews(deps, found),
    isListCut,
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
