// What a change of accounts asks of the vault, inside the transaction that makes the change.
import type { StoredAccount, VaultAccount } from '../domain/tokenset.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'

export interface AccountVault {
  /** The account's tokenset, sealed anew for another user: what `tx.accounts.move` writes. */
  reseal(tx: Repositories, account: StoredAccount, toUserId: string): Promise<Uint8Array>
  /** Makes a refresh in flight fail its write, by sealing the tokenset anew under the next generation. */
  interrupt(tx: Repositories, account: StoredAccount): Promise<void>
  /** After a user is gone for good: their data key leaves this process, too. */
  forgetUser(userId: string): void
  /** Takes the account away at once and queues the revocation of its tokens at the provider. */
  drop(tx: Repositories, account: StoredAccount, at: EpochSeconds): Promise<void>
  /** Puts back an account that was dropped, without its tokens: it waits to be connected again. */
  revive(tx: Repositories, account: VaultAccount, at: EpochSeconds): Promise<void>
}
