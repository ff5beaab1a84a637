import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { createJwtSigner, createJwtVerifier, type JwtVerifierOptions } from '../../src/crypto/jwt.ts'
import { generateSigningKey } from '../../src/crypto/signing-keys.ts'

const now = 1_900_000_000
const pair = await generateSigningKey()
const other = await generateSigningKey()
const signer = createJwtSigner(pair)
const claims = { sub: 'acme|ada', exp: now + 60, aud: ['https://api.test/'] }
const verifierOf = (options: Partial<JwtVerifierOptions> = {}) =>
  createJwtVerifier({ keys: () => [pair], clock: () => now, ...options })
const b64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const privateKey = { key: { ...pair.privateJwk }, format: 'jwk' } as const
const signed = (header: unknown, body: unknown) => {
  const input = `${b64(header)}.${b64(body)}`
  return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`
}
const header = { alg: 'RS256', typ: 'JWT', kid: pair.kid }

test('what is signed verifies, here and by another library', async () => {
  const token = signer.sign(claims)
  const verified = verifierOf()(token)
  assert.equal(verified.kind, 'verified')
  assert.deepEqual(verified.kind === 'verified' && verified.claims, claims)
  const jwks = createLocalJWKSet({ keys: [{ ...pair.publicJwk, kty: 'RSA' }] })
  assert.equal((await jwtVerify(token, jwks, { currentDate: new Date(now * 1000) })).payload.sub, 'acme|ada')
})

test('a public key shows public members only', () => {
  assert.deepEqual(Object.keys(pair.publicJwk).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
})

test('a header that is not exactly ours is refused, although the signature holds', () => {
  const verify = verifierOf()
  const headers = [
    { ...header, alg: 'none' },
    { ...header, alg: 'HS256' },
    { ...header, alg: 'PS256' },
    { ...header, alg: 'rs256' },
    { ...header, typ: 'logout+jwt' },
    { ...header, typ: 7 },
    { ...header, jwk: pair.publicJwk },
    { ...header, jku: 'https://evil.test/jwks' },
    { ...header, x5u: 'https://evil.test/cert' },
    { ...header, x5c: ['MII'] },
    { ...header, crit: ['exp'] },
    { ...header, b64: false },
    { alg: 'RS256', typ: 'JWT' },
    { ...header, kid: 7 },
  ]
  for (const one of headers) assert.deepEqual(verify(signed(one, claims)), { kind: 'refused', failure: 'header' })
  assert.deepEqual(verify(signed({ ...header, kid: 'unknown' }, claims)), { kind: 'refused', failure: 'unknown_key' })
})

test('a signature by another key, an HMAC over the public key, and none at all are refused', () => {
  const verify = verifierOf({ algorithms: ['RS256', 'PS256', 'ES256', 'RS384'] })
  const input = `${b64(header)}.${b64(claims)}`
  const hmac = createHmac('sha256', JSON.stringify(pair.publicJwk)).update(input).digest('base64url')
  assert.equal(verify(createJwtSigner({ ...other, kid: pair.kid }).sign(claims)).kind, 'refused')
  assert.equal(verify(`${input}.${hmac}`).kind, 'refused')
  assert.equal(verify(`${input}.`).kind, 'refused')
})

test('a token has one spelling: padding, other alphabets, spaces and a member named twice are refused', () => {
  const verify = verifierOf()
  const token = signer.sign(claims)
  const twice = `{"sub":"a","exp":${now + 60},"s\\u0075b":"b"}`
  const variants = [`${token}=`, ` ${token}`, `${token}\n`, `${token}.`, token.replace('.', '..'), 'a.b', '', '..']
  for (const variant of [...variants, signed(header, twice), signed(header, '[]'), signed(header, 'x')])
    assert.deepEqual(verify(variant), { kind: 'refused', failure: 'malformed' })
})

test('the last character of a signature has spare bits, which must be zero', () => {
  const verify = verifierOf()
  const token = signer.sign(claims)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(token.slice(-1))
  assert.equal(verify(token.slice(0, -1) + alphabet[last ^ 1]).kind, 'refused')
})

test('times are judged at each call, remembered tokens included', () => {
  let at = now
  const verify = verifierOf({ clock: () => at })
  const token = signer.sign(claims)
  assert.equal(verify(token).kind, 'verified')
  at = now + 59
  assert.equal(verify(token).kind, 'verified')
  at = now + 60
  assert.deepEqual(verify(token), { kind: 'refused', failure: 'expired' })
  assert.deepEqual(verify(signer.sign({ ...claims, exp: at + 9, nbf: at + 1 })), {
    kind: 'refused',
    failure: 'not_yet_valid',
  })
  for (const exp of ['9', null, true]) assert.equal(verify(signer.sign({ ...claims, exp })).kind, 'refused')
  assert.equal(verify(signer.sign({ sub: 'no end' })).kind, 'refused')
})

test('T-VAULT-06 signing-key handling: a key taken away verifies nothing more, remembered tokens included', () => {
  let keys = [pair]
  const verify = verifierOf({ keys: () => keys })
  const token = signer.sign(claims)
  assert.equal(verify(token).kind, 'verified')
  keys = []
  assert.deepEqual(verify(token), { kind: 'refused', failure: 'unknown_key' })
  keys = [pair, { ...other, kid: pair.kid }]
  assert.equal(verifierOf({ keys: () => keys })(token).kind, 'refused')
})

test('keys of workers: RS384, PS256 and ES256 where they are allowed', () => {
  const { privateKey: ec, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' })
  assert.ok(kty && crv && x && y)
  const key = { kid: 'worker', publicJwk: { kty, crv, x, y } }
  const input = `${b64({ alg: 'ES256', kid: 'worker' })}.${b64(claims)}`
  const signature = sign('sha256', Buffer.from(input), { key: ec, dsaEncoding: 'ieee-p1363' }).toString('base64url')
  const token = `${input}.${signature}`
  assert.equal(verifierOf({ keys: () => [key], algorithms: ['ES256'] })(token).kind, 'verified')
  assert.equal(verifierOf({ keys: () => [key] })(token).kind, 'refused')
})
