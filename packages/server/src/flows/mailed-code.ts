// A code that is mailed to prove an address: six digits unless more are asked for, for one interaction (T-PRE-10), a quarter of an hour, five tries.
import { equalSecrets, randomDigits, sha256Hex } from '../crypto/hashing.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Interaction, InteractionDeps } from './interactions.ts'

export const CODE_SECONDS = 900
const CODE_DIGITS = 6
const CODE_TRIES = 5

/** What the interaction keeps of it. */
export interface MailedCode {
  readonly codeHash: string
  readonly expiresAt: EpochSeconds
}

/** A new code, and what to keep of it. */
export function newCode(
  interaction: Pick<Interaction, 'uid'>,
  now: EpochSeconds,
  digits = CODE_DIGITS,
): { code: string; kept: MailedCode } {
  const code = randomDigits(digits)
  return { code, kept: { codeHash: hashOf(interaction, code), expiresAt: now + CODE_SECONDS } }
}

/** Counts a try before it is judged: of many at once, too, five are heard (T-API-08). */
export async function tryCode(
  { storage, clock }: Pick<InteractionDeps, 'storage' | 'clock'>,
  interaction: Pick<Interaction, 'uid'>,
  { kept, typed }: { kept: MailedCode; typed: string | undefined },
): Promise<'right' | 'code_wrong' | 'code_expired'> {
  const { codeHash, expiresAt } = kept
  const now = clock()
  if (expiresAt <= now) return 'code_expired'
  const { points } = await storage.transaction((tx) => tx.limits.add(`code:${codeHash}`, 1, now, expiresAt))
  if (points > CODE_TRIES) return 'code_expired'
  return equalSecrets(hashOf(interaction, (typed ?? '').trim()), codeHash) ? 'right' : 'code_wrong'
}

const hashOf = ({ uid }: Pick<Interaction, 'uid'>, code: string): string => sha256Hex(`${uid}:${code}`)
