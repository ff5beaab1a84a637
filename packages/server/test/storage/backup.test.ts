import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { isBackupSealed, sealBackup } from '../../src/crypto/backup-seal.ts'
import { openKeyring } from '../../src/crypto/keyring.ts'
import { restoreSqlite } from '../../src/storage/backup/sqlite-backup.ts'
import { restoreBackup, writeBackup } from '../../src/storage/backup.ts'
import { migrate } from '../../src/storage/migrate.ts'
import { migrations } from '../../src/storage/migrations.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { succeed, tableLines, tenonAt } from '../support/backups.ts'
import { createEmptyDatabase, postgresServer } from './postgres-database.ts'
import {
  bytes,
  insertUser,
  NOW,
  sampleArtifact,
  sampleClient,
  sampleConnection,
  sampleIdentity,
  samplePassword,
  unique,
} from './samples.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenon-backup-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const keyring = openKeyring({ source: `file:${join(folder, 'vault.key')}`, create: true, pollMs: 0 })

interface Place {
  readonly dataDir: string
  readonly databaseUrl: string
}
const sqliteAt = (name: string): Place => ({ dataDir: folder, databaseUrl: `sqlite:${join(folder, name)}` })
/** What the commands do, in this process. */
const backUp = ({ databaseUrl }: Place, path: string) =>
  writeBackup({ databaseUrl, path, at: NOW, seal: (digest) => sealBackup(keyring, digest) })
const restore = ({ databaseUrl }: Place, path: string, { keepSessions = false, keys = keyring } = {}) =>
  restoreBackup({
    databaseUrl,
    path,
    at: NOW,
    keepSessions,
    isSealed: (digest, sealed) => isBackupSealed(keys, digest, sealed),
  })
const source = sqliteAt('source.db')
const original = join(folder, 'original.backup')
let storage: Storage

before(async () => {
  await migrate(source.databaseUrl)
  storage = await openStorage({ url: source.databaseUrl })
  await storage.transaction(async (tx) => {
    await tx.clients.insert(sampleClient({ document: { name: 'Zoë \u2028 "quoted" \n 🔑' } }))
    await tx.connections.insert(sampleConnection({ secretEnvelope: bytes(...Array(256).keys()) }))
    await tx.meta.put('settings', '{}')
  })
  for (let at = 0; at < 30; at++) await addPerson(storage)
})
after(() => storage.close())

/** A person in one transaction: a user is never without its identity. */
const addPerson = (to: Storage): Promise<void> =>
  to.transaction(async (tx) => {
    const { userId } = await insertUser(tx, { userMetadata: { note: 'naïve\n' } })
    const identity = sampleIdentity({ userId })
    await tx.identities.insert(identity)
    await tx.passwords.insert(samplePassword({ connectionId: identity.connectionId, subject: identity.subject }))
    await tx.artifacts.put(sampleArtifact({ kind: 'RefreshToken', userId, successorEnvelope: bytes(0, 255) }))
    await tx.replays.insertOnce({ idHash: unique('mark'), expiresAt: 2_000_000_000 })
    await tx.events.append({ type: 'user.created', at: 1, outcome: 'ok', userId, data: { subject: userId } })
  })

test('backup: a file for its owner alone, never over one that is there', async () => {
  await succeed(tenonAt(source, 'backup', original))
  assert.equal(statSync(original).mode & 0o777, 0o600)
  const again = await tenonAt(source, 'backup', original)
  assert.equal(again.code, 2)
  assert.equal(JSON.parse(again.stderr).code, 'file_exists')
  const nameless = await tenonAt(source, 'backup')
  assert.equal(nameless.code, 2)
  assert.equal(JSON.parse(nameless.stderr).pointer, 'FILE')
})

test('backup: one state, whatever is written meanwhile', async () => {
  const file = join(folder, 'busy.backup')
  let writes = 0
  let busy = true
  const writing = (async () => {
    for (; busy; writes++) await addPerson(storage)
  })()
  await backUp(source, file)
  busy = false
  await writing
  assert.ok(writes > 0)
  const place = sqliteAt('busy.db')
  await restore(place, file)
  const restored = await openStorage({ url: place.databaseUrl })
  const { items, total } = await restored.users.list({ offset: 0, limit: 100_000 })
  assert.ok(total >= 30)
  const identities = await restored.identities.listOfUsers(items.map(({ userId }) => userId))
  assert.deepEqual(
    identities.map(({ userId }) => userId),
    items.map(({ userId }) => userId).toSorted(),
  )
  await restored.close()
})

test('restore: sessions and tokens stay behind, and what was used once stays used', async () => {
  const place = sqliteAt('ended.db')
  const { stdout } = await succeed(tenonAt(place, 'restore', original))
  assert.match(stdout, /30 users/)
  const occupied = await tenonAt(place, 'restore', original)
  assert.equal(occupied.code, 2)
  assert.equal(JSON.parse(occupied.stderr).code, 'database_not_empty')
  const copy = join(folder, 'ended.backup')
  await backUp(place, copy)
  const lines = tableLines(copy).join('\n')
  assert.doesNotMatch(lines, /"RefreshToken"/)
  assert.equal(lines.match(/"mark[^"]*"/g)?.length, 30)
})

if (postgresServer !== undefined)
  test('backup and restore lead from SQLite to PostgreSQL and back, byte for byte', async () => {
    const postgres = await createEmptyDatabase()
    const there = { dataDir: folder, databaseUrl: postgres.url }
    try {
      await succeed(tenonAt(there, 'restore', original, '--keep-sessions'))
      const moved = join(folder, 'moved.backup')
      await succeed(tenonAt(there, 'backup', moved))
      assert.deepEqual(tableLines(moved), tableLines(original))
      await assert.rejects(restore(there, original), { code: 'database_not_empty' })
      // New rows are numbered after those that came along.
      const onPostgres = await openStorage({ url: postgres.url })
      await addPerson(onPostgres)
      assert.equal((await onPostgres.events.list({ limit: 1000 })).at(-1)?.seq, 32)
      await onPostgres.close()
      const back = sqliteAt('back.db')
      await restore(back, moved, { keepSessions: true })
      const home = join(folder, 'home.backup')
      await backUp(back, home)
      assert.deepEqual(tableLines(home), tableLines(original))
    } finally {
      await postgres.remove()
    }
  })

test('restore: a file that was cut short, changed or sealed by other keys is refused before anything is written', async () => {
  const whole = readFileSync(original)
  const text = gunzipSync(whole).toString('utf8')
  const broken: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    'no gzip': Buffer.from('{"tenon_backup":1}\n'),
    'without its end': gzipSync(text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1)),
    'a row less': gzipSync(text.replace(/\n\["RefreshToken".*/, '')),
    'a person more': gzipSync(text.replaceAll('naïve', 'naive')),
    'no backup': gzipSync('hello\n'),
  }
  const cut = join(folder, 'cut.backup')
  writeFileSync(cut, whole)
  truncateSync(cut, whole.length - 100)
  broken['cut short'] = readFileSync(cut)
  const place = sqliteAt('broken.db')
  for (const [name, content] of Object.entries(broken)) {
    writeFileSync(cut, content)
    await assert.rejects(restore(place, cut), { code: 'backup_damaged' }, name)
    await assert.rejects(openStorage({ url: place.databaseUrl }), { code: 'schema_too_old' }, name)
  }
  const newer = gzipSync(text.replace(/"schema_version":\d+/, '"schema_version":9999'))
  writeFileSync(cut, newer)
  await assert.rejects(restore(place, cut), { code: 'backup_too_new' })
  const keys = openKeyring({ source: `file:${join(folder, 'other.key')}`, create: true, pollMs: 0 })
  await assert.rejects(restore(place, original, { keys }), { code: 'backup_damaged' })
  writeFileSync(cut, 'nothing')
  const damaged = await tenonAt(place, 'restore', cut)
  assert.equal(damaged.code, 1)
  assert.equal(JSON.parse(damaged.stderr).err.code, 'backup_damaged')
  const absent = await tenonAt(place, 'restore', join(folder, 'nowhere'))
  assert.equal(absent.code, 2)
  assert.equal(JSON.parse(absent.stderr).code, 'file_missing')
})

test('restore: a backup of an older schema is brought to this one', async () => {
  const path = join(folder, 'older.db')
  const name = unique('kept')
  await restoreSqlite(path, {
    steps: migrations,
    version: 1,
    load: async () => {},
    record: () => `insert into meta (key, value) values ('${name}', 'yes')`,
  })
  const restored = await openStorage({ url: `sqlite:${path}` })
  assert.equal(await restored.meta.find(name), 'yes')
  await restored.close()
})
