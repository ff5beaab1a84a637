// Checks an ID token (OpenID Connect Core §3.1.3.7). An SDK would do this; here it is to be seen.
import { createPublicKey, type JsonWebKeyInput, verify } from 'node:crypto'

export interface IdToken {
  readonly sub: string
  readonly name: string
}

const LEEWAY_SECONDS = 30

/** @throws {Error} it is not for us, not from this issuer, not of this sign-in, not signed by it, or too old. */
export function verifyIdToken(
  token: string,
  jwks: Readonly<Record<string, unknown>>,
  expected: { readonly issuer: string; readonly audience: string; readonly nonce: string },
): IdToken {
  const [head = '', payload = '', signature = ''] = token.split('.')
  const { alg, kid } = decode(head)
  const key = keysOf(jwks).find((one) => one.kid === kid)
  if (alg !== 'RS256' || !key) throw new Error('the ID token is signed in a way or by a key that we do not know')
  const signed = Buffer.from(`${head}.${payload}`)
  const isSigned = verify(
    'sha256',
    signed,
    createPublicKey({ key, format: 'jwk' }),
    Buffer.from(signature, 'base64url'),
  )
  if (!isSigned) throw new Error('the ID token is not signed by Tenon')
  const claims = decode(payload)
  const audiences = [claims.aud].flat()
  if (claims.iss !== expected.issuer || !audiences.includes(expected.audience) || claims.nonce !== expected.nonce) {
    throw new Error('the ID token is meant for something else')
  }
  if (typeof claims.exp !== 'number' || claims.exp + LEEWAY_SECONDS < Date.now() / 1000) {
    throw new Error('the ID token is too old')
  }
  if (typeof claims.sub !== 'string') throw new Error('the ID token names nobody')
  return { sub: claims.sub, name: typeof claims.name === 'string' ? claims.name : claims.sub }
}

// Members are checked where they are used.
const decode = (part: string) =>
  JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Readonly<Record<string, unknown>>

function keysOf({
  keys,
}: Readonly<Record<string, unknown>>): readonly (JsonWebKeyInput['key'] & { readonly kid?: unknown })[] {
  return Array.isArray(keys) ? keys : []
}
