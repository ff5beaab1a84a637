// What callers hear when more of them come than PostgreSQL serves: those in line are served, however late, and those past
// the line are told when to come back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from 'pg'
import { postgresServer } from '../storage/postgres-database.ts'
import { authorizeUrl, mgmt, userPath } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { eventually, request } from '../support/http.ts'
import { startServer } from '../support/server.ts'

/** What one process serves at once, and lets wait (storage/postgres.ts). */
const PLACES = 10
const LINE = 1000
const BEYOND = 20

if (postgresServer === undefined) {
  test('overload: TENON_TEST_POSTGRES names a server', { skip: process.env.TENON_TEST_SETUP !== '1' }, () => {
    throw new Error('TENON_TEST_POSTGRES is not set')
  })
} else {
  test('a thousand changes of one locked user wait and succeed; whoever comes beyond that hears 503 and when to try again', async () => {
    const server = await startServer({ database: 'postgres', providers: {} })
    const api = await mgmt(server)
    const { json: user } = await api.post('/users', {
      connection: 'Username-Password-Authentication',
      email: 'busy@example.test',
      password: 'a long enough secret',
    })
    const lock = new Client({ connectionString: server.databaseUrl })
    await lock.connect()
    await lock.query('begin')
    await lock.query('select 1 from users where user_id = $1 for update', [user.user_id])

    const statuses: number[] = []
    const crowd = Array.from({ length: PLACES + LINE + BEYOND }, async (_, turn) => {
      const answer = await api.patch(userPath(user.user_id), { user_metadata: { turn } })
      statuses.push(answer.status)
      return answer
    })
    await eventually('the line is full', () => statuses.length >= BEYOND)

    const refused = await api.patch(userPath(user.user_id), { name: 'Late' })
    assert.deepEqual([refused.status, refused.json.errorCode], [503, 'temporarily_unavailable'])
    assert.equal(refused.headers['retry-after'], '5')
    const page = await new Browser().open(authorizeUrl(server).url)
    assert.deepEqual([page.status, page.name], [503, 'error'])
    const token = await request(`${server.url}/oauth/token`, {
      method: 'POST',
      form: { grant_type: 'client_credentials', client_id: 'mgmt', client_secret: server.tenant.secrets.mgmt },
    })
    assert.ok([200, 503].includes(token.status), String(token.status))
    assert.equal((await request(`${server.url}/readyz`)).status, 200, 'it is alive, and says so')

    await lock.query('rollback')
    await lock.end()
    const answers = await Promise.all(crowd)
    const served = answers.filter(({ status }) => status === 200).length
    assert.deepEqual([served, answers.length - served], [PLACES + LINE, BEYOND])
    assert.ok(answers.every(({ status }) => status === 200 || status === 503))
    assert.doesNotMatch(server.logs(), /"level":(50|"error")/)
  })
}
