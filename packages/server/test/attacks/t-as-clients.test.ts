// Authorization server: who asks, for what, with which token (T-AS-07 to -09, -14, -19, -21).
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import {
  authorize,
  claimsOf,
  currentUserSignIn,
  exchange,
  expectStatus,
  me,
  meToken,
  mgmt,
  redeem,
  refresh,
  signIn,
  silently,
  tokenRequest,
  userPath,
} from '../support/actors.ts'
import { type Answer, eventually, request } from '../support/http.ts'
import { bareJwt, macJwt, newKey, signJwt } from '../support/keys.ts'
import { startLogoutReceiver } from '../support/logout-receiver.ts'
import { startServer } from '../support/server.ts'
import { assertUniform, changesNothing } from '../support/state.ts'
import { API, CALLBACK, VAULT_GRANT } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const SECRET = 'a-secret-for-basic-only'
const key = newKey('RS256')
const receiver = await startLogoutReceiver()
const server = await startServer({
  tenant: (file) => {
    const third = file.clients.find((client) => client.client_id === 'theirs')
    file.clients.push({ ...third, client_id: 'others', client_secret: 'a secret of the others' })
    const [web] = file.clients
    Object.assign(web ?? {}, { oidc_logout: { backchannel_logout_urls: [receiver.url] } })
    file.clients.push({
      ...web,
      client_id: 'basic',
      client_secret: SECRET,
      token_endpoint_auth_method: 'client_secret_basic',
    })
    file.clients.push({
      client_id: 'signer',
      name: 'Signer',
      callbacks: [CALLBACK],
      grant_types: ['authorization_code', 'client_credentials', VAULT_GRANT],
      client_authentication_methods: {
        private_key_jwt: { credentials: [{ credential_type: 'public_key', pem: key.publicPem, alg: 'RS256' }] },
      },
    })
    file.client_grants.push({ client_id: 'signer', audience: API, scope: ['read:things'] })
    for (const connection of file.connections) {
      connection.enabled_clients = [...(connection.enabled_clients as string[]), 'others', 'basic', 'signer']
    }
  },
})
const { ada, eve } = server.tenant
const tokenUrl = `${server.url}/oauth/token`

test('T-AS-07 a token of one kind or audience is not taken for one of another', async () => {
  const who = await currentUserSignIn(server, { user: ada })
  const web = await signIn(server, { user: ada })
  const token = await meToken(server, web)
  const { params, ...flow } = await authorize(web.browser, server, {
    audience: API,
    scope: 'read:things',
    extra: { nonce: undefined },
  })
  const apiToken = expectStatus(await redeem(server, { ...flow, params }), 200).json.access_token
  const machine = (await mgmt(server)).token
  const upstream = server.providers.calendar.mint(server.person('upstream', ['calendar']).key, { scopes: ['openid'] })
  const everywhere = [web.idToken, web.refreshToken, upstream.accessToken, `${web.accessToken}x`, 'undefined', apiToken]
  const assertion = signJwt(key, { iss: 'signer', sub: 'signer', aud: server.issuer, jti: randomUUID(), exp: 2 ** 31 })
  const saml = Buffer.from('<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"/>').toString('base64')
  everywhere.push(assertion, saml, await logoutToken())
  for (const [at, wrong] of [...everywhere, machine, web.accessToken].entries()) {
    const answer = await me(server, wrong).get('/connected-accounts/accounts')
    assert.equal(answer.status, 401, `my account ${at}`)
    assert.match(answer.headers['www-authenticate'] ?? '', /invalid_token/)
  }
  for (const [at, wrong] of [...everywhere, token, web.accessToken].entries()) {
    const answer = await (await mgmt(server, { token: wrong })).get(userPath(who.sub))
    assert.equal(answer.status, 401, `management ${at}`)
  }
  for (const [at, wrong] of [...everywhere, machine].entries()) {
    const { status, json } = await request(`${server.url}/userinfo`, { headers: { authorization: `Bearer ${wrong}` } })
    assert.ok(status === 401 || status === 403, `user-info ${at}: ${status}`)
    assert.equal(json.sub, undefined)
  }
  for (const [at, wrong] of [...everywhere, machine, token].entries()) {
    for (const type of ['refresh', 'access'] as const) {
      if (type === 'refresh' && wrong === web.refreshToken) continue
      const { status, json } = await exchange(server, { connection: 'calendar', subjectToken: wrong, type })
      assert.ok(status >= 400 && status < 500, `exchange ${at} as ${type}: ${status}`)
      assert.equal(json.access_token, undefined)
    }
  }
  const header = (of: string) => JSON.parse(Buffer.from(of.split('.')[0] ?? '', 'base64url').toString())
  const { sub, azp } = claimsOf(who.accessToken)
  const forged = [
    bareJwt(claimsOf(who.accessToken)),
    bareJwt(claimsOf(who.accessToken), { ...header(who.accessToken), alg: 'NONE' }),
    signJwt(key, claimsOf(who.accessToken), header(who.accessToken)),
    signJwt(key, { ...claimsOf(who.accessToken) }, { ...header(who.accessToken), jwk: key.publicJwk }),
  ]
  const keys = (await request(`${server.url}/.well-known/jwks.json`)).json.keys
  forged.push(macJwt(JSON.stringify(keys[0]), claimsOf(who.accessToken), { kid: keys[0].kid }))
  for (const [at, wrong] of forged.entries()) {
    assert.equal((await (await mgmt(server, { token: wrong })).get(userPath(who.sub))).status, 401, `forged ${at}`)
  }
  assert.equal(sub, who.sub)
  assert.equal(azp, 'spa')
  assert.equal((await (await mgmt(server, { token: who.accessToken })).get(userPath(who.sub))).status, 200)
})

/** What a client is told when a session ends: signed by us, for a client, and about a person. */
async function logoutToken(): Promise<string> {
  const { browser, idToken } = await signIn(server, { user: eve })
  await browser.open(`${server.url}/oidc/logout?id_token_hint=${idToken}`)
  // A session that gets a new id is over for a moment: two seconds are waited.
  passTime(3)
  return eventually('the notice', () => receiver.posted[0]?.token)
}

test('T-AS-07 a logout token is no ID token either', async () => {
  const token = await eventually('the notice', () => receiver.posted[0]?.token)
  const { sub } = claimsOf(token)
  const theirs = await currentUserSignIn(server, { user: eve })
  assert.equal(theirs.sub, sub)
  const hinted = await theirs.browser.clone().open(`${server.url}/oidc/logout?id_token_hint=${token}`)
  assert.deepEqual([hinted.name, hinted.status], ['error', 400])
  const own = await mgmt(server, { token: (await currentUserSignIn(server, { user: ada })).accessToken })
  const linked = await own.post(`${userPath(String(claimsOf(own.token).sub))}/identities`, { link_with: token })
  assert.ok([400, 401].includes(linked.status), linked.text)
  assert.equal(await silently(theirs.browser, server), 'code')
})

const AT_ENGINE = { grant_type: 'client_credentials', audience: API }
const AT_EXCHANGE = { grant_type: VAULT_GRANT, connection: 'calendar', subject_token: 'x', subject_token_type: 'y' }
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

test('T-AS-08 a client proves itself by its one registered way, and every failure looks the same', async () => {
  const web = server.tenant.secrets.web ?? ''
  const basic = (id: string, secret: string) => ({
    authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
  })
  for (const grant of [AT_ENGINE, AT_EXCHANGE, { grant_type: 'refresh_token', refresh_token: 'x' }]) {
    const send = (form: Record<string, string>, headers = {}) =>
      request(tokenUrl, { form: { ...grant, ...form }, headers })
    const unknown = await send({ client_id: 'nobody', client_secret: 'wrong-wrong-wrong-wrong' })
    const refused: Record<string, Answer> = {
      'a wrong secret': await send({ client_id: 'web', client_secret: 'wrong-wrong-wrong-wrong' }),
      'the hash of nothing': await send({
        client_id: 'web',
        client_secret: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4',
      }),
      'a secret in the header of a client that posts it': await send({}, basic('web', web)),
      'a posted secret of a client that sends the header': await send({ client_id: 'basic', client_secret: SECRET }),
      'a secret for a client with a key': await send({ client_id: 'signer', client_secret: SECRET }),
    }
    for (const [name, answer] of Object.entries(refused)) {
      assert.equal(answer.status, 401, `${grant.grant_type}: ${name} ${answer.text}`)
      assert.equal(answer.json.error, 'invalid_client', name)
      assertUniform(answer, unknown)
    }
    const inBoth = await send({ client_id: 'basic', client_secret: SECRET }, basic('basic', SECRET))
    assert.ok(inBoth.status === 400 || inBoth.status === 401, `${grant.grant_type}: ${inBoth.status}`)
    for (const id of ['web', 'signer', 'nobody']) {
      const { status, json } = await send({ client_id: id })
      assert.equal(status, 401, `${grant.grant_type}: ${id} without proof`)
      assert.equal(json.error, 'invalid_client')
    }
    const repeated = new URLSearchParams({ ...grant, client_id: 'web', client_secret: 'wrong-wrong-wrong' })
    repeated.append('client_secret', web)
    const { status } = await request(tokenUrl, { form: repeated })
    assert.ok(status === 400 || status === 401)
  }
})

test('T-AS-08 a client assertion is for us alone, short-lived, signed with the registered key, and heard once', async () => {
  const now = Math.floor(Date.now() / 1000)
  const claims = (more: object = {}) => ({
    iss: 'signer',
    sub: 'signer',
    aud: server.issuer,
    jti: randomUUID(),
    iat: now,
    exp: now + 60,
    ...more,
  })
  const send = (grant: object, assertion: string) =>
    request(tokenUrl, { form: { ...grant, client_assertion_type: ASSERTION, client_assertion: assertion } })
  const wrong = {
    'for somebody else': signJwt(key, claims({ aud: 'https://other.test/' })),
    'for us and another': signJwt(key, claims({ aud: [server.issuer, 'https://other.test/'] })),
    'for nobody': signJwt(key, claims({ aud: [] })),
    'without aud': signJwt(key, claims({ aud: undefined })),
    'of another client': signJwt(key, claims({ iss: 'web', sub: 'web' })),
    'with another issuer': signJwt(key, claims({ iss: 'web' })),
    expired: signJwt(key, claims({ iat: now - 600, exp: now - 300 })),
    'without exp': signJwt(key, claims({ exp: undefined })),
    'without jti': signJwt(key, claims({ jti: undefined })),
    'not yet valid': signJwt(key, claims({ nbf: now + 120 })),
    unsigned: bareJwt(claims()),
    'HS256 with the public key': macJwt(key.publicPem, claims()),
    'another key': signJwt(newKey('RS256'), claims()),
    'a key of its own': signJwt(newKey('RS256'), claims(), { jwk: newKey('RS256').publicJwk }),
  }
  for (const grant of [AT_ENGINE, AT_EXCHANGE]) {
    for (const [name, assertion] of Object.entries(wrong)) {
      const { status, json } = await send(grant, assertion)
      assert.equal(status, 401, `${grant.grant_type}: ${name}`)
      assert.equal(json.error, 'invalid_client')
    }
  }
  const good = signJwt(key, claims())
  const parallel = await Promise.all(Array.from({ length: 6 }, () => send(AT_ENGINE, good)))
  assert.equal(parallel.filter(({ status }) => status === 200).length, 1, `${parallel.map(({ status }) => status)}`)
  assert.ok(parallel.every(({ status }) => status < 500))
  // Heard at the engine, it is spent at the exchange as well.
  assert.equal((await send(AT_EXCHANGE, good)).json.error, 'invalid_client')
})

test('T-AS-09 scopes grow by nobody but the person who consents', async () => {
  const { browser, refreshToken } = await signIn(server, { user: ada, scope: 'openid offline_access' })
  const more = await refresh(server, 'web', refreshToken, { scope: 'openid email offline_access' })
  assert.equal(more.json.error, 'invalid_scope')
  assert.equal((await refresh(server, 'web', refreshToken)).json.scope, 'openid offline_access')
  const third = { client: 'theirs', scope: 'openid' }
  assert.equal(await silently(browser, server, third), 'consent_required')
  const asked = await authorize(browser, server, { ...third, answers: { consent: false } })
  assert.equal(asked.page.name, 'consent')
  const { params } = await authorize(browser, server, third)
  assert.ok(params.get('code'))
  assert.equal(await silently(browser, server, third), 'code')
  for (const wider of ['openid email', 'openid offline_access', 'openid profile']) {
    assert.equal(await silently(browser, server, { ...third, scope: wider }), 'consent_required', wider)
  }
  assert.equal(
    await silently(browser, server, { ...third, audience: API, scope: 'openid read:things' }),
    'consent_required',
  )
  assert.equal(await silently(browser, server, { client: 'others', scope: 'openid' }), 'consent_required')
  const other = await signIn(server, { user: eve })
  assert.equal(await silently(other.browser, server, third), 'consent_required')
  // The answer to one question is not heard for another: the form belongs to its interaction.
  const ask = await authorize(browser, server, { client: 'others', scope: 'openid email', answers: { consent: false } })
  const form = Object.fromEntries(ask.page.forms.find(({ name }) => name === 'consent')?.fields ?? [])
  const denied = await browser.clone().submit.call(browser, 'consent', { action: 'deny' })
  assert.equal(denied.params.get('error'), 'access_denied')
  const replay = await browser.post(`${server.url}/u/consent`, { ...form, action: 'allow' }, { from: server.issuer })
  assert.ok(!replay.params.has('code'), 'a denied consent was allowed afterwards')
  assert.equal(await silently(browser, server, { client: 'others', scope: 'openid email' }), 'consent_required')
})

test('T-AS-14 a client revokes what is its own, nothing tells what a token holds, and there is no introspection', async () => {
  const who = await signIn(server, { user: ada })
  const revoke = (form: Record<string, string | undefined>) => request(`${server.url}/oauth/revoke`, { form })
  const own = { client_id: 'web', client_secret: server.tenant.secrets.web, token: who.refreshToken }
  const foreign = await revoke({ ...own, client_id: 'agent-a', client_secret: server.tenant.secrets['agent-a'] })
  const unknown = await revoke({
    ...own,
    client_id: 'agent-a',
    client_secret: server.tenant.secrets['agent-a'],
    token: 'x',
  })
  assert.ok(foreign.status === 200 || foreign.status === 400)
  assertUniform({ ...foreign, headers: {} }, { ...unknown, headers: {} })
  assert.ok([400, 401].includes((await revoke({ token: who.refreshToken })).status))
  assert.equal((await revoke({ ...own, client_secret: 'wrong-wrong-wrong-wrong' })).status, 401)
  assert.equal((await refresh(server, 'web', who.refreshToken)).status, 200)
  const access = { ...own, client_id: 'agent-a', client_secret: server.tenant.secrets['agent-a'] }
  await revoke({ ...access, token: who.accessToken })
  const bearer = { headers: { authorization: `Bearer ${who.accessToken}` } }
  assert.equal((await request(`${server.url}/userinfo`, bearer)).status, 200)
  for (const path of ['/oauth/introspect', '/token/introspection', '/introspect']) {
    const { status, json } = await request(`${server.url}${path}`, { form: { ...own } })
    assert.equal(status, 404, path)
    assert.equal(json?.active, undefined)
  }
  assert.equal((await revoke(own)).status, 200)
  assert.equal((await refresh(server, 'web', who.refreshToken)).json.error, 'invalid_grant')
})

test('T-AS-19 a client never passes for a user, whatever it is called', async () => {
  const who = await signIn(server, { user: ada })
  const machine = await mgmt(server)
  assert.equal(claimsOf(machine.token).sub, 'm2m@clients')
  for (const audience of [`${server.issuer}me/`]) {
    const answer = await tokenRequest(server, 'm2m', { grant_type: 'client_credentials', audience })
    assert.equal(answer.json.access_token, undefined)
  }
  await changesNothing(server, async () => {
    assert.equal((await me(server, machine.token).get('/connected-accounts/accounts')).status, 401)
    for (const type of ['access', 'refresh'] as const) {
      const answer = await exchange(server, { connection: 'calendar', subjectToken: machine.token, type })
      assert.ok(answer.status >= 400 && answer.json.access_token === undefined)
    }
    const named = { name: 'x', client_id: who.sub }
    assert.equal((await machine.post('/clients', named)).status, 400)
  })
  await assert.rejects(
    startServer({ tenant: (file) => file.clients.push({ ...file.clients[0], client_id: who.sub }) }),
    /client_id/,
  )
})

test('T-AS-21 an access token travels in the header alone', async () => {
  const who = await signIn(server, { user: ada })
  const token = who.accessToken
  const header = { authorization: `Bearer ${token}` }
  const query = await request(`${server.url}/userinfo?access_token=${token}`)
  assert.equal(query.status, 401)
  assert.match(query.headers['www-authenticate'] ?? '', /^Bearer/)
  assert.equal((await request(`${server.url}/userinfo`, { form: { access_token: token } })).status, 401)
  const machine = await mgmt(server)
  for (const path of [
    `/api/v2/users?access_token=${machine.token}`,
    `/me/v1/connected-accounts/accounts?access_token=${token}`,
  ]) {
    const { status, headers } = await request(`${server.url}${path}`)
    assert.equal(status, 401, path)
    assert.ok(headers['www-authenticate'] !== undefined || path.startsWith('/api'), path)
  }
  const twice = [
    await request(`${server.url}/userinfo?access_token=${token}`, { headers: header }),
    await request(`${server.url}/userinfo`, { form: { access_token: token }, headers: header }),
    await request(`${server.url}/userinfo`, {
      headers: { authorization: [`Bearer ${token}`, `Bearer ${token}x`].join(', ') },
    }),
  ]
  for (const { status } of twice) assert.equal(status, 400)
  assert.equal((await request(`${server.url}/userinfo`, { headers: header })).status, 200)
  assert.equal((await machine.get(`/users?access_token=${machine.token}`)).status, 400)
})
