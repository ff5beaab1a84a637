// Calls to a provider's API with the account's own token, to read who it is.
import { UpstreamRefused } from './errors.ts'
import { isLosslessObject, type LosslessObject, parseLossless } from './lossless-json.ts'
import type { SafeAnswer } from './safe-fetch.ts'
import { type BackChannel, isJsonType } from './token-endpoint.ts'

/** The provider's answer to a call with the account's own token. */
export function callAsAccount({ fetch, settings }: BackChannel, url: string, accessToken: string): Promise<SafeAnswer> {
  return fetch(url, {
    headers: {
      accept: 'application/json',
      ...settings.profile.userinfoHeaders,
      authorization: `Bearer ${accessToken}`,
    },
  })
}

/** @throws {UpstreamRefused} `userinfo_invalid`: not a JSON object with status 200. */
export function requireClaims(answer: SafeAnswer): LosslessObject {
  const claims = answer.status === 200 && isJsonType(answer.headers.get('content-type')) && parseLossless(answer.text)
  if (!claims || !isLosslessObject(claims))
    throw new UpstreamRefused('userinfo_invalid', { detail: String(answer.status) })
  return claims
}
