// What Node itself would print as text becomes a line of the log: warnings, and errors that nobody caught.
import type { Log } from '../../lib/log.ts'

/** Ends the process with status 1 after an error that nobody caught: its state is not known any more. */
export function logProcessTroubles(process: NodeJS.Process, log: Log): void {
  // Node's own listener prints text.
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) => {
    // Features that are known to be young; the tests tell when one changes.
    if (name !== 'ExperimentalWarning') log.warn({ event: 'node_warning', name }, message)
  })
  process.on('uncaughtException', (error) => {
    log.fatal({ event: 'uncaught', err: error }, 'an error that nobody caught')
    process.exit(1)
  })
}
