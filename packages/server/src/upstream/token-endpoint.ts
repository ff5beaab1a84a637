// The back channel with our client's credentials: token and revocation requests (RFC 6749 §2.3, §5; RFC 7009).
import { type ClientAuth, ClientSecretBasic, ClientSecretPost, None } from 'oauth4webapi'
import type { Clock } from '../lib/time.ts'
import type { ClientAuthMethod } from './catalogue/profile.ts'
import type { ExpectedAnswer, TokenKind } from './connector.ts'
import { errorCodeOf, UpstreamRefused, UpstreamUnavailable } from './errors.ts'
import { isLosslessObject, type LosslessObject, parseLosslessObject } from './lossless-json.ts'
import { requireAvailable, type SafeAnswer, type SafeFetch } from './safe-fetch.ts'
import type { ConnectorSettings } from './settings.ts'

/** What a connector works with. */
export interface BackChannel {
  readonly settings: ConnectorSettings
  readonly fetch: SafeFetch
  readonly clock: Clock
}

export type TokenAnswer =
  | { readonly kind: 'answer'; readonly members: LosslessObject }
  /** The provider's own error code, whatever the status that came with it. */
  | { readonly kind: 'error'; readonly error: string }

export interface TokenCall {
  readonly endpoint: string
  readonly clientAuth: ClientAuthMethod
  readonly fields: Readonly<Record<string, string>>
  readonly timeoutSeconds?: number | undefined
}

/**
 * Posts a grant to the token endpoint.
 *
 * @throws {UpstreamUnavailable} network, 5xx, 429.
 * @throws {UpstreamRefused} `answer_malformed`: neither a token answer nor an error answer.
 */
export async function callTokenEndpoint(channel: BackChannel, call: TokenCall): Promise<TokenAnswer> {
  const answer = await postForm(channel, call)
  requireAvailable(answer)
  const members = parseMembers(answer, channel.settings.profile.protocol === 'oauth2')
  if (members.error !== undefined && members.error !== null) {
    return { kind: 'error', error: errorCodeOf(members.error) ?? 'unreadable_error' }
  }
  if (answer.status !== 200 && answer.status !== 201) {
    throw new UpstreamRefused('answer_malformed', { detail: `status ${answer.status}` })
  }
  return { kind: 'answer', members }
}

/** The fields of RFC 6749 §4.1.3, with RFC 7636's verifier. */
export function codeGrant(code: string, expected: ExpectedAnswer, { pkce }: ConnectorSettings): Record<string, string> {
  return {
    grant_type: 'authorization_code',
    code,
    redirect_uri: expected.redirectUri,
    ...(pkce ? { code_verifier: expected.codeVerifier } : {}),
  }
}

/** @throws {UpstreamRefused} `code_refused` */
export function requireTokens(answer: TokenAnswer): LosslessObject {
  if (answer.kind === 'error') throw new UpstreamRefused('code_refused', { providerError: answer.error })
  return answer.members
}

export interface RevocationCall {
  readonly endpoint: string | undefined
  readonly clientAuth: ClientAuthMethod
  readonly token: string
  readonly hint: TokenKind
}

/** @throws {UpstreamUnavailable} the provider gave no clear answer. */
export async function callRevocation(channel: BackChannel, call: RevocationCall): Promise<'revoked' | 'unsupported'> {
  if (call.endpoint === undefined) return 'unsupported'
  // An endpoint put in the vendor's place is the vendor's own kind only when its URL names the client as the vendor's does.
  const isDelete = channel.settings.profile.revocation === 'delete_json' && call.endpoint.includes('{client_id}')
  if (isDelete && call.hint === 'refresh_token') return 'unsupported'
  const answer = isDelete ? await deleteToken(channel, call.endpoint, call.token) : await postRevocation(channel, call)
  requireAvailable(answer)
  return revocationOutcome(answer)
}

function postRevocation(channel: BackChannel, { endpoint = '', clientAuth, token, hint }: RevocationCall) {
  return postForm(channel, { endpoint, clientAuth, fields: { token, token_type_hint: hint } })
}

function deleteToken({ fetch, settings }: BackChannel, endpoint: string, token: string): Promise<SafeAnswer> {
  const { clientId, clientSecret = '', profile } = settings
  const credentials = Buffer.from(`${clientId}:${clientSecret}`).toString('base64')
  return fetch(endpoint.replaceAll('{client_id}', encodeURIComponent(clientId)), {
    method: 'DELETE',
    headers: { ...profile.userinfoHeaders, 'content-type': 'application/json', authorization: `Basic ${credentials}` },
    body: JSON.stringify({ access_token: token }),
  })
}

function revocationOutcome({ status, text }: SafeAnswer): 'revoked' | 'unsupported' {
  // 404 and 422: GitHub does not know the token. `invalid_token`: Google does not.
  if ((status >= 200 && status < 300) || status === 404 || status === 422) return 'revoked'
  const error = errorIn(text)
  if (error === 'invalid_token' || error === 'invalid_grant') return 'revoked'
  if (error === 'unsupported_token_type') return 'unsupported'
  throw new UpstreamUnavailable(status === 401 ? 'client_rejected' : 'junk', { detail: error ?? String(status) })
}

async function postForm({ fetch, settings }: BackChannel, call: TokenCall): Promise<SafeAnswer> {
  const body = new URLSearchParams(call.fields)
  const headers = new Headers({ accept: 'application/json' })
  const authenticate = clientAuthentication(settings, call.clientAuth)
  await authenticate(
    { issuer: settings.endpoints.issuer ?? call.endpoint },
    { client_id: settings.clientId },
    body,
    headers,
  )
  headers.set('content-type', 'application/x-www-form-urlencoded')
  return fetch(call.endpoint, {
    method: 'POST',
    headers: Object.fromEntries(headers),
    body: body.toString(),
    ...(call.timeoutSeconds === undefined ? {} : { timeoutSeconds: call.timeoutSeconds }),
  })
}

function clientAuthentication({ clientSecret }: ConnectorSettings, method: ClientAuthMethod): ClientAuth {
  if (clientSecret === undefined) return None()
  return method === 'client_secret_post' ? ClientSecretPost(clientSecret) : ClientSecretBasic(clientSecret)
}

function parseMembers({ headers, text }: SafeAnswer, formAllowed: boolean): LosslessObject {
  const type = headers.get('content-type') ?? ''
  if (formAllowed && /^application\/x-www-form-urlencoded\b/i.test(type))
    return Object.fromEntries(new URLSearchParams(text))
  if (!isJsonType(type)) throw new UpstreamRefused('answer_malformed', { detail: 'content_type' })
  return parseLosslessObject(text)
}

export function isJsonType(type: string | null): boolean {
  return /^application\/(?:[\w.-]+\+)?json\b/i.test(type ?? '')
}

function errorIn(text: string): string | undefined {
  try {
    const value = parseLosslessObject(text)
    return isLosslessObject(value) ? errorCodeOf(value.error) : undefined
  } catch {
    return undefined
  }
}
