// The browser's leg: the URL that it is sent to, and what it brings back (RFC 6749 §4.1, RFC 9207).
import type { AuthorizationRequest } from './connector.ts'
import { errorCodeOf, UpstreamRefused } from './errors.ts'
import type { ConnectorSettings } from './settings.ts'

// What carries the protocol is ours to say, whatever a connection's options or a client's request hold.
const RESERVED = new Set([
  'client_id',
  'client_secret',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'redirect_uri',
  'request',
  'request_uri',
  'response_mode',
  'response_type',
  'scope',
  'state',
])

const MAX_PARAMETER_LENGTH = 1024

/** The person is to show who they are, whatever session they have there. */
export const asksAnew = ({ prompt, max_age }: Readonly<Record<string, string>>): boolean =>
  max_age !== undefined || (prompt ?? '').split(' ').some((one) => one === 'login' || one === 'select_account')

/** `endpoint` keeps the query that it was configured with. */
export function buildAuthorizationUrl(
  endpoint: string,
  settings: ConnectorSettings,
  request: AuthorizationRequest,
): URL {
  const url = new URL(endpoint)
  const { profile } = settings
  const { offlineParameters, offlineScopes, responseMode } = profile.authorization
  const scopes = [...new Set([...request.scopes, ...(request.wantsRefreshToken ? offlineScopes : [])])]
  const parameters: Record<string, string> = {
    ...withPrompts([
      free(settings.authorizationParameters),
      free(request.wantsRefreshToken ? offlineParameters : {}),
      free(passedThrough(settings, request.clientRequest ?? {})),
      free(ownWords(settings, request.extra ?? {})),
    ]),
    response_type: 'code',
    [profile.client.idParameter]: settings.clientId,
    redirect_uri: request.redirectUri,
    ...(profile.scopes.parameter === undefined
      ? {}
      : { [profile.scopes.parameter]: scopes.join(profile.scopes.separator) }),
    state: request.state,
    ...(responseMode === undefined ? {} : { response_mode: responseMode }),
    ...(profile.protocol === 'oidc' ? { nonce: request.nonce } : {}),
    ...(settings.pkce ? { code_challenge: request.codeChallenge, code_challenge_method: 'S256' } : {}),
  }
  for (const [name, value] of Object.entries(parameters)) if (value !== '') url.searchParams.set(name, value)
  return url
}

/** What an authorization answer is held against. */
export interface AnswerRules {
  /** `undefined` for OAuth 2.0 providers that have none. */
  readonly issuer: string | undefined
  /** The provider's metadata announces `iss` in every answer. */
  readonly issuerRequired: boolean
}

/**
 * Returns the code of an answer that may be redeemed.
 *
 * @throws {UpstreamRefused}
 */
export function requireCode(answer: URLSearchParams, { issuer, issuerRequired }: AnswerRules): string {
  for (const name of new Set(answer.keys())) if (answer.getAll(name).length > 1) throw invalid('duplicate_parameter')
  // JARM, implicit and hybrid answers are none of ours.
  if (['response', 'id_token', 'access_token', 'token'].some((name) => answer.has(name))) throw invalid('response_type')
  const iss = answer.get('iss')
  if (iss === null ? issuerRequired : issuer !== undefined && iss !== issuer)
    throw new UpstreamRefused('issuer_mismatch')
  const error = answer.get('error')
  if (error !== null) throw providerError(error)
  const code = answer.get('code')
  if (code === null || !/^[\x20-\x7e]{1,4096}$/.test(code)) throw invalid('code')
  return code
}

/** @throws {UpstreamRefused} the answer belongs to another request. */
export function requireState(answer: URLSearchParams, state: string): void {
  if (answer.get('state') !== state) throw invalid('state')
}

function passedThrough(settings: ConnectorSettings, client: Readonly<Record<string, string>>): Record<string, string> {
  const own = (name: string) => (Object.hasOwn(client, name) ? client[name] : undefined)
  const pairs = [
    ...settings.profile.authorization.passedThrough.map((name) => [name, own(name)] as const),
    ...settings.upstreamParams.map((param) => [param.name, 'value' in param ? param.value : own(param.alias)] as const),
  ]
  return Object.fromEntries(
    pairs.filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1].length <= MAX_PARAMETER_LENGTH),
  )
}

/** Our wish for an account picker, in the provider's words. */
function ownWords({ profile }: ConnectorSettings, extra: Readonly<Record<string, string>>): Record<string, string> {
  const { prompt, ...others } = extra
  if (prompt === undefined) return others
  if (prompt !== 'select_account') return extra
  return { ...others, ...profile.authorization.accountPicker }
}

/** Later ones win, but for `prompt`, which may ask for several things (OpenID Connect Core §3.1.2.1). */
function withPrompts(given: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const prompts = [...new Set(given.flatMap(({ prompt = '' }) => prompt.split(' ')))].filter((one) => one !== '')
  const prompt = prompts.includes('none') ? 'none' : prompts.join(' ')
  return { ...Object.assign({}, ...given), ...(prompt === '' ? {} : { prompt }) }
}

function free(parameters: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => !RESERVED.has(name)))
}

// The description is the provider's text, or an attacker's: it goes nowhere.
function providerError(error: string): UpstreamRefused {
  if (error === 'access_denied') return new UpstreamRefused('access_denied', { providerError: error })
  return new UpstreamRefused('provider_error', { providerError: errorCodeOf(error) })
}

function invalid(detail: string): UpstreamRefused {
  return new UpstreamRefused('authorization_answer_invalid', { detail })
}
