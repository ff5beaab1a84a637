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
import { CALLBACK, PASSWORDS } from '../support/tenant.ts'

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
      connection: PASSWORDS,
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
    try {
      await eventually('the line is full', () => statuses.length >= BEYOND)

      const refused = await api.patch(userPath(user.user_id), { name: 'Late' })
      assert.deepEqual([refused.status, refused.json.errorCode], [503, 'temporarily_unavailable'])
      assert.equal(refused.headers['retry-after'], '5')
      const page = await new Browser().open(authorizeUrl(server).url)
      assert.deepEqual([page.status, page.name], [503, 'error'])
      const pushed = await request(`${server.url}/oauth/par`, {
        form: {
          client_id: 'web',
          client_secret: server.tenant.secrets.web,
          response_type: 'code',
          redirect_uri: CALLBACK,
          scope: 'openid',
        },
      })
      assert.deepEqual([pushed.status, pushed.json.error], [503, 'temporarily_unavailable'])
      assert.equal(pushed.headers['retry-after'], '5')
      assert.equal((await request(`${server.url}/readyz`)).status, 200, 'it is alive, and says so')
    } finally {
      // Otherwise nothing of it would end.
      await lock.end()
    }
    const answers = await Promise.all(crowd)
    const served = answers.filter(({ status }) => status === 200).length
    assert.equal(served + answers.filter(({ status }) => status === 503).length, answers.length)
    // What the server does by itself stands in the same line.
    assert.ok(served > LINE - 50 && served <= PLACES + LINE, `${served} were served`)
    // And finds the line full without taking that for a fault.
    assert.doesNotMatch(server.logs(), /"level":"error"/)
  })
}
