/** Signing keys of an OpenID provider and the JWTs made with them (RFC 7515, RFC 7517). */
import { createHash, generateKeyPair, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import type { Json } from './http.ts'

export type SigningAlgorithm = 'RS256' | 'ES256'

export interface SigningKey {
  readonly alg: SigningAlgorithm
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** The public key as it stands in the JWKS. */
  readonly jwk: Json
}

const generate = promisify(generateKeyPair)

export async function createSigningKey(alg: SigningAlgorithm): Promise<SigningKey> {
  const { privateKey, publicKey } =
    alg === 'RS256' ? await generate('rsa', { modulusLength: 2048 }) : await generate('ec', { namedCurve: 'P-256' })
  const bare = publicKey.export({ format: 'jwk' })
  const kid = createHash('sha256').update(JSON.stringify(bare)).digest('base64url').slice(0, 22)
  return { alg, kid, privateKey, publicKey, jwk: { ...bare, kid, alg, use: 'sig' } }
}

/** Signs `claims`; members of `header` win over `alg`, `kid` and `typ`, and an undefined one removes its namesake. */
export function signJwt(claims: Json, key: SigningKey, header: Json = {}): string {
  const input = `${encodePart({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })}.${encodePart(claims)}`
  const signature = sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

export function encodePart(value: Json): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** Left half of the SHA-256 of `value`: `at_hash` and `c_hash` (OpenID Connect Core §3.1.3.6). */
export function halfHash(value: string): string {
  return createHash('sha256').update(value).digest().subarray(0, 16).toString('base64url')
}

/** The keys of one provider: the newest signs, all that stand in the JWKS verify. */
export class KeyRing {
  #keys: readonly [SigningKey, ...SigningKey[]]

  constructor(first: SigningKey) {
    this.#keys = [first]
  }

  get current(): SigningKey {
    return this.#keys[0]
  }

  get published(): readonly SigningKey[] {
    return this.#keys
  }

  rotate(next: SigningKey, { keepOld }: { readonly keepOld: boolean }): void {
    this.#keys = keepOld ? [next, ...this.#keys] : [next]
  }
}
