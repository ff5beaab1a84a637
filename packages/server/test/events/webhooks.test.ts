import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { putWebhooks } from '../../src/accounts/webhooks.ts'
import { openKeyring } from '../../src/crypto/keyring.ts'
import type { Webhook } from '../../src/domain/settings.ts'
import { createWebhookDeliverer, GIVE_UP_SECONDS } from '../../src/events/webhook-deliverer.ts'
import { createLog } from '../../src/lib/log.ts'
import { migrate } from '../../src/storage/migrate.ts'
import { openStorage } from '../../src/storage/open.ts'
import { createSafeFetch } from '../../src/upstream/safe-fetch.ts'
import { databases } from '../attacks/databases.ts'
import { createEmptyDatabase } from '../storage/postgres-database.ts'
import { eventually } from '../support/http.ts'
import { startReceiver } from '../support/webhook-receiver.ts'

const START = 1_800_000_000
const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`

/** Nodes over one database, with a clock that the test moves. */
async function nodesFor(t: TestContext, database: 'sqlite' | 'postgres', networks = ['127.0.0.0/8']) {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-webhooks-'))
  const { url, remove } =
    database === 'postgres'
      ? await createEmptyDatabase()
      : { url: `sqlite:${join(folder, 'tenon.db')}`, remove: async () => {} }
  await migrate(url)
  const storages = [await openStorage({ url }), await openStorage({ url })] as const
  const [storage] = storages
  const keyring = openKeyring({ source: `file:${join(folder, 'vault.key')}`, create: true, pollMs: 0 })
  const lines: string[] = []
  const log = createLog({ stream: { write: (line) => void lines.push(line) } })
  let now = START
  const fetch = createSafeFetch({ allowedPrivateNetworks: networks })
  const [one, other] = storages.map((each) =>
    createWebhookDeliverer({ storage: each, keyring, fetch, clock: () => now, leaseClock: () => now, log, pollMs: 20 }),
  )
  assert.ok(one && other)
  t.after(async () => {
    await Promise.all([one.stop(), other.stop(), fetch.close()])
    for (const each of storages) await each.close()
    await remove()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    one,
    other,
    storage,
    logs: () => lines.join(''),
    put: (...webhooks: readonly Webhook[]) => storage.transaction((tx) => putWebhooks(tx, keyring, webhooks)),
    record: (...types: readonly string[]) =>
      storage.transaction((tx) =>
        tx.events.appendAll(types.map((type) => ({ type, at: now, outcome: 'ok' as const, userId: 'a|1' }))),
      ),
    passSeconds: (seconds: number) => {
      now += seconds
    },
    waiting: async () => (await storage.webhooks.states()).reduce((sum, { waiting }) => sum + waiting, 0),
    abandoned: () => storage.events.list({ types: ['webhook.abandoned'], limit: 10 }),
  }
}

const everything = (url: string): Webhook => ({ url, secrets: [SECRET], events: ['*'] })

for (const database of databases) {
  test(`webhooks: two nodes deliver each event once, in order and one at a time (${database})`, async (t) => {
    const { one, other, put, record, waiting } = await nodesFor(t, database)
    const receiver = await startReceiver()
    await put(everything(receiver.url))
    const types = Array.from({ length: 12 }, (_, index) => `kind.n${index}`)
    await record(...types)
    one.start()
    other.start()
    await eventually('the queue', async () => (await waiting()) === 0)
    assert.deepEqual(
      receiver.received.map(({ type }) => type),
      types,
    )
    assert.equal(receiver.mostAtOnce(), 1)
  })

  test(`webhooks: a receiver that is down is left alone for longer and longer, and order stays (${database})`, async (t) => {
    const { one, put, record, passSeconds, storage, logs } = await nodesFor(t, database)
    const receiver = await startReceiver()
    receiver.answer = (_, response) => void response.writeHead(503, { 'retry-after': '60' }).end('down: hunter2')
    await put(everything(receiver.url))
    await record('kind.one', 'kind.two')
    await one.deliverNow()
    await one.deliverNow()
    assert.equal(receiver.received.length, 1)
    passSeconds(59)
    await one.deliverNow()
    assert.equal(receiver.received.length, 1)
    receiver.answer = (_, response) => void response.writeHead(500).end()
    passSeconds(1)
    await one.deliverNow()
    assert.equal(receiver.received.length, 2)
    const [state] = await storage.webhooks.states()
    assert.equal(state?.failingSince, START)
    assert.equal(state?.lastFailure, 'status_500')
    receiver.answer = (_, response) => void response.writeHead(200).end('fine')
    passSeconds(10)
    await one.deliverNow()
    assert.deepEqual(
      receiver.received.map(({ type }) => type),
      ['kind.one', 'kind.one', 'kind.one', 'kind.two'],
    )
    assert.equal(new Set(receiver.received.slice(0, 3).map(({ headers }) => headers.get('webhook-id'))).size, 1)
    assert.equal((await storage.webhooks.states())[0]?.failingSince, undefined)
    assert.doesNotMatch(logs(), /hunter2|whsec_/)
  })

  test(`webhooks: an event that is refused does not hold up the others, and is given up after three days (${database})`, async (t) => {
    const { one, put, record, passSeconds, waiting, abandoned } = await nodesFor(t, database)
    const receiver = await startReceiver()
    receiver.answer = ({ type }, response) => void response.writeHead(type === 'kind.bad' ? 422 : 204).end()
    await put(everything(receiver.url))
    await record('kind.bad', 'kind.good')
    await one.deliverNow()
    assert.deepEqual(
      receiver.received.map(({ type }) => type),
      ['kind.bad', 'kind.good'],
    )
    passSeconds(GIVE_UP_SECONDS - 1)
    await one.deliverNow()
    assert.equal(await waiting(), 1)
    assert.equal((await abandoned()).length, 0)
    passSeconds(1800)
    await one.deliverNow()
    assert.equal(await waiting(), 0)
    const [event] = await abandoned()
    assert.equal(event?.data?.events, 1)
    assert.equal(event?.data?.reason, 'status_422')
  })

  test(`webhooks: what a receiver missed for three days is given up together, what is newer waits (${database})`, async (t) => {
    const { one, put, record, passSeconds, waiting, abandoned } = await nodesFor(t, database)
    const receiver = await startReceiver()
    receiver.answer = (_, response) => void response.destroy()
    await put(everything(receiver.url))
    await record('kind.one', 'kind.two')
    await one.deliverNow()
    passSeconds(1000)
    await record('kind.three')
    passSeconds(GIVE_UP_SECONDS - 1000)
    await one.deliverNow()
    assert.equal(await waiting(), 1)
    const [event] = await abandoned()
    assert.equal(event?.outcome, 'refused')
    assert.equal(event?.data?.events, 2)
    assert.equal(event?.data?.reason, 'network')
    assert.ok(Number(event?.data?.first_seq) < Number(event?.data?.last_seq))
  })
}

test('webhooks: a redirect leads nowhere, a private address is not called, and both are failures', async (t) => {
  const open = await nodesFor(t, 'sqlite')
  const receiver = await startReceiver()
  const elsewhere = await startReceiver()
  receiver.answer = (_, response) => void response.writeHead(307, { location: elsewhere.url }).end()
  await open.put(everything(receiver.url))
  await open.record('kind.one')
  await open.one.deliverNow()
  assert.equal(receiver.received.length, 1)
  assert.equal(elsewhere.received.length, 0)
  assert.equal(await open.waiting(), 1)

  const closed = await nodesFor(t, 'sqlite', [])
  await closed.put(everything(elsewhere.url), everything(elsewhere.url.replace('127.0.0.1', 'localhost')))
  await closed.record('kind.one')
  await closed.one.deliverNow()
  assert.equal(elsewhere.received.length, 0)
  for (const { lastFailure } of await closed.storage.webhooks.states()) assert.equal(lastFailure, 'address_blocked')
})

test('webhooks: a slow receiver holds up no other', async (t) => {
  const { one, put, record } = await nodesFor(t, 'sqlite')
  const [slow, quick] = [await startReceiver(), await startReceiver()]
  const held: (() => void)[] = []
  slow.answer = (_, response) => void held.push(() => response.writeHead(204).end())
  await put(everything(slow.url), everything(quick.url))
  await record('kind.one')
  one.start()
  await eventually('the slow one', () => held.length === 1)
  await record('kind.two')
  await eventually('the quick one', () => quick.received.length === 2)
  assert.equal(slow.received.length, 1)
  held[0]?.()
  await eventually('the slow one again', () => held.length === 2)
  held[1]?.()
})

test('webhooks: put again they change nothing; taken away they get nothing more, new ones nothing of before', async (t) => {
  const { one, put, record, storage, waiting } = await nodesFor(t, 'sqlite')
  const [first, second] = [await startReceiver(), await startReceiver()]
  await put(everything(first.url))
  const before = await storage.webhooks.list()
  await put(everything(first.url))
  assert.deepEqual(await storage.webhooks.list(), before)
  await record('kind.one')
  await put(everything(second.url))
  assert.equal(await waiting(), 0)
  await record('kind.two')
  await one.deliverNow()
  assert.equal(first.received.length, 0)
  assert.deepEqual(
    second.received.map(({ type }) => type),
    ['kind.two'],
  )
  assert.doesNotMatch(Buffer.from(before[0]?.envelope ?? []).toString('latin1'), /whsec_/)
})
