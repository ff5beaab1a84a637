// Keys and JWTs as attackers make them.
import { createHash, createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'

type Json = Readonly<Record<string, unknown>>

export interface TestKey {
  readonly alg: 'RS256' | 'ES256'
  readonly privateKey: KeyObject
  readonly publicJwk: Readonly<Record<string, unknown>>
  readonly publicPem: string
}

export function newKey(alg: 'RS256' | 'ES256' = 'ES256'): TestKey {
  const { privateKey, publicKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  const publicPem = String(publicKey.export({ type: 'spki', format: 'pem' }))
  return { alg, privateKey, publicPem, publicJwk: { ...publicKey.export({ format: 'jwk' }) } }
}

const encode = (value: Json): string => Buffer.from(JSON.stringify(value)).toString('base64url')

export function signJwt({ alg, privateKey }: TestKey, claims: Json, header: Json = {}): string {
  const input = `${encode({ alg, typ: 'JWT', ...header })}.${encode(claims)}`
  const options = alg === 'ES256' ? { dsaEncoding: 'ieee-p1363' as const } : {}
  return `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, ...options }).toString('base64url')}`
}

/** HS256 with any text as the key, e.g. a public key. */
export function macJwt(secret: string, claims: Json, header: Json = {}): string {
  const input = `${encode({ alg: 'HS256', typ: 'JWT', ...header })}.${encode(claims)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

/** No signature at all. */
export const bareJwt = (claims: Json, header: Json = { alg: 'none' }): string =>
  `${encode({ typ: 'JWT', ...header })}.${encode(claims)}.`

export interface ProofOptions {
  readonly method?: string
  readonly url: string
  readonly nonce?: string
  readonly accessToken?: string
  readonly claims?: Json
  readonly header?: Json
}

/** A DPoP proof (RFC 9449 §4.2); `claims` and `header` win. */
export function dpopProof(
  key: TestKey,
  { method = 'POST', url, nonce, accessToken, claims, header }: ProofOptions,
): string {
  const ath = accessToken && createHash('sha256').update(accessToken).digest('base64url')
  const said = { jti: randomUUID(), htm: method, htu: url, iat: Math.floor(Date.now() / 1000), nonce, ath, ...claims }
  return signJwt(key, said, { typ: 'dpop+jwt', jwk: key.publicJwk, ...header })
}
