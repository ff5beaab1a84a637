/** How a provider is set up, and what a test may change while it runs. */
import type { ForgeryTools } from './forgeries.ts'
import type { Json } from './http.ts'
import type { SigningAlgorithm } from './keys.ts'
import type { ProviderUser, UserDetails } from './users.ts'

/** `static`: a refresh token stays as it is. `rotating`: each refresh replaces it. */
export type Rotation = 'static' | 'rotating'

/**
 * When refresh tokens are given: `offline` when `offline_access` or `access_type=offline` is asked for; `first-consent`
 * likewise, but once per user unless `prompt=consent` asks again; `always`; `never`.
 */
export type RefreshPolicy = 'offline' | 'first-consent' | 'always' | 'never'

/** Whether revoking one token ends what came from the same consent, or all that the user ever allowed this client. */
export type RevocationEnds = 'family' | 'grant'

/** May be changed at any time; requests from then on see the change. */
export interface Behaviour {
  rotation: Rotation
  /** How long the previous refresh token may be retried; later its use ends the family and counts in `reuses`. */
  graceSeconds: number
  /** Life of access tokens. Undefined: without end, and without `expires_in`. */
  accessTokenSeconds: number | undefined
  /** Life of each refresh token. Undefined: without end. */
  refreshTokenSeconds: number | undefined
  refresh: RefreshPolicy
  /** A refresh also ends the access tokens given before it. */
  refreshEndsAccessTokens: boolean
  revocationEnds: RevocationEnds
  /** Refuse authorization requests without an S256 challenge. */
  requirePkce: boolean
  /** Show the consent page. Otherwise the current user allows everything at once. */
  interactive: boolean
  /** On the consent page, let the user untick single scopes. */
  granularConsent: boolean
  /** Grant only those of these scopes that are asked for. Undefined: all that are asked for. */
  grantOnly: readonly string[] | undefined
}

export interface ProviderOptions extends Partial<Behaviour> {
  /** Default 0: a free one. */
  readonly port?: number
  /** Short name, also of the connection; lower case. */
  readonly name?: string
  /** Name that people see on the consent page; default: the short one, capitalised. */
  readonly title?: string
  readonly clientId?: string
  /** Default: random. */
  readonly clientSecret?: string
  /** Name of the app that the consent page shows; default `Tenon`. */
  readonly clientName?: string
  /** The only redirect URIs that are taken. Default: any on loopback. */
  readonly redirectUris?: readonly string[]
  /** The first one is the current user. */
  readonly users?: Readonly<Record<string, UserDetails>>
  /** What the connection asks for by default, separated by blanks. */
  readonly scope?: string
  /** Further `options` of the connection, e.g. `trust_email`. */
  readonly connectionOptions?: Json
  /** What the consent page says of a scope. */
  readonly scopeTexts?: Readonly<Record<string, string>>
  /** Epoch milliseconds; default: the system's clock. */
  readonly nowMs?: () => number
}

export interface OidcOptions extends ProviderOptions {
  /** Default RS256. */
  readonly alg?: SigningAlgorithm
}

export interface GithubOptions extends ProviderOptions {
  /** A GitHub App: access tokens live 8 hours, refresh tokens rotate. Default: an OAuth App, whose tokens do not expire. */
  readonly expiring?: boolean
}

/** What a lie is told about. */
export interface TamperContext {
  /** Undefined in documents that are about nobody. */
  readonly user: ProviderUser | undefined
  /** The grant that is being answered, where there is one. */
  readonly grant: 'authorization_code' | 'refresh_token' | undefined
}

export type Tamper<T, C = TamperContext> = ((truth: T, context: C) => T) | undefined

/** Lies. Each takes what would be sent and returns what is sent instead. */
export interface Tampering {
  /** Claims of an ID token, before it is signed. */
  tamperIdToken: Tamper<Json>
  /** A signed ID token (see `forgeries.ts`). */
  tamperSignedIdToken: Tamper<string, TamperContext & ForgeryTools>
  /** A successful answer of the token endpoint. */
  tamperAnswer: Tamper<Json>
  /** User-info. GitHub-shaped: `id` is a string of digits here, a number on the wire. */
  tamperUserInfo: Tamper<Json>
  tamperEmails: Tamper<readonly Json[]>
  tamperDiscovery: Tamper<Json>
  tamperJwks: Tamper<Json>
  /** What is added to the redirect URI: `code`, `state`, `iss` or `error`, … */
  tamperRedirect: Tamper<Readonly<Record<string, string>>>
}

export function withoutLies(): Tampering {
  return {
    tamperIdToken: undefined,
    tamperSignedIdToken: undefined,
    tamperAnswer: undefined,
    tamperUserInfo: undefined,
    tamperEmails: undefined,
    tamperDiscovery: undefined,
    tamperJwks: undefined,
    tamperRedirect: undefined,
  }
}

/** What `given` says, else what `shape` says, else how a plain provider is. */
export function behaviourOf(given: Partial<Behaviour>, shape: Partial<Behaviour>): Behaviour {
  const plain: Behaviour = {
    rotation: 'static',
    graceSeconds: 0,
    accessTokenSeconds: 3600,
    refreshTokenSeconds: undefined,
    refresh: 'offline',
    refreshEndsAccessTokens: false,
    revocationEnds: 'family',
    requirePkce: false,
    interactive: false,
    granularConsent: false,
    grantOnly: undefined,
  }
  const known = Object.keys(plain)
  const own = Object.fromEntries(Object.entries(given).filter(([name]) => known.includes(name)))
  return { ...plain, ...shape, ...own }
}
