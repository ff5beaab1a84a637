// SQLite with several processes at one file: writers beside each other, kills, the server's lock.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { migrate } from '../../src/storage/migrate.ts'
import { openStorage } from '../../src/storage/open.ts'
import { openServerLock } from '../../src/storage/server-lock.ts'
import { openSqlite } from '../../src/storage/sqlite.ts'
import { killHard, messagesUntil, nextMessage, startChild } from './children/start.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenon-processes-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const freshPath = (name: string) => join(folder, `${name}.db`)

test('two processes write one file: each write of both is there, once', async () => {
  const url = `sqlite:${freshPath('two-writers')}`
  await migrate(url)
  const writers = ['one', 'two'].map((userId) => startChild('writer', url, userId, '300', '8'))
  await Promise.all(writers.map((writer) => messagesUntil(writer, (message) => message === 'done')))

  const storage = await openStorage({ url })
  for (const userId of ['one', 'two']) {
    const events = await storage.events.list({ userId, limit: 1000 })
    assert.deepEqual(
      events.map((event) => event.at).toSorted((a, b) => a - b),
      Array.from({ length: 300 }, (_, n) => n),
    )
  }
  assert.equal((await storage.limits.find('shared', 0))?.points, 600)
  await storage.close()
})

test('a write that was acknowledged survives a kill of the process that made it', async () => {
  const url = `sqlite:${freshPath('killed')}`
  await migrate(url)
  const writer = startChild('writer', url, 'victim', '1000000', '8')
  let acknowledged = 0
  const heard = await messagesUntil(writer, (message) => typeof message === 'number' && ++acknowledged === 200)
  await killHard(writer)

  const storage = await openStorage({ url })
  const events = await storage.events.list({ userId: 'victim', limit: 1_000_000 })
  const found = new Set(events.map((event) => event.at))
  const lost = heard.filter((message) => typeof message === 'number').filter((n) => !found.has(n))
  assert.deepEqual(lost, [])
  // The other half of each transaction is there as well.
  assert.equal((await storage.limits.find('shared', 0))?.points, events.length)
  await storage.close()
})

test('a second server on one file is refused, whatever name it uses, until the first has gone', async () => {
  const path = freshPath('served')
  await migrate(`sqlite:${path}`)
  const alias = freshPath('alias')
  symlinkSync(path, alias)
  const inUse = { code: 'database_in_use' }

  const holder = startChild('lock-holder', path)
  assert.equal(await nextMessage(holder), 'held')
  assert.throws(() => openServerLock(path), inUse)
  assert.throws(() => openServerLock(alias), inUse)
  // Commands work beside it.
  const storage = await openStorage({ url: `sqlite:${path}` })
  await storage.transaction((tx) => tx.meta.put('beside', 'yes'))
  await storage.close()

  await killHard(holder)
  const lock = openServerLock(path)
  assert.throws(() => openServerLock(path), inUse)
  // The refusal has not cost us the lock.
  const rival = startChild('lock-holder', path)
  assert.equal(await nextMessage(rival), 'database_in_use')
  lock.release()
  openServerLock(alias).release()
})

test('a writer waits for another process without holding up the rest of its own', async () => {
  const url = `sqlite:${freshPath('patient')}`
  await migrate(url)
  const [one, two] = [await openStorage({ url }), await openStorage({ url })]
  const { promise: opened, resolve: open } = Promise.withResolvers<void>()
  const holding = one.transaction(async (tx) => {
    await tx.meta.put('first', '1')
    await opened
  })
  await new Promise((resolve) => setImmediate(resolve))
  let isWritten = false
  const waiting = two.transaction((tx) => tx.meta.put('second', '2')).then(() => (isWritten = true))
  const startedAt = performance.now()
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setTimeout(resolve, 1))
  assert.ok(performance.now() - startedAt < 4500, 'timers run while a write waits')
  assert.equal(await two.meta.find('first'), undefined)
  assert.equal(isWritten, false)
  open()
  await Promise.all([holding, waiting])
  assert.equal(await two.meta.find('first'), '1')
  await Promise.all([one.close(), two.close()])
})

test('work that awaits anything but its transaction is ended, and those behind it go on', async () => {
  const path = freshPath('held')
  await migrate(`sqlite:${path}`)
  const storage = await openSqlite({ path, holdLimitMs: 100 })
  const nested = storage.transaction(async (tx) => {
    await tx.meta.put('outer', '1')
    await storage.transaction((inner) => inner.meta.put('inner', '2'))
  })
  const behind = storage.transaction((tx) => tx.meta.put('behind', '3'))
  await assert.rejects(nested, { code: 'transaction_held' })
  await behind
  assert.equal(await storage.meta.find('outer'), undefined)
  await storage.close()
})

test('close finishes what was asked for before, and takes nothing more', async () => {
  const url = `sqlite:${freshPath('closed')}`
  await migrate(url)
  const storage = await openStorage({ url })
  const written = storage.transaction((tx) => tx.meta.put('last', 'word'))
  await storage.close()
  await written
  await assert.rejects(storage.transaction((tx) => tx.meta.put('too', 'late')))
  const again = await openStorage({ url })
  assert.equal(await again.meta.find('last'), 'word')
  await again.close()
})

test('the file and its companions are nobody else’s to read', async () => {
  const path = freshPath('private')
  await migrate(`sqlite:${path}`)
  const storage = await openStorage({ url: `sqlite:${path}` })
  await storage.transaction((tx) => tx.meta.put('k', 'v'))
  const lock = openServerLock(path)
  for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}.lock`])
    assert.equal(statSync(file).mode & 0o077, 0, file)
  lock.release()
  await storage.close()
})

test('opening a file that is not there is refused and makes none', async () => {
  const path = freshPath('absent')
  await assert.rejects(openStorage({ url: `sqlite:${path}` }), { code: 'schema_too_old' })
  assert.equal(existsSync(path), false)
})
