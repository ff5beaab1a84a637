import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify, type webcrypto } from 'node:crypto'
import { test } from 'node:test'
import { forgeries, type Provider, startOidcProvider } from '../src/testing/index.ts'
import {
  authorize,
  basic,
  getWith,
  jsonOf,
  pkce,
  post,
  redeem,
  refreshed,
  refusal,
  signIn,
  type Tokens,
  tokenRequest,
  untilDone,
} from './app.ts'

const SCOPE = 'openid profile email offline_access'

type PublishedKey = webcrypto.JsonWebKey & { readonly kid: string }

/** Checks the signature against the published key that the token names. */
async function isGenuine(provider: Provider, jwt: string): Promise<boolean> {
  const [header = '', payload, signature = ''] = jwt.split('.')
  const { kid, alg } = JSON.parse(Buffer.from(header, 'base64url').toString())
  const jwks = await jsonOf<{ keys: PublishedKey[] }>(await fetch(provider.endpoint('jwks')))
  const jwk = jwks.keys.find((one) => one.kid === kid)
  if (jwk === undefined || !['RS256', 'ES256'].includes(alg)) return false
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  return verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  )
}

for (const alg of ['RS256', 'ES256'] as const) {
  test(`oidc: the code flow ends with an ${alg} ID token that the published key verifies`, async () => {
    const provider = untilDone(await startOidcProvider({ alg, users: { ada: { name: 'Ada', sub: '42' } } }))
    const tokens = await signIn(provider, { scope: SCOPE, nonce: 'n-1' })

    assert.ok(tokens.id_token && tokens.refresh_token)
    assert.equal(await isGenuine(provider, tokens.id_token), true)
    const claims = forgeries.claimsOf(tokens.id_token)
    assert.equal(claims.iss, provider.issuer)
    assert.equal(claims.aud, provider.clientId)
    assert.equal(claims.sub, '42')
    assert.equal(claims.nonce, 'n-1')
    assert.equal(claims.email_verified, true)
    const half = createHash('sha256').update(tokens.access_token).digest().subarray(0, 16)
    assert.equal(claims.at_hash, half.toString('base64url'))
  })
}

test('oidc: discovery names the endpoints, and the answer to the browser names the issuer', async () => {
  const provider = untilDone(await startOidcProvider({ users: { ada: {} } }))
  const document = await jsonOf(await fetch(`${provider.issuer}/.well-known/openid-configuration`))
  assert.equal(document.issuer, provider.issuer)
  assert.equal(document.token_endpoint, provider.endpoint('token'))
  assert.equal(document.authorization_response_iss_parameter_supported, true)

  const back = await authorize(provider, { scope: SCOPE })
  assert.equal(back.iss, provider.issuer)
  assert.equal(back.state, 'a-state')
})

test('oidc: user-info tells what the scopes allow and nothing more', async () => {
  const provider = untilDone(await startOidcProvider({ users: { ada: { sub: '7', name: 'Ada' } } }))
  const { access_token } = await signIn(provider, { scope: 'openid profile' })
  const claims = await (await getWith(access_token, provider.endpoint('userinfo'))).json()
  assert.deepEqual(claims, { sub: '7', name: 'Ada', preferred_username: 'ada' })
})

test('oidc: refresh tokens need offline_access or access_type=offline', async () => {
  const provider = untilDone(await startOidcProvider({ users: { ada: {} } }))
  assert.equal((await signIn(provider, { scope: 'openid' })).refresh_token, undefined)
  assert.ok((await signIn(provider, { scope: 'openid', access_type: 'offline' })).refresh_token)
})

test('oidc: with first-consent a second authorization gives no refresh token unless consent is asked again', async () => {
  const provider = untilDone(await startOidcProvider({ refresh: 'first-consent', users: { ada: {} } }))
  assert.ok((await signIn(provider, { scope: SCOPE })).refresh_token)
  assert.equal((await signIn(provider, { scope: SCOPE })).refresh_token, undefined)
  assert.ok((await signIn(provider, { scope: SCOPE, prompt: 'consent' })).refresh_token)
})

test('oidc: a code works once, and its replay ends what it gave', async () => {
  const provider = untilDone(await startOidcProvider({ users: { ada: {} } }))
  const { code = '' } = await authorize(provider, { scope: SCOPE })
  const tokens = await jsonOf<Tokens>(await redeem(provider, code))
  assert.equal(provider.isLive(tokens.access_token), true)

  assert.deepEqual(await refusal(await redeem(provider, code)), [400, 'invalid_grant'])
  assert.equal(provider.isLive(tokens.access_token), false)
  assert.equal(provider.codeReplays, 1)
})

test('oidc: a wrong verifier, a missing one, and one without a challenge are refused', async () => {
  const provider = untilDone(await startOidcProvider({ users: { ada: {} } }))
  const challenged = { scope: SCOPE, code_challenge: pkce().challenge, code_challenge_method: 'S256' }
  for (const [request, verifier] of [
    [challenged, { code_verifier: pkce().verifier }],
    [challenged, {}],
    [{ scope: SCOPE }, { code_verifier: pkce().verifier }],
  ] as const) {
    const { code = '' } = await authorize(provider, request)
    assert.deepEqual(await refusal(await redeem(provider, code, verifier)), [400, 'invalid_grant'])
  }
})

test('oidc: a provider that requires PKCE refuses a request without it, and plain is never taken', async () => {
  const provider = untilDone(await startOidcProvider({ requirePkce: true, users: { ada: {} } }))
  assert.equal((await authorize(provider, { scope: SCOPE })).error, 'invalid_request')
  const plain = { scope: SCOPE, code_challenge: 'x'.repeat(43), code_challenge_method: 'plain' }
  assert.equal((await authorize(provider, plain)).error, 'invalid_request')
})

test('oidc: a redirect URI that differs at the token endpoint is refused', async () => {
  const provider = untilDone(await startOidcProvider({ users: { ada: {} } }))
  const { code = '' } = await authorize(provider, { scope: SCOPE })
  const answer = await redeem(provider, code, { redirect_uri: 'http://127.0.0.1:9/other' })
  assert.deepEqual(await refusal(answer), [400, 'invalid_grant'])
})

test('oidc: an unknown client or redirect URI gets a page and no redirect', async () => {
  const provider = untilDone(await startOidcProvider({ users: { ada: {} } }))
  for (const fields of [
    { client_id: 'stranger', redirect_uri: 'http://127.0.0.1:9/callback' },
    { client_id: provider.clientId, redirect_uri: 'https://evil.test/' },
    { client_id: provider.clientId, redirect_uri: 'javascript:alert(1)' },
  ]) {
    const response = await fetch(provider.authorizeUrl({ response_type: 'code', ...fields }), { redirect: 'manual' })
    assert.equal(response.status, 400)
    assert.equal(response.headers.get('location'), null)
  }
})

test('oidc: client secrets are checked, in the header and in the body, and never taken twice', async () => {
  const provider = untilDone(await startOidcProvider({ clientSecret: 'a+b/c %41', users: { ada: {} } }))
  const { refresh_token = '' } = await signIn(provider, { scope: SCOPE })
  const fields = { grant_type: 'refresh_token', refresh_token }
  const body = (secret: string) => ({ ...fields, client_id: provider.clientId, client_secret: secret })
  const token = provider.endpoint('token')

  assert.equal((await tokenRequest(provider, fields, { authorization: basic(provider) })).status, 200)
  assert.equal((await post(token, body('a+b/c %41'))).status, 200)
  const wrong = await post(token, body('wrong'))
  assert.match(wrong.headers.get('www-authenticate') ?? '', /^Basic/)
  assert.deepEqual(await refusal(wrong), [401, 'invalid_client'])
  assert.deepEqual(await refusal(await post(token, fields)), [401, 'invalid_client'])
  const both = await post(token, body('a+b/c %41'), { authorization: basic(provider) })
  assert.deepEqual(await refusal(both), [400, 'invalid_request'])
  assert.equal((await post(provider.endpoint('revoke'), { token: refresh_token })).status, 401)
})

test('oidc: one client cannot use what another was given', async () => {
  const provider = untilDone(await startOidcProvider({ users: { ada: {} } }))
  const other = provider.addClient({ id: 'other', secret: 'its-secret', name: 'Other app' })
  const { refreshToken = '', accessToken } = provider.mint('ada', { scopes: ['openid'] })
  const credentials = { client_id: other.id, client_secret: other.secret }
  const answer = await post(provider.endpoint('token'), {
    ...credentials,
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
  })
  assert.deepEqual(await refusal(answer), [400, 'invalid_grant'])
  assert.equal((await post(provider.endpoint('revoke'), { ...credentials, token: accessToken })).status, 200)
  assert.equal(provider.isLive(accessToken), true)
})

test('oidc: revoking a refresh token ends its access tokens, and an unknown token is no error', async () => {
  const provider = untilDone(await startOidcProvider({ users: { ada: {} } }))
  const credentials = { client_id: provider.clientId, client_secret: provider.clientSecret }
  const [first, second] = [await signIn(provider, { scope: SCOPE }), await signIn(provider, { scope: SCOPE })]
  const revoke = (token: string) => post(provider.endpoint('revoke'), { ...credentials, token })
  assert.equal((await revoke('never-seen')).status, 200)
  assert.equal((await revoke(first.refresh_token ?? '')).status, 200)
  assert.equal(provider.isLive(first.access_token), false)
  assert.equal(provider.isLive(second.access_token), true)

  provider.revocationEnds = 'grant'
  const third = await signIn(provider, { scope: SCOPE })
  await revoke(third.access_token)
  assert.equal(provider.isLive(second.access_token), false)
})

test('oidc: a new signing key serves beside the old one, or instead of it', async () => {
  const provider = untilDone(await startOidcProvider({ alg: 'ES256', users: { ada: {} } }))
  const before = (await signIn(provider, { scope: SCOPE })).id_token ?? ''
  await provider.rotateKeys()
  const after = (await signIn(provider, { scope: SCOPE })).id_token ?? ''
  assert.deepEqual([await isGenuine(provider, before), await isGenuine(provider, after)], [true, true])
  await provider.rotateKeys({ keepOld: false })
  assert.deepEqual([await isGenuine(provider, before), await isGenuine(provider, after)], [false, false])
})

test('oidc: every forgery differs from a token that the published keys verify', async () => {
  const provider = untilDone(await startOidcProvider({ alg: 'ES256', users: { ada: {} } }))
  const { claimsOf: _reader, unknownCritical: _critical, ...broken } = forgeries
  for (const [name, forge] of Object.entries(broken)) {
    provider.tamperSignedIdToken = forge
    const { id_token = '' } = await signIn(provider, { scope: SCOPE })
    const genuine = name === 'notAJwt' ? false : await isGenuine(provider, id_token)
    assert.equal(genuine, false, name)
  }
})

test('oidc: claims, answers, documents and redirects can lie until reset', async () => {
  const provider = untilDone(await startOidcProvider({ alg: 'ES256', users: { ada: { sub: '1' } } }))
  provider.tamperIdToken = (claims, { grant }) => ({
    ...claims,
    sub: grant === 'refresh_token' ? 'someone-else' : claims.sub,
  })
  provider.tamperAnswer = (answer) => ({ ...answer, expires_in: '3600' })
  provider.tamperUserInfo = (claims) => ({ ...claims, sub: 'another' })
  provider.tamperDiscovery = (document) => ({ ...document, issuer: 'https://evil.test' })
  provider.tamperJwks = () => ({ keys: [] })
  provider.tamperRedirect = ({ iss: _iss, ...rest }) => rest

  assert.equal((await authorize(provider, { scope: SCOPE })).iss, undefined)
  const tokens = await signIn(provider, { scope: SCOPE })
  assert.equal(forgeries.claimsOf(tokens.id_token ?? '').sub, '1')
  assert.equal(tokens.expires_in, '3600')
  const next = await refreshed(provider, tokens.refresh_token)
  assert.equal(forgeries.claimsOf(next.id_token ?? '').sub, 'someone-else')
  const info = await jsonOf(await getWith(tokens.access_token, provider.endpoint('userinfo')))
  assert.equal(info.sub, 'another')
  assert.equal((await jsonOf(await fetch(provider.endpoint('discovery')))).issuer, 'https://evil.test')
  assert.equal(await isGenuine(provider, tokens.id_token ?? ''), false)

  provider.reset()
  assert.equal((await authorize(provider, { scope: SCOPE })).iss, provider.issuer)
  assert.equal(await isGenuine(provider, tokens.id_token ?? ''), true)
})
