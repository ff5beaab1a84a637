import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Provider, startOidcProvider } from '@tenon/sdk/testing'
import { connect, exchange, me, meToken, type SignedIn, signIn } from '../support/actors.ts'
import { DATABASES, type Database, type Deployment, startDeployment } from '../support/deployment.ts'
import { keep, type Outcome, type Run, report } from './figures.ts'
import { killAt, LOST, STEPS, type Step } from './steps.ts'

const LONG = process.env.TENON_TEST_LONG === '1'
/** Each round kills at every step; every kill hits two refreshes, at providers with and without a grace. */
const ROUNDS = LONG ? 10 : 1
const PATIENCE_SECONDS = 12
const GRACES = [0, 10]

/** One stands for each provider; every token is stale when it arrives, so that each exchange refreshes. */
interface Target {
  readonly provider: Provider
  accountId: string
}

interface Stage {
  readonly deployment: Deployment
  readonly ada: SignedIn
  /** For the My Account API. */
  readonly token: string
  readonly targets: readonly Target[]
  /** Milliseconds by which the providers' clocks are behind: they stand still while a process starts. */
  behindMs: number
}

const runs: Run[] = []

describe('kill -9 while a provider is asked for new tokens', { concurrency: 2 }, () => {
  for (const database of DATABASES) {
    test(`${database}: a working token or reconnect_required after each, and no consent lost to reuse within a grace`, async (t) => {
      const stage = await openStage(database)
      for (let round = 1; round <= ROUNDS; round++) {
        for (const step of STEPS) await t.test(`round ${round}, at "${step}"`, () => killAndWatch(stage, step))
      }
    })
  }
})

after(() => {
  process.stdout.write(report(runs))
  if (LONG) keep(runs)
})

async function openStage(database: Database): Promise<Stage> {
  const stage = { behindMs: 0 }
  const providers = await Promise.all(
    GRACES.map((graceSeconds) =>
      startOidcProvider({
        name: `grace-${graceSeconds}`,
        rotation: 'rotating',
        graceSeconds,
        accessTokenSeconds: 40,
        refresh: 'always',
        users: { ada: { email: 'ada@example.test' } },
        nowMs: () => Date.now() - stage.behindMs,
      }),
    ),
  )
  const deployment = await startDeployment({ database, providers })
  after(async () => {
    await deployment.close()
    for (const provider of providers) await provider.stop()
  })
  const ada = await signIn(deployment, { client: 'agent-a', user: deployment.tenant.ada })
  const token = await meToken(deployment, ada)
  const targets = providers.map((provider) => ({ provider, accountId: '' }))
  return Object.assign(stage, { deployment, ada, token, targets })
}

async function killAndWatch(stage: Stage, step: Step): Promise<void> {
  const { deployment, targets } = stage
  await ensureConnected(stage)
  // Only a fresh process asks for a provider's metadata.
  if (step === 'intended') await restart(stage)
  const reusesBefore = targets.map(({ provider }) => provider.reuses)
  await killAt(step, {
    deployment,
    providers: targets.map(({ provider }) => provider),
    begin: () => {
      for (const { provider } of targets) ask(stage, provider).catch(() => {})
    },
  })
  await restart(stage)
  const startedAt = performance.now()
  const outcomes = await Promise.all(targets.map((target) => outcomeOf(stage, target, startedAt)))
  for (const [index, { outcome, seconds }] of outcomes.entries()) {
    const [target, before] = [targets[index], reusesBefore[index]]
    assert.ok(target !== undefined && before !== undefined)
    const { graceSeconds } = target.provider
    const reuses = target.provider.reuses - before
    runs.push({ database: deployment.database, graceSeconds, step, outcome, seconds, reuses })
    await judge(stage, target, step, outcome, reuses)
  }
}

/** Connects what is not, and kills the server the moment it has acknowledged that: what was acknowledged is there. */
async function ensureConnected(stage: Stage): Promise<void> {
  const { deployment, targets, ada, token } = stage
  let renewed = false
  for (const target of targets) {
    const { provider } = target
    if (target.accountId !== '' && (await ask(stage, provider)).status === 200) continue
    const { id } = await connect(ada.browser, deployment, { token, connection: provider.name })
    // The same upstream account keeps its id.
    if (target.accountId !== '') assert.equal(id, target.accountId)
    target.accountId = id
    renewed = true
  }
  if (!renewed) return
  await deployment.kill()
  await restart(stage)
  const { json } = await me(deployment, token).get('/connected-accounts/accounts')
  for (const { accountId, provider } of targets) {
    const found = json.accounts.some(({ id }: { id: string }) => id === accountId)
    assert.ok(found, 'an acknowledged connect is there after kill -9')
    const { status, text } = await ask(stage, provider)
    assert.equal(status, 200, text)
  }
}

async function restart(stage: Stage): Promise<void> {
  await stage.deployment.kill()
  const at = performance.now()
  await stage.deployment.start()
  // How long a machine takes to start a process is not what is tried here.
  stage.behindMs += performance.now() - at
}

const ask = ({ deployment, ada }: Stage, { name }: Provider) =>
  exchange(deployment, { client: ada.client, connection: name, subjectToken: ada.refreshToken })

/** Asks as an agent would, until the answer is one to act upon. */
async function outcomeOf(
  stage: Stage,
  { provider }: Target,
  startedAt: number,
): Promise<{ outcome: Outcome; seconds: number }> {
  for (;;) {
    const answer = await ask(stage, provider).catch(() => undefined)
    const seconds = (performance.now() - startedAt) / 1000
    if (answer?.status === 200 && provider.isLive(answer.json.access_token)) return { outcome: 'working', seconds }
    if (answer?.json?.tenon?.code === 'reconnect_required') return { outcome: 'reconnect_required', seconds }
    if (seconds > PATIENCE_SECONDS) return { outcome: 'silent', seconds }
    await sleep(200)
  }
}

async function judge(stage: Stage, { provider }: Target, step: Step, outcome: Outcome, reuses: number): Promise<void> {
  const where = `${stage.deployment.database}, grace ${provider.graceSeconds} s, at "${step}"`
  assert.notEqual(outcome, 'silent', where)
  if (provider.graceSeconds > 0) {
    assert.equal(outcome, 'working', where)
    assert.equal(reuses, 0, where)
  } else if (step !== 'anywhen') {
    assert.equal(outcome, LOST.includes(step) ? 'reconnect_required' : 'working', where)
  }
  if (outcome !== 'working') return
  const next = await ask(stage, provider)
  assert.ok(next.status === 200 && provider.isLive(next.json.access_token), `${where}: the next refresh works, too`)
}
