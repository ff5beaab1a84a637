// Tokensets in and out of their envelopes (docs/formats/envelope.md, Plain text of a tokenset).
import { accountBinding, EnvelopeError, keyIdOf, open, seal } from '../crypto/envelope.ts'
import type { StoredAccount, TokenSet } from '../domain/tokenset.ts'
import { isJsonObject, type JsonValue, stringsOf } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import type { DataKeys } from './data-keys.ts'

const FIELD = 'tokenset'

export interface Place {
  readonly userId: string
  readonly accountId: string
  /** Of the row that the envelope will lie in. */
  readonly generation: number
}

/** @throws {EnvelopeError} the row was moved, swapped, rolled back or edited, or its key is not here. */
export async function openTokenset(
  repositories: Repositories,
  dataKeys: DataKeys,
  { id, userId, generation, envelope }: StoredAccount,
): Promise<TokenSet> {
  const key = await dataKeys.forOpening(repositories, userId, keyIdOf(envelope))
  return parseTokenset(open(key, accountBinding({ userId, accountId: id, field: FIELD, generation }), envelope))
}

/**
 * @param keys `existing`: the user has a data key already, and without one is gone; `or-new`: makes one, within `tx`.
 * @throws {EnvelopeError}
 */
export async function sealTokenset(
  repositories: Repositories,
  dataKeys: DataKeys,
  { place, tokenset, keys }: { place: Place; tokenset: TokenSet; keys: 'existing' | 'or-new' },
): Promise<Uint8Array> {
  const key =
    keys === 'or-new'
      ? await dataKeys.forSealingOrNew(repositories, place.userId)
      : await dataKeys.forSealing(repositories, place.userId)
  return seal(key, accountBinding({ ...place, field: FIELD }), serializeTokenset(tokenset))
}

export const serializeTokenset = (tokenset: TokenSet): Uint8Array =>
  Buffer.from(
    JSON.stringify({
      access_token: tokenset.accessToken,
      refresh_token: tokenset.refreshToken,
      token_type: tokenset.tokenType,
      scopes: tokenset.scopes,
      access_expires_at: tokenset.accessExpiresAt,
      refresh_expires_at: tokenset.refreshExpiresAt,
    }),
  )

export function parseTokenset(bytes: Uint8Array): TokenSet {
  const value: JsonValue = JSON.parse(Buffer.from(bytes).toString('utf8'))
  if (!isJsonObject(value) || typeof value.access_token !== 'string' || typeof value.token_type !== 'string')
    throw new EnvelopeError('holds no tokenset')
  return {
    accessToken: value.access_token,
    refreshToken: typeof value.refresh_token === 'string' ? value.refresh_token : undefined,
    tokenType: value.token_type,
    scopes: Array.isArray(value.scopes) ? stringsOf(value.scopes) : undefined,
    accessExpiresAt: secondsOf(value.access_expires_at),
    refreshExpiresAt: secondsOf(value.refresh_expires_at),
  }
}

/** True when the access token can still be used `leewaySeconds` from now. */
export const isFresh = (tokenset: TokenSet, now: EpochSeconds, leewaySeconds: number): boolean =>
  tokenset.accessExpiresAt === undefined || tokenset.accessExpiresAt - leewaySeconds > now

/** What stands after a refresh: what the answer does not name stays as it was (RFC 6749 §6, §5.1). */
export const renewedTokenset = (old: TokenSet, answer: TokenSet): TokenSet => ({
  accessToken: answer.accessToken,
  tokenType: answer.tokenType,
  accessExpiresAt: answer.accessExpiresAt,
  refreshToken: answer.refreshToken ?? old.refreshToken,
  refreshExpiresAt: answer.refreshExpiresAt ?? (answer.refreshToken === undefined ? old.refreshExpiresAt : undefined),
  scopes: answer.scopes ?? old.scopes,
})

/** The members of an account's row that follow from its tokenset. */
export const clearMembers = (tokenset: TokenSet) => ({
  accessExpiresAt: tokenset.accessExpiresAt,
  refreshExpiresAt: tokenset.refreshExpiresAt,
  hasRefreshToken: tokenset.refreshToken !== undefined,
})

const secondsOf = (value: JsonValue | undefined): EpochSeconds | undefined =>
  typeof value === 'number' ? value : undefined
