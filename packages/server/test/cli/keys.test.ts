import assert from 'node:assert/strict'
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openKeyring } from '../../src/crypto/keyring.ts'
import { openStorage } from '../../src/storage/open.ts'
import { runTenon, scratch } from './run.ts'

/** A data folder as a first start leaves it: migrated, with a vault key. */
async function deployment() {
  const dataDir = scratch()
  mkdirSync(dataDir, { mode: 0o700 })
  const migrated = await runTenon(['migrate', '--data-dir', dataDir])
  assert.equal(migrated.code, 0, migrated.stderr)
  openKeyring({ source: `file:${join(dataDir, 'vault.key')}`, create: true, pollMs: 0 }).close()
  return { dataDir, run: (...args: string[]) => runTenon(args, { TENON_DATA_DIR: dataDir }) }
}

test('migrate: a second run finds nothing to do', async () => {
  const { run } = await deployment()
  const again = await run('migrate')
  assert.equal(again.code, 0)
  assert.match(again.stdout, /has version \d+ already/)
})

test('keys: rotation gives a new signing key and keeps the one before, and list shows ids only', async () => {
  const { run } = await deployment()
  assert.equal((await run('keys', 'rotate', '--signing')).code, 0)
  const rotated = await run('keys', 'rotate', '--signing')
  assert.equal(rotated.code, 0, rotated.stderr)
  const listed = await run('keys', 'list')
  assert.equal(listed.code, 0, listed.stderr)
  const states = [...listed.stdout.matchAll(/^ {2}\S+ {2}(next|current|previous)/gm)].map(([, state]) => state).sort()
  assert.deepEqual([...new Set(states)], ['current', 'next', 'previous'])
  assert.doesNotMatch(listed.stdout, /"d"|PRIVATE/)
})

test('keys: the vault key rotates, what the old one sealed opens, and it can be removed after', async () => {
  const { dataDir, run } = await deployment()
  assert.equal((await run('keys', 'rotate', '--signing')).code, 0)
  const rotated = await run('keys', 'rotate', '--vault')
  assert.equal(rotated.code, 0, rotated.stderr)
  assert.equal((await run('keys', 'list')).stdout.match(/^ {2}kek_\S+/gm)?.length, 2)
  const pruned = await run('keys', 'prune')
  assert.match(pruned.stdout, /^Removed kek_/)
  assert.equal((await run('keys', 'list')).code, 0)
  assert.equal((await run('doctor', '--data-dir', dataDir)).code, 0)
})

test('keys: a vault key that does not open the database is refused with status 2, and not shown', async () => {
  const { dataDir, run } = await deployment()
  assert.equal((await run('keys', 'rotate', '--signing')).code, 0)
  const other = Buffer.alloc(32, 5).toString('base64')
  const wrong = await runTenon(['keys', 'list', '--data-dir', dataDir, '--vault-key', 'env:OTHER'], { OTHER: other })
  assert.equal(wrong.code, 2)
  assert.equal(JSON.parse(wrong.stderr).pointer, '--vault-key')
  assert.ok(!wrong.stderr.includes(other))
})

test('doctor: says what is not there yet, and is content', async () => {
  const ended = await runTenon(['doctor', '--data-dir', scratch()])
  assert.equal(ended.code, 0)
  assert.match(ended.stdout, /warn {2}data folder/)
})

test('doctor: a folder that others can enter is a failure, with the way to mend it', async () => {
  const { dataDir, run } = await deployment()
  chmodSync(dataDir, 0o755)
  const ended = await run('doctor')
  assert.equal(ended.code, 1)
  assert.match(ended.stdout, /fail {2}data folder/)
  assert.match(ended.stdout, /→ chmod 700/)
})

test('doctor: a connection whose provider cannot be reached, or may not, is a failure that names it', async () => {
  const { dataDir, run } = await deployment()
  assert.equal((await run('keys', 'rotate', '--signing')).code, 0)
  const storage = await openStorage({ url: `sqlite:${join(dataDir, 'tenon.db')}` })
  const row = (name: string, strategy: string, options: Record<string, string>) => ({
    id: `con_${name}`,
    name,
    strategy,
    document: { name, strategy, options },
    secretEnvelope: undefined,
    createdAt: 0,
    updatedAt: 0,
  })
  await storage.transaction(async (tx) => {
    await tx.connections.insert(row('gone', 'oidc', { client_id: 'x', issuer: 'http://127.0.0.1:1' }))
    await tx.connections.insert(row('saml', 'samlp', {}))
    await tx.connections.insert(row('code', 'github', { client_id: 'x' }))
  })
  await storage.close()
  const blocked = await run('doctor')
  assert.equal(blocked.code, 1)
  assert.match(blocked.stdout, /fail {2}gone .*\n.*→ .*dangerously-allow-upstream-network/)
  assert.match(blocked.stdout, /ok {4}code/)
  const down = await run('doctor', '--dangerously-allow-upstream-network', '127.0.0.0/8')
  assert.equal(down.code, 1)
  assert.match(down.stdout, /fail {2}gone .*no usable answer/)
})
