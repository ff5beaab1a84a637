// An authenticator app on its way to being somebody's second step: it is nobody's before a code of it came back.
import type { Keyring } from '../crypto/keyring.ts'
import { totpStepOf } from '../crypto/totp.ts'
import type { User } from '../domain/user.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { SecondFactorRecord } from '../storage/factor-repository.ts'
import { secondFactorContext } from './second-factors.ts'

export interface AppProof {
  /** `fac_…` */
  readonly id: string
  readonly userId: string
  readonly secret: Uint8Array
  /** As it was typed. */
  readonly code: string
  readonly at: EpochSeconds
}

/** The second step that an app is once a code of it came back; that code is used. Undefined: it is none of this secret. */
export function provenApp(
  { keyring }: { readonly keyring: Pick<Keyring, 'seal'> },
  { id, userId, secret, code, at }: AppProof,
): SecondFactorRecord | undefined {
  const lastStep = totpStepOf(secret, code, at)
  if (lastStep === undefined) return undefined
  return { id, userId, kind: 'totp', envelope: keyring.seal(secondFactorContext(id), secret), lastStep, addedAt: at }
}

/** What the account is called in the app. */
export const nameInApp = ({ email, profile, userId }: User): string => email ?? profile.name ?? userId
