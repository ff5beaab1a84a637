// What `tenon doctor` says of receivers of events.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openKeyring } from '../../src/crypto/keyring.ts'
import { openStorage } from '../../src/storage/open.ts'
import { runTenon, scratch } from './run.ts'

test('doctor: says which receivers of events fail, since when, and what was given up', async () => {
  const dataDir = scratch()
  mkdirSync(dataDir, { mode: 0o700 })
  const run = (...args: string[]) => runTenon(args, { TENON_DATA_DIR: dataDir })
  assert.equal((await run('migrate')).code, 0)
  openKeyring({ source: `file:${join(dataDir, 'vault.key')}`, create: true, pollMs: 0 }).close()
  assert.equal((await run('keys', 'rotate', '--signing')).code, 0)
  const now = Math.floor(Date.now() / 1000)
  const storage = await openStorage({ url: `sqlite:${join(dataDir, 'tenon.db')}` })
  await storage.transaction(async (tx) => {
    for (const [id, url] of Object.entries({
      wh_well: 'https://well.test/',
      wh_new: 'https://new.test/',
      wh_down: 'https://down.test/hooks?key=hidden',
      wh_inside: 'https://10.0.0.1/',
    }))
      await tx.webhooks.put({ id, url, envelope: Uint8Array.of(1), patterns: ['*'] })
    await tx.events.append({ type: 'kind.one', at: now, outcome: 'ok' })
    await tx.events.append({
      type: 'webhook.abandoned',
      at: now,
      outcome: 'refused',
      data: { webhook: 'wh_down', reason: 'timeout', events: 12 },
    })
  })
  const [waiting] = await storage.events.list({ types: ['kind.one'], limit: 1 })
  const seq = waiting?.seq ?? 0
  await storage.transaction(async (tx) => {
    await tx.webhooks.delivered('wh_well', seq)
    await tx.webhooks.pause({ id: 'wh_new', seq, at: now - 60, until: now, failure: 'status_503' })
    await tx.webhooks.pause({ id: 'wh_down', seq, at: now - 7200, until: now, failure: 'timeout' })
  })
  await storage.close()
  const { stdout, code } = await run('doctor')
  assert.equal(code, 1)
  for (const line of [
    /ok {4}webhook well\.test +wh_well, 0 waiting\n/,
    /warn {2}webhook new\.test +wh_new, 1 waiting, takes nothing since .*: status_503\n.*→ is it up/,
    /fail {2}webhook down\.test +wh_down, 1 waiting, takes nothing since .*: timeout\n/,
    /warn {2}webhook 10\.0\.0\.1 +wh_inside: an address that is never called\n/,
    /warn {2}webhooks +12 events for wh_down were given up .*\(timeout\)\n/,
  ])
    assert.match(stdout, line)
  assert.doesNotMatch(stdout, /hidden/)
})
