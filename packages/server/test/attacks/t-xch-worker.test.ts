// The exchange of a privileged worker: what it may not (attack catalogue, T-XCH).
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { startOidcProvider } from '@tenon/sdk/testing'
import { connect, expectStatus, meToken, signIn } from '../support/actors.ts'
import { request } from '../support/http.ts'
import { newKey, signJwt } from '../support/keys.ts'
import { startServer } from '../support/server.ts'
import { eventsOf, tokenCalls } from '../support/state.ts'
import { VAULT_GRANT } from '../support/tenant.ts'

const calendar = await startOidcProvider({ name: 'calendar', refresh: 'always', users: { ada: { login: 'Ada' } } })
const workerKey = newKey('ES256')
const server = await startServer({
  providers: { calendar },
  trustProxy: ['127.0.0.1'],
  tenant: (file) => {
    const credentials = [{ name: 'worker', credential_type: 'public_key', pem: workerKey.publicPem, alg: 'ES256' }]
    file.clients.push({
      client_id: 'worker',
      name: 'Worker',
      grant_types: [VAULT_GRANT],
      client_authentication_methods: { private_key_jwt: { credentials } },
      token_vault_privileged_access: {
        credentials,
        ip_allowlist: ['203.0.113.0/24'],
        grants: [{ connection: 'calendar', scopes: ['calendar.read'] }],
      },
    })
    for (const connection of file.connections)
      connection.enabled_clients = [connection.enabled_clients, 'worker'].flat()
  },
})
const V = await signIn(server, { user: server.tenant.ada })
calendar.switchUser('ada')
await connect(V.browser, server, {
  token: await meToken(server, V),
  connection: 'calendar',
  scopes: ['openid', 'calendar.read', 'offline_access'],
})

/** The worker names a user, from an address that its proxy tells. */
function askAsWorker(how: { claims?: object; header?: object; from?: string | undefined; scope?: string } = {}) {
  const now = Math.floor(Date.now() / 1000)
  const said = { iss: 'worker', aud: server.issuer, iat: now, exp: now + 60 }
  const assertion = signJwt(workerKey, { ...said, sub: 'worker', jti: randomUUID() })
  const word = { ...said, sub: V.sub, jti: randomUUID(), audit_context: 'nightly', ...how.claims }
  const form = {
    grant_type: VAULT_GRANT,
    client_assertion: assertion,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    subject_token: signJwt(workerKey, word, { typ: 'token-vault-req+jwt', ...how.header }),
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    requested_token_type: 'http://auth0.com/oauth/token-type/token-vault-access-token',
    connection: 'calendar',
    scope: how.scope,
  }
  const from = 'from' in how ? how.from : '203.0.113.9'
  return request(`${server.url}/oauth/token`, { form, headers: from === undefined ? {} : { 'x-forwarded-for': from } })
}

test('a worker is given the token of a user who is not there', async () => {
  const { json } = expectStatus(await askAsWorker({ scope: 'calendar.read' }), 200)
  assert.equal(json.token_type, 'Bearer')
  assert.equal(json.issued_token_type, 'http://auth0.com/oauth/token-type/token-vault-access-token')
  assert.ok(json.access_token)
})

test('T-XCH-02 a worker names users only by its own fresh word, from its own place, within what it was granted', async () => {
  const before = tokenCalls(server)
  const refusals: readonly (readonly [Parameters<typeof askAsWorker>[0], string])[] = [
    [{ claims: { iss: 'web' } }, 'invalid_grant'],
    [{ claims: { sub: 'auth0|nobody' } }, 'invalid_grant'],
    [{ claims: { aud: 'https://elsewhere.test/' } }, 'invalid_grant'],
    [{ claims: { iat: Math.floor(Date.now() / 1000) - 3600 } }, 'invalid_grant'],
    [{ header: { typ: 'JWT' } }, 'invalid_grant'],
    [{ from: '198.51.100.7' }, 'access_denied'],
    // The proxy's own address, when it tells nobody else's.
    [{ from: undefined }, 'access_denied'],
    // Only what the trusted proxy added counts.
    [{ from: '203.0.113.9, 198.51.100.7' }, 'access_denied'],
    [{ scope: 'mail.send' }, 'access_denied'],
  ]
  for (const [how, error] of refusals) {
    const answer = await askAsWorker(how)
    assert.deepEqual([answer.status, answer.json.error], [403, error], answer.text)
    assert.equal(answer.headers['www-authenticate'], undefined)
  }
  assert.deepEqual(tokenCalls(server), before)
  const event = (await eventsOf(server, 'vault.exchanged')).findLast(({ clientId }) => clientId === 'worker')
  assert.deepEqual(
    [event?.outcome, event?.data?.reason, event?.data?.purpose],
    ['refused', 'scope_not_granted', 'nightly'],
  )
})
