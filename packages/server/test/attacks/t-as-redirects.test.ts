// Authorization server: where answers go (T-AS-01, -02, -15, -17, -20).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize, authorizeUrl, drive, refresh, signIn, silently } from '../support/actors.ts'
import { Browser, CALLBACKS } from '../support/browser.ts'
import { request } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { CALLBACK, LOGGED_OUT } from '../support/tenant.ts'

const SITE = 'https://app.acme.test/cb'
const server = await startServer({
  tenant: (file) => {
    file.clients.push({ ...file.clients[0], client_id: 'site', callbacks: [SITE] })
    file.clients.push({ ...file.clients[0], client_id: 'sites', callbacks: [SITE, 'https://app.acme.test/other'] })
    const [passwords] = file.connections
    Object.assign(passwords ?? {}, { enabled_clients: ['web', 'spa', 'site', 'sites'] })
  },
})
const { ada, eve } = server.tenant

test('T-AS-01 a redirect URI that is not registered to the letter gets a page and no redirect', async () => {
  const tricks = [
    'https://app.acme.test/cb/',
    'https://app.acme.test/cb2',
    'https://app.acme.test/c',
    'https://app.acme.test/CB',
    'https://app.acme.test/cb?x=1',
    'https://app.acme.test/cb#x',
    'https://app.acme.test/cb/../evil',
    'https://app.acme.test/cb/..;/evil',
    'https://app.acme.test/%63b',
    'https://app.acme.test/x/%2e%2e/cb',
    'https://app.acme.test:443/cb',
    'https://app.acme.test:444/cb',
    'http://app.acme.test/cb',
    'https://app.acme.test@evil.test/cb',
    'https://evil.test/cb?https://app.acme.test/cb',
    'https://app.acme.test.evil.test/cb',
    'https://app.acme.test\\@evil.test/cb',
    '//evil.test/cb',
    'https://app.аcme.test/cb',
    'https://app.acme.test/cb ',
    'javascript:alert(1)//https://app.acme.test/cb',
    'data:text/html,x',
    'https://127.0.0.1/cb',
    '',
  ]
  for (const redirectUri of tricks) {
    await refusedOnAPage(authorizeUrl(server, { client: 'site', redirectUri }).url, redirectUri)
  }
  const twice = authorizeUrl(server, { client: 'site', extra: { redirect_uri: [SITE, 'https://evil.test/'] } })
  await refusedOnAPage(twice.url, 'twice')
  const asArray = authorizeUrl(server, { client: 'site', extra: { redirect_uri: undefined, 'redirect_uri[]': SITE } })
  await refusedOnAPage(asArray.url, 'array')
  await refusedOnAPage(authorizeUrl(server, { client: 'sites', extra: { redirect_uri: undefined } }).url, 'missing')
  // Loopback ports differ for native apps only (RFC 8252 §7.3).
  await refusedOnAPage(authorizeUrl(server, { redirectUri: 'http://127.0.0.1:10/cb' }).url, 'port')
  await refusedOnAPage(authorizeUrl(server, { redirectUri: 'http://localhost:9/cb' }).url, 'localhost')
  await refusedOnAPage(authorizeUrl(server, { client: 'nobody', redirectUri: SITE }).url, 'unknown client')
})

test('T-AS-01 no way of asking sends an error, or anything else, to a redirect URI that is not registered', async () => {
  const { browser } = await signIn(server, { user: ada })
  const evil = 'https://evil.test/cb'
  for (const extra of [
    { prompt: 'none' },
    { prompt: 'none', response_mode: 'web_message' },
    { response_mode: 'form_post' },
    { response_mode: 'fragment' },
    { response_type: 'nonsense' },
    { prompt: 'none login' },
    { scope: 'openid "' },
    { connection: 'nowhere' },
    { audience: 'https://nowhere.test/' },
  ]) {
    const { url } = authorizeUrl(server, { redirectUri: evil, extra })
    for (const page of [
      await browser.clone().open(url),
      await browser.clone().post(`${server.url}/authorize`, new URL(url).searchParams),
    ]) {
      assert.deepEqual([page.name, page.status], ['error', 400], JSON.stringify(extra))
      assert.doesNotMatch(page.body, /evil/)
    }
  }
  const form = { ...Object.fromEntries(new URL(authorizeUrl(server, { redirectUri: evil }).url).searchParams) }
  const client_secret = server.tenant.secrets.web
  const pushed = await request(`${server.url}/oauth/par`, { form: { ...form, client_secret } })
  assert.deepEqual([pushed.status, pushed.json.error], [400, 'invalid_request'])
})

async function refusedOnAPage(url: string, what: string): Promise<void> {
  const { status, headers, text } = await request(url, { headers: { accept: 'text/html' } })
  assert.ok(status === 400 || status === 403, `${what}: ${status} ${headers.location ?? ''}`)
  assert.equal(headers.location, undefined, what)
  assert.match(text, /data-page="error"/, what)
}

test('T-AS-02 no parameter sends a browser to an address that is not registered', async () => {
  const { browser, idToken } = await signIn(server, { user: ada })
  const evil = ['https://evil.test/', '//evil.test', '/\\evil.test', `${LOGGED_OUT}.evil.test`, `${LOGGED_OUT}/..`]
  for (const target of evil) {
    const to = encodeURIComponent(target)
    for (const path of [
      `/v2/logout?client_id=web&returnTo=${to}`,
      `/v2/logout?returnTo=${to}`,
      `/oidc/logout?client_id=web&post_logout_redirect_uri=${to}`,
      `/oidc/logout?id_token_hint=${idToken}&post_logout_redirect_uri=${to}`,
      `/oidc/logout?post_logout_redirect_uri=${to}`,
      `/logout?returnTo=${to}`,
      `/u/login?state=x&returnTo=${to}`,
      `/account?returnTo=${to}`,
      `/login/callback/calendar?state=x&RelayState=${to}&redirect_uri=${to}`,
      `/connected-accounts/connect?ticket=x&redirect_uri=${to}`,
      `/connected-accounts/continue?leg=x&returnTo=${to}`,
      `/reset-password?ticket=x&returnTo=${to}`,
    ]) {
      const visitor = browser.clone()
      await visitor.open(`${server.url}${path}`, { stopAt: 'https://evil.test' })
      for (const { location } of visitor.chain) assert.ok(isOurs(location), `${path} → ${location}`)
    }
    assert.equal(await silently(browser, server), 'code', `signed out by ${target}`)
  }
  // The address that the logout page carries is sealed: another one, or one of another browser, is refused.
  await browser.open(
    `${server.url}/oidc/logout?client_id=web&post_logout_redirect_uri=${encodeURIComponent(LOGGED_OUT)}`,
  )
  const [form] = browser.page.forms
  const state = Object.fromEntries(form?.fields ?? []).state
  const other = (await signIn(server, { user: eve })).browser
  await other.open(`${server.url}/oidc/logout?client_id=web&post_logout_redirect_uri=${encodeURIComponent(LOGGED_OUT)}`)
  for (const forged of [state, Buffer.from('https://evil.test/').toString('base64url')]) {
    const page = await other
      .clone()
      .post(
        `${server.url}/u/logout`,
        { ...Object.fromEntries(form?.fields ?? []), state: forged, action: 'confirm' },
        { from: other.page.url },
      )
    assert.ok(page.status >= 400 && !page.stopped)
  }
})

const isOurs = (location: string | undefined): boolean =>
  location === undefined || new URL(location, server.url).origin === server.url || location.startsWith(LOGGED_OUT)

test('T-AS-15 nobody is signed out by what another site can send', async () => {
  const victim = await signIn(server, { user: ada })
  const attacker = await signIn(server, { user: eve })
  const [head, body, signature] = victim.idToken.split('.')
  const unsigned = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url')
  const otherUser = Buffer.from(JSON.stringify({ ...victim.claims, sub: attacker.sub })).toString('base64url')
  const hints = {
    'no hint': undefined,
    "another user's": attacker.idToken,
    'no signature': `${unsigned}.${body}.`,
    altered: `${head}.${otherUser}.${signature}`,
    'an access token': victim.accessToken,
    garbage: 'x.y.z',
  }
  for (const [name, hint] of Object.entries(hints)) {
    const url = new URL(`${server.url}/oidc/logout`)
    if (hint !== undefined) url.searchParams.set('id_token_hint', hint)
    const page = await victim.browser.clone().open(url.href, { from: 'https://evil.test/' })
    assert.ok(page.name === 'logout' || page.status >= 400, name)
    assert.equal(await silently(victim.browser, server), 'code', name)
  }
  for (const target of [
    'https://evil.test/',
    `${LOGGED_OUT}/`,
    `${LOGGED_OUT}?x`,
    LOGGED_OUT.replace('http', 'https'),
  ]) {
    const query = new URLSearchParams({ id_token_hint: victim.idToken, post_logout_redirect_uri: target })
    const page = await victim.browser.clone().open(`${server.url}/oidc/logout?${query}`)
    assert.deepEqual([page.status, page.stopped], [400, false], target)
  }
  const wrongTarget = `${server.url}/oidc/logout?id_token_hint=${victim.idToken}&post_logout_redirect_uri=${CALLBACK}`
  const refused = await victim.browser.clone().open(wrongTarget)
  assert.equal(refused.status, 400)
  assert.equal(await silently(victim.browser, server), 'code')
  const foreignSid = await victim.browser.clone().open(`${server.url}/oidc/logout?logout_hint=${attacker.claims.sid}`)
  assert.equal(foreignSid.name, 'logout')
  assert.equal(await silently(victim.browser, server), 'code')
  // An ID token of a session that is over, however old, ends no later one of the same person.
  const again = await signIn(server, { user: ada })
  const tokens = [again.idToken, (await refresh(server, 'web', again.refreshToken)).json.id_token]
  for (const hint of tokens) {
    const page = await victim.browser.clone().open(`${server.url}/oidc/logout?id_token_hint=${hint}`)
    assert.deepEqual([page.name, page.forms.length], ['logout', 1], 'asks')
    assert.equal(await silently(victim.browser, server), 'code')
  }
  const right = `${server.url}/oidc/logout?id_token_hint=${victim.idToken}&post_logout_redirect_uri=${encodeURIComponent(LOGGED_OUT)}`
  assert.equal((await victim.browser.open(right)).stopped, true)
  assert.equal(await silently(victim.browser, server), 'login_required')
})

test('T-AS-15 a picture, a frame or a script of another site signs nobody out, even where cookies travel with them', async () => {
  const open = await startServer({ settings: { sessions: { cookie_same_site: 'none' } } })
  const { browser, idToken } = await signIn(open, { user: open.tenant.ada })
  const fetched: Record<string, string>[] = [
    { 'sec-fetch-dest': 'image', 'sec-fetch-mode': 'no-cors' },
    { 'sec-fetch-dest': 'iframe' },
    { 'sec-fetch-dest': 'empty', 'sec-fetch-mode': 'no-cors' },
  ]
  for (const way of fetched) {
    for (const site of ['cross-site', 'same-site']) {
      const headers = { ...way, 'sec-fetch-site': site }
      for (const path of ['/v2/logout', '/v2/logout?client_id=web', `/oidc/logout?id_token_hint=${idToken}`]) {
        const page = await browser.open(`${open.url}${path}`, { headers, stopAt: LOGGED_OUT })
        assert.equal(page.error, 'cross_site_request', `${path} ${JSON.stringify(headers)}`)
      }
    }
  }
  assert.equal(await silently(browser, open), 'code')
  await browser.open(`${open.url}/v2/logout?client_id=web`, { from: 'https://app.acme.test/' })
  assert.equal(await silently(browser, open), 'login_required')
})

test('T-AS-17 tokens never leave by a front channel, and a state is never markup', async () => {
  const { browser } = await signIn(server, { user: ada })
  for (const responseType of ['token', 'id_token', 'code token', 'code id_token', 'code id_token token', 'none']) {
    const { page } = await authorize(browser.clone(), server, { extra: { response_type: responseType } })
    assert.equal(page.stopped, true, responseType)
    assert.ok(page.params.has('error'), responseType)
    assert.doesNotMatch(page.url, /access_token|id_token=|code=/, responseType)
  }
  // An ID token leaves by a form alone, for a nonce, and for clients that keep a secret.
  for (const extra of [{ response_mode: 'fragment' }, { response_mode: 'query' }, { response_mode: 'web_message' }]) {
    const { page } = await authorize(browser.clone(), server, { extra: { response_type: 'id_token', ...extra } })
    assert.doesNotMatch(page.body + page.url, /eyJ|access_token/, extra.response_mode)
  }
  const form = { response_type: 'id_token', response_mode: 'form_post', code_challenge: undefined }
  const unchallenged = { ...form, code_challenge_method: undefined }
  const bare = await authorize(browser.clone(), server, { extra: { ...unchallenged, nonce: undefined } })
  assert.doesNotMatch(bare.page.body, /eyJ/)
  const open = await authorize(browser.clone(), server, { client: 'spa', extra: { ...unchallenged, prompt: 'none' } })
  assert.doesNotMatch(open.page.body + open.page.url, /eyJ/)
  const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
  const posted = await authorize(browser.clone(), server, { extra: { response_mode: 'form_post', state: hostile } })
  assert.equal(posted.page.status, 200)
  assert.doesNotMatch(posted.page.body, /<script>alert|<img/)
  assert.match(posted.page.headers['content-security-policy'] ?? '', /frame-ancestors 'none'/)
  assert.doesNotMatch(posted.page.headers['content-security-policy'] ?? '', /unsafe-inline/)
  for (const { headers } of [posted.page]) {
    assert.match(headers['cache-control'] ?? '', /no-store/)
    assert.match(headers['referrer-policy'] ?? '', /no-referrer|same-origin/)
  }
  // The origin of a message is that of a registered redirect URI, never `*`, and only of a client that listed it.
  const message = await authorize(browser.clone(), server, {
    client: 'spa',
    extra: { response_mode: 'web_message', prompt: 'none' },
  })
  assert.doesNotMatch(message.page.body, /['"]\*['"]/)
  assert.match(
    message.page.headers['content-security-policy'] ?? '',
    new RegExp(`frame-ancestors ${new URL(CALLBACKS).origin}(;|$)`),
  )
  const unlisted = await authorize(browser.clone(), server, {
    client: 'web',
    extra: { response_mode: 'web_message', prompt: 'none' },
  })
  assert.equal(unlisted.page.name, 'error')
  assert.doesNotMatch(unlisted.page.body, /postMessage/)
})

test('T-AS-20 after a form with a password every redirect turns into a GET', async () => {
  const browser = new Browser()
  await browser.open(authorizeUrl(server).url)
  await drive(browser, { user: ada })
  const posts = browser.chain.filter(({ method }) => method === 'POST')
  assert.equal(posts.length, 1)
  assert.deepEqual(
    posts.map(({ status }) => status),
    [303],
  )
  assert.ok(browser.chain.every(({ status }) => status !== 307 && status !== 308))
  const { email, password } = ada
  const forms: readonly [string, Record<string, string>][] = [
    ['signup', { email: 'somebody-new@example.test', password: 'a password that is long' }],
    ['reset-password', { email }],
  ]
  for (const [hint, fields] of forms) {
    const other = new Browser()
    await other.open(authorizeUrl(server, { extra: { screen_hint: hint } }).url)
    await other.submit(hint === 'signup' ? 'signup' : 'reset', { fields })
    await other.open(authorizeUrl(server).url)
    await other.submit('login', { fields: { username: email, password: 'not the password' } })
    await other.submit('login', { fields: { username: email, password } })
    const answers = other.seen.map(({ status }) => status)
    assert.ok(
      answers.every((status) => status < 300 || status === 302 || status === 303 || (status >= 400 && status < 500)),
      `${hint}: ${answers}`,
    )
  }
  // An authorization request by POST, too, goes on as a GET.
  const { searchParams } = new URL(authorizeUrl(server).url)
  const page = await new Browser().post(`${server.url}/authorize`, searchParams)
  assert.equal(page.name, 'login')
})
