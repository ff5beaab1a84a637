// What carrying out a link needs besides its transaction.
import type { Keyring } from '../crypto/keyring.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import type { AccountVault } from './account-vault.ts'

export interface LinkDeps {
  readonly vault: AccountVault
  readonly keyring: Pick<Keyring, 'seal' | 'open'>
  /** Tells the people concerned, within the transaction that gives them the reason. */
  readonly notify: LinkNotify
}

export type LinkNotify = (tx: Repositories, notice: LinkNotice) => Promise<void>

export interface LinkNotice {
  readonly kind: 'users_linked' | 'users_parted' | 'identity_linked' | 'identity_unlinked' | 'user_deleted'
  /** Undefined when an identity was taken away that no link had added, and when a user was deleted. */
  readonly linkId: string | undefined
  /** The user that remains; the one who was deleted. */
  readonly userId: string
  /** Every proven address of either side. */
  readonly addresses: readonly string[]
  /** Of the identity, where the notice is about one: its name for people. */
  readonly connection?: string | undefined
  readonly at: EpochSeconds
}
