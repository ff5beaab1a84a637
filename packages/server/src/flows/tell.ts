// Tells a person by mail of what was done with their account: at every address that is proven theirs, whichever they read.
import { provenAddresses } from '../accounts/link.ts'
import type { AddressEvidence } from '../domain/user.ts'
import type { AccountChange } from '../events/mail.ts'
import { queueMail } from '../events/mail-queue.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import type { FlowDeps } from './deps.ts'

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
  { issuer, keyring, settings }: FlowDeps,
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
