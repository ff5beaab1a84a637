// The suite on SQLite.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate } from '../../src/storage/migrate.ts'
import { openStorage } from '../../src/storage/open.ts'
import { conformance } from './conformance.ts'
import { migrationTests } from './migrations.ts'

conformance('storage on SQLite', async () => {
  const { url, remove } = createEmptyFile()
  await migrate(url)
  return { open: () => openStorage({ url }), remove }
})

migrationTests('migrations of SQLite', async () => createEmptyFile())

function createEmptyFile() {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-storage-'))
  return {
    url: `sqlite:${join(folder, 'tenon.db')}`,
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  }
}
