// Makes the keys that sign our tokens; their states and storage are elsewhere.
import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { sha256Base64url } from './hashing.ts'

export interface SigningKeyPair {
  readonly kid: string
  /** Public members only, with `kid`, `alg` and `use`: what the JWKS shows. */
  readonly publicJwk: Readonly<Record<string, string>>
  /** With the private members; leaves the process sealed only. */
  readonly privateJwk: Readonly<Record<string, string>>
}

const MODULUS_BITS = 2048
const generate = promisify(generateKeyPair)

/** An RSA key for RS256, off the main thread (tens to hundreds of milliseconds). Its `kid` is its thumbprint (RFC 7638). */
export async function generateSigningKey(): Promise<SigningKeyPair> {
  const { publicKey, privateKey } = await generate('rsa', { modulusLength: MODULUS_BITS })
  const { e, n } = publicKey.export({ format: 'jwk' })
  if (!e || !n) throw new Error('an RSA key without modulus or exponent')
  const kid = sha256Base64url(JSON.stringify({ e, kty: 'RSA', n }))
  const publicJwk = { kty: 'RSA', n, e, kid, alg: 'RS256', use: 'sig' }
  return { kid, publicJwk, privateJwk: { ...textMembers(privateKey.export({ format: 'jwk' })), ...publicJwk } }
}

const textMembers = (jwk: object): Record<string, string> =>
  Object.fromEntries(Object.entries(jwk).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
