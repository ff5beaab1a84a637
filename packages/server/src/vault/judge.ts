// Looks at an account as it lies there: may its access token be given out, or must the provider be asked first?
import { EnvelopeError } from '../crypto/envelope.ts'
import type { NewEvent } from '../domain/event.ts'
import { isUntried, type StoredAccount, type TokenSet } from '../domain/tokenset.ts'
import { type FreshToken, freshAnswer, type ReconnectReason, reconnectAnswer } from './fresh-token.ts'
import type { VaultParts } from './parts.ts'
import { isFresh, openTokenset } from './tokensets.ts'

export type Judgement =
  | { readonly kind: 'answer'; readonly answer: FreshToken }
  /** There is a refresh token, and it is to be used. */
  | { readonly kind: 'stale'; readonly tokenset: TokenSet; readonly refreshToken: string }
  /** The row is another one by now: read again. */
  | { readonly kind: 'changed' }

const MAX_REPORTED = 1000

export class Judge {
  readonly #parts: VaultParts
  /** Envelopes whose failure is recorded already, so that a caller who asks again and again fills no log. */
  readonly #reported = new Set<string>()

  constructor(parts: VaultParts) {
    this.#parts = parts
  }

  /** The fast path: the answer when this row's token may be given out as it is, with nothing written and nothing recorded. */
  async glance(account: StoredAccount, minTtlSeconds: number): Promise<FreshToken | undefined> {
    if (account.health === 'revoked' || account.health === 'reconnect_required' || isUntried(account)) return undefined
    const { opened } = this.#parts
    const tokenset = opened.find(account) ?? (await this.#open(account))
    return tokenset && isFresh(tokenset, this.#parts.clock(), minTtlSeconds)
      ? freshAnswer(account, tokenset)
      : undefined
  }

  /** @param insist refresh although the access token would serve: an open intent must be resolved. */
  async judge(account: StoredAccount, minTtlSeconds: number, insist: boolean): Promise<Judgement> {
    if (account.health === 'revoked') return answered({ kind: 'gone' })
    if (account.health === 'reconnect_required') return answered(reconnectAnswer(account.healthReason))
    const tokenset = await this.#open(account)
    if (!tokenset) return this.#unopened(account)
    if (!insist && isFresh(tokenset, this.#parts.clock(), minTtlSeconds))
      return answered(freshAnswer(account, tokenset))
    const { refreshToken } = tokenset
    if (refreshToken !== undefined) return { kind: 'stale', tokenset, refreshToken }
    // Nothing can make it longer, so what is left of it is given.
    if (isFresh(tokenset, this.#parts.clock(), 0)) return answered(freshAnswer(account, tokenset))
    await this.markDead(account, 'access_token_ended')
    return answered(reconnectAnswer('access_token_ended'))
  }

  /** The token as it is, while it lives at all: better than none when the provider does not answer. */
  stillValid(account: StoredAccount, tokenset: TokenSet): FreshToken | undefined {
    if (isUntried(account)) return undefined
    return isFresh(tokenset, this.#parts.clock(), 0) ? freshAnswer(account, tokenset) : undefined
  }

  /**
   * Records that the account must be connected again, once, and ends `holder`'s lease and intent.
   *
   * @returns false when the account changed meanwhile; then nothing was written.
   */
  async markDead(account: StoredAccount, reason: ReconnectReason, holder?: string): Promise<boolean> {
    return this.#parts.storage.transaction(async (tx) => {
      const now = await tx.accounts.find(account.id)
      if (!now || now.generation !== account.generation) return false
      if (!(await tx.accounts.setHealth(account.id, 'reconnect_required', reason, account.generation))) return false
      if (holder !== undefined) await tx.accounts.releaseLease(account.id, holder)
      if (now.health !== 'reconnect_required')
        await tx.events.append(this.#event(account, 'vault.reconnect_required', { reason }))
      return true
    })
  }

  async #open(account: StoredAccount): Promise<TokenSet | undefined> {
    try {
      const tokenset = await openTokenset(this.#parts.storage, this.#parts.dataKeys, account)
      this.#parts.opened.keep(account, tokenset)
      return tokenset
    } catch (error) {
      if (error instanceof EnvelopeError) return undefined
      throw error
    }
  }

  /** Damage, unless the account was moved, renewed or deleted between two reads. */
  async #unopened(account: StoredAccount): Promise<Judgement> {
    const { id, userId, generation } = account
    const standing = await this.#parts.storage.accounts.find(id)
    if (!standing) return answered({ kind: 'gone' })
    if (standing.generation !== generation || standing.userId !== userId) return { kind: 'changed' }
    const key = `${id} ${generation}`
    if (!this.#reported.has(key)) {
      if (this.#reported.size >= MAX_REPORTED) this.#reported.clear()
      this.#reported.add(key)
      this.#parts.log.error({ accountId: id, generation }, 'a stored tokenset does not open')
      const event = this.#event(account, 'vault.integrity_failed', { generation })
      await this.#parts.storage.transaction((tx) => tx.events.append(event))
    }
    return answered({ kind: 'vault_integrity' })
  }

  #event(account: StoredAccount, type: string, data: NewEvent['data'] & object): NewEvent {
    const { id, userId, connectionId } = account
    return { type, at: this.#parts.clock(), outcome: 'refused', userId, connectionId, accountId: id, data }
  }
}

const answered = (answer: FreshToken): Judgement => ({ kind: 'answer', answer })
