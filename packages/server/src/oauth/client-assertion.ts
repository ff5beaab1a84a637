// A client proves itself by a JWT that it signed (RFC 7523 §3, private_key_jwt).
import { createPublicKey, type KeyObject } from 'node:crypto'
import { sha256Base64url, sha256Hex } from '../crypto/hashing.ts'
import { isSignedBy, type JwtAlgorithm, type ParsedJwt } from '../crypto/jwt.ts'
import { CLIENT_ALGORITHMS, type Client, type ClientKey } from '../domain/client.ts'
import { isString, type JsonObject } from '../lib/json.ts'
import type { Clock, EpochSeconds } from '../lib/time.ts'
import type { ReplayMark } from '../storage/records.ts'

export interface AssertionDeps {
  readonly issuer: string
  readonly clock: Clock
}

/**
 * The mark that an assertion leaves, when the client signed it, for us and for now; undefined otherwise. It proves the
 * client to the one caller whose mark is stored first.
 */
export type AssertionVerifier = (client: Client, assertion: ParsedJwt) => ReplayMark | undefined

const TYPES = ['jwt', 'client-authentication+jwt']
const MAX_LIFE_SECONDS = 300
const SKEW_SECONDS = 10
const MAX_JTI_LENGTH = 512

/** How SDKs name us in an assertion (auth0-wire.md §1.3). */
export const assertionAudiences = (issuer: string): readonly string[] =>
  [issuer, `${issuer}oauth/token/`].flatMap((url) => [url, url.slice(0, -1)])

export function createAssertionVerifier({ issuer, clock }: AssertionDeps): AssertionVerifier {
  const audiences = assertionAudiences(issuer)
  const isSigned = createSignatureCheck()
  return (client, assertion) => {
    const now = clock()
    const end = judgeAssertion(assertion.claims, { clientId: client.clientId, audiences, now })
    if (end === undefined || !isSigned(assertion, client.keys, { types: TYPES, now })) return undefined
    // The same mark as the protocol engine's, so that no assertion serves once there and once here.
    return jwtMark(`${client.clientId}${assertion.claims.jti}`, Math.ceil(end) + SKEW_SECONDS + 1)
  }
}

/** Did one of these keys, that counts now, sign it, under a header of one of these types? */
export type SignatureCheck = (
  jwt: ParsedJwt,
  keys: readonly ClientKey[],
  at: { readonly types: readonly string[]; readonly now: EpochSeconds },
) => boolean

/** Reads keys once for as long as their list is the same one. */
export function createSignatureCheck(): SignatureCheck {
  const known = new WeakMap<readonly ClientKey[], readonly UsableKey[]>()
  return (jwt, keys, { types, now }) => {
    const usable = known.get(keys) ?? keys.flatMap(usableKey)
    known.set(keys, usable)
    const live = usable.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now)
    return live.some(({ key, algorithms }) => isSignedBy(jwt, key, { algorithms, types }))
  }
}

/** The end of its life when everything that it says is right; undefined otherwise. Its signature is another matter. */
export function judgeAssertion(
  claims: JsonObject,
  { clientId, audiences, now }: { clientId: string; audiences: readonly string[]; now: EpochSeconds },
): EpochSeconds | undefined {
  const { iss, sub, aud, exp, iat = now, nbf = now, jti } = claims
  if (iss !== clientId || sub !== clientId) return undefined
  // Somebody else named beside us could use it as well (T-CONN-06).
  const named = Array.isArray(aud) ? aud : [aud]
  if (named.length === 0 || !named.every((one) => isString(one) && audiences.includes(one))) return undefined
  if (!isString(jti) || jti.length > MAX_JTI_LENGTH) return undefined
  if (!isSeconds(exp) || !isSeconds(iat) || !isSeconds(nbf)) return undefined
  if (exp + SKEW_SECONDS <= now || iat - SKEW_SECONDS > now || nbf - SKEW_SECONDS > now) return undefined
  return exp - iat <= MAX_LIFE_SECONDS && exp - now <= MAX_LIFE_SECONDS + SKEW_SECONDS ? exp : undefined
}

const isSeconds = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

interface UsableKey {
  readonly key: KeyObject
  readonly algorithms: readonly JwtAlgorithm[]
  readonly expiresAt: EpochSeconds | undefined
}

/** A key that cannot be read signs nothing; whoever stored it was told. */
function usableKey({ pem, alg, expiresAt }: ClientKey): UsableKey[] {
  try {
    const algorithms = CLIENT_ALGORITHMS.filter((one) => alg === undefined || one === alg)
    return [{ key: createPublicKey(pem), algorithms, expiresAt }]
  } catch {
    return []
  }
}

/** What is left by a JWT that serves once. @param name with its client's in it: one client's `jti` is nothing to another. */
export const jwtMark = (name: string, expiresAt: EpochSeconds): ReplayMark => ({
  idHash: sha256Hex(sha256Base64url(name)),
  expiresAt,
})
