// Quirks of providers that no vendor of the kit has: each as one lie of a plain provider, under the strategy that expects it.
import assert from 'node:assert/strict'
import test, { after } from 'node:test'
import { type Json, type Provider, startOAuth2Provider, startOidcProvider } from '@tenon/sdk/testing'
import type { JsonObject } from '../../src/lib/json.ts'
import { UpstreamRefused } from '../../src/upstream/errors.ts'
import { connectorOf, signIn } from './app.ts'

/** A plain provider in the place of a vendor. */
async function inPlaceOf(strategy: string, userinfo?: Json) {
  const provider = await startOAuth2Provider({ users: { Ada: { name: 'Ada' } } })
  after(() => provider.stop())
  const { authorize: authorization, token, userinfo: me, revoke: revocation } = provider.endpoints
  const { clientId: client_id, clientSecret: client_secret } = provider
  const endpoints = { authorization, token, userinfo: me, revocation }
  if (userinfo !== undefined) provider.tamperUserInfo = () => userinfo
  const options = { client_id, client_secret, endpoints }
  // The kit's own options are of another strategy; as JSON, what is undefined is left out.
  const given = (more: object): JsonObject => JSON.parse(JSON.stringify({ ...options, ...more }))
  const connect = (more = {}) => connectorOf(provider, {}, {}, { strategy, options: given(more) })
  return { provider, connect }
}

test('expires_in 0 means that there is no end', async () => {
  const { provider, connect } = await inPlaceOf('mailchimp', { dc: 'us1', login: { login_id: 7, email: 'a@x.test' } })
  provider.tamperAnswer = (answer) => ({ ...answer, expires_in: 0 })
  const account = await signIn(connect())
  assert.deepEqual([account.tokenset.accessExpiresAt, account.subject], [undefined, '7'])
  assert.deepEqual(account.extras, { dc: 'us1' })
})

test('what was granted may stand in the browser’s way back', async () => {
  const { provider, connect } = await inPlaceOf('strava')
  provider.tamperAnswer = ({ scope: _, ...answer }) => ({ ...answer, athlete: { id: 9, username: 'ada' } })
  provider.tamperRedirect = (fields) => ({ ...fields, scope: 'read,activity:read_all' })
  const account = await signIn(connect({ endpoints: withoutUserinfo(provider) }))
  assert.deepEqual(account.tokenset.scopes, ['read', 'activity:read_all'])
  assert.equal(account.subject, '9')
})

test('a list of scopes is taken where the provider writes one, and a plain provider’s is not', async () => {
  const provider = await startOidcProvider({ users: { Ada: {} } })
  after(() => provider.stop())
  const { clientId: client_id, clientSecret: client_secret, issuer } = provider
  const options = { client_id, client_secret, endpoints: { issuer }, pkce_enabled: true }
  provider.tamperAnswer = (answer) => ({ ...answer, scope: ['openid', 'user:read:email'] })
  const account = await signIn(connectorOf(provider, options, {}, { strategy: 'twitch' }))
  assert.deepEqual(account.tokenset.scopes, ['openid', 'user:read:email'])
  await assert.rejects(signIn(connectorOf(provider)), UpstreamRefused)
})

test('refresh tokens go to an endpoint of their own', async () => {
  const { provider, connect } = await inPlaceOf('figma', { id: 'f-1', email: 'a@x.test', handle: 'ada' })
  const elsewhere = await startOAuth2Provider()
  after(() => elsewhere.stop())
  const { authorize: authorization, token, userinfo } = provider.endpoints
  const connector = connect({ endpoints: { authorization, token, userinfo, refresh: elsewhere.endpoints.token } })
  const { tokenset, subject } = await signIn(connector)
  await connector.refresh({ refreshToken: tokenset.refreshToken ?? '', subject }).catch(() => undefined)
  assert.deepEqual([provider.calls('refresh').length, elsewhere.calls('refresh').length], [0, 1])
})

test('errors with numbers or blanks for codes are read, and name a dead refresh token', async () => {
  const { provider, connect } = await inPlaceOf('facebook', { id: '12', name: 'Ada' })
  const connector = connect()
  const body = { error: { message: 'secret text', type: 'OAuthException', code: 190 } }
  provider.fail('code', { status: 400, body })
  await assert.rejects(signIn(connector), (error: unknown) => {
    return error instanceof UpstreamRefused && error.providerError === '190' && !error.message.includes('secret')
  })
})

test('an address counts as proven in the provider’s own words alone', async () => {
  const proof = async (strategy: string, said: Json) => {
    const { connect } = await inPlaceOf(strategy, said)
    return (await signIn(connect())).emailVerified
  }
  assert.equal(await proof('zoom', { id: 'z', email: 'a@x.test', verified: 1 }), true)
  assert.equal(await proof('zoom', { id: 'z', email: 'a@x.test', verified: 0 }), false)
  assert.equal(await proof('zoom', { id: 'z', email: 'a@x.test', verified: '1' }), false)
  assert.equal(await proof('spotify', { id: 's', email: 'a@x.test', email_verified: true }), false)
  assert.equal(await proof('twitter', { data: { id: '1', confirmed_email: 'a@x.test' } }), true)
  assert.equal(await proof('twitter', { data: { id: '1', email: 'a@x.test' } }), false)
})

test('an API is called in the provider’s own way, and a client named by its own word', async () => {
  const { provider, connect } = await inPlaceOf('zoho', { ZUID: 77, Email: 'a@x.test' })
  await signIn(connect()).catch(() => undefined)
  const [call] = provider.calls('userinfo')
  assert.match(String(call?.headers.authorization), /^Zoho-oauthtoken /)
  const tiktok = await inPlaceOf('tiktok')
  await signIn(tiktok.connect()).catch(() => undefined)
  const [asked] = tiktok.provider.calls('authorize')
  assert.deepEqual([asked?.query.client_key !== undefined, asked?.query.client_id], [true, undefined])
})

function withoutUserinfo({ endpoints }: Provider) {
  const { authorize: authorization, token } = endpoints
  return { authorization, token }
}
