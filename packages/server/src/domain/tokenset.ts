// What upstream providers give us, and the accounts that it belongs to.
import type { JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'

/** In clear only in memory, and only inside `vault/` and `upstream/`. */
export interface TokenSet {
  readonly accessToken: string
  readonly refreshToken: string | undefined
  readonly tokenType: string
  readonly accessExpiresAt: EpochSeconds | undefined
  readonly refreshExpiresAt: EpochSeconds | undefined
  /** Granted scopes as the provider named them; `undefined` when its answer named none. */
  readonly scopes: readonly string[] | undefined
}

/** What a person typed, as `tokenType`: it does not end by itself, is never renewed, and nobody can be asked to end it. */
export type CredentialKind = 'api_key' | 'basic'

const CREDENTIAL_KINDS: ReadonlySet<string> = new Set<CredentialKind>(['api_key', 'basic'])

export const isCredential = ({ tokenType }: Pick<TokenSet, 'tokenType'>): boolean => CREDENTIAL_KINDS.has(tokenType)

export type Health = 'ok' | 'expiring' | 'reconnect_required' | 'provider_unavailable' | 'revoked'

/** `agents`: a connected account (`cac_…`). `sign_in`: the tokenset of an identity that logs in. */
export type Purpose = 'agents' | 'sign_in'

/**
 * A connected account, or an identity's kept tokenset, with everything that may stand in clear.
 * Unique on (user, connection, subject, purpose).
 */
export interface VaultAccount {
  readonly id: string
  readonly userId: string
  readonly connectionId: string
  readonly subject: string
  readonly purpose: Purpose
  readonly label: string
  readonly isDefault: boolean
  /** The client through which it was connected; undefined for a sign-in's tokenset. */
  readonly clientId: string | undefined
  readonly scopesAsked: readonly string[]
  readonly scopesGranted: readonly string[]
  readonly health: Health
  readonly healthReason: string | undefined
  /** Provider extras such as Salesforce's `instance_url`; never a token. */
  readonly extras: JsonObject
  readonly createdAt: EpochSeconds
  readonly connectedAt: EpochSeconds
  readonly lastUsedAt: EpochSeconds | undefined
  readonly accessExpiresAt: EpochSeconds | undefined
  readonly refreshExpiresAt: EpochSeconds | undefined
  readonly hasRefreshToken: boolean
  /** Rises with each write of the envelope and with each act that must stop a refresh in flight. */
  readonly generation: number
  /** The generation whose refresh token was sent to the provider and whose answer is not yet known (vault.md §3). */
  readonly intentGeneration: number | undefined
  readonly intentStartedAt: EpochSeconds | undefined
}

/** Restored from a backup, and not tried at its provider since: what is stored may have been ended or replaced there. */
export const isUntried = ({ intentStartedAt }: Pick<VaultAccount, 'intentStartedAt'>): boolean => intentStartedAt === 0

/** Scopes that were granted and are not any more. */
export const scopesLost = (before: readonly string[], after: readonly string[]): readonly string[] =>
  before.filter((scope) => !after.includes(scope))

/** A VaultAccount with its sealed tokenset; only `vault/` opens the envelope. */
export interface StoredAccount extends VaultAccount {
  readonly envelope: Uint8Array
}
