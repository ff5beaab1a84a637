// Gives out access tokens, and asks the provider for a new one when the stored one is stale: once, however many ask,
// in however many processes (docs/formats/envelope.md for what is stored).
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { isUntried, type StoredAccount } from '../domain/tokenset.ts'
import type { FreshToken } from './fresh-token.ts'
import { Judge } from './judge.ts'
import { LEASE_SECONDS, Lease, TAKE_OVER } from './lease.ts'
import type { VaultParts } from './parts.ts'
import { refreshAtProvider } from './refresh.ts'

/** `final`: good for everyone who waits, whatever life they asked for. */
interface Flight {
  readonly answer: FreshToken
  readonly final: boolean
}

interface Wish {
  readonly minTtlSeconds: number
  /** Resolve an intent that a dead process left, although the access token would serve. */
  readonly recover?: 'run_out' | 'take_over'
}

const FIRST_WAIT_MS = 25
const LONGEST_WAIT_MS = 250
const RETRY_SECONDS = 2

export class Refresher {
  readonly #parts: VaultParts
  readonly #judge: Judge
  readonly #holder = randomUUID()
  readonly #flights = new Map<string, Promise<Flight>>()

  constructor(parts: VaultParts) {
    this.#parts = parts
    this.#judge = new Judge(parts)
  }

  /** As `Vault.freshToken`. */
  async freshToken(account: StoredAccount | string, minTtlSeconds: number): Promise<FreshToken> {
    if (typeof account === 'string') return this.#fly(account, { minTtlSeconds })
    // What the caller read may be old by now: before a token is refused, the flight reads again.
    const answer = await this.#judge.glance(account, minTtlSeconds)
    if (answer) return answer
    return this.#fly(account.id, { minTtlSeconds })
  }

  /** Finds out what became of a refresh whose process died or whose answer was lost. */
  async recover(accountId: string, how: 'run_out' | 'take_over'): Promise<void> {
    await this.#fly(accountId, { minTtlSeconds: 0, recover: how })
  }

  /** Waits for what is under way at providers. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#flights.values())
  }

  async #fly(accountId: string, wish: Wish): Promise<FreshToken> {
    for (;;) {
      const flying = this.#flights.get(accountId)
      if (!flying) return (await this.#start(accountId, wish)).answer
      const { answer, final } = await flying
      if (final || answer.kind !== 'fresh') return answer
      // Somebody who asked for less life was content with what is stored.
      const { expiresAt } = answer
      if (expiresAt === undefined || expiresAt - wish.minTtlSeconds > this.#parts.clock()) return answer
    }
  }

  #start(accountId: string, wish: Wish): Promise<Flight> {
    const flight = this.#flight(accountId, wish).finally(() => this.#flights.delete(accountId))
    this.#flights.set(accountId, flight)
    return flight
  }

  async #flight(accountId: string, { minTtlSeconds, recover }: Wish): Promise<Flight> {
    const patienceMs = (this.#parts.settings().refreshTimeoutSeconds + 2) * 1000
    const startedAt = performance.now()
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      const account = await this.#parts.storage.accounts.find(accountId)
      if (!account) return final({ kind: 'gone' })
      const insist = isUntried(account) || (recover !== undefined && account.intentGeneration !== undefined)
      const judged = await this.#judge.judge(account, minTtlSeconds, insist)
      if (judged.kind === 'changed') continue
      const lease = this.#lease(account)
      if (judged.kind === 'answer') {
        if (insist) await lease.settle(recover === 'take_over' ? TAKE_OVER : 0)
        return { answer: judged.answer, final: judged.answer.kind !== 'fresh' }
      }
      const fallback = (retryAfterSeconds: number): Flight =>
        final(this.#judge.stillValid(account, judged.tokenset) ?? { kind: 'provider_unavailable', retryAfterSeconds })
      const pause = this.#parts.circuits.enter(account.connectionId)
      if (pause > 0) {
        if (insist) await lease.park(pause)
        return fallback(pause)
      }
      if (await lease.claim(recover === 'take_over' ? TAKE_OVER : 0)) {
        const outcome = await refreshAtProvider({ parts: this.#parts, judge: this.#judge, lease, account, ...judged })
        if (outcome.kind === 'answer') return final(outcome.answer)
        if (outcome.kind === 'unavailable') return fallback(outcome.retryAfterSeconds)
        await lease.release()
        continue
      }
      const inVain = recover !== undefined || this.#isParked(account) || performance.now() - startedAt > patienceMs
      if (inVain) return fallback(RETRY_SECONDS)
      await sleep(waitMs)
    }
  }

  /** An attempt so old is not under way any more: its holder keeps the lease so that nobody bothers the provider. */
  #isParked(account: StoredAccount): boolean {
    const { intentStartedAt } = account
    // Whoever has the lease may be the first to try it.
    if (isUntried(account)) return false
    const longest = this.#parts.settings().refreshTimeoutSeconds + LEASE_SECONDS
    return intentStartedAt !== undefined && intentStartedAt + longest < this.#parts.leaseClock()
  }

  #lease(account: StoredAccount): Lease {
    return new Lease({ parts: this.#parts, account, holder: this.#holder })
  }
}

const final = (answer: FreshToken): Flight => ({ answer, final: true })
