/**
 * ID tokens as an attacker would make them, for `provider.tamperSignedIdToken`. Each takes the genuine token and returns
 * one that a relying party must refuse (RFC 8725 §2). Wrong claims under a good signature are `tamperIdToken`'s.
 */
import { createHmac, generateKeyPairSync } from 'node:crypto'
import type { Json } from './http.ts'
import { encodePart, type SigningKey, signJwt } from './keys.ts'

export interface ForgeryTools {
  readonly signingKey: SigningKey
  readonly clientSecret: string
}

export type Forgery = (jwt: string, tools: ForgeryTools) => string

/** `alg: none` with an empty signature. */
export const unsigned: Forgery = (jwt) => `${encodePart({ alg: 'none', typ: 'JWT' })}.${payloadOf(jwt)}.`

/** The right header, the right claims, and no signature. */
export const signatureRemoved: Forgery = (jwt) => `${jwt.split('.').slice(0, 2).join('.')}.`

/** One bit of the signature differs. */
export const signatureBroken: Forgery = (jwt) => {
  const [header, payload, signature = ''] = jwt.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  bytes[8] = (bytes[8] ?? 0) ^ 1
  return `${header}.${payload}.${bytes.toString('base64url')}`
}

/** HS256 with the provider's public key, in PEM, as the secret. */
export const signedWithPublicKey: Forgery = (jwt, { signingKey }) =>
  signHmac(jwt, signingKey.publicKey.export({ type: 'spki', format: 'pem' }).toString(), signingKey.kid)

/** HS256 with the client's own secret: sound in itself, but not the algorithm that was configured. */
export const signedWithClientSecret: Forgery = (jwt, { clientSecret }) => signHmac(jwt, clientSecret)

/** Somebody else's key of the same kind, under the genuine `kid`. */
export const signedByStranger: Forgery = (jwt, { signingKey }) => signJwt(claimsOf(jwt), strangersKey(signingKey))

/** Somebody else's key, offered in the token's own header. */
export const keyInHeader: Forgery = (jwt, { signingKey }) => {
  const stranger = strangersKey(signingKey)
  return signJwt(claimsOf(jwt), stranger, { jwk: stranger.jwk, kid: undefined })
}

/** The genuine key under a `kid` that no JWKS holds. */
export const unknownKid: Forgery = (jwt, { signingKey }) => signJwt(claimsOf(jwt), signingKey, { kid: 'no-such-key' })

/** The genuine key and no `kid`: acceptable only where the JWKS holds one fitting key. */
export const withoutKid: Forgery = (jwt, { signingKey }) => signJwt(claimsOf(jwt), signingKey, { kid: undefined })

/** A header extension that must be understood and is not (RFC 7515 §4.1.11). */
export const unknownCritical: Forgery = (jwt, { signingKey }) =>
  signJwt(claimsOf(jwt), signingKey, { crit: ['exp-tenon'], 'exp-tenon': 1 })

export const notAJwt: Forgery = () => 'not.a-jwt'

/** The claims of a JWT, unverified. */
export function claimsOf(jwt: string): Json {
  return JSON.parse(Buffer.from(payloadOf(jwt), 'base64url').toString('utf8'))
}

function payloadOf(jwt: string): string {
  return jwt.split('.')[1] ?? ''
}

function signHmac(jwt: string, secret: string, kid?: string): string {
  const input = `${encodePart({ alg: 'HS256', typ: 'JWT', kid })}.${payloadOf(jwt)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

function strangersKey(genuine: SigningKey): SigningKey {
  const { privateKey, publicKey } =
    genuine.alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...genuine, privateKey, publicKey, jwk: { ...publicKey.export({ format: 'jwk' }) } }
}
