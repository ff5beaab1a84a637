// The only door to providers' tokens. No other folder opens an envelope, and what leaves is an access token at a time.
import type { Keyring } from '../crypto/keyring.ts'
import { END_NOTICE_SECONDS, endOf } from '../domain/account-end.ts'
import type { Health, StoredAccount, TokenSet, VaultAccount } from '../domain/tokenset.ts'
import type { Periodic } from '../lib/periodic.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import { type BackgroundOptions, startBackground } from './background.ts'
import { Circuits } from './circuits.ts'
import { DataKeys } from './data-keys.ts'
import type { FreshToken } from './fresh-token.ts'
import { discard, drop, interrupt, reseal, revive, type Stored, type StoreRequest, store } from './keeping.ts'
import { OpenedTokensets } from './opened-tokensets.ts'
import type { VaultParts } from './parts.ts'
import { openPending, type PendingConnect, sealPending } from './pending.ts'
import { Refresher } from './refresher.ts'
import type { TokenOwner } from './revocations.ts'

export interface Vault {
  /**
   * An access token that lives for at least `minTtlSeconds` (default: the margin of the settings), refreshed at the
   * provider when the stored one would not. A token with less life is given when it was refreshed just now, when there
   * is no way to refresh it, or when the provider does not answer.
   *
   * One refresh runs at a time for an account, on all nodes; others wait for its result. The fast path reads nothing and
   * writes nothing when the account's row is given.
   */
  freshToken(account: StoredAccount | string, minTtlSeconds?: number): Promise<FreshToken>

  /**
   * Keeps a tokenset for a user: a new account, or the same account renewed and healed. What it replaces is queued for
   * revocation. @throws {VaultConflict} another transaction was faster; run yours again.
   */
  store(tx: Repositories, request: StoreRequest): Promise<Stored>
  /** Takes an account away at once and queues the revocation of its tokens at the provider. */
  drop(tx: Repositories, account: StoredAccount, at: EpochSeconds): Promise<void>
  /** Puts back an account that was dropped, without its tokens: it waits to be connected again. */
  revive(tx: Repositories, account: VaultAccount, at: EpochSeconds): Promise<void>
  /** Queues the revocation of tokens that were never kept, or that a caller held. */
  discard(tx: Repositories, owner: TokenOwner, tokenset: TokenSet): Promise<void>
  /** An account's tokenset sealed for another user: what `tx.accounts.move` writes. @throws {EnvelopeError} */
  reseal(tx: Repositories, account: StoredAccount, toUserId: string): Promise<Uint8Array>
  /**
   * Makes the result of a refresh in flight useless to whoever waits for it, by sealing the tokenset anew under the next
   * generation. Never use `tx.accounts.raiseGeneration` instead: the envelope would not open any more.
   */
  interrupt(tx: Repositories, account: StoredAccount): Promise<void>
  /** After a user's deletion: their data key leaves this process, too. */
  forgetUser(userId: string): void

  /** Seals what a connect flow holds between the provider's answer and `complete`. */
  sealPending(authSessionHash: string, pending: PendingConnect): Uint8Array
  /** @throws {EnvelopeError} it belongs to another flow, or was changed. */
  openPending(authSessionHash: string, envelope: Uint8Array): PendingConnect

  /** Health to show now: what is stored, with what this process knows of the provider and the hour. */
  healthOf(account: VaultAccount): Health

  /** Starts recovery, revocations, early refreshes, and what is left of a key rotation. */
  start(options?: Partial<BackgroundOptions>): void
  /** Ends background work and waits for refreshes under way. */
  stop(): Promise<void>
}

export type VaultDependencies = Pick<
  VaultParts,
  'storage' | 'keyring' | 'connectorFor' | 'clock' | 'settings' | 'log'
> &
  Partial<Pick<VaultParts, 'leaseClock'>>

export function createVault(dependencies: VaultDependencies): Vault {
  const { clock, leaseClock = clock, keyring } = dependencies
  const dataKeys = new DataKeys({ keyring, clock })
  const opened = new OpenedTokensets(clock)
  const circuits = new Circuits(clock)
  const parts: VaultParts = { ...dependencies, leaseClock, dataKeys, opened, circuits }
  const refresher = new Refresher(parts)
  let background: Periodic | undefined
  return {
    freshToken: (account, minTtlSeconds = parts.settings().refreshMarginSeconds) =>
      refresher.freshToken(account, minTtlSeconds),
    store: (tx, request) => store(tx, parts, request),
    drop: (tx, account, at) => drop(tx, parts, account, at),
    revive: (tx, account, at) => revive(tx, parts, account, at),
    discard: (tx, owner, tokenset) => discard(tx, parts, owner, tokenset),
    reseal: (tx, account, toUserId) => reseal(tx, parts, account, toUserId),
    interrupt: (tx, account) => interrupt(tx, parts, account),
    forgetUser(userId) {
      dataKeys.forget(userId)
      opened.forget(userId)
    },
    ...pendingOf(keyring),
    healthOf: (account) => healthOf(parts, account),
    start({ takeOverLeases = false } = {}) {
      background ??= startBackground(parts, refresher, { takeOverLeases })
    },
    async stop() {
      await background?.stop()
      background = undefined
      await refresher.idle()
    },
  }
}

const pendingOf = (keyring: Keyring): Pick<Vault, 'sealPending' | 'openPending'> => ({
  sealPending: (authSessionHash, pending) => sealPending(keyring, authSessionHash, pending),
  openPending: (authSessionHash, envelope) => openPending(keyring, authSessionHash, envelope),
})

function healthOf({ circuits, clock }: VaultParts, account: VaultAccount): Health {
  if (account.health !== 'ok') return account.health
  const end = endOf(account)
  if (end !== undefined && end <= clock()) return 'reconnect_required'
  if (circuits.pauseOf(account.connectionId) > 0) return 'provider_unavailable'
  return end !== undefined && end - END_NOTICE_SECONDS <= clock() ? 'expiring' : 'ok'
}
