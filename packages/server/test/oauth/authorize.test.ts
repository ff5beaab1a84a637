// Which authorization requests are answered at once, which need the person, and which go back with an error.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type AuthorizeOptions,
  authorize,
  authorizeUrl,
  claimsOf,
  drive,
  expectStatus,
  redeem,
  refresh,
  signIn,
  silently,
  tokenRequest,
} from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { request } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { API, CALLBACK, PASSWORDS } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const server = await startServer({
  tenant: (file) => {
    const connection = file.connections.find(({ name }) => name === 'files')
    Object.assign(connection ?? {}, { authentication: { active: false } })
    const work = file.connections.find(({ name }) => name === 'work')
    Object.assign(work ?? {}, { enabled_clients: ['agent-a'] })
  },
})
const { ada, eve } = server.tenant

test('POST /authorize is the same request as GET', async () => {
  const asked = authorizeUrl(server)
  const { searchParams, origin, pathname } = new URL(asked.url)
  const browser = new Browser()
  await browser.post(`${origin}${pathname}`, searchParams, { from: 'https://app.acme.test/' })
  assert.equal(browser.page.name, 'login')
  const page = await drive(browser, { user: ada })
  expectStatus(await redeem(server, { ...asked, params: page.params }), 200)
  // With a session it goes on at once, from another site too.
  await browser.post(`${origin}${pathname}`, searchParams, { from: 'https://app.acme.test/' })
  assert.ok(browser.page.params.has('code'))
})

test('who only looks ahead with HEAD gets nothing, and uses nothing up', async () => {
  const { browser } = await signIn(server, { user: ada })
  const { url } = authorizeUrl(server)
  const answer = await request(url, {
    method: 'HEAD',
    headers: { cookie: browser.jar.header(new URL(url), 'GET', undefined) },
  })
  assert.deepEqual([answer.status, answer.text, answer.headers.location], [200, '', undefined])
  assert.equal((await request(`${server.url}/.well-known/openid-configuration`, { method: 'HEAD' })).status, 200)
})

test('a pushed request serves once, and only as it was pushed', async () => {
  const { browser } = await signIn(server, { user: ada })
  const asked = authorizeUrl(server, { scope: 'openid offline_access', audience: API })
  const fields = Object.fromEntries(new URL(asked.url).searchParams)
  const pushed = await request(`${server.url}/oauth/par`, {
    form: { ...fields, client_secret: server.tenant.secrets.web },
  })
  assert.equal(pushed.status, 201)
  assert.equal(typeof pushed.json.expires_in, 'number')
  const url = (extra: Record<string, string> = {}) =>
    `${server.url}/authorize?${new URLSearchParams({ client_id: 'web', request_uri: pushed.json.request_uri, ...extra })}`
  const first = await browser.open(url({ scope: 'openid profile', audience: `${server.issuer}me/` }))
  const { json } = expectStatus(await redeem(server, { ...asked, params: first.params }), 200)
  assert.deepEqual(claimsOf(json.access_token).aud, [API, `${server.issuer}userinfo`])
  assert.equal(claimsOf(json.access_token).scope, 'openid offline_access')
  assert.ok(json.refresh_token)
  const again = await browser.open(url())
  assert.ok(!again.params.has('code'))
})

test('a client of another maker gets exactly what the person allowed, and asks again for more', async () => {
  const who = { client: 'theirs', user: ada, audience: API } as const
  const browser = new Browser()
  const asked = await authorize(browser, server, { ...who, scope: 'openid read:things', answers: { consent: false } })
  assert.equal(asked.page.name, 'consent')
  assert.match(asked.page.text, /Third party/)
  const page = await drive(browser, {})
  const { json } = expectStatus(await redeem(server, { ...asked, params: page.params }), 200)
  assert.deepEqual(new Set(json.scope.split(' ')), new Set(['openid', 'read:things']))
  assert.equal(json.refresh_token, undefined)
  const how: AuthorizeOptions = { client: 'theirs', audience: API }
  assert.equal(await silently(browser, server, { ...how, scope: 'openid read:things' }), 'code')
  assert.equal(await silently(browser, server, { ...how, scope: 'openid' }), 'code')
  for (const scope of ['openid read:things write:things', 'openid email', 'openid offline_access'])
    assert.equal(await silently(browser, server, { ...how, scope }), 'consent_required', scope)
  assert.equal(await silently(browser, server, { client: 'theirs', scope: 'openid email' }), 'consent_required')
  assert.equal(await silently(browser, server, { client: 'web', scope: 'openid email' }), 'code')
})

test('a no on the consent page is access_denied at the client, and nothing is granted', async () => {
  const browser = new Browser()
  const flow = await authorize(browser, server, {
    client: 'theirs',
    user: eve,
    scope: 'openid',
    answers: { consent: 'deny' },
  })
  assert.deepEqual([flow.params.get('error'), flow.params.get('state')], ['access_denied', flow.state])
  assert.equal(await silently(browser, server, { client: 'theirs', scope: 'openid' }), 'consent_required')
})

test('prompt=none shows no page: login_required without a session, consent_required without a consent', async () => {
  assert.equal(await silently(new Browser(), server), 'login_required')
  const { browser } = await signIn(server, { user: eve })
  assert.equal(await silently(browser, server), 'code')
  assert.equal(await silently(browser, server, { client: 'theirs', scope: 'openid phone' }), 'consent_required')
  assert.equal(await silently(browser, server, { extra: { prompt: 'none login' } }), 'invalid_request')
})

for (const prompt of ['login', 'select_account', 'login consent']) {
  test(`prompt=${prompt} asks who it is although somebody is signed in, and takes another person who says so`, async () => {
    const { browser, claims } = await signIn(server, { user: ada })
    passTime(2)
    const page = await browser.open(authorizeUrl(server, { extra: { prompt } }).url)
    assert.equal(page.name, 'login')
    const same = await signIn(server, { browser, user: ada, extra: { prompt } })
    assert.equal(same.sub, claims.sub)
    assert.ok(Number(same.claims.auth_time) > Number(claims.auth_time))
    const other = await signIn(server, {
      browser,
      user: eve,
      extra: { prompt },
      answers: { 'link-conflict': 'continue' },
    })
    assert.notEqual(other.sub, claims.sub)
    assert.equal(await silently(browser, server), 'code')
  })
}

test('max_age asks again when the sign-in is older, and takes no other person in silence', async () => {
  const { browser, claims } = await signIn(server, { user: ada })
  assert.equal(await silently(browser, server, { extra: { max_age: '1000' } }), 'code')
  passTime(101)
  assert.equal(await silently(browser, server, { extra: { max_age: '100' } }), 'login_required')
  const again = await signIn(server, { browser, user: ada, extra: { max_age: '100' } })
  assert.ok(Number(again.claims.auth_time) > Number(claims.auth_time))
  passTime(101)
  const answers = { 'link-conflict': false } as const
  const other = await authorize(browser, server, { user: eve, extra: { max_age: '100' }, answers })
  assert.deepEqual([other.page.name, other.params.has('code')], ['link-conflict', false])
})

test('a connection that cannot be used goes back to the client as an error', async () => {
  const cases = [
    ['nowhere', 'invalid_request'],
    ['files', 'invalid_request'],
    ['work', 'unauthorized_client'],
  ] as const
  for (const [connection, error] of cases) {
    const flow = await authorize(new Browser(), server, { connection })
    assert.deepEqual([flow.params.get('error'), flow.params.get('state')], [error, flow.state], connection)
  }
})

test('a named connection goes straight to its provider, and serves from the session that came in by it', async () => {
  server.person('cara', ['calendar', 'code'])
  const asked = authorizeUrl(server, { connection: 'calendar' })
  const browser = new Browser()
  await browser.open(asked.url, { stopAt: server.providers.calendar.url })
  assert.ok(browser.page.stopped, 'no page of ours in between')
  const who = await signIn(server, { connection: 'calendar' })
  assert.equal(await silently(who.browser, server, { connection: 'calendar' }), 'code')
  assert.equal(await silently(who.browser, server), 'code')
  for (const connection of ['code', PASSWORDS])
    assert.equal(await silently(who.browser, server, { connection }), 'login_required', connection)
})

test('a page of a client may read token answers and their headers; others may not', async () => {
  const origin = new URL(CALLBACK).origin
  const { refreshToken } = await signIn(server, { client: 'spa', user: ada })
  const form = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'spa' }
  const own = await request(`${server.url}/oauth/token`, { form, headers: { origin } })
  assert.equal(own.status, 200)
  const foreign = await request(`${server.url}/oauth/token`, { form, headers: { origin: 'https://evil.test' } })
  assert.deepEqual([foreign.status, foreign.headers['access-control-allow-origin']], [400, undefined])
  const refused = await tokenRequest(server, 'web', { grant_type: 'urn:x' }, { headers: { origin } })
  const exchanged = await tokenRequest(
    server,
    'web',
    { grant_type: 'urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token' },
    { headers: { origin } },
  )
  for (const answer of [own, refused, exchanged]) {
    assert.equal(answer.headers['access-control-allow-origin'], origin)
    const exposed = String(answer.headers['access-control-expose-headers']).toLowerCase().split(', ')
    for (const name of ['dpop-nonce', 'www-authenticate', 'location', 'x-ratelimit-remaining', 'retry-after'])
      assert.ok(exposed.includes(name), name)
  }
  const elsewhere = await tokenRequest(
    server,
    'web',
    { grant_type: 'urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token' },
    { headers: { origin: 'https://evil.test' } },
  )
  assert.equal(elsewhere.headers['access-control-allow-origin'], undefined)
  const preflight = await request(`${server.url}/oauth/token`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'auth0-client, dpop',
    },
  })
  assert.equal(preflight.status, 204)
  for (const name of ['auth0-client', 'dpop'])
    assert.ok(String(preflight.headers['access-control-allow-headers']).includes(name), name)
  assert.equal((await refresh(server, 'spa', own.json.refresh_token)).status, 200)
})
