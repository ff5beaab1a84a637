// Many links at once, over HTTP: in one process, in two that share the port, on both databases.
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { type Provider, startOidcProvider } from '@tenon/sdk/testing'
import { Client } from 'pg'
import { type ApiCaller, expectStatus, mgmt, signIn, userPath } from './support/actors.ts'
import type { Browser } from './support/browser.ts'
import { addCrowd, type CrowdMember } from './support/crowd.ts'
import { DATABASES, type Deployment, startDeployment } from './support/deployment.ts'
import type { Answer } from './support/http.ts'
import { eventsOf } from './support/state.ts'

const LONG = process.env.TENON_TEST_LONG === '1'
const USERS = 100
const ATTEMPTS = LONG ? 10_000 : 500
const AT_A_TIME = 500
const CROSSED = LONG ? 2000 : 300
const CROSSED_USERS = LONG ? 200 : 40
const PROVERS = 10

const setups = DATABASES.flatMap((database) => [
  { database, workers: 1 },
  { database, workers: 2 },
])

for (const { database, workers } of setups) {
  describe(`${database}, ${workers === 1 ? 'one process' : `${workers} processes`}`, async () => {
    const [home, work] = await Promise.all([startProvider('home'), startProvider('work')])
    const server = await startDeployment({ database, providers: [home, work], flags: ['--workers', String(workers)] })
    after(server.close)
    const api = await mgmt(server)

    test(`T-LINK-07 of ${ATTEMPTS} attempts of ${USERS} users at one identity one wins, the rest are 409, and it has one owner`, async (t) => {
      const crowd = await addCrowd(server.databaseUrl, 'grabber', USERS)
      const [prize] = await addCrowd(server.databaseUrl, 'prize', 1)
      assert.ok(prize)
      const startedAt = performance.now()
      const answers = await together(ATTEMPTS, (turn) => {
        const { userId } = crowd[turn % crowd.length] as CrowdMember
        return api.post(`${userPath(userId)}/identities`, prize.identity)
      })
      const seconds = (performance.now() - startedAt) / 1000
      // ONE-WINNER, with the very status that the others hear.
      assert.deepEqual(countStatuses(answers), { 201: 1, 409: ATTEMPTS - 1 })
      t.diagnostic(`${Math.round(ATTEMPTS / seconds)} attempts a second`)
      const { json: after } = await api.get(`${userPath(prize.userId)}/links`)
      assert.equal((await api.get(userPath(prize.userId))).status, 404)
      const owners = await ownersOf(api, prize.identity.user_id)
      assert.deepEqual(owners, [after.merged_into])
      assert.equal(after.total, 1)
      const links = (await eventsOf({ ...server, providers: {} }, 'user.linked')).filter(
        ({ userId }) => userId === after.merged_into,
      )
      assert.equal(links.length, 1, 'one record of it')
    })

    test(`T-LINK-07 of ${CROSSED} merges across each other none breaks, and no identity is lost`, async (t) => {
      const crowd = await addCrowd(server.databaseUrl, 'crossed', CROSSED_USERS)
      const pick = () => crowd[Math.floor(Math.random() * crowd.length)] as CrowdMember
      const before = await countIdentities(api)
      const answers = await together(CROSSED, async (turn) => {
        const [primary, secondary] = [pick(), pick()]
        if (turn % 2 === 0) return api.post(`${userPath(primary.userId)}/identities`, secondary.identity)
        return api.post('/links', { primary_user_id: primary.userId, secondary_user_id: secondary.userId })
      })
      const counts = countStatuses(answers)
      t.diagnostic(JSON.stringify(counts))
      // 400: somebody with themselves; 404: one of them was gone; 409: the identity was linked already.
      assert.deepEqual(
        Object.keys(counts).filter((status) => !['201', '400', '404', '409'].includes(status)),
        [],
      )
      assert.equal(await countIdentities(api), before)
      const left = await Promise.all(crowd.map(async ({ userId }) => (await api.get(userPath(userId))).json))
      const standing = left.filter(({ user_id: id }) => id !== undefined)
      assert.equal(standing.length + (counts[201] ?? 0), crowd.length, 'each win retired one user')
      const held = standing.flatMap(({ identities }) => identities.map(({ user_id: id }: { user_id: string }) => id))
      assert.deepEqual(held.sort(), crowd.map(({ identity }) => identity.user_id).sort())
      for (const { userId } of crowd) assert.ok(await endOf(api, userId), `${userId} leads to somebody`)
      assert.equal(await countDeadlocks(server), 0)
    })

    test(`T-LINK-08 of ${PROVERS} people who prove one upstream account and confirm at once, one gets it`, async () => {
      const people = await Promise.all(
        Array.from({ length: PROVERS }, (_, number) => untilConfirm(server, { home, work }, `prover-${number}`)),
      )
      const pages = await Promise.all(people.map((browser) => browser.submit('link-confirm', { action: 'confirm' })))
      const won = pages.filter(({ name }) => name === 'account-connections')
      assert.deepEqual([won.length, pages.filter(({ status }) => status === 409).length], [1, PROVERS - 1])
      assert.equal((await ownersOf(api, `work|${work.addUser('shared').sub}`)).length, 1)
    })
  })
}

async function startProvider(name: string): Promise<Provider> {
  const provider = await startOidcProvider({ name, connectionOptions: { trust_email: true } })
  after(() => provider.stop())
  return provider
}

let turnOfSignIn: Promise<unknown> = Promise.resolve()

/** Signs in as somebody of their own, goes to the account that all of them have, and stops before the last yes. */
function untilConfirm(server: Deployment, { home, work }: Record<'home' | 'work', Provider>, key: string) {
  const next = turnOfSignIn.then(async (): Promise<Browser> => {
    home.addUser(key, { email: `${key}@home.test` })
    home.switchUser(key)
    work.addUser('shared', { email: 'shared@work.test' })
    work.switchUser('shared')
    const { browser } = await signIn(server, { connection: 'home' })
    await browser.open(`${server.url}/account/connections`)
    const page = await browser.submit('link', { connection: 'work' })
    assert.equal(page.name, 'link-confirm', page.text)
    return browser
  })
  turnOfSignIn = next.catch(() => {})
  return next
}

/** So many, `AT_A_TIME` of them at once. */
async function together(count: number, work: (turn: number) => Promise<Answer>): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  let next = 0
  const worker = async () => {
    while (next < count) answers.push(await work(next++))
  }
  await Promise.all(Array.from({ length: Math.min(count, AT_A_TIME) }, worker))
  return answers
}

function countStatuses(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

interface ShownUser {
  readonly user_id: string
  readonly identities: readonly { readonly user_id: string }[]
}

async function allUsers(api: ApiCaller): Promise<readonly ShownUser[]> {
  const users: ShownUser[] = []
  for (let page = 0; ; page++) {
    const { json } = expectStatus(await api.get(`/users?per_page=100&page=${page}&include_totals=true`), 200)
    users.push(...json.users)
    if (json.users.length < 100) return users
  }
}

const ownersOf = async (api: ApiCaller, identityUserId: string) =>
  (await allUsers(api))
    .filter(({ identities }) => identities.some(({ user_id: id }) => id === identityUserId))
    .map(({ user_id: id }) => id)

const countIdentities = async (api: ApiCaller) =>
  (await allUsers(api)).reduce((sum, { identities }) => sum + identities.length, 0)

/** The user that a retired id leads to. */
async function endOf(api: ApiCaller, userId: string): Promise<string | undefined> {
  const { status, json } = await api.get(`${userPath(userId)}/links`)
  if (status !== 200) return undefined
  return json.merged_into === undefined ? userId : endOf(api, json.merged_into)
}

/** What PostgreSQL resolved by ending one of the two; a retry would have hidden it. */
async function countDeadlocks({ database, databaseUrl }: Deployment): Promise<number> {
  if (database === 'sqlite') return 0
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  const { rows } = await client.query('select deadlocks from pg_stat_database where datname = current_database()')
  await client.end()
  return Number(rows[0]?.deadlocks)
}
