// What a person calls a passkey of theirs.
import { isLabel, tidyLabel } from '../domain/label.ts'
import type { PasskeyRecord } from '../storage/factor-repository.ts'
import type { Repositories } from '../storage/storage.ts'

/** Names it as it was typed, in one tidy line. @returns its name; undefined for text that is none: nothing is changed. */
export async function labelPasskey(
  tx: Repositories,
  passkey: Pick<PasskeyRecord, 'connectionId' | 'subject'>,
  typed: string | undefined,
): Promise<string | undefined> {
  const label = tidyLabel(typed)
  if (!isLabel(label)) return undefined
  await tx.passkeys.setLabel(passkey, label)
  return label
}
