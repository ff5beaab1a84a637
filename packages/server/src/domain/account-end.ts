// When an account stops working by itself, and why: nothing of ours moves that end.
import type { EpochSeconds } from '../lib/time.ts'
import type { VaultAccount } from './tokenset.ts'

/** People and operators are told so long ahead. */
export const END_NOTICE_SECONDS = 7 * 86_400
/** Accounts that were used so lately are renewed before anybody waits for it (vault.md §3). */
export const KEPT_FRESH_SECONDS = 7 * 86_400
const DAY_SECONDS = 86_400

/**
 * `not_renewable`: there is no refresh token. `consent_ends`: the provider lets no consent last longer. `key_ends`: the
 * refresh token ends, which a use before then may put off.
 */
export type EndReason = 'not_renewable' | 'consent_ends' | 'key_ends'

type Lives = Pick<
  VaultAccount,
  'hasRefreshToken' | 'refreshExpiresAt' | 'accessExpiresAt' | 'connectedAt' | 'lastUsedAt'
>

/** Without a refresh token an account lives as long as its access token. Undefined: no end is known. */
export const endOf = ({
  hasRefreshToken,
  refreshExpiresAt,
  accessExpiresAt,
}: Pick<Lives, 'hasRefreshToken' | 'refreshExpiresAt' | 'accessExpiresAt'>): EpochSeconds | undefined =>
  hasRefreshToken ? refreshExpiresAt : accessExpiresAt

/** @param consentSeconds how long the provider lets a consent last; undefined: for ever, or nobody knows. */
export function whyItEnds(account: Lives, consentSeconds: number | undefined): EndReason {
  if (!account.hasRefreshToken) return 'not_renewable'
  const end = endOf(account)
  return end !== undefined && consentSeconds !== undefined && end >= account.connectedAt + consentSeconds
    ? 'consent_ends'
    : 'key_ends'
}

const isUsedLately = ({ lastUsedAt, connectedAt }: Lives, now: EpochSeconds): boolean =>
  (lastUsedAt ?? connectedAt) >= now - KEPT_FRESH_SECONDS

/**
 * Whether its end is worth an event ahead. What lives shorter than a day ends before anybody reads of it, and what is used
 * is renewed, so that its key does not end, unless the provider ends it all the same (`mayStandStill`).
 */
export function isToldAhead(account: Lives, why: EndReason, now: EpochSeconds): boolean {
  const end = endOf(account)
  if (end === undefined || end <= now || end > now + END_NOTICE_SECONDS) return false
  if (why === 'key_ends') return !isUsedLately(account, now)
  return end - account.connectedAt >= DAY_SECONDS
}

/**
 * The account is used, and its key ends on the day after the next: time to see whether renewing it puts that off. Earlier
 * nothing is asked, for most keys that end so soon are those that each use renews for another few days.
 */
export function mayStandStill(account: Lives, why: EndReason, now: EpochSeconds): boolean {
  const end = endOf(account)
  if (end === undefined || why !== 'key_ends' || !isUsedLately(account, now)) return false
  return end > now + DAY_SECONDS && end <= now + 2 * DAY_SECONDS
}
