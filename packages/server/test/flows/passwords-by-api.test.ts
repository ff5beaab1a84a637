// Passwords without our pages: signing up, asking for a new one, and the two password grants.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { databases } from '../attacks/databases.ts'
import { claimsOf, expectStatus, mgmt, refresh, tokenRequest, userPath } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { type Answer, eventually, request } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { assertUniform, eventsOf } from '../support/state.ts'
import { API, PASSWORDS, type TenantDraft } from '../support/tenant.ts'

const REALM = 'http://auth0.com/oauth/grant-type/password-realm'
const withGrants = (file: TenantDraft) => {
  for (const client of file.clients.filter(({ client_id: id }) => ['web', 'theirs', 'spa'].includes(String(id))))
    client.grant_types = ['authorization_code', 'refresh_token', 'password', REALM]
}
const servers = await Promise.all(
  databases.map((database) => startServer({ database, providers: {}, tenant: withGrants })),
)
const strict = await startServer({ providers: {}, tenant: withGrants, settings: { rate_limits: { enabled: true } } })

type Server = TestServer<Record<never, never>>
const newPassword = () => randomBytes(12).toString('base64url')
const post = (server: Server, path: string, json: unknown, headers = {}): Promise<Answer> =>
  request(`${server.url}/dbconnections/${path}`, { method: 'POST', json, headers })
const signUp = (server: Server, email: string, password: string, more: object = {}) =>
  post(server, 'signup', { client_id: 'web', connection: PASSWORDS, email, password, ...more })
const linkTo = (server: Server, address: string, nth = 0) =>
  eventually(`a link for ${address}`, () => {
    const mails = server.mails().filter(({ to }) => to === address)
    return mails.flatMap(({ links }) => links.filter((link) => link.includes('ticket=')))[nth]
  })
const grant = (server: Server, username: string, password: string, more: Record<string, string | undefined> = {}) =>
  tokenRequest(server, more.client ?? 'web', {
    grant_type: 'password',
    username,
    password,
    scope: 'openid profile email offline_access',
    ...more,
  })

for (const [index, server] of servers.entries()) {
  const database = databases[index]

  test(`a sign-up over the API makes nothing before the mailbox is proven, and then what was asked (${database})`, async () => {
    const [email, password] = [`new-${database}@example.test`, newPassword()]
    const { json } = expectStatus(
      await signUp(server, email, password, { given_name: 'Nora', user_metadata: { plan: 'gold' } }),
      200,
    )
    assert.match(json._id, /^[0-9a-f]{24}$/)
    assert.deepEqual([json.email, json.email_verified, json.given_name], [email, false, 'Nora'])
    expectStatus(await grant(server, email, password), 403)
    const api = await mgmt(server)
    assert.deepEqual((await api.get(`/users-by-email?email=${encodeURIComponent(email)}`)).json, [])
    const browser = new Browser()
    const link = await linkTo(server, email)
    await browser.open(link)
    const chosen = newPassword()
    await browser.submit('reset', { fields: { password: chosen } })
    expectStatus(await grant(server, email, password), 403)
    const { json: tokens } = expectStatus(await grant(server, email, chosen), 200)
    const claims = claimsOf(tokens.id_token)
    assert.deepEqual([claims.sub, claims.email_verified, claims.given_name], [`auth0|${json._id}`, true, 'Nora'])
    const user = expectStatus(await api.get(userPath(String(claims.sub))), 200).json
    assert.deepEqual(user.user_metadata, { plan: 'gold' })
    assert.equal((await browser.open(link)).status, 400)
  })

  test(`neither answer tells whether an address is known; the mail does (${database})`, async () => {
    const { email } = server.tenant.ada
    const unknown = `nobody-${database}@example.test`
    const [known, fresh] = [await signUp(server, email, newPassword()), await signUp(server, unknown, newPassword())]
    assert.deepEqual(Object.keys(known.json), Object.keys(fresh.json))
    assert.deepEqual([known.status, fresh.status], [200, 200])
    await eventually('the mail to who is known', () => server.mails().find(({ to }) => to === email))
    const ask = (address: string) =>
      post(server, 'change_password', { client_id: 'web', connection: PASSWORDS, email: address })
    const [one, other] = [await ask(email), await ask(`none-${database}@example.test`)]
    assertUniform(one, other)
    assert.deepEqual([one.status, one.headers['content-type']?.startsWith('text/plain')], [200, true])
    // The newest link counts: it chooses a new password.
    const browser = new Browser()
    await browser.open(await linkTo(server, email, 1))
    const chosen = newPassword()
    await browser.submit('reset', { fields: { password: chosen } })
    expectStatus(await grant(server, email, chosen), 200)
  })

  test(`the password grants give what a sign-in gives, to clients that have them (${database})`, async () => {
    const { email, password } = server.tenant.eve
    const { json } = expectStatus(
      await grant(server, email, password, { audience: API, scope: 'openid offline_access read:things' }),
      200,
    )
    const access = claimsOf(json.access_token)
    assert.deepEqual([access.aud, access.gty, access.azp], [[API, `${server.issuer}userinfo`], 'password', 'web'])
    assert.equal(json.scope, 'openid offline_access read:things')
    assert.equal(claimsOf(json.id_token).sub, access.sub)
    const renewed = expectStatus(await refresh(server, 'web', json.refresh_token), 200)
    assert.equal(claimsOf(renewed.json.access_token).gty, 'refresh_token')
    const realm = await grant(server, email, password, { grant_type: REALM, realm: PASSWORDS })
    expectStatus(realm, 200)
    expectStatus(await request(`${server.url}/userinfo`, bearer(realm.json.access_token)), 200)
    const elsewhere = await grant(server, email, password, { grant_type: REALM, realm: 'nowhere' })
    assert.deepEqual([elsewhere.status, elsewhere.json.error], [400, 'invalid_request'])
    const [wrong, nobody] = [await grant(server, email, 'wrong'), await grant(server, 'nobody@example.test', 'wrong')]
    assertUniform(wrong, nobody)
    assert.deepEqual([wrong.status, wrong.json.error], [403, 'invalid_grant'])
    assert.equal(wrong.json.error_description, 'Wrong email or password.')
    for (const client of ['agent-a', 'theirs']) {
      const refused = await grant(server, email, password, { client })
      assert.deepEqual([refused.status, refused.json.error], [403, 'unauthorized_client'], client)
    }
    expectStatus(await grant(server, email, password, { client: 'spa' }), 200)
    expectStatus(await grant(server, email, password, { audience: 'https://nowhere.test/' }), 403)
    expectStatus(await grant(server, email, ''), 400)
    await (await mgmt(server)).patch(userPath(String(access.sub)), { blocked: true })
    const blocked = await grant(server, email, password)
    assert.deepEqual([blocked.status, blocked.json.error], [403, 'invalid_grant'])
    assert.equal((await eventsOf(server, 'password.refused')).length > 0, true)
  })
}

test('what is no sign-up is refused with a code that SDKs read', async () => {
  const [server] = servers
  assert.ok(server)
  const refusals: readonly (readonly [object, string])[] = [
    [{ client_id: 'nobody' }, 'invalid_signup'],
    [{ connection: 'nowhere' }, 'invalid_signup'],
    [{ client_id: 'm2m' }, 'invalid_signup'],
    [{ email: 'no address' }, 'invalid_request'],
    [{ email: ['a@example.test'] }, 'invalid_request'],
    [{ password: 'short' }, 'invalid_password'],
    [{ user_metadata: { long: 'x'.repeat(6000) } }, 'invalid_request'],
  ]
  for (const [more, code] of refusals) {
    const answer = await signUp(server, 'someone@example.test', newPassword(), more)
    assert.deepEqual([answer.status, answer.json.code, typeof answer.json.description], [400, code, 'string'])
  }
  expectStatus(await post(server, 'change_password', { client_id: 'web', connection: PASSWORDS }), 400)
  expectStatus(await request(`${server.url}/dbconnections/signup`, { method: 'POST', body: '{' }), 400)
  const origin = 'http://127.0.0.1:9'
  const page = { client_id: 'web', connection: PASSWORDS, email: 'cors@example.test' }
  const readable = await post(server, 'change_password', page, { origin })
  assert.equal(readable.headers['access-control-allow-origin'], origin)
  const other = await post(server, 'change_password', page, { origin: 'https://evil.test' })
  assert.equal(other.headers['access-control-allow-origin'], undefined)
  assert.deepEqual(
    server.mails().filter(({ to }) => to === 'cors@example.test'),
    [],
  )
})

test('guessing at the password grant is stopped as at the sign-in page', async () => {
  const { email, password } = strict.tenant.ada
  for (let at = 0; at < 10; at++) expectStatus(await grant(strict, email, `wrong ${at}`), 403)
  const limited = await grant(strict, email, password)
  assert.deepEqual([limited.status, limited.json.error], [429, 'too_many_requests'])
  assert.ok(Number(limited.headers['retry-after']) > 0)
  for (let at = 0; at < 5; at++) expectStatus(await signUp(strict, 'flood@example.test', newPassword()), 200)
  expectStatus(await signUp(strict, 'flood@example.test', newPassword()), 429)
})

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
