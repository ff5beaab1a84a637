// Proof of the key that an access token is bound to, at the doors where tokens are shown (RFC 9449 §7).

import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, errors, jwtVerify } from 'jose'
import { sha256Hex } from '../crypto/hashing.ts'
import { isString } from '../lib/json.ts'
import type { Clock } from '../lib/time.ts'
import type { Storage } from '../storage/storage.ts'

export interface ShownToken {
  readonly token: string
  /** Of the `Authorization` header, in any case. */
  readonly scheme: string
  /** Thumbprint of the key that the token is bound to. */
  readonly jkt: string | undefined
  readonly clientId: string
}

export interface ProofRequest {
  readonly method: string
  /** Below the issuer, without a query: who answers behind a proxy does not know its own host. */
  readonly path: string
  /** The `DPoP` header; several are one value with commas, which is no JWT. */
  readonly proof: string | undefined
}

export type ProofVerdict =
  | { readonly kind: 'holds' }
  /** A code of RFC 9449 §7.1, or `invalid_token` for a token that came in the wrong way. */
  | { readonly kind: 'fails'; readonly code: 'invalid_token' | 'invalid_dpop_proof' | 'use_dpop_nonce' }

export interface ProofOfPossession {
  /** Whether whoever shows the token holds its key. A proof serves once; a nonce of ours is always demanded. */
  check(shown: ShownToken, request: ProofRequest): Promise<ProofVerdict>
  /** For the `DPoP-Nonce` header. */
  nextNonce(): string
}

export interface NonceBook {
  nextChallenge(): string
  checkChallenge(nonce: string): boolean
}

export interface ProofDeps {
  readonly issuer: string
  readonly storage: Pick<Storage, 'transaction'>
  readonly clock: Clock
  /** The engine's: what the token endpoint gave serves here as well. */
  readonly nonces: NonceBook
}

/** What the engine takes at the token endpoint, and discovery names. */
const ALGORITHMS = ['ES256', 'Ed25519', 'EdDSA']
/** A nonce of ours is taken no longer than this. */
const REPLAY_SECONDS = 300
const MAX_JTI_LENGTH = 512

export function createProofOfPossession(deps: ProofDeps): ProofOfPossession {
  return {
    nextNonce: () => deps.nonces.nextChallenge(),
    async check(shown, request) {
      const isDpop = shown.scheme.toLowerCase() === 'dpop'
      if (shown.jkt === undefined) return isDpop ? fails('invalid_token') : HOLDS
      // A bound token that is shown as if it were not opens nothing: it must not work for whoever found it.
      if (!isDpop) return fails('invalid_token')
      return judge(deps, { ...shown, jkt: shown.jkt }, request)
    },
  }
}

const HOLDS = { kind: 'holds' } as const
const fails = (code: Extract<ProofVerdict, { kind: 'fails' }>['code']) => ({ kind: 'fails', code }) as const

async function judge(
  deps: ProofDeps,
  shown: ShownToken & { readonly jkt: string },
  request: ProofRequest,
): Promise<ProofVerdict> {
  const proof = request.proof === undefined ? undefined : await openProof(request.proof)
  if (proof === undefined) return fails('invalid_dpop_proof')
  const { htm, htu, ath, jti, nonce } = proof.claims
  if (htm !== request.method || !isSameUrl(htu, new URL(request.path, deps.issuer))) return fails('invalid_dpop_proof')
  if (ath !== createHash('sha256').update(shown.token).digest('base64url')) return fails('invalid_dpop_proof')
  if (proof.thumbprint !== shown.jkt) return fails('invalid_dpop_proof')
  if (!isString(jti) || jti === '' || jti.length > MAX_JTI_LENGTH) return fails('invalid_dpop_proof')
  if (!isString(nonce) || !deps.nonces.checkChallenge(nonce)) return fails('use_dpop_nonce')
  return (await isFirst(deps, `${shown.clientId} ${jti}`)) ? HOLDS : fails('invalid_dpop_proof')
}

async function openProof(proof: string) {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      algorithms: ALGORITHMS,
      typ: 'dpop+jwt',
      requiredClaims: ['iat'],
    })
    return { claims: payload, thumbprint: await calculateJwkThumbprint(protectedHeader.jwk ?? {}) }
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined
    throw error
  }
}

/** RFC 9449 §4.3: without query and fragment. */
function isSameUrl(htu: unknown, expected: URL): boolean {
  const url = isString(htu) ? URL.parse(htu) : null
  if (url === null) return false
  url.search = ''
  url.hash = ''
  return url.href === expected.href
}

function isFirst({ storage, clock }: ProofDeps, name: string): Promise<boolean> {
  const mark = { idHash: sha256Hex(`dpop ${name}`), expiresAt: clock() + REPLAY_SECONDS }
  return storage.transaction((tx) => tx.replays.insertOnce(mark))
}
