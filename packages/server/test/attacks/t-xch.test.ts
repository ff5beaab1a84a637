// The exchange: what is refused, and that no provider hears of it (attack catalogue, T-XCH).
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { startOidcProvider } from '@tenon/sdk/testing'
import {
  authorize,
  connect,
  type ExchangeOptions,
  exchange,
  expectStatus,
  meToken,
  mgmt,
  type SignedIn,
  signIn,
  TOKEN_TYPES,
  tokenRequest,
  userPath,
} from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { type Answer, request } from '../support/http.ts'
import { bareJwt, dpopProof, newKey } from '../support/keys.ts'
import { startServer } from '../support/server.ts'
import { changesNothing, eventsOf, tokenCalls } from '../support/state.ts'
import { API, type Person, VAULT_GRANT } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const RFC_8693 = 'urn:ietf:params:oauth:grant-type:token-exchange'
const SHORT_API = 'https://short.acme.test/'

const calendar = await startOidcProvider({
  name: 'calendar',
  refresh: 'always',
  rotation: 'rotating',
  users: { ada: { login: 'Ada' }, 'ada-2': { login: 'Ada' }, eve: { login: 'Eve' } },
})
const elsewhere = await startOidcProvider({ name: 'elsewhere', refresh: 'always', users: { ada: {} } })
const server = await startServer({
  providers: { calendar, elsewhere },
  nodes: 2,
  // The clock is moved on; that connecting asks for a recent sign-in is T-LINK-10.
  settings: { linking: { reauthentication_seconds: 86_400 } },
  tenant: (file) => {
    file.resource_servers.push({
      identifier: SHORT_API,
      name: 'Short',
      token_lifetime: 600,
      allow_offline_access: true,
    })
    const api = file.clients.find(({ client_id: id }) => id === 'api')
    file.clients.push({ ...api, client_id: 'short', name: 'Short', resource_server_identifier: SHORT_API })
    for (const connection of file.connections) connection.enabled_clients = [connection.enabled_clients, 'short'].flat()
  },
})
Object.assign(server.tenant.secrets, { short: server.tenant.secrets.api })
const { ada, eve } = server.tenant

/** Somebody new, by password, with the calendar connected. */
async function connected(person: Person, upstream: string): Promise<SignedIn> {
  const who = await signIn(server, { user: person })
  await connectAs(who, upstream)
  return who
}

async function connectAs(who: SignedIn, upstream: string, scopes?: readonly string[]) {
  calendar.switchUser(upstream)
  const token = await meToken(server, who)
  return connect(who.browser, server, { token, connection: 'calendar', ...(scopes ? { scopes } : {}) })
}

let people = 0
async function newPerson(): Promise<Person> {
  const person = { email: `p${++people}@example.test`, password: `a long password ${randomUUID()}` }
  const api = await mgmt(server)
  const user = { connection: 'Username-Password-Authentication', email_verified: true, ...person }
  expectStatus(await api.post('/users', user), 201)
  return person
}

const V = await connected(ada, 'ada')
const A = await connected(eve, 'eve')

const ask = (how: Partial<ExchangeOptions> = {}): Promise<Answer> =>
  exchange(server, { connection: 'calendar', subjectToken: V.refreshToken, ...how })

/** A refusal, clean and without a call to any provider. */
async function refuses(how: Partial<ExchangeOptions>, code?: string): Promise<Answer> {
  const before = tokenCalls(server)
  const answer = await ask(how)
  assert.ok(answer.status >= 400 && answer.status < 500, `${JSON.stringify(how)} ${answer.status} ${answer.text}`)
  assert.equal(answer.json.access_token, undefined)
  assert.equal(answer.headers['www-authenticate'], undefined)
  assert.deepEqual(tokenCalls(server), before)
  if (code !== undefined) assert.equal(answer.json.tenon?.code, code, answer.text)
  return answer
}

/** Signs in and out of which an access token for an API comes. */
const apiSignIn = (audience: string) => signIn(server, { user: ada, audience, scope: 'openid offline_access' })

test('T-XCH-01 no token but a live one of ours, of the kind that is named, is a subject', async () => {
  const upstream = await ask()
  assert.equal(upstream.status, 200)
  const machine = await tokenRequest(server, 'm2m', {
    grant_type: 'client_credentials',
    audience: `${server.issuer}api/v2/`,
  })
  const [, body] = V.idToken.split('.')
  const tokens: Record<string, string> = {
    'id token': V.idToken,
    'access token for user-info': V.accessToken,
    "provider's access token": upstream.json.access_token,
    "provider's refresh token": calendar.issued.findLast(({ kind }) => kind === 'refresh_token')?.value ?? '',
    "provider's id token": calendar.issued.findLast(({ kind }) => kind === 'id_token')?.value ?? '',
    'token of a machine': machine.json.access_token,
    'spent code': V.code,
    'unsigned token': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`,
    garbage: 'garbage',
    'long garbage': 'x'.repeat(100_000),
  }
  await changesNothing(server, async () => {
    for (const [name, subjectToken] of Object.entries(tokens)) {
      for (const type of ['refresh', 'access'] as const) {
        for (const client of ['web', 'api']) {
          const answer = await refuses({ subjectToken, type, client })
          assert.ok([400, 401, 403].includes(answer.status), `${name} as ${type}`)
        }
      }
    }
  })
})

test('T-XCH-01 the kind that is named must be the kind that it is', async () => {
  const { accessToken } = await apiSignIn(API)
  await refuses({ type: 'access' }, 'subject_token_invalid')
  await refuses({ client: 'api', subjectToken: accessToken, type: 'refresh' }, 'subject_token_invalid')
  for (const subject_token_type of [
    'urn:ietf:params:oauth:token-type:id_token',
    'urn:x',
    'refresh_token',
    '',
    'undefined',
  ])
    await refuses({ fields: { subject_token_type } }, 'invalid_request')
  await refuses({ fields: { subject_token_type: [TOKEN_TYPES.refresh, TOKEN_TYPES.access] } }, 'invalid_request')
  await refuses({ fields: { requested_token_type: TOKEN_TYPES.refresh } }, 'invalid_request')
})

test('T-XCH-01 a revoked or expired token is no subject', async () => {
  const gone = await signIn(server, { user: ada })
  assert.equal((await ask({ subjectToken: gone.refreshToken })).status, 200)
  const revoke = { client_id: 'web', client_secret: server.tenant.secrets.web, token: gone.refreshToken }
  assert.equal((await request(`${server.url}/oauth/revoke`, { form: revoke })).status, 200)
  await refuses({ subjectToken: gone.refreshToken }, 'subject_token_invalid')
  const { accessToken } = await apiSignIn(SHORT_API)
  const short = { client: 'short', subjectToken: accessToken, type: 'access' } as const
  assert.notEqual((await ask(short)).status, 403)
  passTime(601)
  await refuses(short, 'subject_token_invalid')
})

test('T-XCH-01 a token that is bound to a key is no subject without a proof of that key', async () => {
  const bound = await boundSignIn()
  assert.equal(bound.token_type, 'DPoP')
  await refuses({ client: 'api', subjectToken: bound.access_token, type: 'access' }, 'subject_token_invalid')
})

test("T-XCH-02 another client's token is no subject, and neither is one for another audience or of a machine", async () => {
  await changesNothing(server, async () => {
    await refuses({ client: 'agent-a' }, 'subject_token_invalid')
    const { accessToken } = await signIn(server, { user: ada, audience: `${server.issuer}me/` })
    await refuses({ client: 'api', subjectToken: accessToken, type: 'access' }, 'subject_token_invalid')
    await refuses({ client: 'web', subjectToken: accessToken, type: 'access' }, 'subject_token_invalid')
    const api = await apiSignIn(API)
    await refuses({ client: 'short', subjectToken: api.accessToken, type: 'access' }, 'subject_token_invalid')
    await refuses({ client: 'agent-a', subjectToken: api.accessToken, type: 'access' }, 'subject_token_invalid')
  })
  const { accessToken } = await apiSignIn(API)
  assert.equal((await ask({ client: 'api', subjectToken: accessToken, type: 'access' })).status, 200)
})

test('T-XCH-02 a client without the grant, without its secret, or of a third party exchanges nothing', async () => {
  await changesNothing(server, async () => {
    const theirs = await signIn(server, { client: 'theirs', user: ada })
    await refuses({ client: 'theirs', subjectToken: theirs.refreshToken })
    const pages = await signIn(server, { client: 'spa', user: ada })
    await refuses({ client: 'spa', subjectToken: pages.refreshToken })
    const [wrong, none, unknown] = await Promise.all([
      refuses({ fields: { client_secret: 'x'.repeat(24) } }),
      refuses({ fields: { client_secret: undefined } }),
      refuses({ fields: { client_id: 'nobody' } }),
    ])
    assert.equal(wrong.status, 401)
    assert.equal(wrong.text, unknown.text, 'an unknown client and a wrong secret look the same')
    assert.ok(none.status === 401 || none.status === 400)
  })
})

test('T-XCH-03 a subject that is blocked, deleted or has a new password is refused at once, on every node', async () => {
  const api = await mgmt(server)
  const ends: Record<string, (who: SignedIn) => Promise<Answer>> = {
    blocked: ({ sub }) => api.patch(userPath(sub), { blocked: true }),
    deleted: ({ sub }) => api.delete(userPath(sub)),
    'new password': ({ sub }) => api.patch(userPath(sub), { password: `another long one ${randomUUID()}` }),
  }
  for (const [name, end] of Object.entries(ends)) {
    const person = await newPerson()
    const who = await connected(person, 'ada')
    const { accessToken } = await signIn(server, { user: person, audience: API })
    const doors = server.nodes.flatMap((url) => [
      { url, subjectToken: who.refreshToken },
      { url, client: 'api', subjectToken: accessToken, type: 'access' as const },
    ])
    for (const door of doors) assert.equal((await ask(door)).status, 200, name)
    const ended = await end(who)
    assert.ok(ended.status < 300, `${name}: ${ended.text}`)
    for (const door of doors) await refuses(door, 'subject_token_invalid')
  }
})

test('T-XCH-03 the tokens of a user that was linked into another speak for nobody', async () => {
  const [first, second] = [await newPerson(), await newPerson()]
  const primary = await signIn(server, { user: first })
  const secondary = await connected(second, 'ada')
  const api = await mgmt(server)
  const [provider, user_id] = secondary.sub.split('|')
  expectStatus(await api.post(`${userPath(primary.sub)}/identities`, { provider, user_id }), 201)
  for (const url of server.nodes) {
    await refuses({ url, subjectToken: secondary.refreshToken }, 'subject_token_invalid')
    assert.equal(
      (await ask({ url, subjectToken: primary.refreshToken })).status,
      200,
      'the primary has the account now',
    )
  }
})

test('T-XCH-04 what is disconnected, disabled or deleted gives no token, not even one that still lives', async () => {
  const api = await mgmt(server)
  const { options } = calendar.connection()
  const draft = { strategy: 'oidc', enabled_clients: ['web'], connected_accounts: { active: true }, options }
  const changes: Record<string, { code: string; change: (id: string) => Promise<Answer> }> = {
    'not enabled for the client': {
      code: 'connection_not_enabled',
      change: (id) => api.patch(`/connections/${id}`, { enabled_clients: ['agent-a'] }),
    },
    'not active': {
      code: 'connection_not_enabled',
      change: (id) => api.patch(`/connections/${id}`, { connected_accounts: { active: false } }),
    },
    deleted: { code: 'invalid_request', change: (id) => api.delete(`/connections/${id}`) },
  }
  const who = await signIn(server, { user: await newPerson() })
  const token = await meToken(server, who)
  for (const [at, [name, { code, change }]] of Object.entries(changes).entries()) {
    const connection = `changing-${at}`
    const created = expectStatus(await api.post('/connections', { ...draft, name: connection }), 201)
    await connect(who.browser, server, { token, connection })
    assert.equal((await ask({ connection, subjectToken: who.refreshToken })).status, 200)
    const changed = await change(created.json.id)
    assert.ok(changed.status < 300, `${name}: ${changed.text}`)
    for (const url of server.nodes) await refuses({ url, connection, subjectToken: who.refreshToken }, code)
  }
  const { id } = await connect(who.browser, server, { token, connection: 'calendar' })
  assert.equal((await ask({ subjectToken: who.refreshToken })).status, 200)
  const bearer = { authorization: `Bearer ${token}` }
  const gone = await request(`${server.url}/me/v1/connected-accounts/accounts/${id}`, {
    method: 'DELETE',
    headers: bearer,
  })
  assert.equal(gone.status, 204)
  for (const url of server.nodes) await refuses({ url, subjectToken: who.refreshToken }, 'not_connected')
})

test('T-XCH-04 a consent that was taken back at the provider is said as reconnect_required, once and from then on', async () => {
  const who = await signIn(server, { user: await newPerson() })
  calendar.addUser('leaver')
  await connectAs(who, 'leaver')
  calendar.revokeUser('leaver')
  const answer = await ask({ subjectToken: who.refreshToken, fields: { min_ttl: '86400' } })
  assert.equal(answer.status, 401)
  assert.equal(answer.json.tenon.code, 'reconnect_required')
  await refuses({ subjectToken: who.refreshToken }, 'reconnect_required')
})

test("T-XCH-05 a hint finds the caller's own accounts alone, and one that fits two is an error that names them", async () => {
  const [mine] = [await connectAs(V, 'ada')]
  const theirs = await connectAs(A, 'eve')
  for (const loginHint of [
    theirs.id,
    calendar.users.get('eve').sub,
    'Eve',
    eve.email,
    `oidc|${calendar.users.get('eve').sub}`,
    '%',
    '*',
    "' or 1=1 --",
  ])
    await refuses({ loginHint }, 'not_connected')
  const second = await connectAs(V, 'ada-2')
  const ambiguous = await refuses({ loginHint: 'Ada' }, 'account_ambiguous')
  assert.equal(ambiguous.status, 400)
  assert.equal(ambiguous.json.tenon.labels.length, 2)
  for (const { id } of [mine, second]) assert.equal((await ask({ loginHint: id })).status, 200)
})

test('T-XCH-06 scopes beyond the grant, and scopes that are none, give no token', async () => {
  const narrow = await signIn(server, { user: await newPerson() })
  await connectAs(narrow, 'ada', ['openid', 'calendar.read'])
  const subject = { subjectToken: narrow.refreshToken }
  assert.equal((await ask({ ...subject, scope: 'openid calendar.read' })).status, 200)
  for (const scope of [
    'calendar.write',
    'openid calendar.read calendar.write',
    'calendar.read,calendar.write',
    'CALENDAR.READ',
  ])
    await refuses({ ...subject, scope }, 'scope_missing')
  for (const scope of ['openid"', 'openid\ncalendar.read', 'openid\\', 'openid\u0000', 'ö'])
    await refuses({ ...subject, scope }, 'invalid_request')
  await refuses({ ...subject, fields: { scope: ['openid', 'calendar.read'] } }, 'invalid_request')
})

test('T-XCH-07 nobody acts by saying so: actors come from tokens that we signed', async () => {
  const forged = bareJwt({ sub: 'boss' })
  for (const actor_token of [V.idToken, V.accessToken, forged, 'boss'])
    await refuses({ fields: { actor_token, actor_token_type: TOKEN_TYPES.access } }, 'invalid_request')
  // Members that no grant has are not heard.
  const answer = await ask({ fields: { act: '{"sub":"boss"}', may_act: '{"sub":"boss"}', sub: A.sub, user_id: A.sub } })
  assert.equal(answer.status, 200)
  const last = (await eventsOf(server, 'vault.exchanged')).findLast(({ outcome }) => outcome === 'ok')
  assert.equal(last?.userId, V.sub)
  assert.equal(last?.actor, undefined)
})

test('T-XCH-08 a stolen subject token serves no other client, and the record names both', async () => {
  await refuses({ client: 'agent-b' }, 'subject_token_invalid')
  const last = (await eventsOf(server, 'vault.exchanged')).at(-1)
  assert.equal(last?.outcome, 'refused')
  assert.equal(last?.clientId, 'agent-b')
  const { accessToken } = await apiSignIn(API)
  assert.equal((await ask({ client: 'api', subjectToken: accessToken, type: 'access' })).status, 200)
  const used = (await eventsOf(server, 'vault.exchanged')).findLast(({ outcome }) => outcome === 'ok')
  assert.equal(used?.clientId, 'api')
  assert.equal(used?.userId, V.sub)
  assert.equal(used?.data?.issued_to, 'web')
})

test('T-XCH-09 an answer holds an access token and nothing else, and nobody may keep it', async () => {
  for (const fields of [{}, { grant_type: RFC_8693, audience: 'calendar', requested_token_type: undefined }]) {
    const { status, json, headers } = await ask({ fields })
    assert.equal(status, 200)
    const members = ['access_token', 'expires_in', 'issued_token_type', 'scope', 'token_type']
    assert.deepEqual(Object.keys(json).sort(), members)
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers.pragma, 'no-cache')
  }
})

test('T-XCH-09 what a provider says in an error stays with us', async () => {
  const who = await signIn(server, { user: await newPerson() })
  await connectAs(who, 'ada')
  for (const failure of [
    { status: 500, body: 'canary <b>500</b>' },
    { status: 400, body: { error: 'canary', error_description: 'canary' } },
    { status: 400, body: { error: 'invalid_grant', error_description: 'canary' } },
  ]) {
    calendar.fail('refresh', failure)
    const answer = await ask({ subjectToken: who.refreshToken, fields: { min_ttl: '86400' } })
    assert.ok(!answer.text.includes('canary'), answer.text)
    assert.ok(answer.status < 500)
  }
  calendar.reset()
  assert.ok(!server.logs().includes('canary</b>'))
})

test('T-XCH-09 a subject token in the URL is not read', async () => {
  const query = new URLSearchParams({ subject_token: V.refreshToken, connection: 'calendar', grant_type: VAULT_GRANT })
  const { web } = server.tenant.secrets
  const form = { client_id: 'web', client_secret: web, subject_token_type: TOKEN_TYPES.refresh }
  const answer = await request(`${server.url}/oauth/token?${query}`, { form })
  assert.equal(answer.status, 400)
  assert.equal((await request(`${server.url}/oauth/token?${query}`)).json?.access_token, undefined)
})

/** A code flow whose access token is bound to a key (RFC 9449). */
async function boundSignIn() {
  const key = newKey()
  const url = `${server.issuer}oauth/token`
  const flow = await authorize(new Browser(), server, { user: ada, audience: API, scope: 'openid' })
  const fields = {
    grant_type: 'authorization_code',
    code: flow.params.get('code') ?? '',
    redirect_uri: flow.redirectUri,
    code_verifier: flow.verifier,
  }
  const asked = await tokenRequest(server, 'web', fields, { headers: { dpop: dpopProof(key, { url }) } })
  const dpop = dpopProof(key, { url, nonce: asked.headers['dpop-nonce'] ?? '' })
  return expectStatus(await tokenRequest(server, 'web', fields, { headers: { dpop } }), 200).json
}
