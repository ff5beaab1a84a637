// Edges of the wire that no usual path comes by: methods, sizes, empty values, what is shown of keys, sessions and tokens.
import assert from 'node:assert/strict'
import { createPublicKey, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { TOKEN_EXCHANGE_GRANT } from '../../src/protocol/grant-types.ts'
import { expectStatus, me, meToken, mgmt, random, refresh, signIn, tokenRequest } from '../support/actors.ts'
import { request } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { CALLBACK, LOGGED_OUT } from '../support/tenant.ts'

const server = await startServer()
const { ada, secrets } = server.tenant

test('each published key carries its certificate, and a copy of the set may be kept for a while', async () => {
  const { headers, json } = expectStatus(await request(`${server.url}/.well-known/jwks.json`), 200)
  assert.match(String(headers['content-type']), /^application\/json/)
  assert.match(String(headers['cache-control']), /max-age=\d+/)
  for (const key of json.keys) {
    const certificate = new X509Certificate(Buffer.from(key.x5c[0], 'base64'))
    const published = createPublicKey({ key, format: 'jwk' })
    assert.ok(certificate.publicKey.equals(published), key.kid)
    assert.equal(
      Buffer.from(key.x5t, 'base64url').toString('hex'),
      certificate.fingerprint.replaceAll(':', '').toLowerCase(),
    )
  }
  const api = await mgmt(server)
  const [known] = (await api.get('/keys/signing')).json
  const shown = json.keys.find(({ kid }: { kid: string }) => kid === known.kid)
  assert.equal(Buffer.from(shown.x5t, 'base64url').toString('hex').toUpperCase(), known.thumbprint)
})

test('discovery names the endpoint of second factors', async () => {
  const { json } = await request(`${server.url}/.well-known/openid-configuration`)
  assert.equal(json.mfa_challenge_endpoint, `${server.issuer}mfa/challenge`)
})

test('an endpoint asked by another method says in JSON which it takes', async () => {
  for (const path of ['/oauth/token', '/oauth/revoke', '/oauth/par', '/bc-authorize', '/oauth/device/code']) {
    for (const method of ['GET', 'HEAD', 'PUT']) {
      const answer = await request(`${server.url}${path}`, { method })
      assert.deepEqual([answer.status, answer.headers.allow], [405, 'POST'], `${method} ${path}`)
      if (method !== 'HEAD') assert.equal(answer.json.error, 'method_not_allowed')
    }
  }
  for (const path of ['/.well-known/openid-configuration', '/.well-known/jwks.json']) {
    const answer = await request(`${server.url}${path}`, { form: {} })
    assert.deepEqual([answer.status, answer.json.error], [405, 'method_not_allowed'], path)
  }
})

test('an app is told that a pushed request lives for thirty seconds', async () => {
  const form = { client_id: 'web', client_secret: secrets.web, response_type: 'code', redirect_uri: CALLBACK }
  assert.equal(expectStatus(await request(`${server.url}/oauth/par`, { form }), 201).json.expires_in, 30)
})

test('a grant type that a client may not use is named wherever it is asked for', async () => {
  const fields = { client_id: 'web', client_secret: secrets.web, scope: 'openid' }
  for (const [path, grantType] of [
    ['/bc-authorize', 'urn:openid:params:grant-type:ciba'],
    ['/oauth/device/code', 'urn:ietf:params:oauth:grant-type:device_code'],
  ] as const) {
    const { json } = expectStatus(await request(`${server.url}${path}`, { form: fields }), 403)
    assert.equal(json.error, 'unauthorized_client')
    assert.equal(json.error_description, `Grant type '${grantType}' not allowed for the client.`)
  }
  for (const grant_type of ['authorization_code', 'password', TOKEN_EXCHANGE_GRANT]) {
    const { json } = expectStatus(await tokenRequest(server, 'm2m', { grant_type }), 403)
    assert.equal(json.error, 'unauthorized_client')
    assert.equal(json.error_description, `Grant type '${grant_type}' not allowed for the client.`)
  }
})

test('a body that is too large is refused in the shape of the interface', async () => {
  const body = JSON.stringify({ name: 'x'.repeat(1_100_000) })
  const api = await mgmt(server)
  const person = await signIn(server, { user: ada })
  const token = await meToken(server, person)
  const send = (path: string, bearer: string) =>
    request(`${server.url}${path}`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    })
  const managed = expectStatus(await send('/api/v2/clients', api.token), 413)
  assert.deepEqual([managed.json.statusCode, managed.json.errorCode], [413, 'payload_too_large'])
  const own = expectStatus(await send('/me/v1/connected-accounts/connect', token), 413)
  for (const member of ['type', 'title', 'detail', 'status']) assert.ok(own.json[member], member)
})

test('an empty scope that an SDK sends along is dropped', async () => {
  const api = me(server, await meToken(server, await signIn(server, { user: ada })))
  for (const scopes of [[''], ['', 'calendar.read']]) {
    const asked = { connection: 'calendar', redirect_uri: CALLBACK, scopes }
    expectStatus(await api.post('/connected-accounts/connect', asked), 201)
  }
})

test('changed settings hold at once, and name what exists', async () => {
  const api = await mgmt(server)
  for (const hidden of [true, false, true]) {
    const change = { oidc_logout: { rp_logout_end_session_endpoint_discovery: !hidden } }
    expectStatus(await api.patch('/tenants/settings', change), 200)
    const { json } = await request(`${server.url}/.well-known/openid-configuration`)
    assert.equal(json.end_session_endpoint === undefined, hidden)
  }
  for (const [member, value] of [
    ['default_audience', 'https://nobody.acme.test/'],
    ['default_directory', 'calendar'],
  ] as const) {
    const { json } = expectStatus(await api.patch('/tenants/settings', { [member]: value }), 400)
    assert.equal(json.errorCode, 'invalid_body')
    expectStatus(await api.patch('/tenants/settings', { [member]: '' }), 200)
  }
})

test('a session and a refresh token show both of their ends, where they have them', async () => {
  const api = await mgmt(server)
  const [still, ending] = [await signIn(server, { user: ada }), await signIn(server, { user: ada, client: 'agent-b' })]
  expectStatus(await refresh(server, 'agent-b', ending.refreshToken), 200)
  const user = `/users/${encodeURIComponent(still.sub)}`
  const seconds = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / 1000
  const { sessions } = (await api.get(`${user}/sessions`)).json
  for (const { created_at, idle_expires_at, expires_at } of sessions) {
    assert.equal(seconds(created_at, expires_at), 168 * 3600)
    assert.ok(seconds(created_at, idle_expires_at) < 73 * 3600)
  }
  const { tokens } = (await api.get(`${user}/refresh-tokens`)).json
  const of = (client: string) => tokens.find(({ client_id }: { client_id: string }) => client_id === client)
  assert.deepEqual([of('web').expires_at, of('web').idle_expires_at], [undefined, undefined])
  assert.ok(seconds(of('agent-b').idle_expires_at, of('agent-b').expires_at) > 24 * 3600)
})

test('/v2/logout answers 302', async () => {
  const to = encodeURIComponent(LOGGED_OUT)
  const answer = await request(`${server.url}/v2/logout?client_id=web&returnTo=${to}`)
  assert.deepEqual([answer.status, answer.headers.location], [302, LOGGED_OUT])
})

test('a client signs its assertion by any algorithm that discovery names, where its key can', async () => {
  const api = await mgmt(server)
  const [grant_type, audience] = ['client_credentials', `${server.issuer}api/v2/`]
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  const { json: known } = await request(`${server.url}/.well-known/openid-configuration`)
  for (const alg of known.token_endpoint_auth_signing_alg_values_supported) {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
    const pem = await exportSPKI(publicKey)
    const inline = { credentials: [{ credential_type: 'public_key', pem, alg }] }
    const made = { name: alg, app_type: 'non_interactive', client_authentication_methods: { private_key_jwt: inline } }
    const { client_id } = expectStatus(await api.post('/clients', made), 201).json
    expectStatus(await api.post('/client-grants', { client_id, audience, scope: ['read:users'] }), 201)
    const client_assertion = await new SignJWT({ jti: random() })
      .setProtectedHeader({ alg })
      .setIssuer(client_id)
      .setSubject(client_id)
      .setAudience(server.issuer)
      .setIssuedAt()
      .setExpirationTime('60s')
      .sign(privateKey)
    const form = { grant_type, client_id, audience, client_assertion_type, client_assertion }
    expectStatus(await request(`${server.url}/oauth/token`, { form }), 200)
  }
})

test('a target or a host that no URL can be made of is refused, not a failure', async () => {
  const odd = [
    { target: '*' },
    { target: 'http://[::zz/' },
    { target: '/healthz', headers: { host: '[' } },
    { target: '/me/v1/capabilities', headers: { host: 'a b' } },
  ]
  for (const how of odd) {
    const { status, json } = await request(`${server.url}/healthz`, how)
    assert.deepEqual([status, json.error], [400, 'invalid_request'], JSON.stringify(how))
  }
})
