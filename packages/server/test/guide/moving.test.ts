// The guides about what comes in and goes out: From Auth0 to Tenon, Backup, and the upgrade in Deploying.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { openStorage } from '../../src/storage/open.ts'
import { createEmptyDatabase } from '../storage/postgres-database.ts'
import { Browser } from '../support/browser.ts'
import { ownEnvironment } from '../support/environment.ts'
import { blocksIn, blockWith, projectRoot } from './document.ts'

const FROM_AUTH0 = 'docs/guide/from-auth0.md'
const BACKUP = 'docs/guide/backup.md'
const DEPLOYING = 'docs/guide/deploying.md'
const USER = 'auth0|64b7f0c2a1b2c3d4e5f60718'

test("the guide's users come in beside a running server, sign in by their old password, and leave again", async (t) => {
  const place = folderOf(t)
  const json = blocksIn(FROM_AUTH0, 'json')
  writeFileSync(join(place.folder, 'tenant.json'), blockWith(json, '"clients"'))
  for (const [name, mark] of Object.entries({ 'users.ndjson': '"identities"', 'passwords.ndjson': '"$oid"' }))
    writeFileSync(join(place.folder, name), `${JSON.stringify(JSON.parse(blockWith(json, mark)))}\n`)
  const url = await serve(t, place.folder)
  const commands = blocksIn(FROM_AUTH0, 'sh')
  const said = await place.run(blockWith(commands, 'passwords.ndjson'))
  assert.equal(said.stdout.trim(), blockWith(blocksIn(FROM_AUTH0, 'text'), 'users.ndjson').trim())
  assert.match((await place.run(blockWith(commands, '--upsert'))).stdout, /1 as they were/)
  const browser = new Browser({ stopAt: ['http://localhost:3000/'] })
  const request = {
    client_id: 'web',
    response_type: 'code',
    redirect_uri: 'http://localhost:3000/callback',
    scope: 'openid',
  }
  await browser.open(`${url}/authorize?${new URLSearchParams(request)}`)
  const page = await browser.submit('login', { fields: { username: 'ada@example.test', password: 'abc' } })
  assert.ok(page.params.has('code'))
  await place.run(blockWith(commands, 'tenon export'))
  const [line = ''] = readFileSync(join(place.folder, 'all-users.ndjson'), 'utf8').split('\n')
  const { user_id: id, identities } = JSON.parse(line)
  assert.deepEqual([id, identities.length], [USER, 2])

  // The same folder, backed up while it serves, lost, restored; then moved to PostgreSQL.
  const backing = blocksIn(BACKUP, 'sh')
  await place.run(blockWith(backing, 'backup monday'))
  await place.stop()
  loseDatabase(place.folder)
  await place.run(blockWith(backing, 'restore monday'))

  // An upgrade, and back again.
  const upgrading = blocksIn(DEPLOYING, 'sh')
  await place.run(blockWith(upgrading, 'backup before-upgrade'))
  await place.run(blockWith(upgrading, 'tenon migrate'))
  loseDatabase(place.folder)
  await place.run(blockWith(upgrading, 'restore before-upgrade'))
  const postgres = await createEmptyDatabase()
  try {
    const [out = '', back = ''] = blockWith(backing, 'move.backup').trim().split('\n')
    await place.run(out)
    await place.run(back.replace(/postgres:\S+/, postgres.url))
    const storage = await openStorage({ url: postgres.url })
    assert.equal((await storage.users.find(USER))?.email, 'ada@example.test')
    await storage.close()
  } finally {
    await postgres.remove()
  }

  async function serve(test: TestContext, folder: string): Promise<string> {
    const child = spawn(join(projectRoot, 'bin/tenon'), ['serve', '--tenant', 'tenant.json'], {
      cwd: folder,
      env: { ...ownEnvironment(), TENON_PORT: '0' },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const ended = once(child, 'close')
    place.stop = async () => {
      child.kill('SIGTERM')
      await ended
    }
    test.after(() => place.stop())
    const [started] = await Promise.race([once(child.stdout, 'data'), ended])
    return String(JSON.parse(String(started)).url)
  }
})

function loseDatabase(folder: string): void {
  for (const name of readdirSync(join(folder, 'data')))
    if (name.startsWith('tenon.db')) rmSync(join(folder, 'data', name))
}

/** A folder in which a person would run the guide's commands, as they stand there. */
function folderOf(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-guide-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const run = (command: string) =>
    promisify(execFile)('sh', ['-c', command.replaceAll('bin/tenon', join(projectRoot, 'bin/tenon'))], {
      cwd: folder,
      env: ownEnvironment(),
    })
  return { folder, run, stop: async () => {} }
}
