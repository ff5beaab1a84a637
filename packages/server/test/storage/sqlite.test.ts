// The suite on SQLite.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate } from '../../src/storage/migrate.ts'
import { openStorage } from '../../src/storage/open.ts'
import { conformance } from './conformance.ts'

conformance('storage on SQLite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-storage-'))
  const url = `sqlite:${join(folder, 'tenon.db')}`
  await migrate(url)
  return {
    open: () => openStorage({ url }),
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  }
})
