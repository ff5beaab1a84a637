// What the vault does without being asked: on every node, claiming rows, harmless when done twice.
import { KEPT_FRESH_SECONDS } from '../domain/account-end.ts'
import { type Periodic, startPeriodic } from '../lib/periodic.ts'
import type { EpochSeconds } from '../lib/time.ts'
import { tellEndings } from './endings.ts'
import { resumeRewrapping } from './key-rotation.ts'
import type { VaultParts } from './parts.ts'
import type { Refresher } from './refresher.ts'
import { createRevoker } from './revocations.ts'

const INTENTS_MS = 1000
const REVOCATIONS_MS = 2000
const EXPIRING_MS = 30_000
const KEYS_MS = 60_000
const ENDINGS_MS = 600_000

const BATCH = 50
const CONCURRENT = 4
const WEEK_SECONDS = 7 * 86_400
/** Access tokens that end so soon are renewed before somebody waits for it. */
const AHEAD_SECONDS = 300
const MAX_SHORT_LIVED = 10_000

export interface BackgroundOptions {
  /**
   * Every other holder of a lease is known to be dead: this process alone has the database, and has just started.
   * Otherwise leases of the dead are waited for, some seconds.
   */
  readonly takeOverLeases: boolean
}

export function startBackground(
  parts: VaultParts,
  refresher: Refresher,
  { takeOverLeases }: BackgroundOptions,
): Periodic {
  let takeOver = takeOverLeases
  const shortLived = new Set<string>()
  const periodic = (everyMs: number, task: string, work: () => Promise<void>) =>
    startPeriodic({
      everyMs,
      work,
      onError: (error) => parts.log.error({ err: error, task }, 'background work failed'),
    })
  const revoker = createRevoker(parts, REVOCATIONS_MS)
  revoker.start()
  const running = [
    revoker,
    periodic(INTENTS_MS, 'refreshes without an answer', async () => {
      await recoverIntents(parts, refresher, takeOver)
      takeOver = false
    }),
    periodic(EXPIRING_MS, 'tokens that end soon', () => refreshExpiring(parts, refresher, shortLived)),
    periodic(ENDINGS_MS, 'accounts that end soon', () => tellEndings(parts)),
    periodic(KEYS_MS, 'data keys under an old key', () => resumeRewrapping(parts)),
  ]
  return {
    async stop() {
      await Promise.all(running.map((one) => one.stop()))
    },
  }
}

/** Refreshes whose process died, or whose answer was lost: the old token is tried, and what comes of it counts. */
export async function recoverIntents(parts: VaultParts, refresher: Refresher, takeOver: boolean): Promise<void> {
  const ahead: EpochSeconds = takeOver ? WEEK_SECONDS : 0
  const open = await parts.storage.accounts.listOpenIntents(parts.leaseClock() + ahead, BATCH)
  await eachOf(open, ({ id }) => refresher.recover(id, takeOver ? 'take_over' : 'run_out'))
}

/** Accounts used in the last week, before their access token ends. */
export async function refreshExpiring(parts: VaultParts, refresher: Refresher, shortLived: Set<string>): Promise<void> {
  const now = parts.clock()
  const margin = parts.settings().refreshMarginSeconds
  // Those inside the margin are refreshed by whoever asks; here they would only crowd out the others.
  const query = {
    usedSince: now - KEPT_FRESH_SECONDS,
    after: now + margin,
    before: now + margin + AHEAD_SECONDS,
    limit: BATCH,
  }
  const expiring = await parts.storage.accounts.listExpiring(query)
  const wanted = expiring.filter(
    ({ id, health, connectionId }) =>
      health !== 'reconnect_required' && !shortLived.has(id) && parts.circuits.pauseOf(connectionId) === 0,
  )
  await eachOf(wanted, async ({ id }) => {
    const result = await refresher.freshToken(id, margin + AHEAD_SECONDS)
    // Tokens that live no longer than this would be renewed at every turn.
    const ends = result.kind === 'fresh' ? result.expiresAt : undefined
    if (ends === undefined || ends > parts.clock() + margin + 2 * AHEAD_SECONDS) return
    if (shortLived.size >= MAX_SHORT_LIVED) shortLived.clear()
    shortLived.add(id)
  })
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const rest = items.values()
  const worker = async () => {
    for (const item of rest) await work(item)
  }
  await Promise.all(Array.from({ length: CONCURRENT }, worker))
}
