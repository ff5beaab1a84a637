// Tokensets that were opened a moment ago. Agents ask for the same one again and again, and deciphering is the dearest
// step of giving it out.
import type { StoredAccount, TokenSet } from '../domain/tokenset.ts'
import type { Clock, EpochSeconds } from '../lib/time.ts'

const KEPT_SECONDS = 5
const MAX_KEPT = 10_000

interface Opened {
  readonly account: Pick<StoredAccount, 'userId' | 'generation' | 'envelope'>
  readonly tokenset: TokenSet
  readonly until: EpochSeconds
}

export class OpenedTokensets {
  readonly #clock: Clock
  /** By account, the oldest first. */
  readonly #opened = new Map<string, Opened>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What this very row held when it was opened: one byte, owner or generation of difference, and it is another. */
  find({ id, userId, generation, envelope }: StoredAccount): TokenSet | undefined {
    const known = this.#opened.get(id)
    if (known === undefined || known.until <= this.#clock()) return undefined
    if (known.account.userId !== userId || known.account.generation !== generation) return undefined
    return Buffer.compare(known.account.envelope, envelope) === 0 ? known.tokenset : undefined
  }

  keep({ id, userId, generation, envelope }: StoredAccount, tokenset: TokenSet): void {
    const now = this.#clock()
    for (const [oldest, { until }] of this.#opened) {
      if (until > now && this.#opened.size < MAX_KEPT) break
      this.#opened.delete(oldest)
    }
    this.#opened.delete(id)
    this.#opened.set(id, { account: { userId, generation, envelope }, tokenset, until: now + KEPT_SECONDS })
  }

  forget(userId: string): void {
    for (const [id, { account }] of this.#opened) if (account.userId === userId) this.#opened.delete(id)
  }
}
