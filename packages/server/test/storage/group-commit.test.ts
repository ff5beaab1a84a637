// When a commit on SQLite is acknowledged: once the disk has it, and with those that came meanwhile.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { GroupCommit } from '../../src/storage/group-commit.ts'
import { migrate } from '../../src/storage/migrate.ts'
import { Statements } from '../../src/storage/sql/statement.ts'
import { SqliteConnection } from '../../src/storage/sqlite-connection.ts'
import { eventually } from '../support/http.ts'

/** A writer whose disk is at work until it is told that it is done, and what each turn of the disk was told. */
async function withSlowDisk(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'tenon-commit-'))
  const path = join(folder, 'tenon.db')
  await migrate(`sqlite:${path}`)
  const connection = new SqliteConnection(path, { durable: 'by flush' })
  const turns: PromiseWithResolvers<void>[] = []
  const commits = new GroupCommit({
    connection,
    flush: () => {
      const turn = Promise.withResolvers<void>()
      turns.push(turn)
      return turn.promise
    },
    statements: new Statements('sqlite'),
    patienceMs: 1000,
    holdLimitMs: 1000,
  })
  t.after(() => {
    connection.close()
    rmSync(folder, { recursive: true })
  })
  const heard: string[] = []
  const put = (key: string) => commits.transaction((tx) => tx.meta.put(key, '1')).then(() => void heard.push(key))
  const turn = (number: number) => eventually(`turn ${number} of the disk`, () => turns[number - 1])
  return { commits, put, heard, turns, turn }
}

test('nobody hears of a commit before the disk has it, and whoever comes meanwhile shares the next one', async (t) => {
  const { put, heard, turns, turn } = await withSlowDisk(t)
  const first = put('first')
  const one = await turn(1)
  const later = Promise.all([put('second'), put('third')])
  await new Promise(setImmediate)
  assert.deepEqual(heard, [])
  one.resolve()
  await first
  assert.deepEqual(heard, ['first'])
  const two = await turn(2)
  two.resolve()
  await later
  assert.deepEqual(heard, ['first', 'second', 'third'])
  assert.equal(turns.length, 2)
})

test('after the disk failed once, what waited is refused and nothing more is taken', async (t) => {
  const { commits, put, heard, turn } = await withSlowDisk(t)
  const lost = put('lost')
  const one = await turn(1)
  const waiting = put('waiting')
  one.reject(new Error('EIO'))
  await assert.rejects(lost, /the disk did not take a commit/)
  await assert.rejects(waiting, /the disk did not take a commit/)
  await assert.rejects(put('later'), /the disk did not take a commit/)
  assert.equal(commits.isBroken, true)
  assert.deepEqual(heard, [])
})
