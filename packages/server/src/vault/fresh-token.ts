// What the vault answers to whoever needs an access token.
import type { StoredAccount, TokenSet, VaultAccount } from '../domain/tokenset.ts'
import type { EpochSeconds } from '../lib/time.ts'

export type FreshToken =
  | {
      readonly kind: 'fresh'
      readonly accessToken: string
      readonly tokenType: string
      /** Undefined when the provider named no end. */
      readonly expiresAt: EpochSeconds | undefined
      /** As the provider named them. */
      readonly scopes: readonly string[]
      readonly account: VaultAccount
    }
  /** The person must connect again; `reason` is a stable code. */
  | { readonly kind: 'reconnect_required'; readonly reason: ReconnectReason }
  /** No usable answer of the provider; what is stored stands. */
  | { readonly kind: 'provider_unavailable'; readonly retryAfterSeconds: number }
  /** The envelope does not open: the row was damaged or tampered with. */
  | { readonly kind: 'vault_integrity' }
  /** The account was taken away, or stopped, while the caller waited. */
  | { readonly kind: 'gone' }

export type ReconnectReason =
  /** The provider does not take the refresh token any more. */
  | 'refresh_token_refused'
  /** The same, after a crash or an outage in the middle of a refresh, whose answer may have been lost. */
  | 'refresh_answer_lost'
  /** The access token has ended and there is no refresh token. */
  | 'access_token_ended'

const REASONS: readonly ReconnectReason[] = ['refresh_token_refused', 'refresh_answer_lost', 'access_token_ended']

export function freshAnswer({ envelope, ...account }: StoredAccount, tokenset: TokenSet): FreshToken {
  const { accessToken, tokenType, accessExpiresAt, scopes } = tokenset
  return {
    kind: 'fresh',
    accessToken,
    tokenType,
    expiresAt: accessExpiresAt,
    scopes: scopes ?? account.scopesGranted,
    account,
  }
}

export const reconnectAnswer = (reason: string | undefined): FreshToken => ({
  kind: 'reconnect_required',
  reason: REASONS.find((one) => one === reason) ?? 'refresh_token_refused',
})
