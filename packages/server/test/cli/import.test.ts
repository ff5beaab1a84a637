// `tenon import auth0` as an operator runs it: what it says, how it ends, and what a second run makes of a first that went
// wrong. What becomes of rows is the subject of accounts/import-users.test.ts.
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { openKeyring } from '../../src/crypto/keyring.ts'
import { openStorage } from '../../src/storage/open.ts'
import { PASSWORDS } from '../support/tenant.ts'
import { runTenon, scratch } from './run.ts'

const AT = 1_700_000_000
const dataDir = scratch()
const database = `sqlite:${join(dataDir, 'tenon.db')}`
const files = join(dirname(dataDir), 'files')

before(async () => {
  mkdirSync(files, { recursive: true })
  assert.equal((await runTenon(['migrate', '--data-dir', dataDir])).code, 0)
  openKeyring({ source: `file:${join(dataDir, 'vault.key')}`, create: true, pollMs: 0 }).close()
  const storage = await openStorage({ url: database })
  await storage.transaction((tx) =>
    tx.connections.insert({
      id: 'con_passwords',
      name: PASSWORDS,
      strategy: 'auth0',
      document: { name: PASSWORDS, strategy: 'auth0', options: {} },
      secretEnvelope: undefined,
      createdAt: AT,
      updatedAt: AT,
    }),
  )
  await storage.close()
})
after(() => rmSync(dirname(dataDir), { recursive: true, force: true }))

const person = (name: string, more: object = {}) => ({
  user_id: `auth0|${Buffer.from(name.padEnd(12, '.')).toString('hex')}`,
  email: `${name}@example.test`,
  email_verified: true,
  name,
  ...more,
})

function file(name: string, content: string | Buffer): string {
  const path = join(files, name)
  writeFileSync(path, content)
  return path
}
const lines = (...rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join('\n')

const importFiles = (...args: readonly string[]) => runTenon(['import', 'auth0', ...args, '--data-dir', dataDir])

async function namesInDatabase(): Promise<readonly string[]> {
  const storage = await openStorage({ url: database })
  const { items } = await storage.users.list({ offset: 0, limit: 100 })
  await storage.close()
  return items.map(({ profile }) => profile.name ?? '').sort()
}

test('a file that is right ends with status 0, and twice is once', async () => {
  const good = file('good.ndjson', lines(person('ada'), person('eve')))
  const first = await importFiles(good)
  assert.deepEqual([first.code, first.stderr], [0, ''])
  assert.equal(first.stdout, `${good}: 2 users: 2 new, 0 changed, 0 as they were, 0 refused.\n`)
  const second = await importFiles(good)
  assert.equal(second.code, 0)
  assert.match(second.stdout, /2 users: 0 new, 0 changed, 2 as they were, 0 refused/)
})

test('a row that is wrong is named, the others go in, and the mended file goes on from there', async () => {
  const rows = [person('bea'), { ...person('cid'), email: 'secret-but-no-address' }, person('dot')]
  const path = file('mended.ndjson', `${lines(...rows)}\nnot json`)
  const first = await importFiles(path)
  assert.equal(first.code, 1)
  const said = first.stdout.trimEnd().split('\n')
  assert.deepEqual(said.slice(0, 2), [`${path}:2: address_invalid at /email`, `${path}:4: row_not_json`])
  assert.match(said[2] ?? '', /2 new, 0 changed, 0 as they were, 2 refused/)
  // What a row holds is nobody's business on a terminal.
  assert.equal(first.stdout.includes('secret-but'), false)
  file('mended.ndjson', lines(person('bea'), person('cid'), person('dot')))
  const second = await importFiles(path)
  assert.equal(second.code, 0)
  assert.match(second.stdout, /1 new, 0 changed, 2 as they were, 0 refused/)
})

test('a file that breaks off ends with status 1, says where, and keeps what stood before', async () => {
  const whole = JSON.stringify([person('fay'), person('gil')])
  const path = file('broken.json', whole.slice(0, whole.indexOf('gil')))
  const first = await importFiles('--json', path)
  assert.equal(first.code, 1)
  const said = first.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.equal(said[0].refused.file, path)
  assert.match(said[0].refused.code, /^\w+$/)
  assert.deepEqual([said[1].file, said[1].inserted], [path, 1])
  file('broken.json', whole)
  const second = await importFiles('--json', path)
  assert.equal(second.code, 0)
  const { inserted, unchanged, refused } = JSON.parse(second.stdout)
  assert.deepEqual([inserted, unchanged, refused], [1, 1, 0])
})

test('no file, or one of several that is not there: status 2, before anything is taken', async () => {
  const before = await namesInDatabase()
  for (const args of [[], [file('hal.ndjson', lines(person('hal'))), join(files, 'nowhere.ndjson')]]) {
    const ended = await importFiles(...args)
    assert.equal(ended.code, 2, ended.stderr)
    assert.equal(JSON.parse(ended.stderr.split('\n')[0] ?? '').pointer, 'FILE')
  }
  assert.deepEqual(await namesInDatabase(), before)
})

test('compressed files are read, and --upsert changes who is there', async () => {
  const zipped = file('ada.json.gz', gzipSync(JSON.stringify([{ ...person('ada'), name: 'Ada Lovelace' }])))
  assert.match((await importFiles(zipped)).stdout, /0 new, 0 changed, 1 as they were/)
  const changed = await importFiles('--upsert', zipped)
  assert.deepEqual([changed.code, /0 new, 1 changed/.test(changed.stdout)], [0, true])
  assert.ok((await namesInDatabase()).includes('Ada Lovelace'))
})
