// Migrates the database that is its argument as soon as it is told to, and says what it did.
import { migrate } from '../../../src/storage/migrate.ts'

process.once('message', async () => {
  process.send?.(await migrate(process.argv[2] ?? ''))
  process.disconnect?.()
})
process.send?.('ready')
