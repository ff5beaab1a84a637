// A connection is a configured upstream; here as the rest of the server sees it.
import { isJsonObject, type JsonObject } from '../lib/json.ts'

/** Families of connector; a catalogue name such as `github` is a strategy of its own with one of these behind it. */
export type Strategy = string

export interface Connection {
  readonly id: string
  readonly name: string
  readonly strategy: Strategy
  readonly displayName: string | undefined
  /** Options in the Management API's own shape, with `client_secret` opened. */
  readonly options: JsonObject
  /** May log people in. */
  readonly authenticationActive: boolean
  /** Tokens may be kept from it for agents. */
  readonly connectedAccountsActive: boolean
  /** Its client secret does not open: the row was edited, or moved. Nobody is sent there, and nothing is asked there. */
  readonly damaged?: true
}

export const PASSWORD_STRATEGY = 'auth0'
export const SAML_STRATEGY = 'samlp'
/** People sign in by a code that is mailed to them. */
export const MAIL_STRATEGY = 'email'
export const PASSKEY_STRATEGY = 'passkey'
export const PASSWORD_CONNECTION = 'Username-Password-Authentication'

export const API_KEY_STRATEGY = 'api-key'
export const BASIC_STRATEGY = 'basic'

/** People type a credential of theirs on our own page: nobody is sent anywhere, and it signs nobody in. */
export const CREDENTIAL_STRATEGIES: ReadonlySet<Strategy> = new Set([API_KEY_STRATEGY, BASIC_STRATEGY])

/** Ways in that no provider stands behind. */
export const OWN_STRATEGIES: ReadonlySet<Strategy> = new Set([PASSWORD_STRATEGY, MAIL_STRATEGY, PASSKEY_STRATEGY])

export const PREFIXED_STRATEGIES: ReadonlySet<Strategy> = new Set(['oidc', 'oauth2', 'samlp'])

/**
 * The `user_id` inside an identity: the bare upstream subject for catalogue and password connections,
 * `connection|subject` for `oidc`, `oauth2` and `samlp`, whose subjects are only unique within the connection.
 */
export function identityUserId(connection: Pick<Connection, 'strategy' | 'name'>, subject: string): string {
  return PREFIXED_STRATEGIES.has(connection.strategy) ? `${connection.name}|${subject}` : subject
}

/** `provider|user_id`, the form that SDK users know as `user_id` of a user and as `sub`. */
export function fullUserId(connection: Pick<Connection, 'strategy' | 'name'>, subject: string): string {
  return `${connection.strategy}|${identityUserId(connection, subject)}`
}

/** The tokenset of a sign-in is kept for clients: connected accounts are on, or Auth0's older switch is. */
export function keepsSignInTokens({
  options,
  connectedAccountsActive,
}: Pick<Connection, 'options' | 'connectedAccountsActive'>): boolean {
  const legacy = options.federated_connections_access_tokens
  return connectedAccountsActive || (isJsonObject(legacy) && legacy.active === true)
}
