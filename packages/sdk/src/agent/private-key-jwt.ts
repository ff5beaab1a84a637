// A client that proves itself by its key: each request carries a JWT that it has just signed (RFC 7523 §2.2), and no secret
// leaves the agent.
import { base64url, randomText } from './base64url.ts'

export interface KeyOptions {
  /** Tenon's address, as the agent has it. */
  readonly issuer: string
  readonly clientId: string
  /** That may sign, with SHA-256: RSA (PKCS #1 v1.5 or PSS) or ECDSA on P-256. Its public half is registered with the client. */
  readonly key: CryptoKey
  /** `kid` of the header, where the client has several keys. */
  readonly keyId?: string
}

/** Of the 300 that Tenon takes at most. */
const LIFE_SECONDS = 60

/**
 * The `credential` of an agent that proves itself by a key.
 *
 * @throws {TypeError} a key that no algorithm of Tenon's signs with.
 */
export function privateKeyJwt({ issuer, clientId, key, keyId }: KeyOptions): {
  readonly assertion: () => Promise<string>
} {
  const { alg, parameters } = algorithmOf(key)
  const audience = issuer.endsWith('/') ? issuer : `${issuer}/`
  return {
    async assertion() {
      const now = Math.floor(Date.now() / 1000)
      const claims = {
        iss: clientId,
        sub: clientId,
        aud: audience,
        iat: now,
        exp: now + LIFE_SECONDS,
        jti: randomText(),
      }
      const header = { alg, typ: 'JWT', ...(keyId === undefined ? {} : { kid: keyId }) }
      const signed = [header, claims].map((part) => base64url(utf8(JSON.stringify(part)))).join('.')
      return `${signed}.${base64url(new Uint8Array(await crypto.subtle.sign(parameters, key, utf8(signed))))}`
    },
  }
}

const utf8 = (text: string) => new TextEncoder().encode(text)

/** RFC 7518 §3.1. What Web Cryptography signs by ECDSA is what a JWS holds. */
function algorithmOf({ algorithm, usages }: CryptoKey) {
  const { name, hash, namedCurve } = algorithm as { name: string; hash?: { name: string }; namedCurve?: string }
  if (usages.includes('sign')) {
    if (name === 'ECDSA' && namedCurve === 'P-256') return { alg: 'ES256', parameters: { name, hash: 'SHA-256' } }
    if (name === 'RSASSA-PKCS1-v1_5' && hash?.name === 'SHA-256') return { alg: 'RS256', parameters: { name } }
    if (name === 'RSA-PSS' && hash?.name === 'SHA-256') return { alg: 'PS256', parameters: { name, saltLength: 32 } }
  }
  throw new TypeError(`a key of ${name} that cannot sign by RS256, PS256 or ES256`)
}
