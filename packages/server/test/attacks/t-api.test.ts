// The JSON interfaces (T-API): who may do what to whom, and what a client may send.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MANAGEMENT_SCOPES } from '../../src/protocol/api-scopes.ts'
import {
  type ApiCaller,
  connect,
  currentUserSignIn,
  exchange,
  expectStatus,
  me,
  meToken,
  mgmt,
  signIn,
  userPath,
} from '../support/actors.ts'
import { CALLBACKS } from '../support/browser.ts'
import { type Answer, request } from '../support/http.ts'
import { newKey, signJwt } from '../support/keys.ts'
import { startServer } from '../support/server.ts'
import { assertUniform, changesNothing } from '../support/state.ts'
import { passTime } from '../support/time.ts'

const server = await startServer()
const { ada, eve } = server.tenant
const api = await mgmt(server)

test('T-API-01 a field that the door does not know changes nothing', async () => {
  const victim = await signIn(server, { user: ada })
  const who = await currentUserSignIn(server, { user: eve })
  const own = await mgmt(server, { token: who.accessToken })
  const forbidden = {
    user_id: 'auth0|other',
    identities: [],
    roles: ['admin'],
    created_at: '2020-01-01T00:00:00.000Z',
    updated_at: '2020-01-01T00:00:00.000Z',
    logins_count: 5,
    last_login: '2020-01-01T00:00:00.000Z',
    tenant: 'other',
    merged_into: victim.sub,
    provider: 'x',
    'user_metadata.role': 'x',
    'app_metadata[role]': 'x',
    grade: 3,
  }
  await changesNothing(server, async () => {
    for (const [name, value] of Object.entries(forbidden)) {
      const { status } = await api.patch(userPath(victim.sub), { [name]: value })
      assert.equal(status, 400, name)
    }
    const operatorsOnly = {
      blocked: false,
      email_verified: true,
      app_metadata: { role: 'x' },
      email: 'x@example.test',
      password: 'a new password of mine',
      name: 'Eve',
      verify_email: false,
    }
    for (const [name, value] of Object.entries({ ...forbidden, ...operatorsOnly })) {
      const { status } = await own.patch(userPath(who.sub), { [name]: value })
      assert.ok(status === 400 || status === 403, `own ${name}: ${status}`)
      const both = await own.patch(userPath(who.sub), { user_metadata: { colour: 'red' }, [name]: value })
      assert.ok(both.status === 400 || both.status === 403, `own ${name} beside metadata: ${both.status}`)
    }
    const twice = await request(`${server.url}/api/v2${userPath(victim.sub)}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${api.token}`, 'content-type': 'application/json' },
      body: '{"name":"Ada Lovelace","blocked":false,"blocked":true}',
    })
    assert.equal(twice.status, 400)
  })
  expectStatus(await own.patch(userPath(who.sub), { user_metadata: { colour: 'red' } }), 200)
  // A new address has to be proven anew.
  const moved = expectStatus(
    await api.patch(userPath(victim.sub), { email: 'moved-ada@example.test', verify_email: false }),
    200,
  )
  assert.equal(moved.json.email_verified, false)
  expectStatus(await api.patch(userPath(victim.sub), { email: ada.email, email_verified: true }), 200)
})

test("T-API-02 another person's things look like things that do not exist", async () => {
  server.person('owner', ['code'])
  const victim = await signIn(server, { user: ada })
  const account = await connect(victim.browser, server, { token: await meToken(server, victim), connection: 'code' })
  const attacker = await signIn(server, { user: eve })
  const mine = me(server, await meToken(server, attacker))
  const random = `cac_${'x'.repeat(account.id.length - 4)}`
  const path = (id: string) => `/connected-accounts/accounts/${encodeURIComponent(id)}`
  await changesNothing(server, async () => {
    assertUniform(await mine.delete(path(account.id)), await mine.delete(path(random)))
    for (const id of [
      account.id.toUpperCase(),
      `${account.id}/`,
      `../accounts/${account.id}`,
      `${account.id}\u0000`,
      `%2e%2e/${account.id}`,
    ]) {
      const { status } = await mine.delete(path(id))
      assert.ok(status >= 400 && status < 500, `${id}: ${status}`)
    }
    const query = await mine.get(
      `/connected-accounts/accounts?user_id=${encodeURIComponent(victim.sub)}&owner=${victim.sub}`,
    )
    assert.ok(query.status === 400 || query.json.accounts.length === 0)
    const hinted = await exchange(server, {
      connection: 'code',
      subjectToken: attacker.refreshToken,
      loginHint: account.id,
    })
    const unknown = await exchange(server, {
      connection: 'code',
      subjectToken: attacker.refreshToken,
      loginHint: random,
    })
    assertUniform(hinted, unknown)
    const own = await mgmt(server, { token: (await currentUserSignIn(server, { user: eve })).accessToken })
    for (const id of [victim.sub, victim.sub.toUpperCase(), `${victim.sub}%00`, `${attacker.sub}/../${victim.sub}`]) {
      for (const answer of [
        await own.get(userPath(id)),
        await own.patch(userPath(id), { user_metadata: { a: 1 } }),
        await own.delete(userPath(id)),
      ]) {
        assert.ok(answer.status >= 400 && answer.status < 500, `${id}: ${answer.status}`)
        assert.doesNotMatch(answer.text, /Ada|ada@/)
      }
    }
    assertUniform(await own.get(userPath(victim.sub)), await own.get(userPath('auth0|000000000000000000000000')))
    // Where only machines have business, a person learns nothing of what there is.
    const of = async (route: string) => expectStatus(await api.get(route), 200).json
    const [session] = (await of(`${userPath(victim.sub)}/sessions`)).sessions
    const [token] = (await of(`/refresh-tokens?user_id=${encodeURIComponent(victim.sub)}`)).refresh_tokens
    const [grant] = await of(`/grants?user_id=${encodeURIComponent(victim.sub)}`)
    const [entry] = await of(`${userPath(victim.sub)}/logs`)
    for (const [route, id] of [
      ['/sessions/', session.id],
      ['/refresh-tokens/', token.id],
      ['/device-credentials/', token.id],
      ['/grants/', grant.id],
      ['/logs/', entry.log_id],
      ['/grants?user_id=', victim.sub],
      ['/refresh-tokens?user_id=', victim.sub],
      ['/logs?q=user_id:', `"${victim.sub}"`],
    ]) {
      for (const way of ['get', 'delete'] as const) {
        const theirs = await own[way](`${route}${encodeURIComponent(id)}`)
        assert.ok(theirs.status === 403 || theirs.status === 405, `${way} ${route}: ${theirs.status}`)
        assertUniform(theirs, await own[way](`${route}${'x'.repeat(id.length)}`))
      }
    }
  })
})

test('T-API-03 every operation asks for its own scope, and no token of another kind opens it', async () => {
  const document = (await request(`${server.url}/openapi.json`)).json
  const who = await signIn(server, { user: ada })
  const mine = await meToken(server, who)
  const { header, claims } = {
    header: JSON.parse(Buffer.from(api.token.split('.')[0] ?? '', 'base64url').toString()),
    claims: JSON.parse(Buffer.from(api.token.split('.')[1] ?? '', 'base64url').toString()),
  }
  const foreign = signJwt(newKey('RS256'), claims, header)
  const tokens = new Map<string, ApiCaller>()
  const machineWith = async (scope: string) => {
    const known = tokens.get(scope) ?? (await mgmt(server, { scope }))
    tokens.set(scope, known)
    return known.token
  }
  let operations = 0
  for (const [path, methods] of Object.entries<Record<string, { security: { oauth2: string[] }[] }>>(document.paths)) {
    const url = `${server.url}${path.replaceAll(/\{\w+\}/g, 'nobody')}`
    const isMe = path.startsWith('/me/')
    for (const [method, { security }] of Object.entries(methods)) {
      operations++
      const call = (authorization?: string) =>
        request(url, { method: method.toUpperCase(), headers: { authorization } })
      const what = `${method} ${path}`
      const wrong = [
        undefined,
        '',
        'Bearer',
        'Basic eDp5',
        `Bearer ${who.idToken}`,
        `Bearer ${foreign}`,
        `Bearer ${who.refreshToken}`,
        `Bearer ${isMe ? api.token : mine}`,
        `Bearer ${api.token}x`,
      ]
      for (const [at, one] of wrong.entries()) assert.equal((await call(one)).status, 401, `${what} with ${at}`)
      assert.ok(security.length > 0, `${what} has no scope`)
      if (isMe) continue
      // All that there is to be granted, but for what this operation asks.
      const asked = security.flatMap(({ oauth2 }) => oauth2)
      const others = MANAGEMENT_SCOPES.filter((scope) => !asked.includes(scope))
      const refused = await call(`Bearer ${await machineWith(others.join(' '))}`)
      assert.equal(refused.status, 403, what)
      assert.equal(refused.json.errorCode ?? refused.json.code, 'insufficient_scope', what)
      for (const scope of asked.filter((one) => !one.includes('current_user'))) {
        const granted: Answer = await call(`Bearer ${await machineWith(scope)}`)
        assert.notEqual(granted.status, 401, `${what} with ${scope}`)
        assert.ok(granted.status < 500, `${what} with ${scope}: ${granted.status}`)
        // Ending everything of a user takes a second scope, too.
        if (!path.endsWith('/revoke-access')) assert.notEqual(granted.json?.errorCode, 'insufficient_scope', what)
      }
    }
  }
  assert.ok(operations > 40, `${operations} operations`)
  // No scope shows a provider's token.
  server.person('holder', ['calendar'])
  await signIn(server, { connection: 'calendar' })
  const { text } = await api.get('/users?include_totals=true&per_page=100')
  for (const secret of server.providers.calendar.secrets) assert.ok(!text.includes(secret))
  assert.doesNotMatch(text, /access_token|refresh_token|client_secret|"password"/)
})

test('T-API-09 other origins, methods and media types get nothing', async () => {
  const origins = [
    'null',
    'https://evil.test',
    `${new URL(CALLBACKS).origin}.evil.test`,
    'file://',
    'http://127.0.0.1:10',
  ]
  const paths = [
    '/oauth/token',
    '/userinfo',
    '/api/v2/users',
    '/me/v1/connected-accounts/accounts',
    '/account',
    '/u/login?state=x',
  ]
  for (const origin of origins) {
    for (const path of paths) {
      for (const method of ['OPTIONS', 'GET', 'POST']) {
        const headers = {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization',
        }
        // Who names no client reads no more than that.
        const form =
          method === 'POST' ? { form: { client_id: 'spa', grant_type: 'refresh_token', refresh_token: 'x' } } : {}
        const answer = await request(`${server.url}${path}`, { method, headers, ...form })
        assert.equal(answer.headers['access-control-allow-origin'], undefined, `${method} ${path} for ${origin}`)
        assert.equal(answer.headers['access-control-allow-credentials'], undefined)
      }
    }
  }
  const listed = await request(`${server.url}/me/v1/connected-accounts/accounts`, {
    headers: { origin: new URL(CALLBACKS).origin },
  })
  assert.equal(listed.headers['access-control-allow-credentials'], undefined, 'cookies open no interface')
  const auth = { authorization: `Bearer ${api.token}` }
  const text = await request(`${server.url}/api/v2/users`, {
    headers: { ...auth, 'content-type': 'text/plain' },
    body: '{}',
  })
  assert.equal(text.status, 415)
  const asText = await request(`${server.url}/oauth/token`, {
    headers: { 'content-type': 'text/plain' },
    body: 'grant_type=client_credentials',
  })
  assert.ok(asText.status === 400 || asText.status === 415)
  const user = await signIn(server, { user: ada })
  await changesNothing(server, async () => {
    const override = {
      ...auth,
      'x-http-method-override': 'DELETE',
      'x-http-method': 'DELETE',
      'x-method-override': 'DELETE',
    }
    await request(`${server.url}/api/v2${userPath(user.sub)}?_method=DELETE`, { headers: override })
    await request(`${server.url}/api/v2${userPath(user.sub)}`, {
      method: 'POST',
      headers: override,
      form: { _method: 'DELETE' },
    })
  })
  for (const [method, path] of [
    ['PUT', '/api/v2/users'],
    ['DELETE', '/oauth/token'],
    ['PUT', '/authorize'],
    ['TRACE', '/healthz'],
    ['DELETE', '/me/v1/connected-accounts/connect'],
    ['PATCH', '/.well-known/jwks.json'],
  ] as const) {
    const { status } = await request(`${server.url}${path}`, { method, headers: auth })
    assert.ok([400, 401, 404, 405].includes(status), `${method} ${path}: ${status}`)
  }
})

test('T-API-03 a token that has expired opens nothing', async () => {
  const person = await currentUserSignIn(server, { user: ada })
  const mine = await meToken(server, await signIn(server, { user: ada }))
  passTime(86_400 + 61)
  const own = await mgmt(server, { token: person.accessToken })
  for (const answer of [
    await api.get('/users'),
    await own.get(userPath(person.sub)),
    await me(server, mine).get('/connected-accounts/accounts'),
    await request(`${server.url}/userinfo`, { headers: { authorization: `Bearer ${person.accessToken}` } }),
  ])
    assert.equal(answer.status, 401, answer.text)
})
