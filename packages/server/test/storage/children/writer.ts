// Writes events in a process of its own and tells of each one that was acknowledged.
// Arguments: database URL, user id to write under, number of events, how many at a time.
import { openStorage } from '../../../src/storage/open.ts'

const [url = '', userId = '', count = '0', atATime = '1'] = process.argv.slice(2)
const storage = await openStorage({ url })
process.send?.('ready')

let next = 0
async function writeOnAndOn(): Promise<void> {
  for (let n = next++; n < Number(count); n = next++) {
    await storage.transaction(async (tx) => {
      await tx.events.append({ type: 'test.written', at: n, outcome: 'ok', userId })
      await tx.limits.add('shared', 1, 0, 1)
    })
    process.send?.(n)
  }
}
await Promise.all(Array.from({ length: Number(atATime) }, writeOnAndOn))
await storage.close()
process.send?.('done')
process.disconnect?.()
