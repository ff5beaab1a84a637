// Many at once for what only one may have, over HTTP: in one process, in two that share the port, on both databases.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { type Provider, startOidcProvider } from '@tenon/sdk/testing'
import {
  authorize,
  authorizeUrl,
  connect,
  exchange,
  expectStatus,
  meToken,
  redeem,
  refresh,
  type SignedIn,
  signIn,
} from './support/actors.ts'
import { Browser } from './support/browser.ts'
import { DATABASES, type Database, type Deployment, startDeployment } from './support/deployment.ts'
import { type Answer, eventually, request } from './support/http.ts'
import { readOutbox } from './support/outbox.ts'
import { oneWinner } from './support/state.ts'
import type { TenantDraft } from './support/tenant.ts'

const MANY = 20
const CROWD = 1000

const setups = DATABASES.flatMap((database) => [
  { database, workers: 1 },
  { database, workers: 2 },
])

for (const { database, workers } of setups) {
  describe(`${database}, ${workers === 1 ? 'one process' : `${workers} processes`}`, async () => {
    const calendar = await startCalendar()
    const server = await start(database, workers, calendar)
    const { ada } = server.tenant

    test('T-AS-04 of twenty redemptions of one code one wins, and a replay ends what it issued', async () => {
      const flow = await authorize(new Browser(), server, { client: 'web', user: ada })
      const answers = await together(MANY, () => redeem(server, flow))
      const won = oneWinner(answers)
      const bearer = { headers: { authorization: `Bearer ${won.json.access_token}` } }
      assert.equal((await request(`${server.url}/userinfo`, bearer)).status, 401)
      assert.equal((await refresh(server, 'web', won.json.refresh_token)).status, 403)
    })

    test('T-AS-05 twenty refreshes of one token within its grace get one successor, which lives', async () => {
      const who = await signIn(server, { client: 'agent-b', user: ada })
      const answers = await together(MANY, () => refresh(server, 'agent-b', who.refreshToken))
      assert.deepEqual(statusesOf(answers), [200])
      const successors = new Set(answers.map(({ json }) => json.refresh_token))
      assert.equal(successors.size, 1)
      assert.ok(!successors.has(who.refreshToken))
      for (const successor of successors) expectStatus(await refresh(server, 'agent-b', successor), 200)
    })

    test('T-AS-05 without a grace one of twenty refreshes wins, and the family ends', async () => {
      const who = await signIn(server, { client: 'strict', user: ada })
      const won = oneWinner(await together(MANY, () => refresh(server, 'strict', who.refreshToken)))
      assert.equal((await refresh(server, 'strict', won.json.refresh_token)).status, 403)
      const bearer = { headers: { authorization: `Bearer ${won.json.access_token}` } }
      assert.equal((await request(`${server.url}/userinfo`, bearer)).status, 401)
    })

    test('T-API-08 guesses of a mailed code count, also when they come at once', async () => {
      const email = `late-${workers}@example.test`
      const browser = new Browser()
      await browser.open(authorizeUrl(server, { extra: { screen_hint: 'signup' } }).url)
      await browser.submit('signup', { fields: { email, password: 'a password that is long' } })
      const mails = () => readOutbox(join(server.dataDir, 'outbox')).filter(({ to }) => to === email)
      const code = await eventually('the code', () => /\b\d{6}\b/.exec(mails()[0]?.text ?? '')?.[0])
      const { action, fields } = browser.form('verify')
      const target = new URL(action, browser.page.url).href
      const wrong = (turn: number) => String((Number(code) + 1 + turn) % 1_000_000).padStart(6, '0')
      const guess = (guessed: string) => {
        const form = { ...Object.fromEntries(fields), code: guessed }
        return browser.clone().post(target, form, { from: browser.page.url })
      }
      const pages = await Promise.all(Array.from({ length: 3 * MANY }, (_, turn) => guess(wrong(turn))))
      assert.ok(pages.every(({ status, name }) => status === 400 && name === 'verify-email'))
      assert.equal((await guess(code)).name, 'verify-email', 'the right one comes too late')
    })

    test('T-XCH-10 a thousand exchanges of one stale account make one call to the provider', async () => {
      // The account's own token is stale from the first moment; what comes of a refresh is not.
      calendar.accessTokenSeconds = 40
      const who = await connected(server)
      calendar.accessTokenSeconds = 3600
      const before = calendar.calls('refresh').length
      // Slow enough that all of them come while it is asked.
      calendar.delay('refresh', 1500)
      const ask = () => exchange(server, { connection: 'calendar', subjectToken: who.refreshToken })
      const answers = await together(CROWD, ask)
      calendar.delay('refresh', 0)
      assert.deepEqual(statusesOf(answers), [200])
      assert.equal(calendar.calls('refresh').length - before, 1)
      const tokens = new Set(answers.map(({ json }) => json.access_token))
      assert.equal(tokens.size, 1)
      for (const token of tokens) assert.ok(calendar.isLive(token))
    })
  })
}

async function start(database: Database, workers: number, calendar: Provider): Promise<Deployment> {
  const server = await startDeployment({
    database,
    providers: [calendar],
    flags: ['--workers', String(workers)],
    tenant: addStrictClient,
  })
  Object.assign(server.tenant.secrets, { strict: server.tenant.secrets['agent-b'] })
  after(server.close)
  return server
}

async function startCalendar(): Promise<Provider> {
  const calendar = await startOidcProvider({
    name: 'calendar',
    refresh: 'always',
    rotation: 'rotating',
    users: { ada: {} },
  })
  after(() => calendar.stop())
  return calendar
}

/** As `agent-b`, and no grace for a refresh token that was used. */
function addStrictClient({ clients, connections }: TenantDraft): void {
  const agent = clients.find(({ client_id: id }) => id === 'agent-b')
  const rules = { ...(agent?.refresh_token as object), leeway: 0 }
  clients.push({ ...agent, client_id: 'strict', name: 'Strict', refresh_token: rules })
  for (const connection of connections) connection.enabled_clients = [connection.enabled_clients, 'strict'].flat()
}

async function connected(server: Deployment): Promise<SignedIn> {
  const who = await signIn(server, { user: server.tenant.ada })
  const token = await meToken(server, who)
  await connect(who.browser, server, { token, connection: 'calendar' })
  return who
}

const statusesOf = (answers: readonly Answer[]) => [...new Set(answers.map(({ status }) => status))]

/** So many at once, or as many at a time as said. */
async function together<T>(count: number, work: () => Promise<T>, atATime = count): Promise<readonly T[]> {
  const results: T[] = []
  let left = count
  const worker = async () => {
    while (left-- > 0) results.push(await work())
  }
  await Promise.all(Array.from({ length: atATime }, worker))
  return results
}

test('T-XCH-10 one client that exchanges for one user without pause hears 429 with Retry-After, and others do not', async () => {
  const server = await startDeployment({
    providers: [await startCalendar()],
    tenant: ({ settings }) => {
      settings.rate_limits = { enabled: true }
    },
  })
  after(server.close)
  const who = await connected(server)
  const ask = ({ client, refreshToken: subjectToken }: SignedIn) =>
    exchange(server, { client, connection: 'calendar', subjectToken })
  const answers = await together(620, () => ask(who), 50)
  const limited = answers.filter(({ status }) => status === 429)
  assert.equal(limited.length, 20)
  assert.ok(limited.every(({ headers }) => Number(headers['retry-after']) > 0))
  assert.deepEqual(statusesOf(answers).sort(), [200, 429])
  assert.equal((await ask(await signIn(server, { client: 'agent-a', user: server.tenant.ada }))).status, 200)
})
