// Judges what somebody gives as their second proof, wherever it is asked for: a code of their app, a recovery code, or one
// of their passkeys.
import { askedFactors, tryFactorCode } from '../accounts/second-factors.ts'
import { CODE_AMR, PASSKEY_AMR } from '../domain/second-factor.ts'
import type { BrowserRequest } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { SecondStepPage } from './outcome.ts'
import { offerPasskey, provePasskey } from './passkey-proof.ts'

export interface SecondProofForm {
  readonly code?: string | undefined
  readonly recovery?: string | undefined
  /** What a passkey answered, as JSON. */
  readonly passkey?: string | undefined
}

/** `purpose`: where it is asked for; a passkey's answer counts nowhere else. */
export interface SecondProofAsked {
  readonly userId: string
  readonly purpose: string
}

/** What the page of the second step offers. */
export async function offeredProofs(
  deps: FlowDeps,
  request: BrowserRequest,
  { userId, purpose }: SecondProofAsked,
): Promise<Pick<SecondStepPage, 'totp' | 'recovery' | 'passkey'>> {
  const { kinds, codes } = await askedFactors(deps.storage, userId)
  const own = await deps.storage.passkeys.listOfUser(userId)
  return {
    totp: kinds.includes('totp'),
    recovery: codes > 0,
    // One that is there serves, whether or not it is what the person chose to be asked for.
    passkey: own.length === 0 ? undefined : await offerPasskey(deps, request, { purpose, own }),
  }
}

/**
 * The methods that were proven (RFC 8176); undefined when it was not the right thing.
 *
 * @throws {FlowError} `rate_limited`.
 */
export async function judgeSecondProof(
  deps: FlowDeps,
  request: BrowserRequest,
  { userId, purpose }: SecondProofAsked,
  form: SecondProofForm,
): Promise<readonly string[] | undefined> {
  if (form.passkey !== undefined) {
    const proven = await provePasskey(deps, request, { purpose, answer: form.passkey, userId })
    return proven && PASSKEY_AMR
  }
  const [kind, typed] =
    form.recovery === undefined ? (['totp', form.code] as const) : (['recovery', form.recovery] as const)
  const by = { by: request.browser.hash, ip: request.ip }
  const verdict = await tryFactorCode(deps, { userId, kind, typed: typed ?? '', ...by })
  if (verdict.kind === 'limited') throw new FlowError('rate_limited', verdict)
  return verdict.kind === 'right' ? CODE_AMR : undefined
}
