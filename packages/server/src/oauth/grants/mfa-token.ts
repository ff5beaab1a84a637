// What an app gets instead of tokens when a password is right and the account asks for more: a token that says so much, sealed,
// for the same client and ten minutes (auth0-wire.md §1.6).
import { type AskedFactors, askedFactors, wantsSecondFactor } from '../../accounts/second-factors.ts'
import { EnvelopeError } from '../../crypto/envelope.ts'
import type { Keyring } from '../../crypto/keyring.ts'
import type { Clock } from '../../lib/time.ts'
import type { EngineDeps } from '../engine.ts'
import type { RefreshTarget } from './refresh-target.ts'

const SECONDS = 600
const CONTEXT = 'mfa-token'

/** A sign-in that has shown its password. */
export interface HalfSignIn {
  readonly connectionId: string
  readonly subject: string
  readonly clientId: string
  readonly target: RefreshTarget
}

/** Nobody goes around their second factor by an app that takes passwords itself. Undefined: none is asked for. */
export async function secondFactor(deps: EngineDeps, half: HalfSignIn): Promise<object | undefined> {
  const { storage, keyring, clock } = deps
  const identity = await storage.identities.find(half.connectionId, half.subject)
  if (identity === undefined || !(await wantsSecondFactor(storage, identity.userId, ['pwd']))) return undefined
  const types = challengeTypes(await askedFactors(storage, identity.userId))
  const sealed = keyring.seal(CONTEXT, Buffer.from(JSON.stringify({ ...half, at: clock() })))
  return {
    error: 'mfa_required',
    error_description: 'Multifactor authentication required',
    mfa_token: Buffer.from(sealed).toString('base64url'),
    mfa_requirements: { challenge: types.map((type) => ({ type })) },
  }
}

export type ChallengeType = 'otp' | 'recovery-code'

/** A passkey is of no use to an app: it is bound to our pages. */
export const challengeTypes = ({ kinds, codes }: AskedFactors): readonly ChallengeType[] => [
  ...(kinds.includes('totp') ? (['otp'] as const) : []),
  ...(codes > 0 ? (['recovery-code'] as const) : []),
]

export interface MfaTokenDeps {
  readonly keyring: Pick<Keyring, 'open'>
  readonly clock: Clock
}

/** Undefined: not one of ours, or too old. */
export function readMfaToken({ keyring, clock }: MfaTokenDeps, token: string): HalfSignIn | undefined {
  try {
    const text = keyring.open(CONTEXT, Buffer.from(token, 'base64url')).toString('utf8')
    // Sealed by `secondFactor`, and by nothing else.
    const { at, ...half } = JSON.parse(text) as HalfSignIn & { readonly at: number }
    return at + SECONDS > clock() ? half : undefined
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined
    throw error
  }
}

/** Undefined: not one of ours, too old, or another client's. */
export function openMfaToken(deps: MfaTokenDeps, token: string, clientId: string): HalfSignIn | undefined {
  const half = readMfaToken(deps, token)
  return half?.clientId === clientId ? half : undefined
}
