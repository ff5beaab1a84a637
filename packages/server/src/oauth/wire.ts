// Auth0's deviations from the engine's wire: `audience`, scope names, error statuses, headers and discovery.
import { hash } from 'node:crypto'
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { SIGNING_ALGORITHMS } from '../domain/client.ts'
import { Overloaded } from '../domain/errors.ts'
import { isString, type JsonValue, stringsOf } from '../lib/json.ts'
import { EXPOSED_HEADERS } from '../protocol/exposed-headers.ts'
import { ASKING_PATHS, POLL_SECONDS } from './approvals.ts'
import { audienceToResource } from './audience.ts'
import type { EngineDeps, EngineError } from './engine.ts'
import { withLinkRequest } from './link-request.ts'
import { fromEngineScope, toEngineScope } from './scopes.ts'

const TOKEN_PATHS = new Set(['/oauth/token', '/oauth/revoke', '/oauth/par', ...ASKING_PATHS])

/** What an app is told of its pushed request (auth0-wire.md §1.6); a slow browser finds it for another half minute. */
const PUSHED_REQUEST_SECONDS = 30

/** What a browser opens: the request, and its resumption after our pages. */
const AUTHORIZE = /^\/authorize(?:\/[\w-]+)?$/

/** Statuses and texts that SDKs branch on (auth0-wire.md §1.3), by the engine's error. */
const STATUSES: Readonly<Record<string, number>> = {
  invalid_grant: 403,
  unauthorized_client: 403,
  unsupported_grant_type: 403,
  access_denied: 403,
  invalid_scope: 403,
  invalid_target: 403,
}

type Params = Record<string, unknown>

/** Puts our translation around the engine: requests on the way in, answers on the way out. */
export function installWire(provider: Provider, deps: EngineDeps): void {
  const wrongVerifiers = new WeakSet<object>()
  provider.on('grant.error', (ctx, error) => {
    // Which check failed is told to listeners alone.
    if (error.error_detail?.startsWith('code_verifier') === true) wrongVerifiers.add(ctx.req)
  })
  const overloaded = new WeakMap<object, Overloaded>()
  provider.on('server_error', (ctx, error) => {
    if (error instanceof Overloaded) overloaded.set(ctx.req, error)
  })
  provider.use(async (ctx, next) => {
    if (ctx.method === 'GET' && ctx.path === '/authorize')
      ctx.query = translated(
        withDefaultAudience(withLinkRequest(ctx.query, deps), deps),
        deps.issuer,
      ) as typeof ctx.query
    const request = ctx.req as { body?: unknown }
    if (isParams(request.body)) request.body = translated(withLinkRequest(request.body, deps), deps.issuer)
    const forBrowser = AUTHORIZE.test(ctx.path)
    if (forBrowser) ctx.set(deps.answerHeaders)
    if (isRetired(ctx)) return sayPage(ctx, deps, RETIRED)
    await next()
    const overload = overloaded.get(ctx.req)
    if (overload !== undefined) return sayOverloaded(ctx, deps, { overload, forBrowser })
    if (forBrowser && !ctx.response.is('html')) ctx.remove('content-security-policy')
    else if (forBrowser) restrictMessage(ctx as unknown as KoaContextWithOIDC, deps)
    if (TOKEN_PATHS.has(ctx.path)) {
      // oauth4webapi drops the body of an error that carries it (auth0-wire.md §0 rule 4).
      ctx.remove('www-authenticate')
      if (ctx.response.get('access-control-allow-origin') !== '')
        ctx.set('access-control-expose-headers', EXPOSED_HEADERS)
      // Koa's context; the engine adds `oidc` on its own routes.
      translateAnswer(ctx as unknown as KoaContextWithOIDC, wrongVerifiers.has(ctx.req))
    }
    if (ctx.path.startsWith('/.well-known/') && isParams(ctx.body) && 'issuer' in ctx.body) {
      ctx.body = discovery(ctx.body, deps)
    } else if (ctx.path === '/.well-known/jwks.json' && isParams(ctx.body)) showKeys(ctx, ctx.body, deps)
  })
}

/** Linking by an access token in the URL, as it was before users linked by their own proof (auth0-wire.md §1.9). */
const isRetired = ({ path, query }: Pick<KoaContextWithOIDC, 'path' | 'query'>): boolean =>
  path === '/authorize' && query.access_token !== undefined

const RETIRED = {
  code: 'invalid_request',
  description: 'Linking by an access token in the URL is not offered any more.',
  status: 410,
}

/** The engine takes it for a fault of its own, and knows no such answer at its endpoints. */
function sayOverloaded(
  ctx: AnswerContext,
  deps: EngineDeps,
  { overload, forBrowser }: { readonly overload: Overloaded; readonly forBrowser: boolean },
): void {
  const { code, message: description, retryAfterSeconds } = overload
  if (forBrowser) sayPage(ctx, deps, { code, description: undefined, status: 503 })
  else {
    ctx.status = 503
    ctx.body = { error: code, error_description: description }
  }
  ctx.set('retry-after', String(retryAfterSeconds))
}

type AnswerContext = Pick<KoaContextWithOIDC, 'res' | 'status' | 'body' | 'set'>

function sayPage(ctx: AnswerContext, deps: EngineDeps, error: Omit<EngineError, 'requestId'>): void {
  const page = deps.renderError({ ...error, requestId: String(ctx.res.getHeader('x-request-id') ?? '') })
  ctx.status = page.status
  ctx.set(page.headers)
  ctx.body = page.body
}

/**
 * A `web_message` answer goes to the origin of a registered redirect URI that the client lists among its web origins, and
 * may be framed by those alone.
 */
function restrictMessage(ctx: KoaContextWithOIDC, deps: EngineDeps): void {
  const policy = ctx.response.get('content-security-policy')
  // The engine's own pages are known by the hash of their script.
  if (ctx.oidc?.params?.response_mode !== 'web_message' || !policy.includes("'sha256-")) return
  const origins = stringsOf(ctx.oidc.client?.messageOrigins)
  const { redirect_uri: redirectUri } = ctx.oidc.params
  if (isString(redirectUri) && origins.includes(URL.parse(redirectUri)?.origin ?? '')) {
    ctx.set('content-security-policy', deps.frameableBy(withoutClosing(ctx, policy), origins))
    return
  }
  const description = 'The origin of redirect_uri is not among the web_origins of the client.'
  sayPage(ctx, deps, { code: 'invalid_request', description, status: 400 })
}

/**
 * The engine's page closes its window with the message. An SDK that looks whether its popup was closed may see that before
 * it hears the message, and takes it for a person who gave up: the popup is closed by the page that opened it.
 */
function withoutClosing(ctx: KoaContextWithOIDC, policy: string): string {
  if (!isString(ctx.body)) return policy
  const [, script = ''] = /<script>(.*)<\/script>/s.exec(ctx.body) ?? []
  const patient = script.replace('win.close();', '')
  // A function, so that no `$` in it is read as more than itself.
  ctx.body = ctx.body.replace(script, () => patient)
  return policy.replace(hash('sha256', script, 'base64'), hash('sha256', patient, 'base64'))
}

const isParams = (value: unknown): value is Params =>
  typeof value === 'object' && value !== null && !Buffer.isBuffer(value)

/** The tenant's `default_audience`; a pushed request has said what it wants already. */
function withDefaultAudience(query: Params, { settings }: EngineDeps): Params {
  const { defaultAudience } = settings()
  if (defaultAudience === undefined || query.audience !== undefined || query.request_uri !== undefined) return query
  return { ...query, audience: defaultAudience }
}

/** Repeated parameters stay as they are: the engine refuses them by name. */
function translated(given: Params, issuer: string): Params {
  const params = { ...given }
  if (isString(params.scope)) params.scope = toEngineScope(params.scope)
  // Whom to choose is asked on the sign-in page; the engine knows no prompt of its own for it.
  if (isString(params.prompt)) params.prompt = params.prompt.replace(/\bselect_account\b/, 'login')
  // The older name of the same.
  if (params.request_expiry !== undefined && params.requested_expiry === undefined)
    params.requested_expiry = params.request_expiry
  if (params.audience === '' || params.audience === `${issuer}userinfo`) delete params.audience
  if (isString(params.audience) && params.resource === undefined) params.resource = audienceToResource(params.audience)
  return params
}

function translateAnswer(ctx: KoaContextWithOIDC, wrongVerifier: boolean): void {
  const body: unknown = ctx.body
  if (!isParams(body)) return
  if (isString(body.scope)) body.scope = fromEngineScope(body.scope)
  if (ctx.status === 200 && ASKING_PATHS.has(ctx.path)) body.interval = POLL_SECONDS
  if (ctx.status === 201) body.expires_in = PUSHED_REQUEST_SECONDS
  if (ctx.status < 400 || !isString(body.error)) return
  const status = ctx.status
  const error = grantTypeRefused(body) ? 'unauthorized_client' : body.error
  ctx.body = {
    ...body,
    error,
    error_description: describe(ctx, { error, description: body.error_description, wrongVerifier }),
  }
  ctx.status = status === 400 ? (STATUSES[error] ?? 400) : status
}

const grantTypeRefused = (body: Params): boolean =>
  body.error === 'invalid_request' &&
  isString(body.error_description) &&
  /^(?:requested grant type|urn:\S+) is not allowed for this client$/.test(body.error_description)

function describe(
  ctx: KoaContextWithOIDC,
  { error, description, wrongVerifier }: { error: string; description: unknown; wrongVerifier: boolean },
): unknown {
  const grantType = (ctx.oidc?.params as Params | undefined)?.grant_type
  const refused = isString(grantType) ? grantType : /^(urn:\S+) is not allowed/.exec(String(description))?.[1]
  if (error === 'unauthorized_client' && refused !== undefined)
    return `Grant type '${refused}' not allowed for the client.`
  if (error === 'invalid_client') return 'Unauthorized'
  if (error !== 'invalid_grant') return description
  if (grantType === 'refresh_token') return 'Unknown or invalid refresh token.'
  if (grantType === 'authorization_code')
    return wrongVerifier ? 'Failed to verify code verifier' : 'Invalid authorization code'
  return description
}

/** How long a copy of the key set may serve; keys stand in it long before they sign. */
const KEY_SET_SECONDS = 60

type KeySetContext = Pick<KoaContextWithOIDC, 'body' | 'type' | 'set'>

/** The published keys with their certificates, as Auth0 shows them (auth0-wire.md §1.1). */
function showKeys(ctx: KeySetContext, { keys }: Params, { certificates }: EngineDeps): void {
  const shown = Array.isArray(keys) ? keys.filter(isParams) : []
  ctx.body = { keys: shown.map((key) => ({ ...key, ...certificates.get(String(key.kid)) })) }
  ctx.type = 'application/json'
  ctx.set('cache-control', `public, max-age=${KEY_SET_SECONDS}`)
}

/** Members that SDKs look for and the engine does not name (auth0-wire.md §1.1). */
function discovery(found: Params, { issuer, settings }: EngineDeps): Params {
  const { require_pushed_authorization_requests: _, ...rest } = found
  return {
    ...rest,
    userinfo_endpoint: `${issuer}userinfo`,
    mfa_challenge_endpoint: `${issuer}mfa/challenge`,
    ...(settings().endSessionInDiscovery ? { end_session_endpoint: `${issuer}oidc/logout` } : {}),
    ...(settings().dynamicRegistration ? { registration_endpoint: `${issuer}oidc/register` } : {}),
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    claims_supported: [...new Set([...stringsOf(found.claims_supported as JsonValue), 'aud', 'exp', 'iat', 'nonce'])],
    scopes_supported: [
      'openid',
      'profile',
      'offline_access',
      'name',
      'given_name',
      'family_name',
      'nickname',
      'email',
      'email_verified',
      'picture',
    ],
    id_token_signing_alg_values_supported: SIGNING_ALGORITHMS,
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
  }
}
