// A provider's signing keys: fetched seldom, looked at with suspicion (threats T-RP-03).
import { createLocalJWKSet, errors, type JWK, type JWTVerifyGetKey } from 'jose'
import { isJsonObject, isString, type JsonObject } from '../lib/json.ts'
import type { Clock, EpochSeconds } from '../lib/time.ts'
import { UpstreamRefused } from './errors.ts'
import { parseLosslessObject, toJsonObject } from './lossless-json.ts'
import { requireAvailable, type SafeFetch } from './safe-fetch.ts'
import { isJsonType } from './token-endpoint.ts'

const TTL_SECONDS = 600
/** Tokens with made-up key ids must not make us fetch more often than this. */
const UNKNOWN_KEY_COOLDOWN_SECONDS = 30
const MAX_BYTES = 256 * 1024
const MAX_KEYS = 100
const MIN_RSA_BITS = 2048
const MAX_RSA_BITS = 8192
const EC_CURVES = new Set(['P-256', 'P-384', 'P-521'])

interface Held {
  readonly url: string
  readonly find: JWTVerifyGetKey
  readonly at: EpochSeconds
}

export interface KeySet {
  /** Finds the one key that fits a token's header; for `jwtVerify`. */
  keysAt(url: string): JWTVerifyGetKey
}

export function createKeySet({ fetch, clock }: { readonly fetch: SafeFetch; readonly clock: Clock }): KeySet {
  let held: Held | undefined
  let running: Promise<Held> | undefined
  let askedAgainAt = Number.NEGATIVE_INFINITY

  const load = async (url: string): Promise<Held> => {
    const next = { url, find: await fetchKeys(fetch, url), at: clock() }
    held = next
    return next
  }
  const reload = (url: string): Promise<Held> => {
    running ??= load(url).finally(() => {
      running = undefined
    })
    return running
  }
  const current = async (url: string): Promise<Held> =>
    held !== undefined && held.url === url && clock() - held.at < TTL_SECONDS ? held : reload(url)

  /** What to look into after `before` did not have the key: the provider may have rolled its keys over. */
  const newer = async (url: string, before: Held): Promise<Held> => {
    if (running !== undefined) return running
    if (held !== before || clock() - askedAgainAt < UNKNOWN_KEY_COOLDOWN_SECONDS) return current(url)
    askedAgainAt = clock()
    return reload(url)
  }

  return {
    keysAt: (url) => async (header, token) => {
      const before = await current(url)
      try {
        return await before.find(header, token)
      } catch (cause) {
        if (!(cause instanceof errors.JWKSNoMatchingKey)) throw cause
        const after = await newer(url, before)
        return after.find(header, token)
      }
    },
  }
}

async function fetchKeys(fetch: SafeFetch, url: string): Promise<JWTVerifyGetKey> {
  const answer = await fetch(url, { headers: { accept: 'application/jwk-set+json, application/json' } })
  requireAvailable(answer)
  const isKeys = answer.status === 200 && isJsonType(answer.headers.get('content-type'))
  if (!isKeys || answer.text.length > MAX_BYTES) throw invalid('jwks')
  const { keys } = toJsonObject(parseLosslessObject(answer.text))
  if (!Array.isArray(keys) || keys.length > MAX_KEYS) throw invalid('jwks_keys')
  return createLocalJWKSet({ keys: keys.filter(isJsonObject).filter(isAcceptable).map(toJwk) })
}

/** Left out rather than refused: a provider may publish keys for other purposes beside its good ones. */
function isAcceptable(jwk: JsonObject): boolean {
  if (jwk.use !== undefined && jwk.use !== 'sig') return false
  if (jwk.kty === 'RSA') return isSoundRsa(jwk)
  if (jwk.kty === 'EC') return isString(jwk.crv) && EC_CURVES.has(jwk.crv)
  return jwk.kty === 'OKP' && jwk.crv === 'Ed25519'
}

// A huge modulus or exponent makes each verification slow; a small one can be factored.
function isSoundRsa({ n, e }: JsonObject): boolean {
  if (!isString(n) || !isString(e)) return false
  const bits = bitsOf(Buffer.from(n, 'base64url'))
  const exponent = Buffer.from(e, 'base64url')
  return bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS && exponent.length <= 4 && ((exponent.at(-1) ?? 0) & 1) === 1
}

function bitsOf(bytes: Buffer): number {
  const start = bytes.findIndex((byte) => byte !== 0)
  return start < 0 ? 0 : (bytes.length - start) * 8 - (Math.clz32(bytes[start] ?? 0) - 24)
}

// Public members alone: a provider that publishes its private key by mistake is not to hand it to us.
function toJwk({ kty, kid, alg, crv, n, e, x, y }: JsonObject): JWK {
  const text = Object.entries({ kty, kid, alg, crv, n, e, x, y }).filter(([, value]) => isString(value))
  // Cast: a JWK is an object of strings with `kty`, which `isAcceptable` has seen.
  return Object.fromEntries(text) as unknown as JWK
}

function invalid(detail: string): UpstreamRefused {
  return new UpstreamRefused('metadata_invalid', { detail })
}
