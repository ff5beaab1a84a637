// Clients that register themselves (attack catalogue, T-AS-18).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOidcProvider } from '@tenon/sdk/testing'
import {
  authorize,
  authorizeUrl,
  claimsOf,
  drive,
  expectStatus,
  mgmt,
  tokenRequest,
  userPath,
} from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { type Answer, request } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { changesNothing, eventsOf } from '../support/state.ts'
import { CALLBACK, PASSWORDS, VAULT_GRANT } from '../support/tenant.ts'

const closed = await startServer({ providers: {} })
const server = await startServer({
  providers: { calendar: await startOidcProvider({ name: 'calendar' }) },
  settings: { flags: { enable_dynamic_client_registration: true } },
  tenant: (file) => {
    for (const connection of file.connections.filter(({ name }) => name === PASSWORDS))
      connection.is_domain_connection = true
  },
})
const register = (json: unknown, at: { readonly url: string } = server): Promise<Answer> =>
  request(`${at.url}/oidc/register`, { method: 'POST', json })

test('T-AS-18 nobody registers a client unless the operator lets everybody', async () => {
  await changesNothing(closed, async () => expectStatus(await register({ redirect_uris: [CALLBACK] }, closed), 404))
  const found = async (at: typeof closed) => (await request(`${at.url}/.well-known/openid-configuration`)).json
  assert.equal((await found(closed)).registration_endpoint, undefined)
  assert.equal((await found(server)).registration_endpoint, `${server.issuer}oidc/register`)
})

test('T-AS-18 what would have us call, trust or redirect to somewhere is no metadata, and neither is a grant of the vault', async () => {
  const right = { client_name: 'Papers', redirect_uris: [CALLBACK] }
  expectStatus(await register(right), 201)
  const wrong: readonly unknown[] = [
    { ...right, jwks_uri: 'http://169.254.169.254/latest/meta-data/' },
    { ...right, jwks: { keys: [] } },
    { ...right, sector_identifier_uri: 'https://evil.test/uris.json' },
    { ...right, request_uris: ['https://evil.test/request'] },
    { ...right, software_statement: 'eyJ.eyJ.x' },
    { ...right, logo_uri: 'javascript:alert(1)' },
    { ...right, logo_uri: 'http://127.0.0.1/logo' },
    { ...right, client_uri: 'data:text/html,x' },
    { ...right, redirect_uris: ['javascript:alert(1)'] },
    { ...right, redirect_uris: ['http://evil.test/cb'] },
    { ...right, redirect_uris: ['https://evil.test/cb#x'] },
    { ...right, redirect_uris: ['https://*.evil.test/cb'] },
    { ...right, redirect_uris: [] },
    { ...right, redirect_uris: CALLBACK },
    { ...right, grant_types: ['client_credentials'] },
    { ...right, grant_types: ['password'] },
    { ...right, grant_types: [VAULT_GRANT] },
    { ...right, response_types: ['id_token'] },
    { ...right, token_endpoint_auth_method: 'private_key_jwt' },
    { ...right, client_name: '<b>Notes</b>' },
    { ...right, client_name: ' ACME\u200b WEB ' },
    { ...right, padding: 'x'.repeat(20_000) },
    { client_name: 'Nowhere' },
    [],
    'text',
  ]
  await changesNothing(server, async () => {
    for (const json of wrong) {
      const answer = await register(json)
      assert.equal(answer.status, 400, JSON.stringify(json).slice(0, 120))
      assert.match(answer.json.error, /^invalid_(redirect_uri|client_metadata)$/)
    }
    expectStatus(await request(`${server.url}/oidc/register`, { method: 'POST', body: '{"a":1,"a":2}' }), 400)
  })
})

test('T-AS-18 a registered client is a stranger: people are asked, and the vault is closed to it', async () => {
  const { json } = expectStatus(
    await register({
      client_name: 'Notes',
      redirect_uris: [CALLBACK],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_post',
      is_first_party: true,
      client_id: 'web',
      resource_server_identifier: 'https://api.acme.test/',
    }),
    201,
  )
  assert.equal(json.client_secret_expires_at, 0)
  assert.notEqual(json.client_id, 'web')
  const kept = expectStatus(await (await mgmt(server)).get(`/clients/${json.client_id}`), 200).json
  assert.deepEqual([kept.is_first_party, kept.app_type, kept.client_secret], [false, 'regular_web', undefined])
  const browser = new Browser()
  const request = authorizeUrl(server, { client: json.client_id })
  await browser.open(request.url)
  const asked = await drive(browser, { user: server.tenant.ada, answers: { consent: false } })
  assert.equal(asked.name, 'consent')
  await browser.submit('consent', { action: 'allow' })
  const fields = {
    client_secret: json.client_secret,
    grant_type: 'authorization_code',
    code: browser.page.params.get('code') ?? '',
    redirect_uri: request.redirectUri,
    code_verifier: request.verifier,
  }
  const tokens = expectStatus(await tokenRequest(server, json.client_id, fields), 200).json
  const exchanged = await tokenRequest(server, json.client_id, {
    client_secret: json.client_secret,
    grant_type: VAULT_GRANT,
    subject_token: tokens.refresh_token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token',
    requested_token_type: 'http://auth0.com/oauth/token-type/federated-connection-access-token',
    connection: 'calendar',
  })
  assert.deepEqual([exchanged.status, exchanged.json.error], [403, 'unauthorized_client'])
  const linking = await authorize(browser, server, {
    client: json.client_id,
    scope: 'openid link_account',
    extra: { requested_connection: 'calendar', id_token_hint: tokens.id_token, prompt: undefined },
  })
  // To a client that may not ask the scope means nothing.
  assert.ok(linking.params.has('code'), linking.page.url)
  const api = await mgmt(server)
  const user = expectStatus(await api.get(userPath(String(claimsOf(tokens.id_token).sub))), 200).json
  assert.equal(user.identities.length, 1)
  assert.equal((await eventsOf(server, 'client.registered')).at(-1)?.clientId, json.client_id)
})
