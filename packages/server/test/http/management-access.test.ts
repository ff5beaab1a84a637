// What operators see and end over the Management API: sessions, refresh tokens, consents, keys of clients and of our own,
// settings. Each end is tried at the door that it closes.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { databases } from '../attacks/databases.ts'
import { authorize, authorizeUrl, drive, expectStatus, mgmt, refresh, signIn, userPath } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { eventually, request } from '../support/http.ts'
import { newKey, signJwt, type TestKey } from '../support/keys.ts'
import { startServer } from '../support/server.ts'
import { passTime } from '../support/time.ts'

for (const database of databases)
  suite(`the Management API ends access (${database})`, async () => {
    const server = await startServer({ database })
    const { ada, eve } = server.tenant
    const api = await mgmt(server)

    const sessionOf = async (sub: string) => {
      const { json } = expectStatus(await api.get(`${userPath(sub)}/sessions`), 200)
      return json.sessions.at(-1)
    }

    test('a session is shown, noted on, and ended with or without its refresh tokens', async () => {
      const who = await signIn(server, { user: ada })
      const { id } = await sessionOf(who.sub)
      const shown = expectStatus(await api.get(`/sessions/${id}`), 200).json
      assert.equal(shown.user_id, who.sub)
      assert.deepEqual(
        shown.clients.map((one: { client_id: string }) => one.client_id),
        ['web'],
      )
      const note = { session_metadata: { desk: '4' } }
      expectStatus(await api.patch(`/sessions/${id}`, note), 200)
      // The engine writes the session when it is used again.
      await signIn(server, { browser: who.browser })
      assert.deepEqual(expectStatus(await api.get(`/sessions/${id}`), 200).json.session_metadata, note.session_metadata)
      expectStatus(await api.delete(`/sessions/${id}`), 202)
      expectStatus(await api.delete(`/sessions/${id}`), 202)
      assert.equal(expectStatus(await api.get(`/sessions/${id}`), 404).json.errorCode, 'inexistent_session')
      await who.browser.open(authorizeUrl(server).url)
      assert.equal((await drive(who.browser)).name, 'login')
      expectStatus(await refresh(server, 'web', who.refreshToken), 200)

      const again = await signIn(server, { user: ada, browser: who.browser })
      expectStatus(await api.post(`/sessions/${(await sessionOf(who.sub)).id}/revoke`), 202)
      assert.equal((await refresh(server, 'web', again.refreshToken)).json.error, 'invalid_grant')
      expectStatus(await refresh(server, 'web', who.refreshToken), 200)
    })

    test('a refresh token is named by what opens nothing, keeps its notes over a rotation, and ends', async () => {
      const who = await signIn(server, { user: eve, client: 'agent-b' })
      const list = async () => {
        const route = `/refresh-tokens?user_id=${encodeURIComponent(who.sub)}&client_id=agent-b`
        return expectStatus(await api.get(route), 200).json.refresh_tokens
      }
      const [first] = await list()
      assert.equal(first.rotating, true)
      assert.notEqual(first.id, who.refreshToken)
      const note = { refresh_token_metadata: { why: 'tests' } }
      expectStatus(await api.patch(`/refresh-tokens/${first.id}`, note), 200)
      const next = expectStatus(await refresh(server, 'agent-b', who.refreshToken), 200).json.refresh_token
      const [second] = await list()
      assert.notEqual(second.id, first.id)
      assert.deepEqual(second.refresh_token_metadata, note.refresh_token_metadata)
      expectStatus(await api.get(`/refresh-tokens/${first.id}`), 404)
      expectStatus(await api.delete(`/refresh-tokens/${second.id}`), 202)
      assert.equal((await refresh(server, 'agent-b', next)).json.error, 'invalid_grant')

      const more = [await signIn(server, { user: eve, client: 'agent-b' }), await signIn(server, { user: eve })]
      expectStatus(await api.post('/refresh-tokens/revoke', { ids: [first.id], user_id: who.sub }), 400)
      expectStatus(await api.post('/refresh-tokens/revoke', {}), 400)
      expectStatus(await api.post('/refresh-tokens/revoke', { user_id: who.sub, client_id: 'agent-b' }), 202)
      assert.equal((await refresh(server, 'agent-b', more[0]?.refreshToken ?? '')).status, 403)
      expectStatus(await refresh(server, 'web', more[1]?.refreshToken ?? ''), 200)
    })

    test('a consent is listed under its API and ends with everything issued under it', async () => {
      const who = await signIn(server, { user: ada, client: 'theirs' })
      const route = `/grants?user_id=${encodeURIComponent(who.sub)}&client_id=theirs&include_totals=true`
      const { grants } = expectStatus(await api.get(route), 200).json
      const [grant] = grants
      assert.equal(grants.length, 1)
      assert.equal(grant.clientID, 'theirs')
      assert.equal(grant.user_id, who.sub)
      assert.ok(grant.scope.includes('offline_access'))
      expectStatus(await api.delete(`/grants/${grant.id}`), 204)
      assert.equal((await refresh(server, 'theirs', who.refreshToken)).json.error, 'invalid_grant')
      const asked = await authorize(who.browser, server, { client: 'theirs', answers: { consent: false } })
      assert.equal(asked.page.name, 'consent')
      await signIn(server, { user: ada, client: 'theirs' })
      expectStatus(await api.delete(`/grants?user_id=${encodeURIComponent(who.sub)}`), 204)
      assert.deepEqual(expectStatus(await api.get(route), 200).json.grants, [])
    })

    test('a client proves itself by a key that was registered, until the key ends or is taken away', async () => {
      const key = newKey('RS256')
      const made = expectStatus(await api.post('/clients', { name: 'Signer', app_type: 'non_interactive' }), 201).json
      const client: string = made.client_id
      const credentials = `/clients/${client}/credentials`
      const given = { credential_type: 'public_key', pem: key.publicPem, name: 'first', alg: 'RS256' }
      const credential = expectStatus(await api.post(credentials, given), 201).json
      assert.match(credential.id, /^cred_/)
      assert.equal(credential.pem, undefined)
      assert.equal(expectStatus(await api.post(credentials, given), 409).json.errorCode, 'credential_conflict')
      const use = { client_authentication_methods: { private_key_jwt: { credentials: [{ id: credential.id }] } } }
      const changed = expectStatus(await api.patch(`/clients/${client}`, use), 200).json
      assert.equal(changed.token_endpoint_auth_method, null)
      assert.deepEqual(changed.client_authentication_methods, use.client_authentication_methods)
      assert.equal(changed.credentials, undefined)
      const audience = `${server.issuer}api/v2/`
      expectStatus(await api.post('/client-grants', { client_id: client, audience, scope: ['read:users'] }), 201)
      const ask = (signer: TestKey, header = {}) =>
        request(`${server.url}/oauth/token`, {
          form: {
            grant_type: 'client_credentials',
            client_id: client,
            audience,
            client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
            client_assertion: assertionOf(signer, { client, audience: server.issuer, header }),
          },
        })
      expectStatus(await ask(key), 200)
      expectStatus(await ask(key, { kid: credential.kid }), 200)
      expectStatus(await ask(newKey('RS256')), 401)
      assert.equal(
        expectStatus(await api.delete(`${credentials}/${credential.id}`), 409).json.errorCode,
        'credential_in_use',
      )

      const soon = new Date(Date.now() + 3_600_000).toISOString()
      expectStatus(await api.patch(`${credentials}/${credential.id}`, { expires_at: soon }), 200)
      expectStatus(await ask(key), 200)
      passTime(3601)
      expectStatus(await ask(key), 401)
      expectStatus(await api.patch(`${credentials}/${credential.id}`, { expires_at: null }), 200)
      expectStatus(await ask(key), 200)

      const other = newKey('ES256')
      const inline = { credentials: [{ credential_type: 'public_key', pem: other.publicPem }] }
      const both = { client_authentication_methods: { private_key_jwt: inline } }
      expectStatus(await api.patch(`/clients/${client}`, both), 200)
      expectStatus(await ask(other), 200)
      expectStatus(await ask(key), 401)
      assert.equal(expectStatus(await api.get(credentials), 200).json.length, 2)
      expectStatus(await api.delete(`${credentials}/${credential.id}`), 204)
      expectStatus(await api.get(`${credentials}/${credential.id}`), 404)
    })

    test('a key that is none, that is private, or that is nobody’s is refused and nothing is kept of it', async () => {
      const key = newKey('RS256')
      const secret = String(key.privateKey.export({ format: 'pem', type: 'pkcs8' }))
      const before = expectStatus(await api.get('/clients/web'), 200).text
      for (const pem of ['no key', secret, `${key.publicPem}${secret}`]) {
        const answer = await api.post('/clients/web/credentials', { credential_type: 'public_key', pem })
        assert.equal(expectStatus(answer, 400).json.errorCode, 'invalid_credential')
        const methods = { private_key_jwt: { credentials: [{ credential_type: 'public_key', pem }] } }
        expectStatus(await api.patch('/clients/web', { client_authentication_methods: methods }), 400)
      }
      const named = { private_key_jwt: { credentials: [{ id: 'cred_none' }] } }
      expectStatus(await api.patch('/clients/web', { client_authentication_methods: named }), 400)
      const alg = { credential_type: 'public_key', pem: key.publicPem, alg: 'ES256' }
      expectStatus(await api.post('/clients/web/credentials', alg), 400)
      assert.equal(expectStatus(await api.get('/clients/web'), 200).text, before)
      assert.deepEqual(expectStatus(await api.get('/clients/web/credentials'), 200).json, [])
    })

    test('keys are rotated; a previous one is revoked, and what it signed ends', async () => {
      const keys = async () => expectStatus(await api.get('/keys/signing'), 200).json
      const before = (await keys()).find((one: { current: boolean }) => one.current)
      assert.match(before.cert, /^-----BEGIN CERTIFICATE-----/)
      const { kid } = expectStatus(await api.post('/keys/signing/rotate'), 201).json
      assert.notEqual(kid, before.kid)
      assert.equal(expectStatus(await api.get(`/keys/signing/${before.kid}`), 200).json.previous, true)
      expectStatus(await api.put(`/keys/signing/${kid}/revoke`), 400)
      expectStatus(await api.put('/keys/signing/nobody/revoke'), 404)
      // Signed by the key before: it opens the door until that key is revoked.
      expectStatus(await api.get('/clients?per_page=1'), 200)
      const fresh = await eventually('the new key signs', async () => {
        const one = await mgmt(server)
        const header = JSON.parse(Buffer.from(one.token.split('.')[0] ?? '', 'base64url').toString())
        return header.kid === kid ? one : undefined
      })
      expectStatus(await fresh.put(`/keys/signing/${before.kid}/revoke`), 200)
      await eventually('the revoked key is forgotten', async () =>
        (await api.get('/clients?per_page=1')).status === 401 ? true : undefined,
      )
      const { json } = await request(`${server.url}/.well-known/jwks.json`)
      assert.ok(!json.keys.some((one: { kid: string }) => one.kid === before.kid))
      expectStatus(await fresh.get('/clients?per_page=1'), 200)
    })
  })

function assertionOf(
  key: TestKey,
  { client, audience, header }: { client: string; audience: string; header: Record<string, string> },
): string {
  const now = Math.floor(Date.now() / 1000)
  return signJwt(key, { iss: client, sub: client, aud: audience, iat: now, exp: now + 60, jti: randomUUID() }, header)
}

suite('settings, the log, users of a connection', async () => {
  const server = await startServer()
  const { ada } = server.tenant
  const api = await mgmt(server)

  test('settings are read with their defaults, changed one by one, and hold at once; secrets are not shown', async () => {
    const settings = async () => expectStatus(await api.get('/tenants/settings'), 200).json
    assert.equal((await settings()).session_lifetime, 168)
    const webhooks = [{ url: 'https://hooks.example.test/', secret: 'a secret for the webhook', events: ['user.*'] }]
    expectStatus(await api.patch('/tenants/settings', { friendly_name: 'Renamed', webhooks }), 200)
    assert.equal((await settings()).friendly_name, 'Renamed')
    assert.equal((await settings()).rate_limits.enabled, false)
    assert.deepEqual((await settings()).webhooks, [{ url: 'https://hooks.example.test/', events: ['user.*'] }])
    for (const url of ['https://10.0.0.1/', 'https://169.254.169.254/', 'http://192.168.1.1/'])
      expectStatus(await api.patch('/tenants/settings', { webhooks: [{ ...webhooks[0], url }] }), 400)
    assert.equal((await settings()).webhooks.length, 1)
    for (const bad of [{ no_such: 1 }, { session_lifetime: -1 }, { linking: { policy: 'always' } }])
      expectStatus(await api.patch('/tenants/settings', bad), 400)
    await eventually('the new name shows', async () => {
      const browser = new Browser()
      await browser.open(authorizeUrl(server).url)
      return browser.page.text.includes('Renamed') ? true : undefined
    })
    expectStatus(await api.patch('/tenants/settings', { webhooks: null }), 200)
    assert.deepEqual((await settings()).webhooks, [])
  })

  test('the log is searched by type, person, client, connection and date', async () => {
    const who = await signIn(server, { user: ada })
    const find = async (q: string) =>
      expectStatus(await api.get(`/logs?q=${encodeURIComponent(q)}&per_page=100`), 200).json
    const types = (entries: { type: string }[]) => new Set(entries.map(({ type }) => type))
    const ofAda = await find(`user_id:"${who.sub}"`)
    assert.ok(ofAda.length > 0)
    assert.ok(ofAda.every((one: { user_id: string }) => one.user_id === who.sub))
    assert.deepEqual(types(await find('type:s')), new Set(['s']))
    assert.ok(!types(await find('NOT type:s')).has('s'))
    assert.deepEqual(types(await find('type:sapi')), new Set(['sapi']))
    assert.ok((await find('description:user.signed_in AND connection:"Username-Password-Authentication"')).length > 0)
    assert.deepEqual(await find('connection:nowhere'), [])
    assert.deepEqual(await find('date:[* TO 2000]'), [])
    assert.ok((await find('date:[2000 TO *]')).length > 0)
    const [entry] = ofAda
    assert.deepEqual(await find(`log_id:${entry.log_id}`), [entry])
    for (const bad of ['secret:x', 'type:[a TO b]', 'date:soon', 'type:'])
      assert.equal(
        expectStatus(await api.get(`/logs?q=${encodeURIComponent(bad)}`), 400).json.errorCode,
        'invalid_query_string',
      )
  })

  test('the user who signs in with an address is deleted by it; where there are none, nothing is', async () => {
    const { json } = expectStatus(await api.get('/connections?name=Username-Password-Authentication'), 200)
    const [{ id }] = json
    const email = 'gone@example.test'
    const made = { connection: 'Username-Password-Authentication', email, password: 'a long enough password 1' }
    const user = expectStatus(await api.post('/users', made), 201).json
    expectStatus(await api.delete(`/connections/${id}/users?email=${email}`), 204)
    expectStatus(await api.get(userPath(user.user_id)), 404)
    expectStatus(await api.delete(`/connections/${id}/users?email=${email}`), 204)
    expectStatus(await api.delete(`/connections/${id}/users?email=nobody`), 400)
    const calendar = expectStatus(await api.get('/connections?name=calendar'), 200).json[0]
    expectStatus(await api.delete(`/connections/${calendar.id}/users?email=${email}`), 400)
    assert.equal(expectStatus(await api.get(`/connections/${id}/status`), 200).json.status, 'online')
  })

  test('a ticket lets its holder choose a password once, and proves no mailbox unless it is said to', async () => {
    const [email, first, second] = ['ticket@example.test', 'a long enough password 2', 'a long enough password 3']
    const made = { connection: 'Username-Password-Authentication', email, password: first }
    const { user_id: userId } = expectStatus(await api.post('/users', made), 201).json
    const use = async (ticket: string, password: string) => {
      const browser = new Browser()
      await browser.open(ticket)
      await browser.submit('reset', { fields: { password } })
      return browser.page
    }
    const before = await signIn(server, { user: { email, password: first } })
    const { ticket } = expectStatus(await api.post('/tickets/password-change', { user_id: userId }), 201).json
    assert.equal((await use(ticket, second)).status, 200)
    assert.equal((await refresh(server, 'web', before.refreshToken)).json.error, 'invalid_grant')
    assert.equal((await signIn(server, { user: { email, password: second } })).sub, userId)
    assert.equal(expectStatus(await api.get(userPath(userId)), 200).json.email_verified, false)
    const used = new Browser()
    await used.open(ticket)
    assert.equal(used.page.error, 'ticket_invalid')
    const told = { email, mark_email_as_verified: true, ttl_sec: 60 }
    const sent = expectStatus(await api.post('/tickets/password-change', told), 201).json
    assert.equal((await use(sent.ticket, first)).status, 200)
    assert.equal(expectStatus(await api.get(userPath(userId)), 200).json.email_verified, true)
    const late = expectStatus(await api.post('/tickets/password-change', told), 201).json
    passTime(61)
    const browser = new Browser()
    await browser.open(late.ticket)
    assert.equal(browser.page.error, 'ticket_invalid')
    expectStatus(await api.post('/tickets/password-change', { user_id: 'auth0|nobody' }), 404)
    expectStatus(await api.post('/tickets/password-change', { email: 'nobody@example.test' }), 404)
    expectStatus(await api.post('/tickets/password-change', {}), 400)
  })

  test('organizations are none', async () => {
    const who = await signIn(server, { user: ada })
    assert.deepEqual(expectStatus(await api.get('/organizations'), 200).json, [])
    const wrapped = expectStatus(await api.get('/organizations?include_totals=true'), 200).json
    assert.deepEqual(wrapped.organizations, [])
    assert.deepEqual(expectStatus(await api.get(`${userPath(who.sub)}/organizations`), 200).json, [])
    expectStatus(await api.get('/organizations/org_none'), 404)
  })
})
