// What is particular to a provider, as data: `oidc.ts` and `oauth2.ts` carry it out. A quirk is a field, not a branch.
import type { SubjectType } from '../subject.ts'

export interface ProviderProfile {
  readonly strategy: string
  readonly protocol: 'oidc' | 'oauth2'
  readonly endpoints: Endpoints
  /** Asked for when the connection names none. */
  readonly defaultScopes: readonly string[]
  /** Sent with every request. */
  readonly alwaysScopes: readonly string[]
  readonly scopeSeparator: ' ' | ','
  /** Groups of spellings that mean the same. */
  readonly scopeAliases: readonly (readonly string[])[]
  /** Scope → what it contains. */
  readonly scopeContains: Readonly<Record<string, readonly string[]>>
  /** An empty `scope` in an answer says nothing, rather than that nothing was granted. */
  readonly blankScopeIsSilence: boolean
  /** How our client authenticates at the token endpoint; `undefined` when the provider's metadata decides. */
  readonly clientAuth: ClientAuthMethod | undefined
  /** Added to the authorization request when a refresh token is wanted. */
  readonly offlineParameters: Readonly<Record<string, string>>
  /** Parameters of the client's own request to us that are handed through. */
  readonly passedThrough: readonly string[]
  /** Error codes, besides `invalid_grant`, by which the provider says that a refresh token is dead. */
  readonly deadRefreshTokenErrors: readonly string[]
  /** How long an access token lives when the answer does not say; `undefined`: until it is revoked. */
  readonly accessTokenSeconds: number | undefined
  readonly refreshTokenGraceSeconds: number | undefined
  readonly revocation: RevocationForm
  readonly revocationEnds: 'token' | 'grant'
  /** Where the user-info answer holds the stable id, and how it is written. */
  readonly subject: { readonly path: string; readonly type: SubjectType }
  /** Our claim → dotted path in the user-info answer. */
  readonly claims: Readonly<Record<string, string>>
  readonly userinfoHeaders: Readonly<Record<string, string>>
  /** Domains whose mailboxes the provider gives out itself. */
  readonly emailAuthority: EmailAuthority | undefined
  readonly apiHosts: readonly string[]
}

export interface Endpoints {
  readonly issuer?: string | undefined
  readonly authorization?: string | undefined
  readonly token?: string | undefined
  readonly userinfo?: string | undefined
  /** A list of `{email, primary, verified}`, where addresses are not part of the user-info answer. */
  readonly emails?: string | undefined
  readonly jwks?: string | undefined
  /** `{client_id}` stands for our client id. */
  readonly revocation?: string | undefined
}

export type ClientAuthMethod = 'client_secret_basic' | 'client_secret_post'

/**
 * `rfc7009`: a form with the token. `delete_json`: DELETE with our credentials and `{"access_token": …}`, access tokens
 * alone; the endpoint's URL names the client.
 */
export type RevocationForm = 'rfc7009' | 'delete_json'

export interface EmailAuthority {
  readonly domains: readonly string[]
  /** The authority holds only for accounts without this claim. */
  readonly unlessClaim: string
}

const GENERIC = {
  endpoints: {},
  scopeSeparator: ' ',
  scopeAliases: [],
  scopeContains: {},
  blankScopeIsSilence: false,
  offlineParameters: {},
  passedThrough: [],
  deadRefreshTokenErrors: [],
  accessTokenSeconds: undefined,
  refreshTokenGraceSeconds: undefined,
  revocation: 'rfc7009',
  revocationEnds: 'token',
  userinfoHeaders: {},
  emailAuthority: undefined,
  apiHosts: [],
} as const satisfies Partial<ProviderProfile>

/** OpenID Connect Core §5.1 names, ours on the left. */
export const OIDC_CLAIMS = {
  email: 'email',
  email_verified: 'email_verified',
  name: 'name',
  given_name: 'given_name',
  family_name: 'family_name',
  nickname: 'nickname',
  username: 'preferred_username',
  picture: 'picture',
  phone_number: 'phone_number',
} as const

/** Any OpenID provider, by its discovery document. */
export const genericOidc: ProviderProfile = {
  ...GENERIC,
  strategy: 'oidc',
  protocol: 'oidc',
  defaultScopes: ['openid', 'profile', 'email'],
  alwaysScopes: ['openid'],
  clientAuth: undefined,
  subject: { path: 'sub', type: 'string' },
  claims: OIDC_CLAIMS,
}

/** Any OAuth 2.0 provider with a user-info endpoint, by its connection's options. */
export const genericOAuth2: ProviderProfile = {
  ...GENERIC,
  strategy: 'oauth2',
  protocol: 'oauth2',
  defaultScopes: [],
  alwaysScopes: [],
  clientAuth: 'client_secret_post',
  subject: { path: 'user_id', type: 'either' },
  claims: { ...OIDC_CLAIMS, username: 'username' },
}
