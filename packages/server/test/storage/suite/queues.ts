// Revocations, mails, events and counters.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NewEvent } from '../../../src/domain/event.ts'
import type { Topic } from '../conformance.ts'
import { bytes, NOW, sampleRevocation, unique } from '../samples.ts'

export const queueTests: Topic = (nodes) => {
  test('revocations: due jobs are leased, come again after the lease or at the time that was set, until done', async () => {
    const { storage } = nodes()
    const job = sampleRevocation()
    const later = sampleRevocation({ dueAt: NOW + 1000, accountId: job.accountId })
    await storage.transaction(async (tx) => {
      await tx.revocations.add(job)
      await tx.revocations.add(later)
    })
    const claim = (now: number) =>
      storage.transaction((tx) => tx.revocations.claim({ now, leaseSeconds: 60, limit: 9 }))
    assert.deepEqual(await claim(NOW - 1), [])
    assert.deepEqual(await claim(NOW), [{ ...job, attempts: 1, dueAt: NOW + 60 }])
    assert.deepEqual(await claim(NOW + 59), [])
    assert.deepEqual(await claim(NOW + 60), [{ ...job, attempts: 2, dueAt: NOW + 120 }])
    await storage.transaction((tx) => tx.revocations.retryAt(job.id, NOW + 70))
    assert.equal((await claim(NOW + 70))[0]?.attempts, 3)
    assert.equal(await storage.revocations.countOfAccount(job.accountId), 2)
    assert.deepEqual(
      (await storage.revocations.listOfUser(job.userId)).map(({ id }) => id),
      [job.id, later.id],
    )
    await storage.transaction((tx) => tx.revocations.done(job.id))
    await storage.transaction((tx) => tx.revocations.done(later.id))
    assert.equal(await storage.revocations.countOfAccount(job.accountId), 0)
  })

  test('mails: the same, and a claim takes no more than it asked for, the longest due first', async () => {
    const { storage } = nodes()
    const jobs = [3, 1, 2].map((n) => ({ id: unique('mail'), envelope: bytes(n, 0), attempts: 0, dueAt: NOW + n }))
    await storage.transaction(async (tx) => {
      for (const job of jobs) await tx.mails.add(job)
    })
    const claim = (limit: number) =>
      storage.transaction((tx) => tx.mails.claim({ now: NOW + 9, leaseSeconds: 60, limit }))
    const first = await claim(2)
    assert.deepEqual(first.map((job) => job.id).sort(), [jobs[1]?.id, jobs[2]?.id].sort())
    assert.deepEqual(await claim(2), [{ ...jobs[0], attempts: 1, dueAt: NOW + 69 }])
    await storage.transaction(async (tx) => {
      await tx.mails.retryAt(jobs[0]?.id ?? '', NOW)
      for (const job of first) await tx.mails.done(job.id)
    })
    assert.deepEqual(
      (await claim(9)).map((job) => job.envelope),
      [bytes(3, 0)],
    )
    await storage.transaction((tx) => tx.mails.done(jobs[0]?.id ?? ''))
  })

  test('events: uses are counted by client, account and day, of the newest alone', async () => {
    const { storage } = nodes()
    const userId = unique('a|user')
    const use = (over: Partial<NewEvent>): NewEvent => ({
      type: 'x.use',
      at: NOW,
      outcome: 'ok',
      userId,
      clientId: 'web',
      connectionId: 'con',
      accountId: 'cac',
      ...over,
    })
    const before = NOW - 2 * 86_400
    await storage.transaction((tx) =>
      tx.events.appendAll([
        use({ at: before - 10 * 86_400 }),
        use({ at: before }),
        use({}),
        use({ at: NOW + 1 }),
        use({ outcome: 'refused', accountId: '' }),
        use({ clientId: 'other' }),
        use({ type: 'x.else' }),
        use({ userId: unique('a|other') }),
      ]),
    )
    const query = { userId, type: 'x.use', since: NOW - 7 * 86_400, limit: 100 }
    const counts = await storage.events.countUses(query)
    const day = Math.floor(NOW / 86_400)
    const web = counts.filter(({ clientId, outcome }) => clientId === 'web' && outcome === 'ok')
    assert.deepEqual(
      web.map(({ day, count, lastAt }) => ({ day, count, lastAt })),
      [
        { day, count: 2, lastAt: NOW + 1 },
        { day: day - 2, count: 1, lastAt: before },
      ],
    )
    assert.equal(counts.length, 4)
    const newest = await storage.events.countUses({ ...query, limit: 1 })
    assert.deepEqual(
      newest.map(({ clientId }) => clientId),
      ['other'],
    )
    const refused = await storage.events.list({ userId, outcome: 'refused', limit: 9 })
    assert.equal(refused.length, 1)
    const [last] = await storage.events.list({ userId, clientId: 'other', descending: true, limit: 1 })
    const older = await storage.events.list({ userId, accountId: 'cac', beforeSeq: last?.seq ?? 0, limit: 9 })
    assert.equal(older.length, 4)
  })

  test('events: numbered as they come, read by user, type and number, in either direction', async () => {
    const { storage } = nodes()
    const userId = unique('a|user')
    const event = (over: Partial<NewEvent>): NewEvent => ({ type: 'x.a', at: NOW, outcome: 'ok', userId, ...over })
    const given = [
      event({ clientId: 'web', actor: 'agent', connectionId: 'con', accountId: 'cac', data: { rule: 'S1', n: [1] } }),
      event({ type: 'x.b', outcome: 'refused' }),
      event({ type: 'x.c', at: NOW + 1 }),
    ]
    await storage.transaction(async (tx) => {
      for (const one of given) await tx.events.append(one)
      await tx.events.append({ type: 'x.a', at: NOW, outcome: 'ok' })
    })
    const all = await storage.events.list({ userId, limit: 10 })
    const seqs = all.map(({ seq }) => seq)
    assert.deepEqual(
      seqs,
      [...seqs].sort((a, b) => a - b),
    )
    assert.deepEqual(
      all,
      given.map((one, index) => ({ ...one, seq: seqs[index] })),
    )
    assert.deepEqual(await storage.events.list({ userId, limit: 10, descending: true }), all.toReversed())
    assert.deepEqual(await storage.events.list({ userId, limit: 10, types: ['x.b', 'x.z'] }), [all[1]])
    assert.deepEqual(await storage.events.list({ userId, limit: 10, types: [] }), [])
    assert.deepEqual(await storage.events.list({ userId, limit: 10, afterSeq: seqs[0] ?? 0 }), all.slice(1))
    assert.deepEqual(await storage.events.list({ userId, limit: 1, offset: 1 }), [all[1]])
  })

  test('limits: points add up until the counter ends, then start anew', async () => {
    const { storage } = nodes()
    const key = unique('limit')
    const add = (points: number, now: number, expiresAt: number) =>
      storage.transaction((tx) => tx.limits.add(key, points, now, expiresAt))
    assert.equal(await storage.limits.find(key, NOW), undefined)
    assert.deepEqual(await add(1, NOW, NOW + 60), { points: 1, expiresAt: NOW + 60 })
    assert.deepEqual(await add(2, NOW + 1, NOW + 61), { points: 3, expiresAt: NOW + 60 })
    assert.deepEqual(await storage.limits.find(key, NOW + 59), { points: 3, expiresAt: NOW + 60 })
    assert.equal(await storage.limits.find(key, NOW + 60), undefined)
    assert.deepEqual(await add(5, NOW + 60, NOW + 120), { points: 5, expiresAt: NOW + 120 })
    await storage.transaction((tx) => tx.limits.delete(key))
    assert.equal(await storage.limits.find(key, NOW + 61), undefined)
  })
}
