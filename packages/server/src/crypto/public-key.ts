// Public keys that others gave us to know their signatures by.
import { createPublicKey, type KeyObject } from 'node:crypto'
import { sha256Base64url } from './hashing.ts'

export interface PublicKeyFacts {
  /** SubjectPublicKeyInfo, whatever form it came in. */
  readonly pem: string
  /** Thumbprint (RFC 7638). */
  readonly kid: string
  /** Signatures that it can make, the usual one first. */
  readonly algorithms: readonly string[]
}

const MIN_RSA_BITS = 2048
const CURVE_ALGORITHMS: Readonly<Record<string, string>> = { 'P-256': 'ES256', 'P-384': 'ES384' }

/** Reads a PEM key or certificate; undefined for what is none, for a private key, and for one that is too weak. */
export function readPublicKey(pem: string): PublicKeyFacts | undefined {
  // A private key would be read as its public half, and be kept in clear.
  if (/PRIVATE KEY/.test(pem)) return undefined
  const key = parse(pem)
  if (key === undefined) return undefined
  const { kty, crv, n, e, x, y } = key.export({ format: 'jwk' })
  const spki = String(key.export({ format: 'pem', type: 'spki' }))
  if (kty === 'RSA' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_RSA_BITS)
    return { pem: spki, kid: thumbprint({ e, kty, n }), algorithms: ['RS256', 'RS384', 'PS256', 'PS384'] }
  const algorithm = kty === 'EC' ? CURVE_ALGORITHMS[crv ?? ''] : undefined
  if (algorithm === undefined) return undefined
  return { pem: spki, kid: thumbprint({ crv, kty, x, y }), algorithms: [algorithm] }
}

function parse(pem: string): KeyObject | undefined {
  try {
    return createPublicKey(pem)
  } catch {
    return undefined
  }
}

/** Members in alphabetical order, as RFC 7638 §3 wants them. */
const thumbprint = (members: Readonly<Record<string, string | undefined>>): string =>
  sha256Base64url(JSON.stringify(members))
