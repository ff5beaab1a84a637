// The back channel with our client's credentials: token and revocation requests (RFC 6749 §2.3, §5; RFC 7009).
import { type ClientAuth, ClientSecretBasic, ClientSecretPost, None } from 'oauth4webapi'
import type { Clock } from '../lib/time.ts'
import { RFC_7009 } from './catalogue/generic.ts'
import type { ClientAuthMethod, RevocationForm } from './catalogue/profile.ts'
import { signedClientSecret } from './client-secret.ts'
import type { ExpectedAnswer, TokenKind } from './connector.ts'
import { errorCodeOf, UpstreamRefused, UpstreamUnavailable } from './errors.ts'
import {
  isLosslessObject,
  type LosslessObject,
  type LosslessValue,
  NumberText,
  parseLosslessObject,
  valueAt,
} from './lossless-json.ts'
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
  const { profile } = channel.settings
  const answer = await postAsClient(channel, { ...call, body: profile.token.requestBody })
  requireAvailable(answer)
  const members = parseMembers(answer, profile.protocol === 'oauth2')
  const error = profile.token.errors
    .map((path) => valueAt(members, path))
    .find((one) => one !== undefined && one !== null)
  if (error !== undefined) return { kind: 'error', error: readCode(error) ?? 'unreadable_error' }
  if (answer.status !== 200 && answer.status !== 201) {
    throw new UpstreamRefused('answer_malformed', { detail: `status ${answer.status}` })
  }
  return { kind: 'answer', members }
}

/** The fields of RFC 6749 §4.1.3, with RFC 7636's verifier. */
export function codeGrant(
  code: string,
  expected: ExpectedAnswer,
  { pkce, profile }: ConnectorSettings,
): Record<string, string> {
  return {
    ...profile.token.fields,
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
  const form = formFor(channel.settings, call.endpoint)
  if (form.takes !== 'both' && form.takes !== call.hint) return 'unsupported'
  const answer = await sendRevocation(channel, form, { ...call, endpoint: call.endpoint })
  requireAvailable(answer)
  return revocationOutcome(channel.settings, form, answer)
}

/** An endpoint put in the vendor's place is of the vendor's own kind only when its URL has the places that theirs has. */
function formFor({ profile }: ConnectorSettings, endpoint: string): RevocationForm {
  const places = (profile.endpoints.revocation ?? '').match(/\{(?:client_id|token)\}/g) ?? []
  return places.every((place) => endpoint.includes(place)) ? profile.revocation : RFC_7009
}

function sendRevocation(
  channel: BackChannel,
  form: RevocationForm,
  { endpoint, clientAuth, token, hint }: RevocationCall & { readonly endpoint: string },
): Promise<SafeAnswer> {
  const { clientId, profile } = channel.settings
  const url = endpoint
    .replaceAll('{client_id}', () => encodeURIComponent(clientId))
    .replaceAll('{token}', () => encodeURIComponent(token))
  const named = form.body === 'none' ? {} : { [form.member]: token }
  const hinted = form.body === 'form' && form.authentication === 'client' ? { token_type_hint: hint } : {}
  const fields = { ...named, ...hinted }
  if (form.method === 'POST' && form.authentication === 'client')
    return postAsClient(channel, { endpoint: url, clientAuth, fields, body: form.body === 'json' ? 'json' : 'form' })
  const headers = { ...profile.api.headers, ...authorizationOf(channel.settings, form, token) }
  return channel.fetch(url, { method: form.method, ...requestBody(form.body, fields, headers) })
}

function authorizationOf(
  { clientId, clientSecret = '', profile }: ConnectorSettings,
  { authentication }: RevocationForm,
  token: string,
): Record<string, string> {
  if (authentication === 'none') return {}
  if (authentication === 'token') return { [profile.api.header]: profile.api.prefix + token }
  return { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` }
}

/** Errors by which a provider says that there is nothing left to revoke. */
const NOTHING_LEFT = new Set(['invalid_token', 'invalid_grant', 'invalid_auth', 'token_revoked', 'account_inactive'])

function revocationOutcome(
  { profile }: ConnectorSettings,
  form: RevocationForm,
  { status, text }: SafeAnswer,
): 'revoked' | 'unsupported' {
  const error = errorIn(text, profile.token.errors)
  if (error !== undefined && (NOTHING_LEFT.has(error) || profile.refresh.deadErrors.includes(error))) return 'revoked'
  if (error === 'unsupported_token_type') return 'unsupported'
  // Some answer an error with 200.
  if (status >= 200 && status < 300 && error === undefined) return 'revoked'
  // 404 and 422: GitHub does not know the token.
  if (status === 404 || status === 422) return 'revoked'
  // Whoever shows the token itself is told so that it is dead.
  if (status === 401 && form.authentication === 'token') return 'revoked'
  throw new UpstreamUnavailable(status === 401 ? 'client_rejected' : 'junk', { detail: error ?? String(status) })
}

async function postAsClient(
  { fetch, settings, clock }: BackChannel,
  call: TokenCall & { readonly body: 'form' | 'json' },
): Promise<SafeAnswer> {
  const body = new URLSearchParams(call.fields)
  const headers = new Headers({ accept: 'application/json', ...settings.profile.api.headers })
  headers.set('accept', 'application/json')
  const authenticate = await clientAuthentication(settings, call.clientAuth, clock)
  await authenticate(
    { issuer: settings.endpoints.issuer ?? call.endpoint },
    { client_id: settings.clientId },
    body,
    headers,
  )
  const fields = Object.fromEntries(
    [...body].map(([name, value]) => [name === 'client_id' ? settings.profile.client.idParameter : name, value]),
  )
  return fetch(call.endpoint, {
    method: 'POST',
    ...requestBody(call.body, fields, Object.fromEntries(headers)),
    ...(call.timeoutSeconds === undefined ? {} : { timeoutSeconds: call.timeoutSeconds }),
  })
}

function requestBody(
  kind: RevocationForm['body'],
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
): { readonly headers: Record<string, string>; readonly body?: string } {
  if (kind === 'none') return { headers }
  const isJson = kind === 'json'
  return {
    headers: { ...headers, 'content-type': isJson ? 'application/json' : 'application/x-www-form-urlencoded' },
    body: isJson ? JSON.stringify(fields) : new URLSearchParams(fields).toString(),
  }
}

async function clientAuthentication(
  { clientId, clientSecret, secretSigner }: ConnectorSettings,
  method: ClientAuthMethod,
  clock: Clock,
): Promise<ClientAuth> {
  const secret = secretSigner ? await signedClientSecret(secretSigner, clientId, clock()) : clientSecret
  if (secret === undefined) return None()
  return method === 'client_secret_post' ? ClientSecretPost(secret) : ClientSecretBasic(secret)
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

/** Some have numbers for codes, and some have words with blanks between them. */
function readCode(value: LosslessValue | undefined): string | undefined {
  const text = value instanceof NumberText ? value.text : value
  return errorCodeOf(typeof text === 'string' ? text.replaceAll(' ', '_') : text)
}

function errorIn(text: string, paths: readonly string[]): string | undefined {
  try {
    const value = parseLosslessObject(text)
    if (!isLosslessObject(value)) return undefined
    return paths.map((path) => readCode(valueAt(value, path))).find((one) => one !== undefined)
  } catch {
    return undefined
  }
}
