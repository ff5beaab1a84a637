// Calls to a provider's API with the account's own token, to read who it is.
import type { ProviderProfile } from './catalogue/profile.ts'
import { UpstreamRefused, UpstreamUnavailable } from './errors.ts'
import { isLosslessObject, type LosslessObject, type LosslessValue, parseLossless } from './lossless-json.ts'
import type { SafeAnswer } from './safe-fetch.ts'
import { type BackChannel, isJsonType } from './token-endpoint.ts'

/** The provider's answer to a call with the account's own token. */
export function callAsAccount(
  { fetch, settings }: BackChannel,
  url: string,
  accessToken: string,
  request: ProviderProfile['identity']['userinfo'] = { method: 'GET' },
): Promise<SafeAnswer> {
  const { header, prefix, headers } = settings.profile.api
  return fetch(
    url.replaceAll('{access_token}', () => encodeURIComponent(accessToken)),
    {
      method: request.method,
      headers: {
        accept: 'application/json',
        ...headers,
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
        [header]: prefix + accessToken,
      },
      ...(request.body === undefined ? {} : { body: request.body }),
    },
  )
}

/** What the account's metadata endpoint says, for `extras`; nothing when it does not answer as it should: the code is spent. */
export async function askMetadata(channel: BackChannel, accessToken: string): Promise<LosslessValue | undefined> {
  const { metadata } = channel.settings.endpoints
  if (metadata === undefined) return undefined
  try {
    const answer = await callAsAccount(channel, metadata, accessToken)
    return answer.status === 200 ? parseLossless(answer.text) : undefined
  } catch (error) {
    if (error instanceof UpstreamRefused || error instanceof UpstreamUnavailable) return undefined
    throw error
  }
}

/** @throws {UpstreamRefused} `userinfo_invalid`: not a JSON object with status 200. */
export function requireClaims(answer: SafeAnswer): LosslessObject {
  const claims = answer.status === 200 && isJsonType(answer.headers.get('content-type')) && parseLossless(answer.text)
  if (!claims || !isLosslessObject(claims))
    throw new UpstreamRefused('userinfo_invalid', { detail: String(answer.status) })
  return claims
}
