// What is known of the end of an account is told before it comes: to its operator by API, to its agents, and never too late.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startVendorProvider } from '@tenon/sdk/testing'
import { systemClock } from '../../src/lib/time.ts'
import { tellEndings } from '../../src/vault/endings.ts'
import { connect, exchange, expectStatus, me, meToken, mgmt, signIn } from '../support/actors.ts'
import { inDatabase } from '../support/console.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { eventsOf } from '../support/state.ts'
import { passTime } from '../support/time.ts'
import { startReceiver } from '../support/webhook-receiver.ts'

const DAY = 86_400
// Its refresh tokens end 90 days after their last use, and all of them a year after the consent.
const atlassian = await startVendorProvider('atlassian', { users: { ada: {} } })
const receiver = await startReceiver()
const server = await startServer({
  providers: { atlassian },
  settings: {
    webhooks: [{ url: receiver.url, secret: 'a secret of words, taken byte by byte', events: ['vault.ending'] }],
  },
})

test('an account that is used lives on until the end of its consent, which is told ahead', async () => {
  const who = await signIn(server, { user: server.tenant.ada })
  const scopes = ['read:me']
  const connected = Date.now()
  const account = await connect(who.browser, server, {
    token: await meToken(server, who),
    connection: 'atlassian',
    scopes,
    user: server.tenant.ada,
  })
  const ending = async (days: number) => {
    const { json } = expectStatus(await (await mgmt(server)).get(`/connected-accounts/ending?within_days=${days}`), 200)
    return json
  }
  const ask = () => exchange(server, { connection: 'atlassian', subjectToken: who.refreshToken })
  assert.deepEqual([(await ending(89)).total, (await ending(91)).total], [0, 1])
  // Each use moves the end by inactivity; the end of the consent stays where it is.
  for (let turn = 0; turn < 4; turn++) {
    passTime(80 * DAY)
    expectStatus(await ask(), 200)
  }
  const { total, counts, accounts } = await ending(60)
  assert.equal(total, 1)
  assert.deepEqual(counts, [{ connection: 'atlassian', strategy: 'atlassian', accounts: 1 }])
  assert.equal(accounts[0].id, account.id)
  const endsAt = Date.parse(accounts[0].ends_at) - connected
  assert.ok(Math.abs(endsAt / 1000 - 365 * DAY) < 600, accounts[0].ends_at)
  assert.equal((await ending(40)).total, 0)
})

test('within a week of its end an account is called expiring', async () => {
  passTime(40 * DAY)
  const who = await signIn(server, { user: server.tenant.ada })
  expectStatus(await exchange(server, { connection: 'atlassian', subjectToken: who.refreshToken }), 200)
  const { json } = await me(server, await meToken(server, who)).get('/capabilities')
  assert.equal(json.connections[0].accounts[0].health, 'expiring')
})

test('its person reads when it ends and why, and reconnects it there; receivers of webhooks are told', async () => {
  const { browser } = await signIn(server, { user: server.tenant.ada })
  await browser.open(`${server.url}/account/connections`)
  assert.match(browser.page.text, /It ends on .{10,30}, for atlassian lets no permission last longer/)
  await inDatabase(server, (storage) =>
    tellEndings({
      storage,
      clock: systemClock,
      connectorFor: async () => ({ traits: { refreshTokenEndsAfterSeconds: 365 * DAY } }),
    }),
  )
  const { body } = await eventually('the webhook', () => receiver.received.find(({ type }) => type === 'vault.ending'))
  const [event] = await eventsOf(server, 'vault.ending')
  assert.equal(JSON.parse(body).data.details.ends_at, event?.data?.ends_at)

  await browser.submit('link', { connection: 'atlassian' })
  assert.doesNotMatch(browser.page.text, /It ends on/)
  assert.match(browser.page.text, /atlassian/)
})

test('the forecast is for readers of users, and takes days', async () => {
  const other = await mgmt(server, { scope: 'read:clients' })
  assert.equal((await other.get('/connected-accounts/ending')).status, 403)
  const api = await mgmt(server)
  assert.equal((await api.get('/connected-accounts/ending')).json.within_days, 30)
  for (const days of ['0', '-1', '401', 'x', '1.5', ''])
    assert.equal((await api.get(`/connected-accounts/ending?within_days=${days}`)).status, 400, days)
})
