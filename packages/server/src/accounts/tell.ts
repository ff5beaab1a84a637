// Tells a person by mail of what was done with their account: at every address that is proven theirs, whichever they read.
import type { Keyring } from '../crypto/keyring.ts'
import type { Settings } from '../domain/settings.ts'
import type { AddressEvidence } from '../domain/user.ts'
import type { AccountChange } from '../events/mail.ts'
import { queueMail } from '../events/mail-queue.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import { provenAddresses } from './link.ts'

export interface TellDeps {
  readonly issuer: string
  readonly keyring: Pick<Keyring, 'seal'>
  readonly settings: () => Pick<Settings, 'friendlyName'>
}

export type Telling =
  | 'address-proven'
  | 'address-changed'
  | 'address-left'
  | 'account-deleted'
  | 'password-changed'
  | 'second-step-added'
  | 'second-step-removed'
  | 'recovery-codes-renewed'

/** In the transaction of what is told. `path`: where the mail leads. */
export async function tell(
  { issuer, keyring, settings }: TellDeps,
  tx: Repositories,
  what: {
    readonly template: Telling
    readonly to: readonly string[]
    readonly at: EpochSeconds
    readonly path: string
  },
): Promise<void> {
  const { template, to, at, path } = what
  const values: AccountChange = { tenant: settings().friendlyName, at, link: new URL(path, issuer).href }
  for (const address of new Set(to)) await queueMail(tx, keyring, { to: address, template, values })
}

export const provenAmong = (evidence: readonly AddressEvidence[]): readonly string[] => provenAddresses({ evidence })
