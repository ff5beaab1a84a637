// What discovery promises, and what is there no more.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from '../support/http.ts'
import { startServer } from '../support/server.ts'

const server = await startServer({ providers: {} })

test('discovery names what answers, and nothing else', async () => {
  const { json } = await request(`${server.url}/.well-known/openid-configuration`)
  const same = await request(`${server.url}/.well-known/oauth-authorization-server`)
  assert.deepEqual(same.json, json)
  assert.equal(json.issuer, server.issuer)
  const endpoints = Object.entries<string>(json).filter(([name]) => /_endpoint$|^jwks_uri$/.test(name))
  assert.ok(endpoints.length >= 6)
  for (const [name, url] of endpoints) {
    assert.ok(url.startsWith(server.issuer), name)
    const [got, posted] = [await request(url), await request(url, { method: 'POST', form: {} })]
    assert.ok(got.status !== 404 || posted.status !== 404, `${name}: ${got.status} ${posted.status}`)
  }
  assert.deepEqual(json.response_types_supported, ['code', 'id_token'])
  assert.deepEqual(json.code_challenge_methods_supported, ['S256'])
  const algorithms = ['RS256', 'RS384', 'PS256', 'PS384', 'ES256', 'ES384']
  assert.deepEqual(json.token_endpoint_auth_signing_alg_values_supported, algorithms)
  assert.deepEqual([json.backchannel_logout_supported, json.backchannel_logout_session_supported], [true, true])
  assert.equal(json.registration_endpoint, undefined)
})

test('the older ways of linking are gone', async () => {
  const accept = { accept: 'text/html' }
  const linking = await request(`${server.url}/authorize?client_id=web&access_token=x`, { headers: accept })
  assert.equal(linking.status, 410)
  assert.match(linking.text, /data-page="error"/)
  assert.equal(
    (await request(`${server.url}/login/unlink`, { method: 'POST', form: { access_token: 'x' } })).status,
    404,
  )
})
