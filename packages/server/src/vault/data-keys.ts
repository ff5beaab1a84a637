// One data key per user: made with the first envelope, kept wrapped by a key-encryption key, remembered for minutes.
import { randomBytes } from 'node:crypto'
import { EnvelopeError, KEY_BYTES, type SealingKey, sealingKey } from '../crypto/envelope.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Clock, EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'

const REMEMBERED_SECONDS = 300
const MAX_REMEMBERED = 20_000

interface Remembered {
  readonly userId: string
  readonly key: SealingKey
  readonly until: EpochSeconds
}

export class DataKeys {
  readonly #keyring: Keyring
  readonly #clock: Clock
  /** By the key's own id. What nobody committed is named by no envelope and so never found. */
  readonly #remembered = new Map<string, Remembered>()

  constructor({ keyring, clock }: { keyring: Keyring; clock: Clock }) {
    this.#keyring = keyring
    this.#clock = clock
  }

  /**
   * The key that opens this user's envelopes.
   *
   * @throws {EnvelopeError} the user has no such key, or its wrapping does not open.
   */
  async forOpening(repositories: Repositories, userId: string, keyId: string): Promise<SealingKey> {
    const known = this.#remembered.get(keyId)
    if (known && known.userId === userId && known.until > this.#clock()) return known.key
    const row = await repositories.userKeys.find(userId)
    if (!row) throw new EnvelopeError('the user has no data key')
    const key = this.#unwrap(userId, row.wrapped)
    if (key.id !== keyId) throw new EnvelopeError('sealed by a data key that is not here')
    return key
  }

  /**
   * The key that seals for this user; always read, never remembered: it may come from a transaction that was undone.
   *
   * @throws {EnvelopeError} the user has none, or its wrapping does not open.
   */
  async forSealing(repositories: Repositories, userId: string): Promise<SealingKey> {
    const row = await repositories.userKeys.find(userId)
    if (!row) throw new EnvelopeError('the user has no data key')
    return this.#unwrap(userId, row.wrapped)
  }

  /** As `forSealing`, and makes the key when there is none. */
  async forSealingOrNew(tx: Repositories, userId: string): Promise<SealingKey> {
    const known = await tx.userKeys.find(userId)
    if (known) return this.#unwrap(userId, known.wrapped)
    const { keyId, wrapped } = this.#keyring.wrap(userId, randomBytes(KEY_BYTES))
    const standing = await tx.userKeys.insert({ userId, keyId, wrapped })
    return this.#unwrap(userId, standing.wrapped)
  }

  /** The user is gone: what is remembered goes as well. */
  forget(userId: string): void {
    for (const [keyId, one] of this.#remembered) if (one.userId === userId) this.#remembered.delete(keyId)
  }

  #unwrap(userId: string, wrapped: Uint8Array): SealingKey {
    const bytes = this.#keyring.unwrap(userId, wrapped)
    const key = sealingKey('dk_', bytes)
    bytes.fill(0)
    this.#remembered.delete(key.id)
    this.#remembered.set(key.id, { userId, key, until: this.#clock() + REMEMBERED_SECONDS })
    const [oldest] = this.#remembered.keys()
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest)
    return key
  }
}
