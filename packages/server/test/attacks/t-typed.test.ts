// Keys and passwords that people type, attacked: from other sites, in other browsers, by what they hold, and where they may
// lie afterwards.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exchange, expectStatus, me, meToken, mgmt, type SignedIn, signIn, startConnect } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { Canaries, filesOf, text } from '../support/canaries.ts'
import { DATABASES } from '../support/deployment.ts'
import { callProxy } from '../support/proxy.ts'
import { query } from '../support/rows.ts'
import { startServer } from '../support/server.ts'
import { changesNothing } from '../support/state.ts'
import { passTime } from '../support/time.ts'
import { connectTyped, startKeyApi, withTyped } from '../support/typed.ts'

const api = await startKeyApi()
const server = await startServer({ tenant: (file) => withTyped(file, api) })
const { ada, eve } = server.tenant

interface Someone extends SignedIn {
  readonly token: string
}

async function comesIn(user: typeof ada, at = server): Promise<Someone> {
  const who = await signIn(at, { user })
  return { ...who, token: await meToken(at, who) }
}

const V = await comesIn(ada)
const A = await comesIn(eve)
const FROM = `${server.url}/u/credential`

/** Stands before the page, and holds what its form would send. */
async function atPage(who: Someone, connection = 'crm') {
  const flow = await startConnect(server, { token: who.token, connection })
  await who.browser.open(flow.url)
  if (who.browser.page.name === 'which-account') await who.browser.submit('which-another', { action: 'another' })
  assert.equal(who.browser.page.name, 'enter-credential')
  const fields: Record<string, string> = {
    ...Object.fromEntries(who.browser.form('enter-credential').fields),
    secret: 'a-key-that-fits-0123',
    action: 'continue',
  }
  return { flow, fields, url: who.browser.page.url }
}

test('T-WEB-04 a key is taken from our own page alone', async () => {
  const { fields, url } = await atPage(V)
  const { csrf: _, ...without } = fields
  const post = (sent: Record<string, string>, how: object) => V.browser.clone().post(FROM, sent, { from: url, ...how })
  await changesNothing(server, async () => {
    const attempts = [
      post(fields, { from: 'https://evil.test/' }),
      post(fields, { headers: { 'sec-fetch-site': 'same-site' } }),
      post(without, {}),
      post({ ...without, csrf: String((await atPage(A)).fields.csrf) }, {}),
    ]
    for (const attempt of attempts) {
      const page = await attempt
      assert.deepEqual([page.status, page.error], [403, 'cross_site_request'])
    }
  })
})

test("T-LINK-02 nobody types a key into somebody else's connecting, in their browser or in their own", async () => {
  const W = await comesIn(ada)
  const { fields, url } = await atPage(W)
  await changesNothing(server, async () => {
    for (const browser of [new Browser(), A.browser]) {
      assert.equal((await browser.open(url)).error, 'wrong_browser')
      assert.ok((await browser.post(FROM, fields, { from: url })).status >= 400)
    }
  })
  assert.equal((await W.browser.open(url)).name, 'enter-credential')
  // Another person signs in in the very browser.
  await signIn(server, { user: eve, browser: W.browser, extra: { prompt: 'login' } })
  await changesNothing(server, async () => {
    assert.equal((await W.browser.open(url)).error, 'wrong_user')
    const page = await W.browser.post(FROM, { ...fields }, { from: url })
    assert.deepEqual([page.status, page.error], [403, 'wrong_user'])
  })
})

test('T-AS-16 a form that was answered is over, and of many at once one is heard', async () => {
  const { fields, url } = await atPage(V)
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => V.browser.clone().post(FROM, fields, { from: url })),
  )
  assert.equal(answers.filter(({ name }) => name === 'link-confirm').length, 1)
  assert.ok(answers.every(({ status }) => status < 500))
  const late = await V.browser.clone().post(FROM, fields, { from: url })
  assert.equal(late.error, 'interaction_expired')
})

test('T-API-05 what no header can carry is refused on the page, and never comes back', async () => {
  const { fields, url } = await atPage(V)
  const bad = ['', '   ', 'key\r\nx-evil: 1', 'ke\u0000y', 'k\u00e9y', 'two words', 'x'.repeat(3001)]
  await changesNothing(server, async () => {
    for (const secret of bad) {
      const page = await V.browser.clone().post(FROM, { ...fields, secret }, { from: url })
      assert.deepEqual([page.status, page.name], [400, 'enter-credential'], JSON.stringify(secret.slice(0, 12)))
      if (secret.trim() !== '') assert.ok(!page.body.includes(secret))
    }
    for (const label of ['', 'x'.repeat(41), 'a\u202eb']) {
      const page = await V.browser.clone().post(FROM, { ...fields, label }, { from: url })
      assert.deepEqual([page.status, page.name], [400, 'enter-credential'])
    }
    const basic = await atPage(V, 'wiki')
    for (const username of ['', 'a:b', 'a\nb', 'x'.repeat(256)]) {
      const page = await V.browser.clone().post(FROM, { ...basic.fields, username }, { from: basic.url })
      assert.deepEqual([page.status, page.name], [400, 'enter-credential'])
    }
    const split = { ...basic.fields, username: 'ada', secret: 'pass\r\nword' }
    assert.equal((await V.browser.clone().post(FROM, split, { from: basic.url })).status, 400)
  })
  assert.equal((await V.browser.clone().post(FROM, { ...fields, secret: 'x'.repeat(1_100_000) })).status, 413)
})

test("T-XCH-05 another person's typed account is not there, for any client", async () => {
  const { id } = await connectTyped(V.browser, server, {
    token: V.token,
    connection: 'wiki',
    typed: { username: 'victim', secret: 'a good password' },
  })
  const calls = api.calls.length
  assert.equal((await callProxy(server, A.token, id, '/')).status, 404)
  const hint = { connection: 'wiki', subjectToken: A.refreshToken, loginHint: id }
  assert.equal((await exchange(server, hint)).status, 403)
  assert.equal(api.calls.length, calls)
  // Nor is it replaced by naming it on one's own page.
  await A.browser.open(`${server.url}/account/connections`)
  const { action, fields } = A.browser.form('link', 'wiki')
  await A.browser.post(new URL(action, server.url).href, { ...Object.fromEntries(fields), account: String(id) })
  if (A.browser.page.name === 'enter-credential')
    await A.browser.submit('enter-credential', { fields: { username: 'victim', secret: 'of the attacker' } })
  expectStatus(await callProxy(server, V.token, id, '/'), 204)
  const sent = Buffer.from('victim:a good password').toString('base64')
  assert.equal(api.calls.at(-1)?.headers.authorization, `Basic ${sent}`)
})

test('T-CONN-04 what people typed for one host is sent to no other, whatever the connection becomes', async () => {
  const management = await mgmt(server)
  const { json } = await management.get('/connections?name=wiki')
  const [{ id, options }] = json
  const elsewhere = { options: { ...options, api_hosts: [...options.api_hosts, 'elsewhere.example'] } }
  const refused = await management.patch(`/connections/${id}`, elsewhere)
  assert.deepEqual([refused.status, refused.json.errorCode], [409, 'connection_in_use'])
})

test('T-API-08 whose key it is cannot be tried out without end', async () => {
  const limited = await startServer({
    tenant: (file) => withTyped(file, api),
    settings: { rate_limits: { enabled: true } },
  })
  const who = await comesIn(limited.tenant.ada, limited)
  const flow = await startConnect(limited, { token: who.token, connection: 'desk' })
  await who.browser.open(flow.url)
  const asked = () => api.calls.filter(({ path }) => path === '/me').length
  const before = asked()
  const guess = (at: number) => who.browser.submit('enter-credential', { fields: { secret: `guess-${at}` } })
  for (let at = 0; at < 10; at++) assert.equal((await guess(at)).status, 400)
  const form = who.browser.page
  assert.equal((await guess(10)).error, 'rate_limited')
  assert.equal(asked(), before + 10)
  who.browser.page = form
  passTime(901)
  const late = await guess(11)
  assert.equal(late.status, 400)
})

for (const database of DATABASES) {
  test(`T-VAULT-05 T-OPS-01 ${database}: what was typed lies in no row, event, log, file or URL in clear`, async () => {
    const own = await startServer({ database, tenant: (file) => withTyped(file, api) })
    const who = await comesIn(own.tenant.ada, own)
    const canaries = new Canaries()
    const [key, password, wrong] = ['canary-key-5b1f93aa70', 'canary password 77e1c0', 'canary-wrong-key-09ab']
    canaries.add('key', key)
    canaries.add('password', password)
    canaries.add('wrong key', wrong)
    const { browser, token } = who
    const crm = await connectTyped(browser, own, { token, connection: 'crm', typed: { secret: key } })
    const wiki = await connectTyped(browser, own, {
      token,
      connection: 'wiki',
      typed: { username: 'ada', secret: password },
    })
    const flow = await startConnect(own, { token, connection: 'desk' })
    await browser.open(flow.url)
    await browser.submit('enter-credential', { fields: { secret: wrong } })
    for (const { id } of [crm, wiki]) expectStatus(await callProxy(own, token, id, '/things'), 204)
    const shown = await me(own, token).get('/connected-accounts/accounts')
    await browser.open(`${own.url}/account/connections`)
    const api2 = await mgmt(own)
    const logs = await api2.get('/logs?per_page=100')
    const rows = await Promise.all(
      ['accounts', 'connect_requests', 'events', 'artifacts', 'revocations'].map((table) =>
        query(own.databaseUrl, `select * from ${table}`, []),
      ),
    )
    const pages = browser.seen.map(({ url, body }) => `${url}\n${body}`)
    const places = [
      ...filesOf(own.dataDir),
      text('rows', JSON.stringify(rows)),
      text('logs', own.logs()),
      text('events', logs.text),
      text('accounts', shown.text),
      text('pages', pages.join('\n')),
    ]
    assert.deepEqual(canaries.search(places), [])
  })
}
