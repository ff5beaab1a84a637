// What clients are told when a session of theirs ends, and that they are told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose'
import { databases } from '../attacks/databases.ts'
import { expectStatus, mgmt, type Reachable, signIn, userPath } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { eventually, request } from '../support/http.ts'
import { type Posted, startLogoutReceiver } from '../support/logout-receiver.ts'
import { query } from '../support/rows.ts'
import { startServer } from '../support/server.ts'
import { eventsOf } from '../support/state.ts'
import { LOGGED_OUT } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const receivers = await Promise.all(databases.map(() => startLogoutReceiver()))
const servers = await Promise.all(
  databases.map((database, index) =>
    startServer({
      database,
      tenant: (file) => {
        for (const client of file.clients.filter(({ client_id: id }) => id === 'web' || id === 'agent-a'))
          client.oidc_logout = { backchannel_logout_urls: [receivers[index]?.url] }
      },
    }),
  ),
)

for (const [index, server] of servers.entries()) {
  const receiver = receivers[index] ?? (await startLogoutReceiver())

  test(`every end of a session is told to each of its clients, once, by a token that proves it (${databases[index]})`, async () => {
    const [out, revoked, blocked] = [
      await signIn(server, { user: server.tenant.ada }),
      await signIn(server, { user: server.tenant.eve }),
      await signIn(server, { user: await someone(server, 'blocked') }),
    ]
    const deleted = await signIn(server, { user: await someone(server, 'deleted') })
    // The same session, another client of it; the session gets a new id on the way, and has not ended.
    const agent = await signIn(server, { user: server.tenant.ada, client: 'agent-a', browser: out.browser })
    assert.notEqual(agent.claims.sid, out.claims.sid)
    await out.browser.open(`${server.url}/v2/logout?client_id=web&returnTo=${encodeURIComponent(LOGGED_OUT)}`)
    if (out.browser.page.name === 'logout') await out.browser.submit('logout', { action: 'confirm' })
    const api = await mgmt(server)
    expectStatus(await api.delete(`${userPath(revoked.sub)}/sessions`), 202)
    expectStatus(await api.patch(userPath(blocked.sub), { blocked: true }), 200)
    expectStatus(await api.delete(userPath(deleted.sub)), 204)
    // The first answer is a stumble, and the notice comes again.
    receiver.answers.push(503)
    const wanted = [out, agent, revoked, blocked, deleted]
    await eventually('the stumble', () => receiver.answers.length === 0 || undefined)
    passTime(15)
    await eventually('all notices', () => receiver.posted.length >= wanted.length || undefined)
    const told = await Promise.all(receiver.posted.map((one) => verified(server, one)))
    assert.deepEqual(told.map(({ sid }) => sid).toSorted(), wanted.map(({ claims }) => claims.sid).toSorted())
    for (const who of wanted) {
      const token = told.find(({ sid }) => sid === who.claims.sid)
      assert.deepEqual([token?.sub, token?.aud], [who.sub, who.client])
    }
    assert.equal(new Set(told.map(({ jti }) => jti)).size, wanted.length)
    const events = await eventually('the events', async () => {
      const found = await eventsOf(server, 'backchannel_logout.sent')
      return found.length >= wanted.length ? found : undefined
    })
    assert.equal(events.length, wanted.length)
    assert.ok(events.every(({ outcome }) => outcome === 'ok'))
    const logs = expectStatus(await api.get('/logs?per_page=100'), 200)
    assert.equal(
      logs.json.filter(({ type }: { type: string }) => type === 'oidc_backchannel_logout_succeeded').length,
      wanted.length,
    )
  })

  test(`a client that says no is not asked again, and it stands in the log (${databases[index]})`, async () => {
    const who = await signIn(server, { user: server.tenant.ada, browser: new Browser() })
    receiver.answers.push(400)
    const before = receiver.posted.length
    expectStatus(await (await mgmt(server)).delete(`${userPath(who.sub)}/sessions`), 202)
    const failed = await eventually('the refusal', async () =>
      (await eventsOf(server, 'backchannel_logout.sent')).find(({ outcome }) => outcome === 'refused'),
    )
    assert.deepEqual([failed.clientId, failed.data?.reason], ['web', 'status_400'])
    assert.equal(receiver.posted.length, before)
    const waiting = await query(server.databaseUrl, 'select id from logout_notices', [])
    assert.deepEqual(waiting, [])
  })
}

test('a private address is not called unless the operator allows it', async () => {
  const receiver = await startLogoutReceiver()
  const server = await startServer({
    providers: {},
    allowedNetworks: [],
    tenant: (file) => {
      for (const client of file.clients.filter(({ client_id: id }) => id === 'web'))
        client.oidc_logout = { backchannel_logout_urls: [receiver.url] }
    },
  })
  const who = await signIn(server, { user: server.tenant.ada })
  expectStatus(await (await mgmt(server)).delete(`${userPath(who.sub)}/sessions`), 202)
  const failed = await eventually('the refusal', async () => (await eventsOf(server, 'backchannel_logout.sent'))[0])
  assert.deepEqual([failed.outcome, failed.data?.reason], ['refused', 'address_blocked'])
  assert.deepEqual(receiver.posted, [])
})

async function someone(server: Reachable, name: string) {
  const person = { email: `${name}@example.test`, password: `a long password of ${name}` }
  const user = { connection: 'Username-Password-Authentication', email_verified: true, ...person }
  expectStatus(await (await mgmt(server)).post('/users', user), 201)
  return person
}

/** What an SDK checks of a logout token (OpenID Connect Back-Channel Logout 1.0 §2.6). */
async function verified(server: Reachable, { type, token }: Posted): Promise<JWTPayload> {
  assert.equal(type, 'application/x-www-form-urlencoded')
  const jwks = createLocalJWKSet((await request(`${server.url}/.well-known/jwks.json`)).json)
  const { payload, protectedHeader } = await jwtVerify(token, jwks, { issuer: server.issuer, typ: 'logout+jwt' })
  assert.equal(protectedHeader.alg, 'RS256')
  assert.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} })
  assert.equal(payload.nonce, undefined)
  return payload
}
