// What an app gets instead of tokens when a password is right and the account asks for more: a token that says so much, sealed,
// for the same client and ten minutes (auth0-wire.md §1.6).
import { askedFactors, wantsSecondFactor } from '../../accounts/second-factors.ts'
import { EnvelopeError } from '../../crypto/envelope.ts'
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
  const { kinds, codes } = await askedFactors(storage, identity.userId)
  const types = [...(kinds.includes('totp') ? ['otp'] : []), ...(codes > 0 ? ['recovery-code'] : [])]
  const sealed = keyring.seal(CONTEXT, Buffer.from(JSON.stringify({ ...half, at: clock() })))
  return {
    error: 'mfa_required',
    error_description: 'Multifactor authentication required',
    mfa_token: Buffer.from(sealed).toString('base64url'),
    mfa_requirements: { challenge: types.map((type) => ({ type })) },
  }
}

/** Undefined: not one of ours, too old, or another client's. */
export function openMfaToken({ keyring, clock }: EngineDeps, token: string, clientId: string): HalfSignIn | undefined {
  try {
    const text = keyring.open(CONTEXT, Buffer.from(token, 'base64url')).toString('utf8')
    // Sealed by `secondFactor`, and by nothing else.
    const { at, ...half } = JSON.parse(text) as HalfSignIn & { readonly at: number }
    return half.clientId === clientId && at + SECONDS > clock() ? half : undefined
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined
    throw error
  }
}
