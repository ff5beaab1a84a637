/** What makes one kind of provider differ from another. A shape is data and small functions; the rest is shared. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer, Json } from './http.ts'
import type { Endpoint, LogEntry } from './journal.ts'
import type { Provider } from './provider.ts'
import type { ProviderUser } from './users.ts'

export type ProviderKind = 'oidc' | 'github' | 'oauth2' | 'vendor'

/** One request on its way to its answer. */
export interface Call {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly entry: LogEntry
}

export type Handler = (provider: Provider, call: Call) => Answer

export interface Route {
  readonly endpoint: Endpoint
  /** With `/*` at its end: everything below. */
  readonly path: string
  readonly handle: Handler
}

/** Why a token or revocation request is refused; each shape has its own words for it on the wire. */
export type RefusalReason =
  | 'bad_request'
  | 'bad_client'
  | 'bad_code'
  | 'bad_redirect_uri'
  | 'bad_verifier'
  | 'bad_refresh_token'
  | 'bad_scope'
  | 'unknown_grant'

/** Where a provider leaves the specifications. */
export interface Quirks {
  /** The only way in which clients may authenticate. */
  readonly clientAuth?: 'basic' | 'post'
  /** The only form in which token requests are read. */
  readonly requestBody?: 'form' | 'json'
  /** Parameters without which an authorization request is refused. */
  readonly required?: Readonly<Record<string, string>>
  /** Name of the parameter that holds the scopes; undefined: `scope`. */
  readonly scopeParameter?: string
  /** Whether a refresh token is asked for. */
  asksOffline?(scopes: readonly string[], parameters: Readonly<Record<string, string>>): boolean
  /** What the fields of a token answer are made into. */
  tokenFields?(fields: Json, about: TokenAbout): Json
  /** What an error of the token endpoint looks like. */
  errorFields?(error: string, description: string): Json
  /** Whether this is the client's secret, where it is made anew for each call. */
  isSecret?(secret: string, clientId: string): boolean
  /** Added to the browser's way back, when the user said yes. */
  answerFields?(provider: Provider, user: ProviderUser): Readonly<Record<string, string>>
  /** Added to ID tokens. */
  idTokenClaims?(provider: Provider, user: ProviderUser): Json
}

export interface TokenAbout {
  readonly provider: Provider
  readonly user: ProviderUser
  readonly grant: 'authorization_code' | 'refresh_token'
  readonly refreshToken: string | undefined
}

export interface Shape {
  readonly quirks?: Quirks
  readonly kind: ProviderKind
  readonly routes: readonly Route[]
  readonly scopeSeparator: ' ' | ','
  readonly tokenType: string
  readonly tokenPrefixes: { readonly access: string; readonly refresh: string }
  /** Sends `iss` with authorization responses (RFC 9207). */
  readonly sendsIssuer: boolean
  readonly responseTypeRequired: boolean
  /** Scopes that a granted scope holds within it. */
  readonly impliedScopes: Readonly<Record<string, readonly string[]>>
  /** How many live consents without expiry one user may have for one client and scope set; the oldest ends. */
  readonly consentLimit: number | undefined
  defaultSubject(providerName: string, userKey: string): string
  /** Wire error and status of a refusal. */
  refusal(reason: RefusalReason): { readonly status: number; readonly error: string }
  tokenAnswer(call: Call, status: number, fields: Json): Answer
  userInfoAnswer(provider: Provider, user: ProviderUser, scopes: readonly string[]): Answer
  /** The `strategy` and `options` of the connection that the tenant file needs. */
  connection(provider: Provider, scope: string | undefined): { readonly strategy: string; readonly options: Json }
}

/** A token or revocation request that is refused for `reason`. */
export class Refusal extends Error {
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, description: string) {
    super(description)
    this.reason = reason
  }
}

const RFC_6749: Readonly<Record<RefusalReason, { readonly status: number; readonly error: string }>> = {
  bad_request: { status: 400, error: 'invalid_request' },
  bad_client: { status: 401, error: 'invalid_client' },
  bad_code: { status: 400, error: 'invalid_grant' },
  bad_redirect_uri: { status: 400, error: 'invalid_grant' },
  bad_verifier: { status: 400, error: 'invalid_grant' },
  bad_refresh_token: { status: 400, error: 'invalid_grant' },
  bad_scope: { status: 400, error: 'invalid_scope' },
  unknown_grant: { status: 400, error: 'unsupported_grant_type' },
}

/** The words of RFC 6749 §5.2. */
export function standardRefusal(reason: RefusalReason): { readonly status: number; readonly error: string } {
  return RFC_6749[reason]
}
