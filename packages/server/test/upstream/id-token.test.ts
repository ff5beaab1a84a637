import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test, { after } from 'node:test'
import { type Forgery, forgeries, type Json, type Provider, startOidcProvider } from '@tenon/sdk/testing'
import type { AuthorizationRequest, Connector } from '../../src/upstream/connector.ts'
import { UpstreamRefused } from '../../src/upstream/errors.ts'
import { connectorOf, signIn, startLeg } from './app.ts'

async function start(options: Parameters<typeof startOidcProvider>[0] = {}): Promise<Provider> {
  const provider = await startOidcProvider({ users: { Ada: {} }, ...options })
  after(() => provider.stop())
  return provider
}

async function refusalOf(connector: Connector, request?: Partial<AuthorizationRequest>): Promise<string> {
  const error: unknown = await signIn(connector, request).then(
    () => new Error('it was taken'),
    (cause: unknown) => cause,
  )
  if (!(error instanceof UpstreamRefused)) throw error
  return `${error.code}: ${error.detail}`
}

const seconds = () => Math.floor(Date.now() / 1000)

test('T-RP-01: a genuine ID token is taken, RS256 and ES256', async () => {
  for (const alg of ['RS256', 'ES256'] as const) {
    const provider = await start({ alg, users: { Ada: { sub: 'ada-1', picture: 'https://pics.example/a' } } })
    const account = await signIn(connectorOf(provider))
    assert.equal(account.subject, 'ada-1')
    assert.deepEqual(account.profile, { name: 'Ada', username: 'ada', picture: 'https://pics.example/a' })
    assert.equal(account.email, 'ada@example.test')
    assert.equal(account.emailVerified, true)
    assert.equal(account.upstreamName, 'ada')
    assert.ok(account.tokenset.refreshToken)
    assert.ok(!JSON.stringify(account.claims).includes(account.tokenset.accessToken))
  }
})

test('T-RP-01: each wrong claim is refused', async () => {
  const provider = await start()
  const connector = connectorOf(provider)
  const wrong: [string, (claims: Json) => Json, string][] = [
    ['another issuer', (claims) => ({ ...claims, iss: 'https://evil.example' }), 'iss'],
    ['an issuer with a slash', (claims) => ({ ...claims, iss: `${claims.iss}/` }), 'iss'],
    ['an issuer that is a list', (claims) => ({ ...claims, iss: [claims.iss] }), 'iss'],
    ['an issuer that is a number', (claims) => ({ ...claims, iss: 1 }), 'iss'],
    ['another audience', (claims) => ({ ...claims, aud: 'other', azp: 'other' }), 'aud'],
    ['several audiences without azp', (claims) => ({ ...claims, aud: [claims.aud, 'x'], azp: undefined }), 'aud'],
    ['a second audience', (claims) => ({ ...claims, aud: [claims.aud, 'https://other.example'] }), 'aud'],
    ['no audience', (claims) => ({ ...claims, aud: [] }), 'aud'],
    ['another authorized party', (claims) => ({ ...claims, azp: 'other' }), 'azp'],
    ['expired', (claims) => ({ ...claims, iat: seconds() - 700, exp: seconds() - 61 }), 'exp'],
    ['without expiry', (claims) => ({ ...claims, exp: undefined }), 'exp'],
    ['expiry as text', (claims) => ({ ...claims, exp: '9999999999' }), 'exp'],
    ['issued in the future', (claims) => ({ ...claims, iat: seconds() + 30 }), 'iat'],
    ['without time of issue', (claims) => ({ ...claims, iat: undefined }), 'iat'],
    ['not yet valid', (claims) => ({ ...claims, nbf: seconds() + 30 }), 'nbf'],
    ['without nonce', (claims) => ({ ...claims, nonce: undefined }), 'nonce'],
    ['another nonce', (claims) => ({ ...claims, nonce: 'another' }), 'nonce'],
    ['another access token', (claims) => ({ ...claims, at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }), 'at_hash'],
    ['another code', (claims) => ({ ...claims, c_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }), 'c_hash'],
    ['without subject', (claims) => ({ ...claims, sub: undefined }), 'sub'],
  ]
  for (const [name, tamper, check] of wrong) {
    provider.tamperIdToken = tamper
    assert.equal(await refusalOf(connector), `id_token_invalid: ${check}`, name)
  }
})

test('T-RP-01: what is only unusual is taken', async () => {
  const provider = await start()
  const connector = connectorOf(provider)
  const fine: [string, (claims: Json) => Json][] = [
    ['one audience in a list', (claims) => ({ ...claims, aud: [claims.aud] })],
    ['no azp, no at_hash', (claims) => ({ ...claims, azp: undefined, at_hash: undefined })],
    ['a clock that is behind', (claims) => ({ ...claims, iat: seconds() - 90, exp: seconds() - 30 })],
    ['a clock that is ahead', (claims) => ({ ...claims, iat: seconds() + 5, nbf: seconds() + 5 })],
  ]
  for (const [name, tamper] of fine) {
    provider.tamperIdToken = tamper
    assert.equal((await signIn(connector)).upstreamName, 'ada', name)
  }
})

test('T-RP-01: a nonce of another transaction is refused', async () => {
  const provider = await start()
  const connector = connectorOf(provider)
  const [first, second] = [await startLeg(connector), await startLeg(connector)]
  const { nonce, ...rest } = first.expected
  await assert.rejects(connector.redeem(first.answer, { ...rest, nonce: second.expected.nonce }), {
    code: 'id_token_invalid',
    detail: 'nonce',
  })
  assert.notEqual(nonce, second.expected.nonce)
})

test('T-RP-01: each forged signature is refused', async () => {
  const provider = await start()
  const connector = connectorOf(provider)
  const { unsigned, signatureRemoved, signatureBroken, signedWithPublicKey, signedWithClientSecret } = forgeries
  const { signedByStranger, keyInHeader, unknownKid, unknownCritical, notAJwt } = forgeries
  const forged: Record<string, Forgery> = {
    unsigned,
    signatureRemoved,
    signatureBroken,
    signedWithPublicKey,
    signedWithClientSecret,
    signedByStranger,
    keyInHeader,
    unknownKid,
    unknownCritical,
    notAJwt,
    empty: () => '',
    huge: (jwt) => `${jwt}${'A'.repeat(70_000)}`,
  }
  for (const [name, forgery] of Object.entries(forged)) {
    provider.tamperSignedIdToken = forgery
    assert.match(await refusalOf(connector), /^id_token_invalid: /, name)
  }
  provider.tamperSignedIdToken = undefined
  provider.tamperAnswer = (answer) => ({ ...answer, id_token: undefined })
  assert.equal(await refusalOf(connector), 'id_token_invalid: missing')
})

test('T-RP-01: a token without kid is taken when one key fits, and refused when several do', async () => {
  const provider = await start()
  provider.tamperSignedIdToken = forgeries.withoutKid
  assert.equal((await signIn(connectorOf(provider))).upstreamName, 'ada')
  await provider.rotateKeys()
  assert.match(await refusalOf(connectorOf(provider)), /^id_token_invalid: /)
})

test('T-RP-01: a wrong kid is refused, with one key and with many', async () => {
  const provider = await start()
  provider.tamperSignedIdToken = forgeries.unknownKid
  assert.match(await refusalOf(connectorOf(provider)), /^id_token_invalid: /)
  await provider.rotateKeys()
  assert.match(await refusalOf(connectorOf(provider)), /^id_token_invalid: /)
})

test('T-RP-01: an algorithm that metadata or connection do not name is refused', async () => {
  const provider = await start()
  const connector = connectorOf(provider, { id_token_signed_response_algs: ['ES256'] })
  assert.match(await refusalOf(connector), /^id_token_invalid: /)
  provider.tamperDiscovery = (document) => ({ ...document, id_token_signing_alg_values_supported: ['ES256'] })
  assert.match(await refusalOf(connectorOf(provider)), /^id_token_invalid: /)
  provider.tamperDiscovery = (document) => ({ ...document, id_token_signing_alg_values_supported: ['none', 'HS256'] })
  provider.tamperSignedIdToken = forgeries.signedWithClientSecret
  assert.match(await refusalOf(connectorOf(provider)), /^id_token_invalid: /)
})

test('T-PRE-09: subjects of a wrong type or shape are refused', async () => {
  const provider = await start()
  const connector = connectorOf(provider)
  const subjects = [
    12_345,
    1e3,
    null,
    '',
    [],
    {},
    true,
    ['ada'],
    'x'.repeat(10_240),
    'x'.repeat(256),
    'ad\u00e4',
    ' ada',
  ]
  for (const sub of [...subjects, 'ada ', 'a\nb', 'a\0b', '\u202eada']) {
    provider.tamperIdToken = (claims) => ({ ...claims, sub })
    provider.tamperUserInfo = (claims) => ({ ...claims, sub })
    assert.match(await refusalOf(connector), /^(subject_invalid|id_token_invalid): /, JSON.stringify(sub))
  }
  for (const sub of ['012345', '12345.0', '1e3', 'oidc|x', 'google-oauth2|1', 'x'.repeat(255), 'a b']) {
    provider.tamperIdToken = (claims) => ({ ...claims, sub })
    provider.tamperUserInfo = (claims) => ({ ...claims, sub })
    assert.equal((await signIn(connector)).subject, sub)
  }
})

test('T-PRE-09: user-info about somebody else is refused', async () => {
  const provider = await start()
  provider.addUser('Eve')
  const connector = connectorOf(provider)
  for (const sub of ['eve', undefined, 1, null]) {
    provider.tamperUserInfo = (claims) => ({ ...claims, sub })
    assert.equal(await refusalOf(connector), 'userinfo_invalid: sub')
  }
})

test('user-info that is closed to the token leaves the ID token to speak alone', async () => {
  const provider = await start()
  provider.fail('userinfo', { status: 403, body: { error: 'insufficient_scope' } })
  const account = await signIn(connectorOf(provider))
  assert.equal(account.email, 'ada@example.test')
})

test('T-PRE-05: an address and the word about it come from one source', async () => {
  const provider = await start()
  const connector = connectorOf(provider)
  const emailOf = async () => {
    const { email, emailVerified } = await signIn(connector)
    return [email, emailVerified]
  }
  provider.tamperIdToken = (claims) => ({ ...claims, email: 'v@x.com', email_verified: undefined })
  assert.deepEqual(await emailOf(), ['v@x.com', false])
  for (const lie of ['true', 1, 'yes', [true]]) {
    provider.tamperIdToken = (claims) => ({ ...claims, email: 'v@x.com', email_verified: lie })
    assert.deepEqual(await emailOf(), ['v@x.com', false], String(lie))
  }
  provider.tamperIdToken = (claims) => ({ ...claims, email: undefined, email_verified: true })
  provider.tamperUserInfo = (claims) => ({ ...claims, email: 'w@x.com', email_verified: false })
  assert.deepEqual(await emailOf(), ['w@x.com', false])
  provider.tamperIdToken = (claims) => ({ ...claims, email: 'V@X.com ', email_verified: true })
  provider.tamperUserInfo = (claims) => ({ ...claims, email: undefined })
  assert.deepEqual(await emailOf(), [undefined, false])
})

test('a sign-in at the provider that is older than max_age is refused', async () => {
  const provider = await start()
  const connector = connectorOf(provider)
  provider.tamperIdToken = (claims) => ({ ...claims, auth_time: seconds() - 400 })
  const young = await startLeg(connector)
  await connector.redeem(young.answer, { ...young.expected, maxAgeSeconds: 600 })
  const old = await startLeg(connector)
  await assert.rejects(connector.redeem(old.answer, { ...old.expected, maxAgeSeconds: 300 }), { detail: 'auth_time' })
  provider.tamperIdToken = (claims) => ({ ...claims, auth_time: undefined })
  const silent = await startLeg(connector)
  await assert.rejects(connector.redeem(silent.answer, { ...silent.expected, maxAgeSeconds: 600 }), {
    detail: 'auth_time',
  })
})

test('a c_hash that fits the code is taken', async () => {
  const provider = await start()
  const connector = connectorOf(provider)
  const { answer, expected } = await startLeg(connector)
  const digest = createHash('sha256')
    .update(answer.get('code') ?? '')
    .digest()
  provider.tamperIdToken = (claims) => ({ ...claims, c_hash: digest.subarray(0, 16).toString('base64url') })
  assert.equal((await connector.redeem(answer, expected)).upstreamName, 'ada')
})
