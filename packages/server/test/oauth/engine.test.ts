// What the protocol engine would do by itself, and does not here: docs/notes/protocol-engine.md, line by line.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openStorage } from '../../src/storage/open.ts'
import {
  authorize,
  authorizeUrl,
  claimsOf,
  expectStatus,
  redeem,
  refresh,
  signIn,
  tokenRequest,
} from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { startDeployment } from '../support/deployment.ts'
import { request } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { API } from '../support/tenant.ts'

const NAMED_API = 'things'
const server = await startServer({
  tenant: (file) => {
    file.resource_servers.push({
      name: 'No URI',
      identifier: NAMED_API,
      scopes: [{ value: 'read:things' }],
      allow_offline_access: true,
    })
    file.resource_servers.push({ name: 'Online', identifier: 'https://online.acme.test/', scopes: [] })
    file.client_grants.push({ client_id: 'm2m', audience: API, scope: ['read:things'] })
    file.clients.push({ ...file.clients[0], client_id: 'basic', token_endpoint_auth_method: 'client_secret_basic' })
  },
})
const { ada } = server.tenant
const { secrets } = server.tenant

test('a serving process writes JSON lines alone, whatever the engine has to say', async (t) => {
  const deployment = await startDeployment({ providers: [] })
  t.after(() => deployment.close())
  const who = await signIn(deployment, { user: deployment.tenant.ada })
  expectStatus(await refresh(deployment, 'web', who.refreshToken), 200)
  await request(`${deployment.url}/authorize?client_id=nobody`)
  await deployment.stop()
  const lines = deployment.output().split('\n').filter(Boolean)
  for (const line of lines) assert.equal(typeof JSON.parse(line), 'object', line)
  assert.equal(lines.filter((line) => JSON.parse(line).event === 'listening').length, 1)
})

test('no row holds a token, a code or a session cookie as its holder has it', async () => {
  const rotating = await signIn(server, { user: ada, client: 'agent-b' })
  const { json } = expectStatus(await refresh(server, 'agent-b', rotating.refreshToken), 200)
  const hint = { id_token_hint: rotating.idToken, prompt: 'login' }
  const waiting = await authorize(rotating.browser, server, { client: 'agent-b', extra: hint })
  assert.equal(waiting.page.name, 'login')
  const cookies = rotating.browser.jar.cookies.map(({ value }) => value)
  assert.equal(cookies.length, 2)
  const held = [rotating.code, rotating.refreshToken, rotating.accessToken, json.refresh_token, json.access_token]
  const stored = readdirSync(server.dataDir)
    .filter((name) => name.startsWith('tenon.db'))
    .map((name) => readFileSync(join(server.dataDir, name)))
  for (const secret of [...held, ...cookies, rotating.idToken])
    assert.ok(stored.every((bytes) => !bytes.includes(secret)))
})

test('links and discovery come from the issuer, whatever Host and forwarding headers say', async () => {
  const liars = {
    host: 'evil.test',
    'x-forwarded-host': 'evil.test',
    'x-forwarded-proto': 'https',
    forwarded: 'host=evil.test',
  }
  for (const path of ['openid-configuration', 'oauth-authorization-server']) {
    const { json, text } = await request(`${server.url}/.well-known/${path}`, { headers: liars })
    assert.equal(json.issuer, server.issuer)
    assert.equal(json.token_endpoint, `${server.issuer}oauth/token`)
    assert.equal(json.pushed_authorization_request_endpoint, `${server.issuer}oauth/par`)
    assert.ok(!text.includes('evil'))
  }
  const started = await request(authorizeUrl(server).url, { headers: liars })
  assert.equal(started.status, 303)
  assert.ok(!JSON.stringify(started.headers).includes('evil'))
  const flow = await authorize(new Browser({ headers: liars }), server, { user: ada })
  assert.equal(flow.params.get('iss'), server.issuer)
})

test('behind something that ends TLS, every link is https although the request was not', async (t) => {
  const behind = await startServer({ issuer: 'https://id.acme.test/', providers: {} })
  t.after(() => behind.close())
  for (const headers of [{}, { 'x-forwarded-proto': 'http', 'x-forwarded-host': 'evil.test' }]) {
    const { json } = await request(`${behind.url}/.well-known/openid-configuration`, { headers })
    const urls = Object.values(json).filter((value) => typeof value === 'string')
    assert.ok(urls.length > 5 && urls.every((url) => String(url).startsWith('https://id.acme.test/')), String(urls))
    const started = await request(authorizeUrl(behind).url, { headers })
    assert.equal(started.status, 303)
    assert.match(String(started.headers.location), /^\/u\/login\?state=/)
    assert.ok(started.setCookies.every((line) => line.startsWith('__Host-') && /; secure/i.test(line)))
  }
})

test('cookies are secure host cookies on http loopback too', async () => {
  const { browser } = await signIn(server, { user: ada })
  const lines = browser.seen.flatMap(({ setCookies }) => setCookies)
  assert.ok(lines.some((line) => line.startsWith('__Host-tenon_session=')))
  for (const line of lines) {
    assert.match(line, /^__Host-tenon_(session|browser)=/)
    assert.match(line, /; secure/i)
    assert.match(line, /; httponly/i)
    assert.match(line, /; path=\/(;|$)/i)
    assert.match(line, line.includes('_session=') ? /; samesite=lax/i : /; samesite=none/i)
  }
})

test('the token endpoint takes flat JSON, drops the word undefined, and refuses anything else', async () => {
  const flow = await authorize(new Browser(), server, { user: ada })
  const body = {
    grant_type: 'authorization_code',
    client_id: 'web',
    client_secret: secrets.web,
    code: flow.params.get('code'),
    redirect_uri: flow.redirectUri,
    code_verifier: flow.verifier,
    scope: 'undefined',
    audience: null,
    unknown: true,
    number: 7,
  }
  const { json } = expectStatus(await request(`${server.url}/oauth/token`, { json: body }), 200)
  assert.equal(json.token_type, 'Bearer')
  const refused = [{ ...body, code: ['a', 'b'] }, { ...body, code: { $ne: '' } }, [body], 'text', null]
  for (const wrong of refused) {
    const { status, json: error } = await request(`${server.url}/oauth/token`, { json: wrong })
    assert.equal(status, 400)
    assert.equal(error.error, 'invalid_request')
  }
  const bad = [
    { body: '{"a":1,"a":2}', type: 'application/json' },
    { body: '{"a":', type: 'application/json' },
    { body: 'a=b', type: 'text/plain' },
    { body: 'a=b', type: 'multipart/form-data; boundary=x' },
  ]
  for (const { body: text, type } of bad) {
    const answer = await request(`${server.url}/oauth/token`, { body: text, headers: { 'content-type': type } })
    assert.equal(answer.status, 400, text)
    assert.equal(answer.json.error, 'invalid_request')
  }
  const large = await request(`${server.url}/oauth/token`, { json: { ...body, padding: 'x'.repeat(1_100_000) } })
  assert.equal(large.status, 413)
})

test('revocation and pushed requests take JSON as well', async () => {
  const { refreshToken } = await signIn(server, { user: ada })
  const client = { client_id: 'web', client_secret: secrets.web }
  const pushed = await request(`${server.url}/oauth/par`, {
    json: { ...client, response_type: 'code', redirect_uri: 'http://127.0.0.1:9/cb', scope: 'openid' },
  })
  assert.equal(pushed.status, 201, pushed.text)
  const revoked = await request(`${server.url}/oauth/revoke`, { json: { ...client, token: refreshToken } })
  assert.equal(revoked.status, 200)
  assert.equal(revoked.text, '')
  assert.equal((await refresh(server, 'web', refreshToken)).json.error, 'invalid_grant')
})

test('a parameter that comes twice is refused, not chosen from', async () => {
  const twice = await request(`${server.url}/oauth/token`, {
    form: { grant_type: ['refresh_token', 'authorization_code'], client_id: 'web', client_secret: secrets.web },
  })
  assert.equal(twice.status, 400)
  assert.equal(twice.json.error, 'invalid_request')
  const two = await request(`${server.url}/oauth/token`, {
    form: { grant_type: 'refresh_token', refresh_token: ['a', 'b'], client_id: 'web', client_secret: secrets.web },
  })
  assert.equal(two.status, 400)
  const { browser } = await signIn(server, { user: ada })
  for (const name of ['scope', 'audience', 'connection', 'prompt', 'state', 'nonce', 'response_type']) {
    const { params, page } = await authorize(browser.clone(), server, { extra: { [name]: ['a', 'b'] } })
    assert.equal(params.get('error') ?? page.error, 'invalid_request', name)
  }
})

test('offline_access needs no prompt, has its own name everywhere outside, and an API can refuse it', async () => {
  const who = await signIn(server, { user: ada, audience: API, scope: 'openid offline_access read:things' })
  assert.ok(who.refreshToken)
  assert.equal(claimsOf(who.accessToken).scope, 'openid offline_access read:things')
  const { json, text } = await refresh(server, 'web', who.refreshToken)
  assert.deepEqual(new Set(json.scope.split(' ')), new Set(['openid', 'offline_access', 'read:things']))
  assert.ok(!text.includes('tenon:'))
  const plain = await signIn(server, { user: ada, scope: 'openid' })
  assert.equal(plain.refreshToken, undefined)
  const online = 'https://online.acme.test/'
  const without = await signIn(server, { user: ada, audience: online, scope: 'openid offline_access' })
  assert.equal(without.refreshToken, undefined)
  assert.equal(claimsOf(without.accessToken).scope, 'openid')
})

test('an audience may be any name: the token carries it as it is', async () => {
  const who = await signIn(server, { user: ada, audience: NAMED_API, scope: 'openid offline_access read:things' })
  assert.deepEqual(claimsOf(who.accessToken).aud, [NAMED_API, `${server.issuer}userinfo`])
  const again = expectStatus(await refresh(server, 'web', who.refreshToken), 200)
  assert.deepEqual(claimsOf(again.json.access_token).aud, [NAMED_API, `${server.issuer}userinfo`])
  const unknown = await authorize(who.browser, server, { audience: 'none-such' })
  assert.equal(unknown.params.get('error'), 'invalid_target')
  assert.equal(unknown.params.get('error_description'), 'Service not found: none-such')
})

test('an access token has the compatible shape, and names the grant that it hangs on', async () => {
  const { accessToken, sub } = await signIn(server, { user: ada, audience: API, scope: 'openid read:things' })
  const header = JSON.parse(Buffer.from(accessToken.split('.')[0] ?? '', 'base64url').toString('utf8'))
  assert.equal(header.typ, 'JWT')
  assert.equal(header.alg, 'RS256')
  const { json: jwks } = await request(`${server.url}/.well-known/jwks.json`)
  assert.ok(
    jwks.keys.some(
      ({ kid, kty, use, alg, d }: Record<string, string>) =>
        kid === header.kid && kty === 'RSA' && use === 'sig' && alg === 'RS256' && d === undefined,
    ),
  )
  const claims = claimsOf(accessToken)
  assert.equal(claims.iss, server.issuer)
  assert.equal(claims.sub, sub)
  assert.equal(claims.azp, 'web')
  assert.equal(claims.scope, 'openid read:things')
  assert.equal(claims.gty, undefined)
  assert.equal(Number(claims.exp) - Number(claims.iat), 86_400)
  assert.equal(claims.client_id, undefined)
  const [grantId = ''] = String(claims.jti).split('.')
  await withStorage(async (storage) => {
    const grant = await storage.artifacts.find('Grant', grantId)
    assert.equal(grant?.userId, sub)
    // Nothing can be asked of it once its token has ended.
    assert.ok(Number(grant?.expiresAt) - Number(claims.exp) <= 61)
    await storage.transaction((tx) => tx.artifacts.deleteByGrant(grantId))
  })
  const { status } = await request(`${server.url}/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } })
  assert.equal(status, 401)
})

test("a machine's token is its own subject, for one audience, within its client grant", async () => {
  const asked = { grant_type: 'client_credentials', audience: API }
  const { json } = expectStatus(await tokenRequest(server, 'm2m', { ...asked, scope: 'read:things write:things' }), 200)
  const claims = claimsOf(json.access_token)
  assert.equal(claims.sub, 'm2m@clients')
  assert.equal(claims.aud, API)
  assert.equal(claims.azp, 'm2m')
  assert.equal(claims.gty, 'client-credentials')
  assert.equal(claims.scope, 'read:things')
  assert.equal(json.scope, 'read:things')
  for (const audience of [NAMED_API, 'https://unknown.test/', `${server.issuer}me/`]) {
    const refused = await tokenRequest(server, 'm2m', { ...asked, audience })
    assert.equal(refused.status, 403)
    assert.equal(refused.json.error, 'access_denied')
  }
  assert.equal((await tokenRequest(server, 'm2m', { grant_type: 'client_credentials' })).status, 400)
  const person = await tokenRequest(server, 'web', asked)
  assert.equal(person.json.error, 'unauthorized_client')
})

test('ID tokens carry the session id, which stays the same for a client while the session lives', async () => {
  const first = await signIn(server, { user: ada })
  const { sid } = first.claims
  assert.equal(typeof sid, 'string')
  const second = await signIn(server, { browser: first.browser })
  assert.equal(second.claims.sid, sid)
  const { json } = await refresh(server, 'web', first.refreshToken)
  assert.equal(claimsOf(json.id_token).sid, sid)
  const other = await signIn(server, { browser: first.browser, client: 'agent-a' })
  assert.notEqual(other.claims.sid, sid)
  const elsewhere = await signIn(server, { user: ada })
  assert.notEqual(elsewhere.claims.sid, sid)
})

test('client secrets are kept as hashes, and a client proves itself by its one registered method', async () => {
  await withStorage(async (storage) => {
    const record = await storage.clients.find('web')
    assert.match(String(record?.secretHash), /^[0-9a-f]{64}$/)
    assert.ok(!JSON.stringify(record).includes(secrets.web ?? ''))
    const hash = record?.secretHash
    const byHash = await request(`${server.url}/oauth/token`, {
      form: { grant_type: 'refresh_token', refresh_token: 'x', client_id: 'web', client_secret: hash },
    })
    assert.equal(byHash.json.error, 'invalid_client')
  })
  const basic = (id: string, secret = '') => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
  const form = { grant_type: 'refresh_token', refresh_token: 'x' }
  const tries = {
    'a wrong secret': { form: { ...form, client_id: 'web', client_secret: 'wrong' } },
    'an unknown client': { form: { ...form, client_id: 'nobody', client_secret: 'wrong' } },
    'no secret': { form: { ...form, client_id: 'web' } },
    'by basic although by post': { form, headers: { authorization: basic('web', secrets.web) } },
    'by post although by basic': { form: { ...form, client_id: 'basic', client_secret: secrets.web } },
    'a wrong secret by basic': { form, headers: { authorization: basic('basic', 'wrong') } },
    'a secret for a public client': { form: { ...form, client_id: 'spa', client_secret: 'x' } },
  }
  for (const [name, how] of Object.entries(tries)) {
    const { status, json, headers } = await request(`${server.url}/oauth/token`, how)
    assert.deepEqual([status, json], [401, { error: 'invalid_client', error_description: 'Unauthorized' }], name)
    // oauth4webapi drops the body when it is there.
    assert.equal(headers['www-authenticate'], undefined, name)
    assert.equal(headers['cache-control'], 'no-store', name)
  }
  const both = await request(`${server.url}/oauth/token`, {
    form: { ...form, client_id: 'web', client_secret: secrets.web },
    headers: { authorization: basic('web', secrets.web) },
  })
  assert.ok(both.status === 400 || both.status === 401)
  const right = await request(`${server.url}/oauth/token`, {
    form,
    headers: { authorization: basic('basic', secrets.web) },
  })
  assert.equal(right.json.error, 'invalid_grant')
})

test('no error below /oauth/ carries WWW-Authenticate, and each has its status', async () => {
  const client = { client_id: 'web', client_secret: secrets.web }
  const wrong = `Basic ${Buffer.from('basic:wrong').toString('base64')}`
  const cases: readonly (readonly [string, Parameters<typeof request>[1], number, string])[] = [
    [
      'token',
      { form: { grant_type: 'refresh_token', refresh_token: 'x' }, headers: { authorization: wrong } },
      401,
      'invalid_client',
    ],
    ['revoke', { form: { token: 'x' }, headers: { authorization: wrong } }, 401, 'invalid_client'],
    ['par', { form: { response_type: 'code' }, headers: { authorization: wrong } }, 401, 'invalid_client'],
    ['token', { form: { ...client, grant_type: 'refresh_token', refresh_token: 'x' } }, 403, 'invalid_grant'],
    ['token', { form: { ...client, grant_type: 'nonsense' } }, 403, 'unsupported_grant_type'],
    ['token', { form: { ...client, grant_type: 'client_credentials', audience: API } }, 403, 'unauthorized_client'],
    ['token', { form: client }, 400, 'invalid_request'],
    ['token', { form: { ...client, grant_type: 'refresh_token' } }, 400, 'invalid_request'],
    ['revoke', { form: client }, 400, 'invalid_request'],
  ]
  for (const [path, how, status, error] of cases) {
    const answer = await request(`${server.url}/oauth/${path}`, how)
    assert.deepEqual([answer.status, answer.json.error], [status, error], `${path} ${answer.text}`)
    assert.equal(answer.headers['www-authenticate'], undefined)
    assert.match(String(answer.headers['content-type']), /^application\/json/)
    assert.match(String(answer.headers['x-request-id']), /^req_/)
  }
  // Unknown tokens, and those of others, are as good as revoked.
  assert.equal((await request(`${server.url}/oauth/revoke`, { form: { ...client, token: 'unknown' } })).status, 200)
})

test('a refused code says whether the verifier was wrong', async () => {
  const flow = await authorize(new Browser(), server, { user: ada })
  const verifier = await redeem(server, flow, { fields: { code_verifier: 'x'.repeat(43) } })
  assert.deepEqual(verifier.json, { error: 'invalid_grant', error_description: 'Failed to verify code verifier' })
  const used = { ...flow, params: new URLSearchParams({ code: 'x'.repeat(43) }) }
  const code = await redeem(server, used)
  assert.deepEqual(
    [code.status, code.json],
    [403, { error: 'invalid_grant', error_description: 'Invalid authorization code' }],
  )
})

test('a form_post answer runs its own script alone, and comes with the headers of our pages', async () => {
  const { browser } = await signIn(server, { user: ada })
  const state = '"><script>alert(1)</script>'
  const { url } = authorizeUrl(server, { extra: { response_mode: 'form_post', state } })
  const page = await browser.open(url)
  assert.equal(page.status, 200)
  const policy = String(page.headers['content-security-policy'])
  assert.match(policy, /script-src 'sha256-[\w+/=]+'/)
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.doesNotMatch(policy, /unsafe|form-action/)
  assert.equal(page.headers['cache-control'], 'no-store')
  assert.equal(page.headers['referrer-policy'], 'same-origin')
  assert.ok(!page.body.includes(state))
})

async function withStorage<T>(work: (storage: Awaited<ReturnType<typeof openStorage>>) => Promise<T>): Promise<T> {
  const storage = await openStorage({ url: server.databaseUrl })
  try {
    return await work(storage)
  } finally {
    await storage.close()
  }
}
