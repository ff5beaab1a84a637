// What an app asks between the two halves of a `password` grant: which second proofs there are, and to begin with one of
// them (auth0-wire.md §1.9). The token of the first half (`mfa_required`) is the credential.
import { askedFactors } from '../accounts/second-factors.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { JsonValue } from '../lib/json.ts'
import type { Clock } from '../lib/time.ts'
import type { Storage } from '../storage/storage.ts'
import { type ChallengeType, challengeTypes, type HalfSignIn, openMfaToken, readMfaToken } from './grants/mfa-token.ts'

export interface AuthenticatorDeps {
  readonly storage: Storage
  readonly keyring: Pick<Keyring, 'open'>
  readonly clock: Clock
}

export type AuthenticatorAnswer =
  | { readonly kind: 'answer'; readonly body: JsonValue }
  | { readonly kind: 'refused'; readonly status: 400 | 401 | 403; readonly error: string; readonly description: string }

const INVALID_TOKEN = {
  kind: 'refused',
  status: 401,
  error: 'invalid_token',
  description: 'Malformed or expired mfa_token',
} as const

/** A bare array, as SDKs read it. */
export async function listAuthenticators(deps: AuthenticatorDeps, token: string): Promise<AuthenticatorAnswer> {
  const types = await challengesOf(deps, readMfaToken(deps, token))
  if (types === undefined) return INVALID_TOKEN
  const body = types.map((type) => ({ id: ID_OF[type], authenticator_type: type, type, active: true }))
  return { kind: 'answer', body }
}

/**
 * A code of an app needs nothing to be sent: the answer only says to go on at the token endpoint.
 *
 * @param wanted types, separated by spaces; undefined for whichever there is
 */
export async function challenge(
  deps: AuthenticatorDeps,
  { token, clientId, wanted, id }: ChallengeAsked,
): Promise<AuthenticatorAnswer> {
  const types = await challengesOf(deps, openMfaToken(deps, token, clientId))
  if (types === undefined) return INVALID_TOKEN
  const named = wanted?.split(' ') ?? ['otp']
  const isThere = types.includes('otp') && (id === undefined || id === ID_OF.otp)
  if (isThere && named.includes('otp')) return { kind: 'answer', body: { challenge_type: 'otp' } }
  return {
    kind: 'refused',
    status: 400,
    error: 'unsupported_challenge_type',
    description: 'The user has no authenticator of these types to be challenged.',
  }
}

export interface ChallengeAsked {
  readonly token: string
  readonly clientId: string
  readonly wanted: string | undefined
  readonly id: string | undefined
}

/**
 * Half a sign-in changes no second step: whoever knows a password alone would take away, or add beside it, what keeps
 * them out.
 */
export async function refuseChange(deps: AuthenticatorDeps, token: string): Promise<AuthenticatorAnswer> {
  if ((await challengesOf(deps, readMfaToken(deps, token))) === undefined) return INVALID_TOKEN
  return {
    kind: 'refused',
    status: 403,
    error: 'access_denied',
    description: 'User is already enrolled; second steps are changed on the account page.',
  }
}

const ID_OF = { otp: 'totp', 'recovery-code': 'recovery-code' } as const satisfies Record<ChallengeType, string>

/** Undefined: there is no such token, or nobody whom it names any more. */
async function challengesOf(
  { storage }: AuthenticatorDeps,
  half: HalfSignIn | undefined,
): Promise<readonly ChallengeType[] | undefined> {
  const identity = half && (await storage.identities.find(half.connectionId, half.subject))
  return identity && challengeTypes(await askedFactors(storage, identity.userId))
}
