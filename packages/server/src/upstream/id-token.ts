// ID tokens as proof of who signed in (OpenID Connect Core §3.1.3.7; threats T-RP-01).
import { createHash } from 'node:crypto'
import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import type { EpochSeconds } from '../lib/time.ts'
import { UpstreamRefused, UpstreamUnavailable } from './errors.ts'
import { isForManyTenants, issuerFor } from './issuers.ts'
import { type LosslessObject, type LosslessValue, NumberText, parseLosslessObject } from './lossless-json.ts'
import { readSubject } from './subject.ts'

/** How far the provider's clock may be behind ours when a token ends. */
const SKEW_SECONDS = 60
/** How far it may be ahead: a token from the future is a token for later. */
const FUTURE_SECONDS = 10
const MAX_LENGTH = 64 * 1024

export interface IdTokenRules {
  readonly keys: JWTVerifyGetKey
  readonly algorithms: readonly string[]
  readonly issuer: string
  readonly clientId: string
  readonly nonce: string
  readonly now: EpochSeconds
  /** What came with it; `at_hash` and `c_hash` must fit when they are there. */
  readonly accessToken: string
  readonly code: string
  readonly maxAgeSeconds: number | undefined
}

/**
 * Returns the claims of an ID token that was just received for a code.
 *
 * @throws {UpstreamRefused} `id_token_invalid`, with the name of the check; `subject_invalid`.
 * @throws {UpstreamUnavailable} the provider's keys cannot be had.
 */
export async function verifyIdToken(token: LosslessValue | undefined, rules: IdTokenRules): Promise<LosslessObject> {
  if (typeof token !== 'string' || token.length > MAX_LENGTH) throw invalid('missing')
  const { alg } = await verifySignature(token, rules)
  const claims = decodeClaims(token)
  readSubject(claims.sub, 'string')
  checkParties(claims, rules)
  checkTimes(claims, rules)
  if (claims.nonce !== rules.nonce) throw invalid('nonce')
  checkHash(claims.at_hash, rules.accessToken, alg, 'at_hash')
  checkHash(claims.c_hash, rules.code, alg, 'c_hash')
  return claims
}

/** A token that was not received for a code has no nonce that could tell when it was made for whom. */
const ASSERTED_AGE_SECONDS = 600

/**
 * Returns the claims of an ID token that a client brings. It must be an ID token and no other word of the provider's, made
 * a moment ago, for one of these clients alone.
 *
 * @throws {UpstreamRefused} `id_token_invalid`, with the name of the check; `subject_invalid`.
 * @throws {UpstreamUnavailable} the provider's keys cannot be had.
 */
export async function verifyAssertedIdToken(
  token: string,
  rules: Pick<IdTokenRules, 'keys' | 'algorithms' | 'issuer' | 'now'> & { readonly audiences: readonly string[] },
): Promise<LosslessObject> {
  if (token.length > MAX_LENGTH) throw invalid('length')
  const header = await verifySignature(token, { ...rules, clientId: [...rules.audiences] })
  // Logout tokens and access tokens are signed by the same keys, and may name the same audience.
  if (header.typ !== undefined && header.typ.toUpperCase() !== 'JWT') throw invalid('typ')
  const claims = decodeClaims(token)
  if (claims.events !== undefined) throw invalid('events')
  readSubject(claims.sub, 'string')
  const [only, ...others] = audience(claims.aud)
  if (typeof only !== 'string' || others.length > 0) throw invalid('aud')
  checkParties(claims, { clientId: only })
  checkTimes(claims, { now: rules.now, maxAgeSeconds: undefined })
  if (seconds(claims.iat, 'iat') + ASSERTED_AGE_SECONDS < rules.now) throw invalid('iat')
  return claims
}

/** @throws {UpstreamRefused} `subject_changed`: an ID token in a refresh's answer that is not about this account. */
export function checkRefreshedIdToken(
  token: LosslessValue | undefined,
  expected: {
    readonly issuer: string
    readonly clientId: string
    readonly subject: string
    /** Who the claims are about; throws when they are about nobody. */
    readonly subjectOf: (claims: LosslessObject) => string
  },
): void {
  if (token === undefined || token === null) return
  // §12.2 asks the same issuer, audience and subject. The signature is not looked at: the token came over TLS from the
  // token endpoint itself (§3.1.3.7, 6.), and a lost answer to a rotating refresh for want of keys would cost the account.
  if (typeof token !== 'string' || token.length > MAX_LENGTH)
    throw new UpstreamRefused('token_answer_invalid', { detail: 'id_token' })
  const claims = decodeClaims(token)
  const isSame = isFrom(claims, expected.issuer) && isAbout(claims, expected)
  const isOurs = audience(claims.aud).includes(expected.clientId)
  if (!isSame || !isOurs) throw new UpstreamRefused('subject_changed')
}

function isFrom(claims: LosslessObject, issuer: string): boolean {
  return claims.iss === refusedAs(() => issuerFor(issuer, claims))
}

function isAbout(claims: LosslessObject, expected: Parameters<typeof checkRefreshedIdToken>[1]): boolean {
  return refusedAs(() => expected.subjectOf(claims)) === expected.subject
}

function refusedAs(read: () => string): string | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof UpstreamRefused) return undefined
    throw error
  }
}

type SignatureRules = Pick<IdTokenRules, 'keys' | 'algorithms' | 'issuer' | 'now'> & {
  readonly clientId: string | string[]
}

async function verifySignature(
  token: string,
  rules: SignatureRules,
): Promise<{ readonly alg: string; readonly typ?: string }> {
  try {
    const { protectedHeader } = await jwtVerify(token, rules.keys, {
      algorithms: [...rules.algorithms],
      issuer: isForManyTenants(rules.issuer) ? issuerFor(rules.issuer, decodeClaims(token)) : rules.issuer,
      audience: rules.clientId,
      requiredClaims: ['exp', 'iat', 'sub'],
      clockTolerance: SKEW_SECONDS,
      currentDate: new Date(rules.now * 1000),
    })
    return protectedHeader
  } catch (cause) {
    if (cause instanceof UpstreamRefused || cause instanceof UpstreamUnavailable) throw cause
    // jose's errors hold the claims, so that only what failed is kept.
    throw invalid(nameOfCheck(cause))
  }
}

function nameOfCheck(cause: unknown): string {
  if (cause instanceof errors.JWTClaimValidationFailed || cause instanceof errors.JWTExpired) return cause.claim
  return cause instanceof errors.JOSEError ? cause.code : 'key'
}

function decodeClaims(token: string): LosslessObject {
  const [, payload = ''] = token.split('.')
  try {
    return parseLosslessObject(Buffer.from(payload, 'base64url').toString('utf8'))
  } catch {
    throw invalid('payload')
  }
}

// A second audience is somebody whom we would have to trust not to hand the token on.
function checkParties({ aud, azp }: LosslessObject, { clientId }: Pick<IdTokenRules, 'clientId'>): void {
  if (audience(aud).length !== 1) throw invalid('aud')
  if (azp !== undefined && azp !== clientId) throw invalid('azp')
}

function checkTimes(
  { iat, nbf, auth_time }: LosslessObject,
  { now, maxAgeSeconds }: Pick<IdTokenRules, 'now' | 'maxAgeSeconds'>,
): void {
  if (seconds(iat, 'iat') > now + FUTURE_SECONDS) throw invalid('iat')
  if (nbf !== undefined && seconds(nbf, 'nbf') > now + FUTURE_SECONDS) throw invalid('nbf')
  if (maxAgeSeconds === undefined) return
  if (seconds(auth_time, 'auth_time') + maxAgeSeconds + SKEW_SECONDS < now) throw invalid('auth_time')
}

/** §3.1.3.6: the left half of the hash that the signature's algorithm uses. */
function checkHash(claim: LosslessValue | undefined, value: string, alg: string, name: string): void {
  if (claim === undefined) return
  const digest = createHash(hashOf(alg)).update(value, 'ascii').digest()
  if (claim !== digest.subarray(0, digest.length / 2).toString('base64url')) throw invalid(name)
}

function hashOf(alg: string): string {
  return alg.startsWith('Ed') ? 'sha512' : `sha${alg.slice(-3)}`
}

function audience(aud: LosslessValue | undefined): readonly LosslessValue[] {
  if (Array.isArray(aud)) return aud
  return aud === undefined ? [] : [aud]
}

function seconds(value: LosslessValue | undefined, name: string): number {
  const number = value instanceof NumberText ? Number(value.text) : Number.NaN
  if (!Number.isFinite(number)) throw invalid(name)
  return number
}

function invalid(detail: string): UpstreamRefused {
  return new UpstreamRefused('id_token_invalid', { detail })
}
