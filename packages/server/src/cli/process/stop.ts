// The orderly end of one process.
import { setTimeout as sleep } from 'node:timers/promises'
import type { App } from '../../config/app-contract.ts'
import type { Log } from '../../lib/log.ts'
import type { Listener } from './listener.ts'

/** How long requests in flight may take once the end was asked for. */
export const DRAIN_MS = 15_000
const CLOSE_MS = 3_000

interface Options {
  readonly listener: Listener | undefined
  readonly app: App | undefined
  readonly log: Log
}

/** Accepts nothing more, lets the requests in flight finish, then closes the application. Always ends. */
export async function stopServing({ listener, app, log }: Options): Promise<void> {
  await listener?.stop(DRAIN_MS)
  const closed = app?.close().then(
    () => true,
    (error: unknown) => {
      log.error({ event: 'close_failed', err: error }, 'the application did not close in order')
      return true
    },
  )
  if (closed && !(await Promise.race([closed, sleep(CLOSE_MS, false, { ref: false })]))) {
    log.warn({ event: 'close_late' }, 'the application took too long to close')
  }
}
