// Providers that lie, seen through whole sign-ins, connects and exchanges (attack catalogue, T-RP). What each lie does to
// a connector alone is tried in `test/upstream`.
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import {
  bombs,
  forgeries,
  type Provider,
  startGithubProvider,
  startOAuth2Provider,
  startOidcProvider,
} from '@tenon/sdk/testing'
import {
  authorize,
  connect,
  drive,
  exchange,
  meToken,
  mgmt,
  signIn,
  silently,
  startConnect,
} from '../support/actors.ts'
import { Browser, type Page } from '../support/browser.ts'
import { startServer } from '../support/server.ts'
import { eventsOf, snapshot } from '../support/state.ts'

const users = { ada: {} }
const providers = {
  calendar: await startOidcProvider({ name: 'calendar', refresh: 'always', rotation: 'rotating', users }),
  code: await startGithubProvider({ name: 'code', users }),
  files: await startOAuth2Provider({ name: 'files', users }),
}
const server = await startServer({ providers })
const { calendar, code, files } = providers

const V = await signIn(server, { user: server.tenant.ada })
const token = await meToken(server, V)
// Once, so that what comes after would be a change.
for (const connection of Object.keys(providers)) await signIn(server, { connection })

afterEach(() => {
  for (const provider of Object.values(providers)) provider.reset()
})

function assertErrorPage(page: Page, what: string): void {
  assert.equal(page.name, 'error', `${what}: ${page.url} ${page.text.slice(0, 100)}`)
  assert.ok(page.status >= 400 && page.status < 500, `${what}: status ${page.status}`)
}

/** A sign-in and a connect through the lie end on the error page, without a session and without a change. */
async function refuses(what: string, { name }: Provider): Promise<void> {
  const before = await snapshot(server)
  const browser = new Browser()
  const { page } = await authorize(browser, server, { connection: name })
  assertErrorPage(page, what)
  assert.equal(await silently(browser, server), 'login_required', what)
  const flow = await startConnect(server, { token, connection: name })
  await V.browser.open(flow.url)
  assertErrorPage(await drive(V.browser), what)
  assert.deepEqual(await snapshot(server), before, what)
}

test('T-RP-01 an ID token with a wrong claim signs nobody in and connects nothing', async () => {
  const now = Math.floor(Date.now() / 1000)
  const without = (name: string) => (claims: Readonly<Record<string, unknown>>) => {
    const { [name]: _, ...rest } = claims
    return rest
  }
  const wrong = (members: Record<string, unknown>) => (claims: Readonly<Record<string, unknown>>) => ({
    ...claims,
    ...members,
  })
  const lies: Record<string, (claims: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>> = {
    ...Object.fromEntries(['iss', 'sub', 'aud', 'exp', 'iat', 'nonce'].map((name) => [`no ${name}`, without(name)])),
    'iss of another': wrong({ iss: 'https://evil.test' }),
    'iss with a slash': wrong({ iss: `${calendar.issuer}/` }),
    'aud of another': wrong({ aud: 'another-app' }),
    'a second aud': wrong({ aud: [calendar.clientId, 'another-app'], azp: undefined }),
    'azp of another': wrong({ azp: 'another-app' }),
    expired: wrong({ exp: now - 3600 }),
    'issued in the future': wrong({ iat: now + 3600, exp: now + 7200 }),
    'not valid yet': wrong({ nbf: now + 3600 }),
    'another nonce': wrong({ nonce: 'another' }),
    'at_hash of another token': wrong({ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }),
    'c_hash of another code': wrong({ c_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }),
    'empty sub': wrong({ sub: '' }),
    'sub that is a list': wrong({ sub: ['ada'] }),
    'exp that is text': wrong({ exp: String(now + 3600) }),
  }
  for (const [what, lie] of Object.entries(lies)) {
    calendar.tamperIdToken = lie
    await refuses(what, calendar)
  }
})

test('T-RP-01 a forged signature signs nobody in and connects nothing', async () => {
  const { claimsOf: _, withoutKid: __, ...forged } = forgeries
  for (const [what, forge] of Object.entries(forged)) {
    calendar.tamperSignedIdToken = forge
    await refuses(what, calendar)
  }
})

test('T-RP-01 a user-info about somebody else signs nobody in', async () => {
  calendar.tamperUserInfo = (claims) => ({ ...claims, sub: 'somebody-else' })
  await refuses('user-info', calendar)
})

test('T-RP-02 a page, a list or a lie in place of the profile signs nobody in', async () => {
  for (const provider of [code, files]) {
    const answers: Record<string, () => void> = {
      'rate limit page with 200': () =>
        provider.fail('userinfo', { status: 200, body: '<h1>Slow down</h1>', times: 2 }),
      'a list': () => provider.fail('userinfo', { status: 200, body: [{ id: 1 }], times: 2 }),
      'no id': () => {
        provider.tamperUserInfo = ({ id: _, ...rest }) => rest
      },
      'an id that is an object': () => {
        provider.tamperUserInfo = (truth) => ({ ...truth, id: {} })
      },
      'a token that is a list': () => {
        provider.tamperAnswer = (truth) => ({ ...truth, access_token: ['x'] })
      },
      'no token': () => {
        provider.tamperAnswer = ({ access_token: _, ...rest }) => rest
      },
    }
    for (const [what, lie] of Object.entries(answers)) {
      provider.reset()
      lie()
      await refuses(`${provider.name}: ${what}`, provider)
    }
    provider.reset()
  }
})

test('T-RP-02 a token that another app was given signs nobody in: there is no door for it', async () => {
  const theirs = files.addClient({ id: 'evil', secret: 'evil-evil-evil-evil', name: 'Evil' })
  const { accessToken } = files.mint('ada', { scopes: ['profile'], clientId: theirs.id })
  const before = await snapshot(server)
  for (const query of [
    `access_token=${accessToken}`,
    `code=${accessToken}&state=x`,
    `access_token=${accessToken}&state=x#access_token=${accessToken}`,
  ]) {
    assertErrorPage(await new Browser().open(`${server.issuer}login/callback/files?${query}`), query)
  }
  assert.deepEqual(await snapshot(server), before)
})

test('T-RP-02 an unverified address of a GitHub account is not verified here', async () => {
  code.addUser('unproven', { email: 'unproven@example.test', emailVerified: false })
  code.switchUser('unproven')
  const { claims } = await signIn(server, { connection: 'code' })
  assert.equal(claims.email_verified, false)
  code.switchUser('ada')
})

test('T-RP-03 tokens with unknown keys, however many, make the server fetch the keys twice at most', async () => {
  calendar.tamperSignedIdToken = forgeries.unknownKid
  const before = calendar.calls('jwks').length
  await Promise.all(Array.from({ length: 20 }, () => authorize(new Browser(), server, { connection: 'calendar' })))
  assert.ok(calendar.calls('jwks').length - before <= 2, `${calendar.calls('jwks').length - before} fetches`)
})

test('T-RP-04 a hostile error answer is not shown, not logged and not sent on', async () => {
  const hostile: Record<string, string>[] = [
    { error: 'access_denied', error_description: '<script>canary()</script>' },
    { error: 'canary\r\nset-cookie: canary=1', error_description: 'canary\r\nx: y' },
    { error: 'server_error', error_description: `canary${'x'.repeat(8000)}`, error_uri: 'javascript:canary()' },
    { error: 'access_denied', code: 'canary' },
    { error: '' },
  ]
  for (const answer of hostile) {
    calendar.tamperRedirect = ({ state, iss }) => ({ state: state ?? '', iss: iss ?? '', ...answer })
    const calls = calendar.calls('token').length
    const browser = new Browser()
    const { page, params } = await authorize(browser, server, { connection: 'calendar' })
    if (page.stopped) assert.equal(params.get('error'), 'access_denied')
    else assertErrorPage(page, JSON.stringify(answer))
    for (const seen of browser.seen) {
      assert.ok(!seen.body.includes('canary'), seen.body)
      assert.ok(!JSON.stringify([seen.headers, seen.setCookies]).includes('canary=1'))
    }
    assert.ok(!page.url.includes('canary'), page.url)
    assert.equal(calendar.calls('token').length, calls, 'no token call')
  }
  assert.ok(!server.logs().includes('canary'))
  assert.ok(!JSON.stringify(await (await mgmt(server)).get('/logs')).includes('canary'))
})

test('T-RP-04 an answer to nothing is refused', async () => {
  const before = await snapshot(server)
  for (const query of [
    '',
    '?code=x',
    '?state=x',
    '?code=x&state=x',
    `?state=${'x'.repeat(7000)}`,
    '?state=x&state=y',
    '?error=x&state=x',
  ])
    for (const path of ['login/callback', 'login/callback/calendar', 'login/callback/nothing', 'login/callback/%00'])
      assertErrorPage(await new Browser().open(`${server.issuer}${path}${query}`), path + query)
  assert.deepEqual(await snapshot(server), before)
})

test('T-RP-05 a refresh that answers for somebody else changes nothing that is kept', async () => {
  calendar.tamperIdToken = undefined
  const { id } = await connect(V.browser, server, { token, connection: 'calendar' })
  const ask = (fields: Record<string, string> = {}) =>
    exchange(server, { connection: 'calendar', subjectToken: V.refreshToken, loginHint: id, fields })
  const first = await ask()
  calendar.tamperIdToken = (claims, { grant }) =>
    grant === 'refresh_token' ? { ...claims, sub: 'somebody-else' } : claims
  const before = calendar.calls('refresh').length
  const answer = await ask({ min_ttl: '86400' })
  assert.equal(calendar.calls('refresh').length, before + 1)
  const later = [answer, await ask(), await ask({ min_ttl: '86400' })]
  for (const one of later) {
    assert.ok(one.status < 500, one.text)
    if (one.status === 200) assert.equal(one.json.access_token, first.json.access_token, 'the token of before, or none')
  }
  const others = calendar.issued.filter(({ kind }) => kind === 'access_token').at(-1)
  assert.ok(later.every(({ json }) => json.access_token !== others?.value))
})

test('T-RP-05 a refresh by another issuer or for another client changes nothing, and what grew is what the provider says', async () => {
  const who = await signIn(server, { connection: 'calendar' })
  const ask = (fields: Record<string, string> = {}) =>
    exchange(server, { connection: 'calendar', subjectToken: who.refreshToken, fields })
  const kept = await ask()
  assert.equal(kept.status, 200, kept.text)
  for (const lie of [{ iss: 'https://evil.test' }, { aud: 'another-app' }, { sub: undefined }, { iss: undefined }]) {
    calendar.tamperIdToken = (claims, { grant }) => (grant === 'refresh_token' ? { ...claims, ...lie } : claims)
    const answer = await ask({ min_ttl: '86400' })
    assert.ok(answer.status < 500, answer.text)
    const others = calendar.issued.filter(({ kind }) => kind === 'access_token').at(-1)
    assert.notEqual(answer.json.access_token, others?.value, JSON.stringify(lie))
    calendar.reset()
  }
})

test('T-RP-05 scopes that a refresh takes away are gone', async () => {
  const { id } = await connect(V.browser, server, { token, connection: 'files' })
  const ask = (fields: Record<string, string> = {}) =>
    exchange(server, { connection: 'files', subjectToken: V.refreshToken, loginHint: id, fields })
  files.tamperAnswer = (truth, { grant }) => (grant === 'refresh_token' ? { ...truth, scope: 'profile' } : truth)
  const narrowed = await ask({ min_ttl: '86400' })
  assert.equal(narrowed.status, 200, narrowed.text)
  assert.equal(narrowed.json.scope, 'profile')
  assert.equal((await ask({ scope: 'files.read' })).json.tenon.code, 'scope_missing')
})

test('T-NET-02 a provider that answers with a bomb ends in an error page and costs nobody else', async () => {
  for (const [what, respond] of Object.entries({
    gzip: bombs.gzipBomb(2 ** 25),
    text: bombs.invalidUtf8(),
    loop: bombs.redirectLoop(),
  })) {
    calendar.fail('token', { respond, times: 2 })
    await refuses(what, calendar)
  }
})

test('T-RP every refusal of a provider’s answer is recorded, without a secret', async () => {
  const refused = await eventsOf(server, 'upstream.refused')
  assert.ok(refused.length > 20, `${refused.length} events`)
  const text = JSON.stringify(refused)
  for (const secret of Object.values(providers).flatMap(({ secrets }) => secrets)) assert.ok(!text.includes(secret))
})
