/** The authorization endpoint and the user's decision there (RFC 6749 §4.1, RFC 7636, RFC 9207). */
import { answerPage, CARRIED, consentPage, errorPage } from './consent-page.ts'
import { type Answer, type Fields, redirectAnswer } from './http.ts'
import type { Provider, ProviderClient } from './provider.ts'
import type { Call } from './shape.ts'
import type { ProviderUser } from './users.ts'

interface AuthorizationRequest {
  readonly client: ProviderClient
  readonly redirectUri: string
  readonly scopes: readonly string[]
  readonly fields: Fields
}

type Parsed =
  | { readonly kind: 'request'; readonly request: AuthorizationRequest }
  | { readonly kind: 'refused'; readonly answer: Answer }

/** Asks the user, or, unless the provider is interactive, lets the current user allow everything at once. */
export function authorize(provider: Provider, call: Call): Answer {
  const fields = call.request.method === 'POST' ? call.entry.body : call.entry.query
  const parsed = parseRequest(provider, fields)
  if (parsed.kind === 'refused') return parsed.answer
  const { request } = parsed
  if (provider.knobs.takeDenial()) return deny(provider, request, 302)
  if (!provider.interactive)
    return allow(provider, call, request, fields.user ?? provider.currentUser, request.scopes, 302)
  if (fields.prompt === 'none') return sendBack(provider, request, 302, { error: 'interaction_required' })
  const hinted = fields.login_hint === undefined ? undefined : provider.users.findByHint(fields.login_hint)
  return consentPage({ provider, ...request, chosen: hinted?.key ?? provider.currentUser })
}

/** Takes what the consent page posts: the request again, the chosen user, the ticked scopes, and yes or no. */
export function consent(provider: Provider, call: Call): Answer {
  if (call.request.method !== 'POST') return errorPage(405, provider.title, 'This address only takes the consent form.')
  const { fields, userKey, ticked, allowed } = parseDecision(call.entry.rawBody)
  const parsed = parseRequest(provider, fields)
  if (parsed.kind === 'refused') return parsed.answer
  const { request } = parsed
  if (!allowed) return deny(provider, request, 303)
  const scopes = provider.granularConsent ? request.scopes.filter((scope) => ticked.includes(scope)) : request.scopes
  return allow(provider, call, request, userKey ?? provider.currentUser, scopes, 303)
}

interface Decision {
  readonly fields: Fields
  readonly userKey: string | undefined
  readonly ticked: readonly string[]
  readonly allowed: boolean
}

function parseDecision(rawBody: string): Decision {
  const form = new URLSearchParams(rawBody)
  const carried = [...form].filter(([name]) => name.startsWith(CARRIED))
  return {
    fields: Object.fromEntries(carried.map(([name, value]) => [name.slice(CARRIED.length), value])),
    userKey: form.get('user') ?? undefined,
    ticked: form.getAll('scope'),
    allowed: form.get('action') === 'allow',
  }
}

function parseRequest(provider: Provider, fields: Fields): Parsed {
  const client = provider.clients.get(fields.client_id ?? '')
  // Without a proven client and redirect URI there is nobody to redirect to (RFC 6749 §4.1.2.1).
  if (client === undefined) return refusedPage(provider, 'This app is not registered here.')
  const redirectUri = fields.redirect_uri
  if (redirectUri === undefined || !isAllowedRedirect(provider, redirectUri)) {
    return refusedPage(provider, 'The app wants you sent to an address that is not registered here.')
  }
  const scopeParameter = provider.shape.quirks?.scopeParameter ?? 'scope'
  const request = { client, redirectUri, scopes: splitScopes(fields[scopeParameter]), fields }
  const error = requestError(provider, fields)
  if (error !== undefined) return { kind: 'refused', answer: sendBack(provider, request, 302, error) }
  return { kind: 'request', request }
}

function requestError(provider: Provider, fields: Fields): Fields | undefined {
  const { response_type: type, code_challenge: challenge, code_challenge_method: method } = fields
  if (type !== 'code' && (type !== undefined || provider.shape.responseTypeRequired)) {
    return { error: 'unsupported_response_type' }
  }
  if (challenge === undefined && provider.requirePkce) {
    return { error: 'invalid_request', error_description: 'code_challenge is required' }
  }
  if (challenge !== undefined && method !== 'S256') {
    return { error: 'invalid_request', error_description: 'code_challenge_method must be S256' }
  }
  const missing = Object.entries(provider.shape.quirks?.required ?? {}).find(([name, value]) => fields[name] !== value)
  if (missing !== undefined)
    return { error: 'invalid_request', error_description: `${missing[0]} must be ${missing[1]}` }
  return undefined
}

function allow(
  provider: Provider,
  call: Call,
  request: AuthorizationRequest,
  userKey: string | undefined,
  allowed: readonly string[],
  status: 302 | 303,
): Answer {
  const user = userKey === undefined ? undefined : provider.users.find(userKey)
  if (user === undefined) {
    return sendBack(provider, request, status, { error: 'access_denied', error_description: 'nobody is signed in' })
  }
  call.entry.user = user.key
  const { grantOnly } = provider
  const scopes = grantOnly === undefined ? allowed : allowed.filter((scope) => grantOnly.includes(scope))
  const code = provider.grants.issueCode({
    userKey: user.key,
    clientId: request.client.id,
    redirectUri: request.redirectUri,
    challenge: request.fields.code_challenge,
    nonce: request.fields.nonce,
    scopes,
    wantsRefreshToken: wantsRefreshToken(provider, request, user),
    authTimeMs: provider.nowMs(),
  })
  return sendBack(provider, request, status, { code }, user)
}

function wantsRefreshToken(
  provider: Provider,
  { client, scopes, fields }: AuthorizationRequest,
  user: ProviderUser,
): boolean {
  if (provider.refresh === 'always' || provider.refresh === 'never') return provider.refresh === 'always'
  const asksOffline = provider.shape.quirks?.asksOffline ?? asksAsGoogleDoes
  const offline = asksOffline(scopes, fields)
  if (provider.refresh === 'offline' || !offline) return offline
  const known = provider.grants
    .liveFamilies(user.key)
    .some((one) => one.clientId === client.id && one.current !== undefined)
  return !known || (fields.prompt ?? '').split(' ').includes('consent')
}

const asksAsGoogleDoes = (scopes: readonly string[], fields: Fields): boolean =>
  scopes.includes('offline_access') || fields.access_type === 'offline'

function deny(provider: Provider, request: AuthorizationRequest, status: 302 | 303): Answer {
  return sendBack(provider, request, status, { error: 'access_denied', error_description: 'The user said no' })
}

function sendBack(
  provider: Provider,
  { redirectUri, fields }: AuthorizationRequest,
  status: 302 | 303,
  result: Fields,
  user?: ProviderUser,
): Answer {
  const truth: Record<string, string> = { ...result }
  if (fields.state !== undefined) truth.state = fields.state
  if (provider.shape.sendsIssuer) truth.iss = provider.issuer
  if (user !== undefined) Object.assign(truth, provider.shape.quirks?.answerFields?.(provider, user))
  const sent = provider.tamperRedirect?.(truth, { user, grant: undefined }) ?? truth
  if (fields.response_mode === 'form_post') return answerPage(provider.title, redirectUri, sent)
  const target = new URL(redirectUri)
  for (const [name, value] of Object.entries(sent)) target.searchParams.append(name, value)
  return redirectAnswer(status, target.href)
}

function refusedPage(provider: Provider, message: string): Parsed {
  return { kind: 'refused', answer: errorPage(400, provider.title, message) }
}

function isAllowedRedirect(provider: Provider, uri: string): boolean {
  const { redirectUris } = provider.options
  if (redirectUris !== undefined) return redirectUris.includes(uri)
  if (!URL.canParse(uri)) return false
  const { hostname, protocol } = new URL(uri)
  return /^https?:$/.test(protocol) && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
}

/** Scopes separated by blanks or, as GitHub allows, by commas. */
function splitScopes(text: string | undefined): readonly string[] {
  return [...new Set((text ?? '').split(/[\s,]+/).filter(Boolean))]
}
