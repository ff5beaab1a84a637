// Turns at the few connections of PostgreSQL.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Overloaded } from '../../src/domain/errors.ts'
import { Turns } from '../../src/storage/turns.ts'

/** Work that lasts until it is told to end. */
function held(turns: Turns, name: string, begun: string[]) {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const done = turns.run(async () => {
    begun.push(name)
    await promise
  })
  return { done, end: resolve, fail: reject }
}

test('turns: those who wait come in their order, and one who fails makes room as well', async () => {
  const turns = new Turns({ places: 2, maxWaiting: 10, maxWaitMs: 60_000 })
  const begun: string[] = []
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => held(turns, name, begun))
  assert.ok(a && b && c && d)
  assert.deepEqual(begun, ['a', 'b'])
  b.fail(new Error('broke'))
  await assert.rejects(b.done, /broke/)
  a.end()
  await a.done
  assert.deepEqual(begun, ['a', 'b', 'c', 'd'])
  c.end()
  d.end()
  await Promise.all([c.done, d.done])
  assert.equal(await turns.run(async () => 'free again'), 'free again')
})

test('turns: past the crowd that may wait, and past the time, one is refused with nothing begun', async () => {
  const begun: string[] = []
  const crowded = new Turns({ places: 1, maxWaiting: 1, maxWaitMs: 60_000 })
  const [first, second, third] = ['first', 'second', 'third'].map((name) => held(crowded, name, begun))
  assert.ok(first && second && third)
  await assert.rejects(third.done, Overloaded)
  first.end()
  second.end()
  await Promise.all([first.done, second.done])
  assert.deepEqual(begun, ['first', 'second'])

  const hasty = new Turns({ places: 1, maxWaiting: 1, maxWaitMs: 1 })
  const holder = held(hasty, 'holder', begun)
  await assert.rejects(held(hasty, 'late', begun).done, Overloaded)
  holder.end()
  await holder.done
  assert.equal(begun.includes('late'), false)
  assert.equal(await hasty.run(async () => 'free again'), 'free again')
})
