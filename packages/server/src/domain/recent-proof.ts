// Whether a token's own sign-in is proof enough for a change to what signs somebody in (RFC 9470). Pure.
import type { EpochSeconds } from '../lib/time.ts'
import { type HeldFactors, lacksSecondFactor } from './second-factor.ts'

export interface TokenProof {
  /** When the person proved themselves; undefined: the token does not say, and proves nothing. */
  readonly authenticatedAt: EpochSeconds | undefined
  readonly amr: readonly string[]
}

export interface ProofRule {
  readonly held: HeldFactors
  readonly now: EpochSeconds
  /** `linking.reauthentication_seconds` */
  readonly maxAgeSeconds: number
}

export type ProofVerdict =
  | { readonly kind: 'enough' }
  /** `secondStep`: the account asks for one, and the sign-in had none, however long ago it was. */
  | { readonly kind: 'insufficient'; readonly secondStep: boolean }

export function judgeTokenProof({ authenticatedAt, amr }: TokenProof, rule: ProofRule): ProofVerdict {
  const { held, now, maxAgeSeconds } = rule
  if (lacksSecondFactor(amr, held)) return { kind: 'insufficient', secondStep: true }
  const isFresh = authenticatedAt !== undefined && authenticatedAt + maxAgeSeconds > now
  return isFresh ? { kind: 'enough' } : { kind: 'insufficient', secondStep: false }
}
