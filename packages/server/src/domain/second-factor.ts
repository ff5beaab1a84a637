// Whether a way in is enough, or a second proof is asked for. Pure.

export type SecondFactorKind = 'totp' | 'passkey'

/** RFC 8176: more than one proof. A passkey is two at once: what one has, and what one knows or is. */
export const TWOFOLD = 'mfa'
export const CODE_AMR = ['otp', TWOFOLD] as const
export const PASSKEY_AMR = ['pop', 'user', TWOFOLD] as const

/** `acr` of a sign-in with more than one proof, as clients ask for it. */
export const MULTI_FACTOR_ACR = 'http://schemas.openid.net/pape/policies/2007/06/multi-factor'

/** Undefined: one proof, of which there is nothing to say. */
export const acrOf = (amr: readonly string[]): string | undefined =>
  amr.includes(TWOFOLD) ? MULTI_FACTOR_ACR : undefined

export interface HeldFactors {
  readonly enrolled: readonly SecondFactorKind[]
  readonly passkeys: number
}

/**
 * What a user has to choose from, whichever way they came in by. Passkeys count only while there is one: whoever took the
 * last one away is not locked out.
 */
export const secondFactorsOf = ({ enrolled, passkeys }: HeldFactors): readonly SecondFactorKind[] =>
  enrolled.filter((kind) => kind !== 'passkey' || passkeys > 0)

/** A sign-in that was proven by these methods wants one more. */
export const lacksSecondFactor = (amr: readonly string[], held: HeldFactors): boolean =>
  !amr.includes(TWOFOLD) && secondFactorsOf(held).length > 0

export const withMethods = (amr: readonly string[], more: readonly string[]): readonly string[] => [
  ...new Set([...amr, ...more]),
]
