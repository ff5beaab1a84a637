// Holds the server's lock on the file that is its argument until it is killed.
import { openServerLock } from '../../../src/storage/server-lock.ts'

openServerLock(process.argv[2] ?? '')
process.send?.('held')
setInterval(() => {}, 60_000)
