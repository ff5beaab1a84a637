// Receivers of events, and what the database queues for them.
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import type { NewEvent } from '../../../src/domain/event.ts'
import type { Topic } from '../conformance.ts'
import { bytes, NOW, unique } from '../samples.ts'

export const webhookTests: Topic = (nodes) => {
  afterEach(async () => {
    const { storage } = nodes()
    for (const { id } of await storage.webhooks.list())
      if (id.startsWith('wh-')) await storage.transaction((tx) => tx.webhooks.delete(id))
  })

  const put = async (patterns: readonly string[]) => {
    const id = unique('wh')
    const webhook = { id, url: `https://hooks.example.test/${id}`, envelope: bytes(1), patterns }
    await nodes().storage.transaction((tx) => tx.webhooks.put(webhook))
    return webhook
  }
  const record = (...types: string[]) =>
    nodes().storage.transaction(async (tx) => {
      const events = types.map((type): NewEvent => ({ type, at: NOW, outcome: 'ok', userId: 'a|1' }))
      const [first, ...others] = events
      if (first !== undefined) await tx.events.append(first)
      await tx.events.appendAll(others)
    })
  /** Takes all that waits, in order. */
  const drain = async (id: string): Promise<readonly string[]> => {
    const { storage } = nodes()
    const types: string[] = []
    for (;;) {
      const next = await storage.webhooks.findNext(id, NOW)
      if (next === undefined) return types
      types.push(next.event.type)
      await storage.transaction((tx) => tx.webhooks.delivered(id, next.event.seq))
    }
  }

  test('webhooks: each event is queued once for whoever wants it, in order, and its own failing for nobody', async () => {
    const all = await put(['*'])
    const some = await put(['kind.*', 'kind.one', 'other.two'])
    const none = await put([])
    await record('kind.one', 'other.one', 'kindred.one', 'webhook.abandoned', 'other.two', 'kind.two')
    assert.deepEqual(await drain(all.id), ['kind.one', 'other.one', 'kindred.one', 'other.two', 'kind.two'])
    assert.deepEqual(await drain(some.id), ['kind.one', 'other.two', 'kind.two'])
    assert.deepEqual(await drain(none.id), [])
  })

  test('webhooks: what was rolled back was never queued', async () => {
    const { id } = await put(['*'])
    const failing = nodes().storage.transaction(async (tx) => {
      await tx.events.append({ type: 'kind.one', at: NOW, outcome: 'ok' })
      throw new Error('changed my mind')
    })
    await assert.rejects(failing)
    assert.deepEqual(await drain(id), [])
  })

  test('webhooks: of two nodes one has the receiver, until it gives it back or the lease is over', async () => {
    const { storage, other } = nodes()
    const { id } = await put(['kind.one'])
    const claim = async (node: typeof storage, now: number) =>
      (await node.transaction((tx) => tx.webhooks.claim({ now, leaseSeconds: 60 }))).filter((lease) => lease.id === id)
    assert.deepEqual(await claim(storage, NOW), [], 'nothing waits')
    await record('kind.one')
    assert.equal(await storage.webhooks.isAnyDue(NOW), true)
    const both = await Promise.all([claim(storage, NOW), claim(other, NOW)])
    assert.deepEqual(both.flat(), [{ id, leaseUntil: NOW + 60 }])
    assert.deepEqual(await claim(other, NOW + 59), [])
    assert.deepEqual(await claim(other, NOW + 60), [{ id, leaseUntil: NOW + 120 }])
    await storage.transaction((tx) => tx.webhooks.release({ id, leaseUntil: NOW + 60 }))
    assert.deepEqual(await claim(storage, NOW + 61), [], 'the lease of before gives nothing back')
    await other.transaction((tx) => tx.webhooks.release({ id, leaseUntil: NOW + 120 }))
    assert.equal((await claim(storage, NOW + 61)).length, 1)
  })

  test('webhooks: one that is down waits with all; one that refuses an event gets the others first', async () => {
    const { storage } = nodes()
    const { id } = await put(['kind.*'])
    await record('kind.one', 'kind.two')
    const next = async (now: number) => {
      const found = await storage.webhooks.findNext(id, now)
      return found && { type: found.event.type, attempts: found.attempts, failures: found.failures }
    }
    const seq = (await storage.webhooks.findNext(id, NOW))?.event.seq ?? 0
    const state = async () => (await storage.webhooks.states()).find((one) => one.id === id)
    await storage.transaction((tx) => tx.webhooks.pause({ id, seq, at: NOW, until: NOW + 5, failure: 'timeout' }))
    assert.deepEqual(await next(NOW), { type: 'kind.one', attempts: 1, failures: 1 })
    const down = await state()
    assert.equal(down?.failingSince, NOW)
    assert.equal(down?.lastFailure, 'timeout')
    assert.equal(down?.waiting, 2)
    assert.equal(down?.oldestAt, NOW)
    const claimed = await storage.transaction((tx) => tx.webhooks.claim({ now: NOW + 4, leaseSeconds: 60 }))
    assert.equal(
      claimed.some((lease) => lease.id === id),
      false,
    )
    await storage.transaction((tx) =>
      tx.webhooks.putOff({ id, seq, at: NOW + 5, dueAt: NOW + 10, failure: 'status_400' }),
    )
    assert.deepEqual(await next(NOW + 9), { type: 'kind.two', attempts: 0, failures: 0 })
    assert.deepEqual(await next(NOW + 10), { type: 'kind.one', attempts: 2, failures: 0 })
    assert.equal((await state())?.failingSince, undefined)
    assert.deepEqual(await storage.transaction((tx) => tx.webhooks.abandon({ id, seq })), [seq])
    assert.equal((await storage.transaction((tx) => tx.webhooks.abandon({ id, before: NOW - 1 }))).length, 0)
    assert.equal((await storage.transaction((tx) => tx.webhooks.abandon({ id, before: NOW }))).length, 1)
  })

  test('webhooks: a change of patterns counts from then on; what waits goes with its receiver', async () => {
    const { storage } = nodes()
    const webhook = await put(['kind.*'])
    await record('kind.one')
    await storage.transaction((tx) => tx.webhooks.put({ ...webhook, patterns: ['other.*'], envelope: bytes(2) }))
    await record('kind.two', 'other.one')
    const found = (await storage.webhooks.list()).find(({ id }) => id === webhook.id)
    assert.deepEqual(found, { ...webhook, patterns: ['other.*'], envelope: bytes(2) })
    assert.deepEqual(await drain(webhook.id), ['kind.one', 'other.one'])
    await record('other.one')
    await storage.transaction((tx) => tx.webhooks.delete(webhook.id))
    assert.equal(await storage.webhooks.findNext(webhook.id, NOW), undefined)
    assert.equal(await storage.transaction((tx) => tx.webhooks.deleteOrphans()), 0)
  })
}
