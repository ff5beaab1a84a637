// The right to refresh one account, across processes: a row with a holder and an end. Short, and renewed while the
// provider is asked, so that the account of a process that died is free again soon.
import { setInterval } from 'node:timers'
import type { StoredAccount } from '../domain/tokenset.ts'
import type { VaultParts } from './parts.ts'

export const LEASE_SECONDS = 4
const RENEW_MS = 1000
/** Longest time for which nobody tries again by themselves after a lost answer. */
const MAX_PARK_SECONDS = 15

/** As an `ahead` for `claim`: far enough that every lease has run out. */
export const TAKE_OVER = 86_400

export class Lease {
  readonly holder: string
  /** An earlier refresh of this generation was sent and never resolved. */
  readonly recovering: boolean
  readonly #parts: VaultParts
  readonly #account: StoredAccount

  constructor({ parts, account, holder }: { parts: VaultParts; account: StoredAccount; holder: string }) {
    this.#parts = parts
    this.#account = account
    this.holder = holder
    this.recovering = account.intentGeneration !== undefined
  }

  /**
   * Takes the lease of this generation and records the intent, in one commit: whoever comes after a crash knows that the
   * refresh token may have been used.
   *
   * @param ahead seconds added to the clock when leases of others are judged.
   */
  async claim(ahead: number): Promise<boolean> {
    const { id, generation, intentGeneration } = this.#account
    return this.#parts.storage.transaction(async (tx) => {
      const now = this.#parts.leaseClock()
      const lease = { generation, holder: this.holder, now: now + ahead, until: now + LEASE_SECONDS }
      if (!(await tx.accounts.claimLease(id, lease))) return false
      // An intent that is open already keeps its start.
      return intentGeneration === generation || tx.accounts.putIntent(id, this.holder, generation, now)
    })
  }

  /** Keeps the lease while `work` runs. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    let renewal: Promise<void> | undefined
    const timer = setInterval(() => {
      renewal = this.#extend(LEASE_SECONDS).catch((error: unknown) =>
        this.#parts.log.warn({ err: error, accountId: this.#account.id }, 'a refresh lease could not be renewed'),
      )
    }, RENEW_MS)
    try {
      return await work()
    } finally {
      clearInterval(timer)
      // One that is under way would take the lease again after its end.
      await renewal
    }
  }

  /** Ends lease and intent: the refresh token was not used. */
  async release(): Promise<void> {
    await this.#parts.storage.transaction((tx) => tx.accounts.releaseLease(this.#account.id, this.holder))
  }

  /** Leaves the intent open, and nobody else tries for so many seconds. */
  async park(seconds: number): Promise<void> {
    await this.#extend(Math.min(Math.max(1, seconds), MAX_PARK_SECONDS))
  }

  /** Ends an intent for which nothing is left to find out. */
  async settle(ahead: number): Promise<void> {
    if (await this.claim(ahead)) await this.release()
  }

  async #extend(seconds: number): Promise<void> {
    const { id, generation } = this.#account
    const now = this.#parts.leaseClock()
    const lease = { generation, holder: this.holder, now, until: now + seconds }
    await this.#parts.storage.transaction((tx) => tx.accounts.claimLease(id, lease))
  }
}
