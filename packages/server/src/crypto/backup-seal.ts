// The seal of a backup: says that these keys were at hand when it was made, and that nothing in it changed since.
import { EnvelopeError } from './envelope.ts'
import { equalSecrets } from './hashing.ts'
import type { Keyring } from './keyring.ts'

/** @param digest of everything in the backup. It stands in the context as well: no other backup's seal fits. */
export const sealBackup = (keyring: Pick<Keyring, 'seal'>, digest: string): Uint8Array =>
  keyring.seal(contextOf(digest), Buffer.from(digest))

export function isBackupSealed(keyring: Pick<Keyring, 'open'>, digest: string, sealed: Uint8Array): boolean {
  try {
    return equalSecrets(keyring.open(contextOf(digest), sealed).toString('utf8'), digest)
  } catch (error) {
    if (error instanceof EnvelopeError) return false
    throw error
  }
}

const contextOf = (digest: string): string => `backup:${digest}`
