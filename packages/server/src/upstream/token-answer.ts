// A token endpoint's success answer as a tokenset, read strictly (RFC 6749 §5.1; threats T-NET-02).
import type { TokenSet } from '../domain/tokenset.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { ProviderProfile } from './catalogue/profile.ts'
import { UpstreamRefused } from './errors.ts'
import { type LosslessObject, type LosslessValue, NumberText } from './lossless-json.ts'
import { splitScopes } from './scopes.ts'

const MAX_TOKEN_LENGTH = 32 * 1024
const MAX_LIFE_SECONDS = 100 * 365 * 86_400
const MAX_SCOPES = 500

/** @throws {UpstreamRefused} `token_answer_invalid` */
export function readTokenSet(members: LosslessObject, profile: ProviderProfile, now: EpochSeconds): TokenSet {
  const accessSeconds = seconds(members.expires_in, 'expires_in') ?? profile.accessTokenSeconds
  // GitHub and Google; Keycloak.
  const refreshSeconds = seconds(members.refresh_token_expires_in ?? members.refresh_expires_in, 'refresh_expires_in')
  const accessToken = token(members.access_token, 'access_token')
  if (accessToken === undefined) throw invalid('access_token')
  return {
    accessToken,
    refreshToken: token(members.refresh_token, 'refresh_token'),
    tokenType: tokenType(members.token_type),
    accessExpiresAt: accessSeconds === undefined ? undefined : now + accessSeconds,
    refreshExpiresAt: refreshSeconds === undefined ? undefined : now + refreshSeconds,
    scopes: scopes(members.scope === '' && profile.blankScopeIsSilence ? undefined : members.scope),
  }
}

function token(value: LosslessValue | undefined, name: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  // RFC 6749 appendix A: visible ASCII, so that it fits into a header.
  const fits = typeof value === 'string' && value.length <= MAX_TOKEN_LENGTH && /^[\x21-\x7e]+$/.test(value)
  if (!fits) throw invalid(name)
  return value
}

// Some providers leave it out; `mac`, `DPoP` and `N_A` are tokens that nobody downstream could use.
function tokenType(value: LosslessValue | undefined): string {
  if (value === undefined || value === null) return 'Bearer'
  if (typeof value === 'string' && value.toLowerCase() === 'bearer') return 'Bearer'
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

function scopes(value: LosslessValue | undefined): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string' || !/^[\x20-\x7e]*$/.test(value)) throw invalid('scope')
  const list = splitScopes(value)
  if (list.length > MAX_SCOPES) throw invalid('scope')
  return list
}

function invalid(detail: string): UpstreamRefused {
  return new UpstreamRefused('token_answer_invalid', { detail })
}
