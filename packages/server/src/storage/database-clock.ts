// One clock for all nodes: the database's. What is leased from one node to another is judged by it, for a node whose own
// clock is ahead would take what another one is in the middle of (T-OPS-07).
import { startPeriodic } from '../lib/periodic.ts'
import type { Clock } from '../lib/time.ts'
import type { Storage } from './storage.ts'

export interface DatabaseClock {
  readonly now: Clock
  stop(): Promise<void>
}

const READ_AGAIN_MS = 10_000

/** @param clock what tells the time where the database has no clock of its own. */
export async function followDatabaseClock(
  storage: Pick<Storage, 'databaseTime'>,
  { clock, onError }: { readonly clock: Clock; readonly onError: (error: unknown) => void },
): Promise<DatabaseClock> {
  if (storage.databaseTime === undefined) return { now: clock, stop: async () => {} }
  let ahead = 0
  const read = async () => {
    const before = performance.now()
    const seconds = (await storage.databaseTime?.()) ?? Number.NaN
    // The answer was true half a round trip ago. The monotonic clock carries it on: nobody sets that one.
    if (Number.isFinite(seconds)) ahead = seconds * 1000 - (before + performance.now()) / 2
  }
  await read()
  const periodic = startPeriodic({ everyMs: READ_AGAIN_MS, work: read, onError })
  return { now: () => Math.floor((performance.now() + ahead) / 1000), stop: () => periodic.stop() }
}
