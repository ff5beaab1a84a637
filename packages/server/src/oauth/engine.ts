// The protocol engine: oidc-provider, configured. What it leaves open and how we close it stands in
// docs/notes/protocol-engine.md; each closing has a test.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type Provider from 'oidc-provider'
import type { Configuration, JWK, KoaContextWithOIDC } from 'oidc-provider'
import type { ApprovalDeps } from '../accounts/approvals.ts'
import type { SignInLimits } from '../accounts/limits.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Passwords } from '../crypto/passwords.ts'
import { CLIENT_ALGORITHMS, SIGNING_ALGORITHMS } from '../domain/client.ts'
import { Overloaded } from '../domain/errors.ts'
import { MULTI_FACTOR_ACR } from '../domain/second-factor.ts'
import { isString, type JsonObject } from '../lib/json.ts'
import type { Clock } from '../lib/time.ts'
import {
  CIBA_GRANT,
  DEVICE_GRANT,
  PASSWORD_GRANT,
  PASSWORD_REALM_GRANT,
  TOKEN_EXCHANGE_GRANT,
} from '../protocol/grant-types.ts'
import { type SameSite, SESSION_COOKIE } from '../sessions/browser-cookies.ts'
import type { Storage } from '../storage/storage.ts'
import type { AccessTokens } from './access-tokens.ts'
import { createAdapterFactory } from './adapter.ts'
import { approvalFeatures, approvalLifetimes, asker } from './approvals.ts'
import { findAudience, resourceToAudience } from './audience.ts'
import { bindBrowser, withHostCookies } from './browser-binding.ts'
import { claimsOf } from './claims.ts'
import { assertionAudiences, judgeAssertion } from './client-assertion.ts'
import type { ExchangeLimits } from './exchange-limits.ts'
import { cibaGrant, deviceGrant } from './grants/approved.ts'
import { clientCredentialsGrant } from './grants/client-credentials.ts'
import { extraClaims } from './grants/issue.ts'
import { registerMfaGrants } from './grants/mfa.ts'
import { passwordGrant } from './grants/password.ts'
import { resourceInfoOf } from './grants/refresh-target.ts'
import { refreshTokenGrant } from './grants/refresh-token.ts'
import { EXCHANGE_PARAMETERS, tokenExchangeGrant } from './grants/token-exchange.ts'
import { grantSeconds, HOUR_SECONDS, numberOf, refreshTokenSeconds, sessionSeconds } from './lifetimes.ts'
import { LINK_PARAMS } from './link-request.ts'
import { patchModels } from './models.ts'
import { interactionPolicy, loadGrant } from './prompts.ts'
import { CLAIMS_BY_SCOPE, ENGINE_OFFLINE_ACCESS, OIDC_SCOPES } from './scopes.ts'
import type { KeyCertificates } from './signing-keys.ts'
import type { SubjectProver } from './subject-profile.ts'
import { customizeAccessToken } from './token-format.ts'
import { installWire } from './wire.ts'

export interface EngineSettings {
  readonly accessTokenSeconds: number
  readonly codeSeconds: number
  readonly refreshGraceSeconds: number
  readonly sessionIdleSeconds: number
  readonly sessionAbsoluteSeconds: number
  readonly cookieSameSite: SameSite
  /** How old a sign-in may be for a change to what signs somebody in. */
  readonly reauthenticationSeconds: number
  /** Shown in discovery, so that SDKs call `/oidc/logout` instead of `/v2/logout`. */
  readonly endSessionInDiscovery: boolean
  /** `/oidc/register` answers, and is shown in discovery. */
  readonly dynamicRegistration: boolean
  /** For authorization requests that name none. */
  readonly defaultAudience: string | undefined
  /** Name of the connection whose passwords the plain password grant takes. */
  readonly defaultDirectory: string | undefined
}

export type EngineLibrary = typeof import('oidc-provider')

export interface EngineDeps {
  readonly library: EngineLibrary
  readonly issuer: string
  readonly storage: Storage
  readonly keyring: Pick<Keyring, 'seal' | 'open'>
  readonly clock: Clock
  readonly passwords: Pick<Passwords, 'verify' | 'hash'>
  readonly signInLimits: SignInLimits
  readonly settings: () => EngineSettings
  /** Private keys, the signing one first; the others are published only. */
  readonly signingKeys: readonly JsonObject[]
  /** Shown with the published keys. */
  readonly certificates: KeyCertificates
  readonly dpopNonceSecret: Uint8Array
  /** The engine's own check of a DPoP proof; undefined when the request carries none (RFC 9449 §4.3). */
  readonly validateDpop: (
    provider: Provider,
    ctx: KoaContextWithOIDC,
  ) => Promise<{ readonly thumbprint: string } | undefined>
  readonly renderError: (error: EngineError) => { status: number; headers: Record<string, string>; body: string }
  /** Of the answers to a browser that the engine renders itself; it adds the hash of its script to `script-src`. */
  readonly answerHeaders: Readonly<Record<string, string>>
  /** A content security policy that lets these origins show the answer in a frame. */
  readonly frameableBy: (policy: string, origins: readonly string[]) => string
  /** Claims of an ID token of ours that lives now. */
  readonly verifyIdToken: (token: string) => JsonObject | undefined
  /** Where the browser goes for an interaction, e.g. `/u/login?state=…`. */
  readonly interactionUrl: (uid: string) => string
  /** Our own access tokens, as at every door. */
  readonly verifyAccess: AccessTokens['verify']
  /** How often a client may exchange for a person, in exchanges that the engine serves. */
  readonly exchangeLimits: ExchangeLimits
  /** Whose identity a token of a provider's proves, by the operator's token-exchange profiles. */
  readonly proveSubject: SubjectProver
  /** How a person is asked by an agent. */
  readonly approvals: ApprovalDeps
  readonly log: EngineLog
}

export interface EngineError {
  readonly code: string
  readonly description: string | undefined
  readonly status: number
  readonly requestId: string
}

export interface EngineLog {
  debug(fields: Record<string, unknown>, message: string): void
  error(fields: Record<string, unknown>, message: string): void
}

export type EngineHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/**
 * Loads the engine. It writes notices as text to the console, when it is loaded and later: they go to the log, because
 * the standard streams hold JSON lines alone.
 */
export async function loadEngine(log: Pick<EngineLog, 'debug'>): Promise<EngineLibrary> {
  const toLog = (text: unknown) => log.debug({ notice: String(text) }, 'the protocol engine says')
  Object.assign(console, { info: toLog, warn: toLog })
  return import('oidc-provider')
}

/** Builds the engine for one set of signing keys; cheap, so that new keys get a new one. */
export function createEngine(deps: EngineDeps): EngineHandler {
  const provider = new deps.library.Provider(deps.issuer, configuration(deps))
  provider.proxy = deps.issuer.startsWith('https:')
  patchModels(provider, deps)
  withHostCookies(provider, deps)
  provider.registerGrantType(
    'refresh_token',
    refreshTokenGrant(provider, deps),
    ['refresh_token', 'scope', 'resource', 'audience'],
    ['audience', 'resource'],
  )
  provider.registerGrantType(
    'client_credentials',
    clientCredentialsGrant(provider, deps),
    ['scope', 'audience', 'resource'],
    ['audience', 'resource'],
  )
  provider.registerGrantType(TOKEN_EXCHANGE_GRANT, tokenExchangeGrant(provider, deps), EXCHANGE_PARAMETERS, [
    'audience',
    'resource',
  ])
  provider.registerGrantType(CIBA_GRANT, cibaGrant(provider, deps), ['auth_req_id'])
  provider.registerGrantType(DEVICE_GRANT, deviceGrant(provider, deps), ['device_code'])
  for (const grantType of [PASSWORD_GRANT, PASSWORD_REALM_GRANT]) {
    provider.registerGrantType(
      grantType,
      passwordGrant(provider, deps),
      ['username', 'password', 'realm', 'scope', 'audience', 'resource'],
      ['audience', 'resource'],
    )
  }
  registerMfaGrants(provider, deps)
  installWire(provider, deps)
  provider.on('server_error', (ctx: KoaContextWithOIDC, error: Error) => {
    if (error instanceof Overloaded) return
    deps.log.error({ err: error, requestId: ctx.res.getHeader('x-request-id') }, 'the protocol engine failed')
  })
  const callback = provider.callback()
  return async (request, response) => {
    ownOrigin(request, deps.issuer)
    await callback(request, response)
  }
}

/** The engine builds URLs from `Host`; they come from the issuer alone (T-NET-03). */
function ownOrigin(request: IncomingMessage, issuer: string): void {
  for (const name of Object.keys(request.headers)) {
    if (name === 'forwarded' || name.startsWith('x-forwarded-')) delete request.headers[name]
  }
  const { host, protocol } = new URL(issuer)
  request.headers.host = host
  if (protocol === 'https:') request.headers['x-forwarded-proto'] = 'https'
}

function configuration(deps: EngineDeps): Configuration {
  const { storage, clock, settings, issuer } = deps
  return {
    adapter: createAdapterFactory({ library: deps.library, storage, clock, ask: asker(deps) }),
    jwks: { keys: deps.signingKeys as unknown as JWK[] },
    scopes: [...OIDC_SCOPES],
    claims: Object.fromEntries(Object.entries(CLAIMS_BY_SCOPE).map(([scope, claims]) => [scope, [...claims]])),
    conformIdTokenClaims: false,
    acrValues: [MULTI_FACTOR_ACR],
    responseTypes: ['code', 'id_token'],
    // OpenID Connect Core §3.1.2.1 wants it in every request.
    allowOmittingSingleRegisteredRedirectUri: false,
    clientAuthMethods: ['client_secret_post', 'client_secret_basic', 'private_key_jwt', 'none'],
    // Those that the exchange takes, which stands beside the engine.
    enabledJWA: {
      clientAuthSigningAlgValues: [...CLIENT_ALGORITHMS],
      idTokenSigningAlgValues: [...SIGNING_ALGORITHMS],
    },
    clockTolerance: 10,
    assertJwtClientAuthClaimsAndHeader: async (_ctx, claims, _header, client) => {
      // The engine's own checks take a list that names others too, and any length of life (T-AS-08). Claims are JSON.
      const now = clock()
      const audiences = assertionAudiences(issuer)
      const judged = judgeAssertion(claims as JsonObject, { clientId: client.clientId, audiences, now })
      if (judged === undefined) throw new deps.library.errors.InvalidClientAuth('the assertion is not acceptable')
    },
    pkce: { required: (_ctx, client) => client.tokenEndpointAuthMethod === 'none' },
    routes: {
      authorization: '/authorize',
      token: '/oauth/token',
      revocation: '/oauth/revoke',
      pushed_authorization_request: '/oauth/par',
      backchannel_authentication: '/bc-authorize',
      device_authorization: '/oauth/device/code',
      code_verification: '/activate',
      userinfo: '/userinfo',
      jwks: '/.well-known/jwks.json',
      end_session: '/oidc/logout',
    },
    cookies: {
      names: { session: SESSION_COOKIE, interaction: 'interaction', resume: 'resume' },
      long: { httpOnly: true, secure: true, path: '/', sameSite: settings().cookieSameSite, signed: false },
      short: { httpOnly: true, secure: true, path: '/', sameSite: 'none', signed: false },
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      dPoP: { enabled: true, nonceSecret: Buffer.from(deps.dpopNonceSecret), requireNonce: () => true },
      pushedAuthorizationRequests: { enabled: true },
      ...approvalFeatures(deps),
      webMessageResponseMode: { enabled: true, ack: 'individual-draft-01' },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined as unknown as string,
        useGrantedResource: () => true,
        getResourceServerInfo: async (_ctx, resource, client) => resourceServerInfo(deps, resource, client.clientId),
      },
    },
    extraParams: {
      ...Object.fromEntries(EXTRA_PARAMS.map((name) => [name, null])),
      organization: (ctx, value) => refuseUnsupported(ctx, value, deps),
    },
    interactions: {
      policy: interactionPolicy(deps),
      url: async (ctx, interaction) => {
        await bindBrowser(ctx, interaction)
        return deps.interactionUrl(interaction.uid)
      },
    },
    loadExistingGrant: (ctx) => loadGrant(ctx),
    findAccount: async (_ctx, userId) => {
      const user = await storage.users.find(userId)
      if (user === undefined || user.blocked) return undefined
      return { accountId: userId, claims: async () => ({ ...claimsOf(user), sub: userId }) }
    },
    formats: { customizers: { jwt: (_ctx, token, jwt) => customizeAccessToken(token, jwt, issuer) } },
    extraTokenClaims: (ctx, token) => extraClaims({ token, code: ctx.oidc.entities.AuthorizationCode, issuer }),
    expiresWithSession: () => false,
    issueRefreshToken: async (_ctx, client, source) =>
      client.grantTypeAllowed('refresh_token') &&
      source.scopes.has(ENGINE_OFFLINE_ACCESS) &&
      (await allowsOffline(storage, source.resource)),
    clientBasedCORS: (ctx, origin) => allowedOrigin(ctx, origin),
    renderError: (ctx, out, error) => renderError(ctx, out.error, out.error_description, error, deps),
    ttl: {
      AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? settings().accessTokenSeconds,
      ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? settings().accessTokenSeconds,
      AuthorizationCode: () => settings().codeSeconds,
      IdToken: (_ctx, _token, client) => numberOf(client.idTokenSeconds) ?? 10 * HOUR_SECONDS,
      RefreshToken: (_ctx, _token, client) => refreshTokenSeconds(client),
      ...approvalLifetimes,
      Grant: (ctx, grant) => grantSeconds(ctx, grant, settings()),
      Interaction: () => HOUR_SECONDS,
      Session: (_ctx, session) => sessionSeconds(session, settings(), clock()),
    },
    extraClientMetadata: {
      properties: [
        'idTokenSeconds',
        'refreshTokenSeconds',
        'refreshRotates',
        'refreshGraceSeconds',
        'refreshIdleSeconds',
        'refreshPolicies',
        'firstParty',
        'allowedOrigins',
        'messageOrigins',
      ],
    },
  }
}

const EXTRA_PARAMS = [
  'audience',
  'connection',
  'connection_scope',
  'screen_hint',
  'access_type',
  'approval_prompt',
  'auth0Client',
  'ext-purpose',
  ...LINK_PARAMS,
]

/** What the engine would let through: an organization, which we have none of, and an ID token that shows in a URL. */
function refuseUnsupported({ oidc }: KoaContextWithOIDC, organization: unknown, { library }: EngineDeps): void {
  const { errors } = library
  if (organization !== undefined) throw new errors.InvalidRequest('the organization is unknown')
  const { response_type: type, response_mode: mode } = oidc.params ?? {}
  if (type === 'id_token' && mode !== 'form_post')
    throw new errors.InvalidRequest('an ID token is given by response_mode form_post alone')
}

async function resourceServerInfo(deps: EngineDeps, resource: string, clientId: string) {
  const { errors } = deps.library
  const identifier = resourceToAudience(resource)
  const answer = await findAudience(deps.storage, { identifier, clientId, subjectType: 'user', issuer: deps.issuer })
  if (answer.kind === 'unknown') throw new errors.InvalidTarget(`Service not found: ${identifier}`)
  if (answer.kind === 'not_granted') {
    throw new errors.AccessDenied(`Client "${clientId}" is not authorized to access resource server "${identifier}".`)
  }
  return resourceInfoOf(answer, deps)
}

/** An API decides whether it may be reached while its user is away; user-info always may. */
async function allowsOffline(storage: Storage, resource: unknown): Promise<boolean> {
  if (!isString(resource)) return true
  const server = await storage.resourceServers.findByIdentifier(resourceToAudience(resource))
  return server?.document.allow_offline_access === true
}

function allowedOrigin(ctx: KoaContextWithOIDC, origin: string): boolean {
  const origins = ctx.oidc.client?.allowedOrigins
  return Array.isArray(origins) && origins.includes(origin)
}

function renderError(
  ctx: KoaContextWithOIDC,
  code: string,
  description: string | undefined,
  error: Error,
  deps: EngineDeps,
): void {
  const requestId = String(ctx.res.getHeader('x-request-id') ?? '')
  const page = deps.renderError({ code, description, status: statusOf(error), requestId })
  ctx.status = page.status
  for (const [name, value] of Object.entries(page.headers)) ctx.set(name, value)
  ctx.body = page.body
}

function statusOf(error: Error): number {
  const { statusCode } = error as Error & { statusCode?: number }
  return statusCode ?? 500
}
