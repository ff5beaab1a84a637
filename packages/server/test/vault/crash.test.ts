import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { connectionOf, DATABASES, eventually, openWorld, type World } from './support.ts'
import { type Orders, STEPS, type Step } from './victim-orders.ts'

const VICTIM = fileURLToPath(new URL('victim.ts', import.meta.url))

/** Starts a node, lets it refresh the account as far as the step, and kills it. */
async function killAt(step: Step, world: World, accountId: string): Promise<void> {
  const { url, keyFile, provider } = world
  if (step === 'asked') provider.hang('refresh', { when: 'before' })
  if (step === 'effective') provider.hang('refresh', { when: 'after' })
  const orders: Orders = { url, keyFile, connection: connectionOf(provider), accountId, step }
  const child = spawn(process.execPath, [VICTIM, JSON.stringify(orders)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  if (step === 'asked' || step === 'effective') await provider.untilHanging('refresh')
  else await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await ended
  // A request whose sender is dead goes on at the provider when its effect was there already, and not otherwise.
  if (step === 'asked') provider.fail('refresh', { status: 500 })
  provider.release()
}

for (const database of DATABASES) {
  for (const graceSeconds of [0, 10]) {
    describe(`kill -9 during a refresh, ${database}, grace ${graceSeconds} s`, { concurrency: 3 }, () => {
      for (const step of STEPS) {
        test(`at "${step}": no silent death`, async () => {
          const world = await openWorld(database, { graceSeconds })
          const account = await world.connect('ada')
          await killAt(step, world, account.id)
          const vault = await world.node()
          const startedAt = performance.now()
          // On SQLite one process has the database, so that a new one knows that all others are dead.
          vault.start({ takeOverLeases: database === 'sqlite' })
          const row = await eventually(async () => {
            const now = await world.account(account.id)
            return now.intentGeneration === undefined && now
          }, `an end of the open intent at ${step}`)
          assert.ok(performance.now() - startedAt < 10_000, 'within ten seconds of the start')
          const lost = graceSeconds === 0 && (step === 'effective' || step === 'answered')
          const answer = await vault.freshToken(account.id)
          if (lost) {
            assert.deepEqual(answer, { kind: 'reconnect_required', reason: 'refresh_answer_lost' })
            assert.equal((await world.events('vault.reconnect_required')).length, 1)
          } else {
            assert.ok(answer.kind === 'fresh' && world.provider.isLive(answer.accessToken), answer.kind)
            assert.equal(row.generation, account.generation + 1)
            assert.equal(world.provider.reuses, 0)
            world.skew += 4000
            assert.equal(
              (await vault.freshToken(account.id)).kind,
              'fresh',
              'the refresh token of the last answer was kept',
            )
          }
        })
      }
    })
  }
}

describe('after a crash on one of several nodes', () => {
  for (const database of DATABASES) {
    test(`another node waits for the lease to run out and carries on, ${database}`, async () => {
      const world = await openWorld(database, { graceSeconds: 10 })
      const account = await world.connect('ada')
      const other = await world.node()
      await killAt('answered', world, account.id)
      const answer = await other.freshToken(account.id)
      assert.ok(answer.kind === 'fresh' && world.provider.isLive(answer.accessToken), answer.kind)
      assert.equal(world.provider.reuses, 0)
    })
  }

  test('a refresh that takes longer than a lease keeps it, and nobody else asks the provider', async () => {
    const world = await openWorld('sqlite')
    const account = await world.connect('ada')
    const [slow, other] = [await world.node(), await world.node()]
    other.start()
    world.provider.delay('refresh', 7000)
    const answers = await Promise.all([slow.freshToken(account.id), other.freshToken(account.id)])
    assert.equal(new Set(answers.map((one) => one.kind === 'fresh' && one.accessToken)).size, 1)
    assert.equal(world.refreshes(), 1)
  })
})
