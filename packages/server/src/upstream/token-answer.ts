// A token endpoint's success answer as a tokenset, read strictly (RFC 6749 §5.1; threats T-NET-02).
import type { TokenSet } from '../domain/tokenset.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { ProviderProfile } from './catalogue/profile.ts'
import { UpstreamRefused } from './errors.ts'
import { isLosslessObject, type LosslessObject, type LosslessValue, NumberText, valueAt } from './lossless-json.ts'
import { splitScopes } from './scopes.ts'

const MAX_TOKEN_LENGTH = 32 * 1024
const MAX_LIFE_SECONDS = 100 * 365 * 86_400
const MAX_SCOPES = 500

export interface TokenAnswerFacts {
  readonly profile: ProviderProfile
  readonly now: EpochSeconds
  readonly grant: 'code' | 'refresh'
  /** The browser's way back, where some providers say what was granted. */
  readonly callback?: URLSearchParams
}

/** @throws {UpstreamRefused} `token_answer_invalid` */
export function readTokenSet(answer: LosslessObject, facts: TokenAnswerFacts): TokenSet {
  const { profile, now } = facts
  const members = tokensIn(answer, facts)
  const accessToken = token(members.access_token, 'access_token')
  if (accessToken === undefined) throw invalid('access_token')
  const refreshToken = token(members.refresh_token, 'refresh_token')
  const canRenew = refreshToken !== undefined || facts.grant === 'refresh'
  const accessSeconds =
    seconds(members.expires_in, 'expires_in') ??
    profile.token.accessSeconds ??
    (canRenew ? profile.token.assumedSeconds : undefined)
  const refreshSeconds = refreshLife(members, facts, refreshToken !== undefined)
  return {
    accessToken,
    refreshToken,
    tokenType: tokenType(members.token_type, profile.token.types),
    accessExpiresAt: accessSeconds === undefined ? undefined : now + accessSeconds,
    refreshExpiresAt: refreshSeconds === undefined ? undefined : now + refreshSeconds,
    scopes: readScopes(grantedIn(members, facts), profile.scopes.grantedForm),
  }
}

/** The object that holds the tokens. A refresh names one token, and some providers then leave out what it was wrapped in. */
function tokensIn(answer: LosslessObject, { profile, grant }: TokenAnswerFacts): LosslessObject {
  const { at } = profile.token
  const inner = at === '' ? answer : valueAt(answer, at)
  if (isLosslessObject(inner) && inner.access_token !== undefined) return inner
  if (at === '' || grant === 'refresh') return answer
  throw invalid('access_token')
}

/** What the answer says (GitHub and Google; Keycloak, Airtable and TikTok; Intuit), else what is known of the provider. */
function refreshLife(members: LosslessObject, facts: TokenAnswerFacts, hasRefreshToken: boolean): number | undefined {
  const said =
    members.refresh_token_expires_in ?? members.refresh_expires_in ?? members.x_refresh_token_expires_in ?? undefined
  if (said !== undefined) return seconds(said, 'refresh_expires_in')
  const { idleSeconds, absoluteSeconds } = facts.profile.refresh
  // Using it keeps it alive, whether or not another one comes; the end from the consent on does not move.
  if (facts.grant === 'refresh') return idleSeconds
  const ends = [idleSeconds, absoluteSeconds].filter((one) => one !== undefined)
  return hasRefreshToken && ends.length > 0 ? Math.min(...ends) : undefined
}

function grantedIn(members: LosslessObject, facts: TokenAnswerFacts): LosslessValue | undefined {
  const { grantedIn: place, grantedMember, blankIsSilence } = facts.profile.scopes
  if (place === 'userinfo') return undefined
  const value = place === 'callback' ? facts.callback?.get(grantedMember) : members[grantedMember]
  return value === '' && blankIsSilence ? undefined : (value ?? undefined)
}

function token(value: LosslessValue | undefined, name: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  // RFC 6749 appendix A: visible ASCII, so that it fits into a header.
  const fits = typeof value === 'string' && value.length <= MAX_TOKEN_LENGTH && /^[\x21-\x7e]+$/.test(value)
  if (!fits) throw invalid(name)
  return value
}

// Some providers leave it out; `mac`, `DPoP` and `N_A` are tokens that nobody downstream could use.
function tokenType(value: LosslessValue | undefined, others: readonly string[]): string {
  if (value === undefined || value === null) return 'Bearer'
  if (typeof value === 'string' && ['bearer', ...others].includes(value.toLowerCase())) return 'Bearer'
  throw invalid('token_type')
}

// Some providers write numbers as text, and 0 where there is no end.
function seconds(value: LosslessValue | undefined, name: string): number | undefined {
  if (value === undefined || value === null) return undefined
  const text = value instanceof NumberText ? value.text : value
  if (typeof text !== 'string' || !/^\d{1,10}(?:\.0+)?$/.test(text) || Number(text) > MAX_LIFE_SECONDS)
    throw invalid(name)
  return Number(text) === 0 ? undefined : Number(text)
}

/** @throws {UpstreamRefused} `token_answer_invalid`: what names the scopes is not what it should be. */
export function readScopes(
  value: LosslessValue | undefined,
  form: ProviderProfile['scopes']['grantedForm'],
): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  const list = form === 'list' && Array.isArray(value) ? value.flatMap(scopesIn) : scopesIn(value)
  if (list.length > MAX_SCOPES) throw invalid('scope')
  return list
}

// A text, or for some providers a list of texts.
function scopesIn(value: LosslessValue): readonly string[] {
  if (typeof value !== 'string' || !/^[\x20-\x7e]*$/.test(value)) throw invalid('scope')
  return splitScopes(value)
}

function invalid(detail: string): UpstreamRefused {
  return new UpstreamRefused('token_answer_invalid', { detail })
}
