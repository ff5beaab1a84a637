// Calls whose process died while the provider had them: that they were made is recorded, though nobody knows what came of them.
import type { EpochSeconds } from '../lib/time.ts'
import type { Storage } from '../storage/storage.ts'

/** Longer than a call may take. A process that was stopped for longer, and goes on, records its call a second time. */
const FORGOTTEN_AFTER_SECONDS = 600
const BATCH = 500

/** Writes the events of calls that nobody came back from, on whichever node looks first. */
export function recordForgottenCalls(storage: Storage, now: EpochSeconds): Promise<void> {
  return storage.transaction(async (tx) => {
    await tx.events.appendAll(await tx.openCalls.claimForgotten(now - FORGOTTEN_AFTER_SECONDS, BATCH))
  })
}
