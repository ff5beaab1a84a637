import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { type Provider, startOidcProvider } from '@tenon/sdk/testing'
import { mgmt } from '../support/actors.ts'
import { DATABASES, type Database, startDeployment } from '../support/deployment.ts'
import { sleep } from '../support/http.ts'
import { keep, type LinkRun, report } from './link-figures.ts'
import { type Act, type Life, type Stage, startPair, startSolo } from './link-lives.ts'

const LONG = process.env.TENON_TEST_LONG === '1'
/** On each database. */
const KILLS = LONG ? 100 : 10
const PAIRS = 3
const SOLOS = 2
/** At most: so many acts of the one whose act is to be cut off. */
const ACTS = 4

const runs: LinkRun[] = []
const kills: Record<string, number> = {}

describe('kill -9 while people are linked, merged, parted and unlinked', { concurrency: 2 }, () => {
  for (const database of DATABASES) {
    test(`${database}: each act is all there or not at all, and what was acknowledged is there`, async (t) => {
      const { stage, lives } = await openStage(database)
      const identities = await countIdentities(stage)
      for (let kill = 1; kill <= KILLS; kill++) {
        await t.test(`kill ${kill}`, async () => {
          const underWay = await liveUntilKilled(stage, lives)
          kills[database] = kill
          await stage.deployment.start()
          for (const life of lives) await judge(database, life, underWay.get(life))
          const added = lives.filter(({ name, state }) => name.startsWith('solo') && state.joined).length
          assert.equal(await countIdentities(stage), identities + added, 'identities are conserved')
          for (const life of lives) await life.verify()
        })
      }
    })
  }
})

after(() => {
  process.stdout.write(report(kills, runs))
  if (LONG) keep(kills, runs)
})

async function openStage(database: Database): Promise<{ stage: Stage; lives: readonly Life[] }> {
  const start = (name: string) =>
    startOidcProvider({ name, refresh: 'always', connectionOptions: { trust_email: true } })
  const [home, work, notes] = [await start('home'), await start('work'), await start('notes')]
  const extras: Provider[] = []
  for (let number = 0; number < SOLOS; number++) extras.push(await start(`extra-${number}`))
  const all = [home, work, notes, ...extras]
  const deployment = await startDeployment({ database, providers: all })
  after(async () => {
    await deployment.close()
    for (const provider of all) await provider.stop()
  })
  const stage: Stage = { deployment, api: await mgmt(deployment), providers: { home, work, notes } }
  const lives: Life[] = []
  for (let number = 0; number < PAIRS; number++) lives.push(await startPair(stage, `pair-${number}`))
  for (const [number, extra] of extras.entries()) lives.push(await startSolo(stage, `solo-${number}`, extra))
  // Every start after this one finds compiled code, and there are many.
  await deployment.stop()
  await deployment.start()
  return { stage, lives }
}

/** Kills while one of them, at least, waits for an answer. @returns the acts whose answers the kill cut off. */
async function liveUntilKilled({ deployment }: Stage, lives: readonly Life[]): Promise<ReadonlyMap<Life, Act>> {
  const underWay = new Map<Life, Act>()
  const { promise: time, resolve: isTime } = Promise.withResolvers<void>()
  const victim = lives[Math.floor(Math.random() * lives.length)]
  let left = 1 + Math.floor(Math.random() * ACTS)
  let usualMs = 20
  let isAlive = true
  const live = async (life: Life) => {
    while (isAlive) {
      const act = await life.next()
      underWay.set(life, act)
      if (life === victim && --left === 0) sleep(Math.random() * usualMs).then(isTime)
      const sentAtMs = performance.now()
      await act.send()
      if (life === victim) usualMs = performance.now() - sentAtMs
      underWay.delete(life)
      life.state = act.after
      runs.push({ database: deployment.database, act: act.name, outcome: 'acknowledged' })
    }
  }
  const lived = lives.map((life) =>
    live(life).catch((error: unknown) => {
      // Nobody answers any more; whatever else goes wrong is what this is here to find.
      if (isAlive || !isBrokenConnection(error)) throw error
    }),
  )
  const everything = Promise.all(lived)
  await Promise.race([time, everything])
  isAlive = false
  await deployment.kill()
  await everything
  return underWay
}

const isBrokenConnection = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['ECONNRESET', 'ECONNREFUSED', 'EPIPE'].includes(String(error.code))

async function judge(database: string, life: Life, act: Act | undefined): Promise<void> {
  const seen = await life.observe()
  const hasHappened = act !== undefined && isDeepStrictEqual(seen, life.expected(act.after))
  if (act !== undefined) runs.push({ database, act: act.name, outcome: hasHappened ? 'there' : 'absent' })
  if (act !== undefined && hasHappened) life.state = act.after
  else assert.deepEqual(seen, life.expected(life.state), `${life.name}, while ${act?.name ?? 'nothing'} was under way`)
}

async function countIdentities({ api }: Stage): Promise<number> {
  const { json } = await api.get('/users?per_page=100')
  return json.reduce((sum: number, { identities }: { identities: unknown[] }) => sum + identities.length, 0)
}
