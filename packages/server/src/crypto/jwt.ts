// Signs our JWTs and verifies JWTs against a set of keys: signature, header and times. What a token may do (issuer,
// audience, live grant) is the caller's to judge, each time anew.
import { isUtf8 } from 'node:buffer'
import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'
import type { CLIENT_ALGORITHMS } from '../domain/client.ts'
import { isJsonObject, type JsonObject } from '../lib/json.ts'
import { parseStrictJson } from '../lib/strict-json.ts'
import type { Clock, EpochSeconds } from '../lib/time.ts'

export type JwtAlgorithm = (typeof CLIENT_ALGORITHMS)[number]

export interface JwtSigner {
  readonly kid: string
  /** RS256, synchronous: about a millisecond. */
  sign(claims: JsonObject, typ?: string): string
}

export function createJwtSigner({ kid, privateJwk }: { kid: string; privateJwk: JsonObject }): JwtSigner {
  const key = createPrivateKey({ key: { ...privateJwk }, format: 'jwk' })
  return {
    kid,
    sign(claims, typ = 'JWT') {
      const input = `${encode({ alg: 'RS256', typ, kid })}.${encode(claims)}`
      return `${input}.${signBytes('sha256', Buffer.from(input), key).toString('base64url')}`
    },
  }
}

export interface VerificationKey {
  readonly kid: string
  readonly publicJwk: JsonObject
}

export type JwtFailure = 'malformed' | 'header' | 'unknown_key' | 'signature' | 'expired' | 'not_yet_valid'

export type VerifiedJwt =
  | { readonly kind: 'verified'; readonly header: JsonObject; readonly claims: JsonObject }
  | { readonly kind: 'refused'; readonly failure: JwtFailure }

export interface JwtVerifierOptions {
  /**
   * Keys that count now; read at each call, so that a key taken away verifies nothing more, cached or not. A key is known
   * again by the identity of its `publicJwk`: hand out the same object while it stands.
   */
  readonly keys: () => readonly VerificationKey[]
  readonly clock: Clock
  readonly algorithms?: readonly JwtAlgorithm[]
  /** Values of `typ` taken, in lower case; an absent `typ` counts as `jwt`. */
  readonly types?: readonly string[]
  readonly maxCached?: number
  /** For clocks of others; 0 for our own tokens. */
  readonly leewaySeconds?: number
}

export type JwtVerifier = (token: string) => VerifiedJwt

const MAX_TOKEN_LENGTH = 16_384

/**
 * A verifier that remembers what it verified until `exp` (a signature costs ten times a look-up). `exp` is required.
 * Keys come from `keys` alone: a header that brings its own (`jwk`, `jku`, `x5c`, `x5u`) or asks for extensions (`crit`,
 * `b64`) is refused, as are algorithms other than those allowed and than the key's own (RFC 8725 §3.1, §3.5).
 */
export function createJwtVerifier(options: JwtVerifierOptions): JwtVerifier {
  const { keys, clock, maxCached = 10_000, leewaySeconds = 0 } = options
  const cache = new Map<
    string,
    { readonly publicJwk: JsonObject; readonly verified: VerifiedJwt & { kind: 'verified' } }
  >()
  const keyObjects = new WeakMap<JsonObject, KeyObject>()

  return (token) => {
    if (token.length > MAX_TOKEN_LENGTH) return refused('malformed')
    const hash = createHash('sha256').update(token).digest('base64')
    const known = cache.get(hash)
    if (known && keys().some((key) => key.publicJwk === known.publicJwk)) {
      const failure = timeFailure(known.verified.claims, clock(), leewaySeconds)
      if (!failure) return known.verified
      cache.delete(hash)
      return refused(failure)
    }
    const parsed = parseJwt(token)
    if (!parsed) return refused('malformed')
    const algorithm = allowedAlgorithm(parsed.header, options)
    if (!algorithm || typeof parsed.header.kid !== 'string') return refused('header')
    const candidates = keys().filter((key) => key.kid === parsed.header.kid)
    const [candidate] = candidates
    if (!candidate || candidates.length > 1) return refused('unknown_key')
    const key = keyObjects.get(candidate.publicJwk) ?? importKey(candidate.publicJwk)
    if (!key) return refused('unknown_key')
    keyObjects.set(candidate.publicJwk, key)
    if (!signatureHolds(algorithm, key, candidate.publicJwk, parsed)) return refused('signature')
    const failure = timeFailure(parsed.claims, clock(), leewaySeconds)
    if (failure) return refused(failure)
    const verified = { kind: 'verified', header: parsed.header, claims: parsed.claims } as const
    cache.set(hash, { publicJwk: candidate.publicJwk, verified })
    dropOldest(cache, maxCached)
    return verified
  }
}

export interface ParsedJwt {
  readonly header: JsonObject
  readonly claims: JsonObject
  readonly input: string
  readonly signature: Buffer
}

/** Takes a compact JWS apart; undefined unless each part is exact base64url and the JSON names no member twice. */
export function parseJwt(token: string): ParsedJwt | undefined {
  const [head, body, tail, ...more] = token.split('.')
  if (!head || !body || !tail || more.length > 0) return undefined
  const [header, claims, signature] = [decodeObject(head), decodeObject(body), decode(tail)]
  return header && claims && signature && { header, claims, input: `${head}.${body}`, signature }
}

/**
 * True when this key signed it, with an allowed algorithm that is the key's own, under a header that is allowed. Key ids,
 * times and claims are the caller's to judge.
 */
export function isSignedBy(
  parsed: ParsedJwt,
  key: KeyObject,
  allowed: Required<Pick<JwtVerifierOptions, 'algorithms' | 'types'>>,
): boolean {
  const algorithm = allowedAlgorithm(parsed.header, allowed)
  return algorithm !== undefined && signatureHolds(algorithm, key, {}, parsed)
}

const FORBIDDEN_HEADERS = ['jwk', 'jku', 'x5c', 'x5u', 'crit', 'b64', 'zip', 'enc']

function allowedAlgorithm(
  header: JsonObject,
  { algorithms = ['RS256'], types = ['jwt', 'at+jwt'] }: Pick<JwtVerifierOptions, 'algorithms' | 'types'>,
): JwtAlgorithm | undefined {
  if (FORBIDDEN_HEADERS.some((name) => Object.hasOwn(header, name))) return undefined
  const typ = header.typ ?? 'JWT'
  if (typeof typ !== 'string' || !types.includes(typ.toLowerCase().replace(/^application\//, ''))) return undefined
  return algorithms.find((algorithm) => algorithm === header.alg)
}

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
const ECDSA = { dsaEncoding: 'ieee-p1363' } as const

/** A curve belongs to one hash (RFC 7518 §3.4). */
const PARAMETERS = {
  RS256: { hash: 'sha256', kty: 'rsa', options: {} },
  RS384: { hash: 'sha384', kty: 'rsa', options: {} },
  PS256: { hash: 'sha256', kty: 'rsa', options: PSS },
  PS384: { hash: 'sha384', kty: 'rsa', options: PSS },
  ES256: { hash: 'sha256', kty: 'ec', curve: 'prime256v1', options: ECDSA },
  ES384: { hash: 'sha384', kty: 'ec', curve: 'secp384r1', options: ECDSA },
} as const satisfies Readonly<Record<JwtAlgorithm, object>>

function signatureHolds(algorithm: JwtAlgorithm, key: KeyObject, jwk: JsonObject, parsed: ParsedJwt): boolean {
  const { hash, kty, options, ...more } = PARAMETERS[algorithm]
  if (key.asymmetricKeyType !== kty || (jwk.alg !== undefined && jwk.alg !== algorithm)) return false
  if ('curve' in more && key.asymmetricKeyDetails?.namedCurve !== more.curve) return false
  return verifyBytes(hash, Buffer.from(parsed.input), { key, ...options }, parsed.signature)
}

function importKey(jwk: JsonObject): KeyObject | undefined {
  try {
    return createPublicKey({ key: { ...jwk }, format: 'jwk' })
  } catch {
    return undefined
  }
}

function timeFailure(claims: JsonObject, now: EpochSeconds, leeway: number): JwtFailure | undefined {
  const { exp, nbf } = claims
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return 'malformed'
  if (exp + leeway <= now) return 'expired'
  if (nbf === undefined) return undefined
  if (typeof nbf !== 'number') return 'malformed'
  return nbf - leeway > now ? 'not_yet_valid' : undefined
}

const refused = (failure: JwtFailure): VerifiedJwt => ({ kind: 'refused', failure })

const encode = (value: JsonObject): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Buffer skips what is not base64url; a second spelling of one token would slip by caches and replay stores. */
function decode(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

function decodeObject(text: string): JsonObject | undefined {
  const bytes = decode(text)
  try {
    const value = bytes && isUtf8(bytes) && parseStrictJson(bytes.toString('utf8'))
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** A Map keeps insertion order: the first key is the oldest. */
function dropOldest(cache: Map<string, unknown>, max: number): void {
  if (cache.size <= max) return
  const [oldest] = cache.keys()
  if (oldest !== undefined) cache.delete(oldest)
}
