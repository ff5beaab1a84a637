// A client with every default in its place: an app or agent registered with us.
import type { JsonObject } from '../lib/json.ts'
import { type JsonReader, readJson } from '../lib/json-reader.ts'
import type { EpochSeconds } from '../lib/time.ts'
import { type AgentPolicy, parseAgentPolicy } from './agent-policy.ts'

export type AppType = 'regular_web' | 'spa' | 'native' | 'non_interactive' | 'resource_server'
export type AuthMethod = 'none' | 'client_secret_post' | 'client_secret_basic' | 'private_key_jwt'

/** Of our tokens: RSA with SHA-256, in either padding. A secret of a client signs nothing: only its hash is kept. */
export const SIGNING_ALGORITHMS = ['RS256', 'PS256'] as const
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number]

/** Of what a client signs: its assertions, and the JWTs of a privileged worker (auth0-wire.md §1.1). */
export const CLIENT_ALGORITHMS = ['RS256', 'RS384', 'PS256', 'PS384', 'ES256', 'ES384'] as const

export interface Client {
  readonly clientId: string
  readonly name: string
  readonly description: string | undefined
  readonly logoUri: string | undefined
  readonly appType: AppType
  readonly firstParty: boolean
  readonly oidcConformant: boolean
  /** Authenticates by nothing, and so keeps no secret. */
  readonly publicClient: boolean
  readonly authMethod: AuthMethod
  /** SHA-256 (hex) of its secret. */
  readonly secretHash: string | undefined
  /** Public keys (PEM) of a client that authenticates by `private_key_jwt`. */
  readonly keys: readonly ClientKey[]
  readonly callbacks: readonly string[]
  readonly allowedLogoutUrls: readonly string[]
  readonly webOrigins: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly grantTypes: readonly string[]
  readonly idTokenAlg: SigningAlgorithm
  readonly idTokenLifetimeSeconds: number
  readonly refreshToken: RefreshTokenRules
  /** May ask to link accounts. */
  readonly clientInitiatedLinking: boolean
  readonly backchannelLogoutUrls: readonly string[]
  readonly requirePar: boolean
  readonly requireDpop: boolean
  /** The API whose tokens it may exchange (`appType` `resource_server`). */
  readonly resourceServerIdentifier: string | undefined
  readonly vaultAccess: PrivilegedVaultAccess | undefined
  /** What it may do with what people connected; undefined: whatever its connections and grant types let it. */
  readonly policy: AgentPolicy | undefined
  readonly initiateLoginUri: string | undefined
  /** Although public: it may bring a provider's token for a token of ours. */
  readonly exchangesOpenly: boolean
  readonly metadata: Readonly<Record<string, string>>
  readonly updatedAt: EpochSeconds
}

export interface ClientKey {
  readonly id: string | undefined
  /** Thumbprint, by which an assertion may name the key. */
  readonly kid: string | undefined
  /** Proves nothing from then on; undefined for a key without end. */
  readonly expiresAt: EpochSeconds | undefined
  readonly alg: string | undefined
  readonly pem: string
}

export interface RefreshTokenRules {
  readonly rotating: boolean
  /** Undefined: the tenant's `refreshRotationGraceSeconds`. */
  readonly leewaySeconds: number | undefined
  /** Undefined: no end. */
  readonly lifetimeSeconds: number | undefined
  readonly idleLifetimeSeconds: number | undefined
  readonly policies: readonly RefreshPolicy[]
}

/** A further audience that a refresh may name. */
export interface RefreshPolicy {
  readonly audience: string
  readonly scopes: readonly string[]
}

/** Exchange by a JWT that the client signs, without a user present (auth0-wire.md §2.2). */
export interface PrivilegedVaultAccess {
  readonly keys: readonly ClientKey[]
  readonly ipAllowlist: readonly string[]
  readonly grants: readonly { readonly connection: string; readonly scopes: readonly string[] }[]
}

/** A stored client (`ClientRecord` of the storage has this shape). */
export interface ClientSource {
  readonly clientId: string
  readonly secretHash: string | undefined
  readonly document: JsonObject
  readonly updatedAt: EpochSeconds
}

export function parseClient({ clientId, secretHash, document, updatedAt }: ClientSource): Client {
  const client = readJson(document)
  const appType = client.word('app_type', ['regular_web', 'spa', 'native', 'non_interactive', 'resource_server'])
  const authMethod = authMethodOf(client, appType)
  const publicClient = authMethod === 'none'
  const firstParty = client.flag('is_first_party', true)
  return {
    clientId,
    name: client.text('name') ?? clientId,
    description: client.text('description'),
    logoUri: client.text('logo_uri'),
    appType,
    firstParty,
    oidcConformant: client.flag('oidc_conformant', true),
    publicClient,
    authMethod,
    secretHash,
    keys: keysOf(client.group('client_authentication_methods').group('private_key_jwt'), client),
    callbacks: client.strings('callbacks') ?? [],
    allowedLogoutUrls: client.strings('allowed_logout_urls') ?? [],
    webOrigins: client.strings('web_origins') ?? [],
    allowedOrigins: client.strings('allowed_origins') ?? [],
    grantTypes: client.strings('grant_types') ?? DEFAULT_GRANT_TYPES[appType],
    idTokenAlg: client.group('jwt_configuration').word('alg', SIGNING_ALGORITHMS),
    idTokenLifetimeSeconds: client.group('jwt_configuration').number('lifetime_in_seconds') ?? 36_000,
    refreshToken: parseRefreshToken(client.group('refresh_token'), publicClient),
    clientInitiatedLinking: client.group('linking').flag('client_initiated', firstParty),
    backchannelLogoutUrls: client.group('oidc_logout').strings('backchannel_logout_urls') ?? [],
    requirePar: client.flag('require_pushed_authorization_requests', false),
    requireDpop: client.flag('require_proof_of_possession', false),
    resourceServerIdentifier: client.text('resource_server_identifier'),
    vaultAccess: client.has('token_vault_privileged_access')
      ? parseVaultAccess(client.group('token_vault_privileged_access'), client)
      : undefined,
    policy: client.has('policy') ? parseAgentPolicy(client.group('policy')) : undefined,
    initiateLoginUri: client.text('initiate_login_uri'),
    exchangesOpenly: (client.group('token_exchange').strings('allow_any_profile_of_type') ?? []).includes(
      'custom_authentication',
    ),
    metadata: textsOf(document.client_metadata),
    updatedAt,
  }
}

/** What a client may do that does not say. */
export const DEFAULT_GRANT_TYPES: Readonly<Record<AppType, readonly string[]>> = {
  regular_web: ['authorization_code', 'refresh_token'],
  spa: ['authorization_code', 'refresh_token'],
  native: ['authorization_code', 'refresh_token'],
  non_interactive: ['client_credentials'],
  resource_server: [],
}

function authMethodOf(client: JsonReader, appType: AppType): AuthMethod {
  if (client.has('client_authentication_methods')) return 'private_key_jwt'
  const usual = appType === 'spa' || appType === 'native' ? 'none' : 'client_secret_post'
  if (!client.has('token_endpoint_auth_method')) return usual
  return client.word('token_endpoint_auth_method', [
    'client_secret_post',
    'client_secret_basic',
    'private_key_jwt',
    'none',
  ])
}

/** Keys that stand in the holder, or among the client's credentials under the id that the holder names. */
const keysOf = (holder: JsonReader, client: JsonReader): readonly ClientKey[] =>
  holder.objects('credentials').flatMap((named) => {
    const id = named.text('id')
    const key = named.has('pem') ? named : client.objects('credentials').find((one) => one.text('id') === id)
    const pem = key?.text('pem')
    if (key === undefined || pem === undefined) return []
    const end = Date.parse(key.text('expires_at') ?? '')
    const expiresAt = Number.isNaN(end) ? undefined : Math.floor(end / 1000)
    return [{ id, kid: key.text('kid'), alg: key.text('alg'), pem, expiresAt }]
  })

/** Keys that count now. */
export const liveKeys = (keys: readonly ClientKey[], now: EpochSeconds): readonly ClientKey[] =>
  keys.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now)

const YEAR_SECONDS = 31_557_600
const IDLE_SECONDS = 2_592_000

/** RFC 9700 §4.14.2: refresh tokens of public clients rotate unless the operator says otherwise. */
function parseRefreshToken(rules: JsonReader, publicClient: boolean): RefreshTokenRules {
  const usualExpiration = publicClient ? 'expiring' : 'non-expiring'
  const endless = (rules.text('expiration_type') ?? usualExpiration) === 'non-expiring'
  const lifetime = rules.number('token_lifetime') ?? YEAR_SECONDS
  const idleLifetime = rules.number('idle_token_lifetime') ?? IDLE_SECONDS
  return {
    rotating: (rules.text('rotation_type') ?? (publicClient ? 'rotating' : 'non-rotating')) === 'rotating',
    leewaySeconds: rules.number('leeway'),
    lifetimeSeconds: rules.flag('infinite_token_lifetime', endless) ? undefined : lifetime,
    idleLifetimeSeconds: rules.flag('infinite_idle_token_lifetime', endless) ? undefined : idleLifetime,
    policies: rules.objects('policies').flatMap((policy) => {
      const audience = policy.text('audience')
      return audience === undefined ? [] : [{ audience, scopes: policy.strings('scope') ?? [] }]
    }),
  }
}

const parseVaultAccess = (access: JsonReader, client: JsonReader): PrivilegedVaultAccess => ({
  keys: keysOf(access, client),
  ipAllowlist: access.strings('ip_allowlist') ?? [],
  grants: access.objects('grants').flatMap((grant) => {
    const connection = grant.text('connection')
    return connection === undefined ? [] : [{ connection, scopes: grant.strings('scopes') ?? [] }]
  }),
})

function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
