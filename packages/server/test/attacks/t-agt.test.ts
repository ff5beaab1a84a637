// Agents that ask for more, pretend to be others, or go on when they should have stopped (attack catalogue, T-AGT).
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { startOidcProvider } from '@tenon/sdk/testing'
import {
  authorize,
  claimsOf,
  completeConnect,
  connect,
  exchange,
  FEDERATED_TOKEN,
  me,
  meToken,
  mgmt,
  refresh,
  signIn,
  startConnect,
  TOKEN_TYPES,
  tokenRequest,
  userPath,
} from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { type Answer, request } from '../support/http.ts'
import { bareJwt, newKey, signJwt } from '../support/keys.ts'
import { startServer } from '../support/server.ts'
import { changesNothing, tokenCalls } from '../support/state.ts'
import { API, VAULT_GRANT } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const key = newKey()

const calendar = await startOidcProvider({ name: 'calendar', refresh: 'always', users: { ada: {} } })
const server = await startServer({
  providers: { calendar },
  settings: { vault: { sharing: 'own_client' } },
  tenant: (file) => {
    const agent = file.clients.find(({ client_id: id }) => id === 'agent-a')
    const { client_secret: _, token_endpoint_auth_method: __, ...rest } = agent ?? {}
    const credential = { name: 'key', credential_type: 'public_key', pem: key.publicPem, alg: 'ES256' }
    file.clients.push(
      {
        ...rest,
        client_id: 'keyed',
        name: 'Keyed',
        client_authentication_methods: { private_key_jwt: { credentials: [credential] } },
      },
      {
        ...agent,
        client_id: 'brief',
        name: 'Brief',
        refresh_token: { expiration_type: 'expiring', rotation_type: 'non-rotating', token_lifetime: 600 },
      },
    )
    for (const connection of file.connections)
      connection.enabled_clients = [connection.enabled_clients, 'keyed', 'brief'].flat()
  },
})
Object.assign(server.tenant.secrets, { brief: server.tenant.secrets['agent-a'] })
const user = server.tenant.ada

const V = await signIn(server, { client: 'agent-a', user })
const token = await meToken(server, V)
await connect(V.browser, server, { token, connection: 'calendar', scopes: ['openid', 'calendar.read'] })

async function refusesQuietly(ask: () => Promise<Answer>): Promise<Answer> {
  const before = tokenCalls(server)
  const answer = await ask()
  assert.ok(answer.status >= 400 && answer.status < 500, answer.text)
  assert.equal(answer.json.access_token, undefined)
  assert.deepEqual(tokenCalls(server), before)
  return answer
}

const asks = (fields: Record<string, string | undefined> = {}, client = 'agent-a') =>
  exchange(server, { client, connection: 'calendar', subjectToken: V.refreshToken, fields })

test('T-AGT-01 an agent that may read gets no token to write, and no wider connect without a person', async () => {
  assert.equal((await asks({ scope: 'calendar.read' })).status, 200)
  const answer = await refusesQuietly(() => asks({ scope: 'calendar.write' }))
  assert.equal(answer.json.tenon.code, 'scope_missing')
  await changesNothing(server, async () => {
    const flow = await startConnect(server, { token, connection: 'calendar', scopes: ['calendar.write'] })
    assert.equal(flow.answer.status, 201)
    const guess = new URLSearchParams({ connect_code: 'A'.repeat(43) })
    assert.equal((await completeConnect(server, flow, guess)).status, 400)
    const unknown = await startConnect(server, { token, connection: 'Username-Password-Authentication' })
    assert.ok([400, 403].includes(unknown.answer.status))
  })
  assert.equal((await asks({ scope: 'calendar.write' })).json.tenon.code, 'scope_missing')
})

test("T-AGT-02 knowing an agent's name is not being it", async () => {
  const { secrets } = server.tenant
  const attempts = [
    { client_id: 'agent-a', client_secret: undefined },
    { client_id: 'agent-a', client_secret: secrets['agent-b'] },
    { client_id: 'agent-a', client_secret: '' },
    { client_id: 'AGENT-A', client_secret: secrets['agent-a'] },
    { client_id: 'keyed', client_secret: undefined },
    { client_id: 'keyed', client_secret: secrets['agent-a'] },
  ]
  for (const credentials of attempts) {
    const answer = await refusesQuietly(() => asks(credentials))
    assert.ok([400, 401].includes(answer.status), answer.text)
    const renewed = await tokenRequest(server, 'agent-a', {
      grant_type: 'refresh_token',
      refresh_token: V.refreshToken,
      ...credentials,
    })
    assert.ok([400, 401, 403].includes(renewed.status), renewed.text)
  }
  const basic = `Basic ${Buffer.from(`agent-a:${secrets['agent-a']}`).toString('base64')}`
  const both = { client_id: 'agent-a', client_secret: secrets['agent-a'], grant_type: VAULT_GRANT }
  const doubled = await request(`${server.url}/oauth/token`, { form: both, headers: { authorization: basic } })
  assert.equal(doubled.status, 401)
})

test('T-AGT-02 an assertion serves once, here or there, for us alone, and by its own key', async () => {
  const keyed = await signInKeyed()
  const use = (client_assertion: string, grant: 'exchange' | 'refresh') =>
    request(`${server.url}/oauth/token`, {
      form: {
        client_assertion,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        ...(grant === 'refresh'
          ? { grant_type: 'refresh_token', refresh_token: keyed.refresh_token, client_id: 'keyed' }
          : {
              grant_type: VAULT_GRANT,
              subject_token: keyed.refresh_token,
              subject_token_type: TOKEN_TYPES.refresh,
              requested_token_type: FEDERATED_TOKEN,
              connection: 'calendar',
            }),
      },
    })
  for (const [first, second] of [
    ['exchange', 'exchange'],
    ['exchange', 'refresh'],
    ['refresh', 'exchange'],
    ['refresh', 'refresh'],
  ] as const) {
    const once = assertion({})
    const answer = await use(once, first)
    assert.ok(answer.status === 200 || answer.json.tenon?.code === 'not_connected', `${first}: ${answer.text}`)
    assert.equal((await use(once, second)).status, 401, `${first}, then ${second}`)
  }
  const raced = assertion({})
  const answers = await Promise.all(Array.from({ length: 20 }, () => use(raced, 'exchange')))
  assert.equal(answers.filter(({ json }) => json.tenon?.code === 'not_connected').length, 1)
  const now = Math.floor(Date.now() / 1000)
  const forged: Record<string, string> = {
    "a stranger's key": assertion({}, newKey()),
    unsigned: bareJwt(claimsOf(assertion({}))),
    'for somebody else': assertion({ aud: 'https://evil.test/' }),
    'for somebody else, too': assertion({ aud: [server.issuer, 'https://evil.test/'] }),
    'for nobody': assertion({ aud: undefined }),
    "another client's": assertion({ iss: 'agent-a', sub: 'agent-a' }),
    'about another client': assertion({ sub: 'agent-a' }),
    expired: assertion({ exp: now - 60, iat: now - 120 }),
    'not yet': assertion({ nbf: now + 600, exp: now + 700 }),
    endless: assertion({ exp: now + 10_000_000 }),
    'without jti': assertion({ jti: undefined }),
  }
  for (const [what, one] of Object.entries(forged)) {
    for (const grant of ['exchange', 'refresh'] as const) {
      const answer = await use(one, grant)
      assert.ok([400, 401].includes(answer.status), `${what} at ${grant}: ${answer.text}`)
    }
  }
})

test('T-AGT-03 an agent that is deleted is dead at every door, at once', async () => {
  const api = await mgmt(server)
  const gone = { client_id: 'gone', client_secret: randomUUID() }
  const { callbacks, grant_types } = {
    callbacks: ['http://127.0.0.1:9/cb'],
    grant_types: ['authorization_code', 'refresh_token', VAULT_GRANT],
  }
  const made = await api.post('/clients', {
    name: 'Gone',
    app_type: 'regular_web',
    token_endpoint_auth_method: 'client_secret_post',
    callbacks,
    grant_types,
  })
  assert.equal(made.status, 201, made.text)
  Object.assign(gone, made.json)
  Object.assign(server.tenant.secrets, { [gone.client_id]: made.json.client_secret })
  const connections = (await api.get('/connections')).json as { id: string; name: string; enabled_clients: string[] }[]
  for (const { id, enabled_clients: enabled } of connections)
    assert.equal((await api.patch(`/connections/${id}`, { enabled_clients: [...enabled, gone.client_id] })).status, 200)
  const who = await signIn(server, { client: gone.client_id, user })
  const ask = () => exchange(server, { client: gone.client_id, connection: 'calendar', subjectToken: who.refreshToken })
  assert.equal((await ask()).json.tenon.code, 'not_connected')
  assert.equal(
    (await request(`${server.url}/userinfo`, { headers: { authorization: `Bearer ${who.accessToken}` } })).status,
    200,
  )
  assert.equal((await api.delete(`/clients/${gone.client_id}`)).status, 204)
  assert.equal((await ask()).status, 401)
  assert.equal((await refresh(server, gone.client_id, who.refreshToken)).status, 401)
  assert.equal(
    (await request(`${server.url}/userinfo`, { headers: { authorization: `Bearer ${who.accessToken}` } })).status,
    401,
  )
})

test('T-AGT-09 what a person connected for one agent is not there for another', async () => {
  const other = await signIn(server, { client: 'agent-b', user })
  const answer = await refusesQuietly(() =>
    exchange(server, { client: 'agent-b', connection: 'calendar', subjectToken: other.refreshToken }),
  )
  assert.equal(answer.json.tenon.code, 'not_connected')
  const theirs = await signIn(server, { client: 'theirs', user })
  await refusesQuietly(() =>
    exchange(server, { client: 'theirs', connection: 'calendar', subjectToken: theirs.refreshToken }),
  )
  assert.equal((await asks()).status, 200)
})

test('T-AGT-10 a grant that has ended is not lengthened by using it', async () => {
  const who = await signIn(server, { client: 'brief', user })
  const ask = () => exchange(server, { client: 'brief', connection: 'calendar', subjectToken: who.refreshToken })
  assert.equal((await ask()).json.tenon.code, 'not_connected')
  passTime(601)
  assert.equal((await ask()).json.tenon.code, 'subject_token_invalid')
  assert.equal((await refresh(server, 'brief', who.refreshToken)).status, 403)
})

test('T-AGT-12 a token that was made for somebody else is refused at every door', async () => {
  const provider = (await asks()).json.access_token
  const forApi = await signIn(server, { user, audience: API, scope: 'openid' })
  for (const bearer of [provider, forApi.accessToken, V.idToken, V.refreshToken]) {
    assert.equal((await me(server, bearer).get('/connected-accounts/accounts')).status, 401)
    assert.equal((await (await mgmt(server, { token: bearer })).get(userPath(V.sub))).status, 401)
  }
  const userinfo = (bearer: string) =>
    request(`${server.url}/userinfo`, { headers: { authorization: `Bearer ${bearer}` } })
  for (const bearer of [provider, V.idToken, V.refreshToken]) assert.equal((await userinfo(bearer)).status, 401)
})

/** A client assertion (RFC 7523 §3); members that are undefined are left out. */
function assertion(members: Record<string, unknown>, by = key): string {
  const now = Math.floor(Date.now() / 1000)
  return signJwt(by, {
    iss: 'keyed',
    sub: 'keyed',
    aud: server.issuer,
    iat: now,
    exp: now + 60,
    jti: randomUUID(),
    ...members,
  })
}

async function signInKeyed(): Promise<{ refresh_token: string }> {
  const flow = await authorize(new Browser(), server, { client: 'keyed', user })
  const answer = await request(`${server.url}/oauth/token`, {
    form: {
      grant_type: 'authorization_code',
      code: flow.params.get('code') ?? '',
      redirect_uri: flow.redirectUri,
      code_verifier: flow.verifier,
      client_id: 'keyed',
      client_assertion: assertion({}),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    },
  })
  assert.equal(answer.status, 200, answer.text)
  return answer.json
}
