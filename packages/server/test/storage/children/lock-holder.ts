// Holds the server's lock on the file that is its argument until it is killed, or says why it cannot.
import { DatabaseInUse, openServerLock } from '../../../src/storage/server-lock.ts'

try {
  openServerLock(process.argv[2] ?? '')
  process.send?.('held')
  // With its parent's end, however that ends, it lets go.
  process.once('disconnect', () => process.exit())
  setInterval(() => {}, 60_000)
} catch (error) {
  process.send?.(error instanceof DatabaseInUse ? error.code : String(error))
  process.disconnect?.()
}
