// How an exchange says no: Auth0's status and error, which SDKs branch on, and the `tenon` member, which says what to do
// next (contract: Small certainties).

import type { PolicyRule } from '../domain/agent-policy.ts'
import { Refusal } from '../domain/errors.ts'
import type { JsonObject, JsonValue } from '../lib/json.ts'
import { TOKEN_EXCHANGE_GRANT, VAULT_GRANT } from '../protocol/grant-types.ts'

export type ExchangeRefusalCode =
  | 'not_connected'
  | 'scope_missing'
  | 'reconnect_required'
  | 'provider_unavailable'
  | 'policy_denied'
  | 'account_ambiguous'
  | 'connection_not_enabled'
  | 'invalid_request'
  | 'subject_token_invalid'
  | 'rate_limited'
  /** The person has not answered yet. */
  | 'approval_pending'
  /** The client may not exchange at all; shown as `policy_denied`. */
  | 'client_denied'
  /** There is no connection of that name; shown as `invalid_request`. */
  | 'connection_unknown'

export interface RefusalDetails {
  readonly connection?: string
  readonly missingScopes?: readonly string[]
  readonly reason?: string
  /** Body of the request that would connect what is missing. */
  readonly connect?: { readonly connection: string; readonly scopes: readonly string[] }
  readonly retryAfterSeconds?: number
  /** The rule of the client's policy that decided; for the event. */
  readonly rule?: PolicyRule
  /** The question that waits for the person, and how often to ask again, in seconds. */
  readonly authReqId?: string
  readonly interval?: number
  /** What the accounts that a hint fits are called. */
  readonly labels?: readonly string[]
  /** Instead of the code's own sentence. */
  readonly description?: string
}

/** An authenticated client's exchange is refused. */
export class ExchangeRefusal extends Refusal {
  declare readonly code: ExchangeRefusalCode
  readonly details: RefusalDetails

  constructor(code: ExchangeRefusalCode, details: RefusalDetails = {}) {
    super(code, details.description ?? WIRE[VAULT_GRANT][code].description)
    this.details = details
  }
}

/** The client did not prove who it is; the same words for an unknown client and a wrong secret. */
export class ClientAuthFailed extends Refusal {
  constructor(options?: ErrorOptions) {
    super('invalid_client', 'Unauthorized', options)
  }
}

/** A client that can prove nothing asks for a provider's token. */
export class PublicClientRefused extends Refusal {
  constructor() {
    super('unauthorized_client', 'The exchange is for clients that authenticate.')
  }
}

export type ExchangeGrant = typeof VAULT_GRANT | typeof TOKEN_EXCHANGE_GRANT

export interface ExchangeAnswer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: JsonObject
}

/** RFC 6749 §5.1: nobody keeps an answer of the token endpoint. */
export const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache' } as const

/** The answer for a refusal; undefined when the error is none. Never `WWW-Authenticate`: SDKs would lose the body. */
export function refusalAnswer(error: unknown, grant: ExchangeGrant): ExchangeAnswer | undefined {
  if (error instanceof ExchangeRefusal) return exchangeRefusal(error, grant)
  if (error instanceof ClientAuthFailed) return plain(401, error)
  if (error instanceof PublicClientRefused) return plain(400, error)
  return undefined
}

function exchangeRefusal({ code, message, details }: ExchangeRefusal, grant: ExchangeGrant): ExchangeAnswer {
  const { status, error } = WIRE[grant][code]
  const { retryAfterSeconds } = details
  return {
    status,
    headers: { ...NO_STORE, ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }) },
    body: { error, error_description: message, ...pollingOf(details), tenon: tenonOf(code, details) },
  }
}

/** As `POST /me/v1/connected-accounts/connect` takes it, which wants no empty list. */
const connectBody = ({ connection, scopes }: NonNullable<RefusalDetails['connect']>): JsonObject => ({
  connection,
  ...(scopes.length === 0 ? {} : { scopes }),
})

/** As a poll is answered (CIBA Core §7.3, §11). */
const pollingOf = ({ authReqId, interval }: RefusalDetails): JsonObject =>
  authReqId === undefined ? {} : { auth_req_id: authReqId, ...(interval === undefined ? {} : { interval }) }

/** What to do next, as every refusal of a use says it. */
export function tenonOf(code: ExchangeRefusalCode, details: RefusalDetails): JsonObject {
  const members: Record<string, JsonValue | undefined> = {
    code: SHOWN_AS[code] ?? code,
    connection: details.connection,
    missing_scopes: details.missingScopes,
    reason: details.reason,
    connect: details.connect && connectBody(details.connect),
    retry_after: details.retryAfterSeconds,
    labels: details.labels,
    ...pollingOf(details),
  }
  return Object.fromEntries(
    Object.entries(members).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined),
  )
}

/** Codes of the contract behind which several wire errors stand. */
const SHOWN_AS: Readonly<Partial<Record<ExchangeRefusalCode, string>>> = {
  client_denied: 'policy_denied',
  connection_unknown: 'invalid_request',
}

const plain = (status: number, { code, message }: Refusal): ExchangeAnswer => ({
  status,
  headers: { ...NO_STORE },
  body: { error: code, error_description: message },
})

interface Wire {
  readonly status: number
  readonly error: string
  readonly description: string
}

const NOT_FOUND = 'federated_connection_refresh_token_not_found'
const FLOW_FAILED = 'federated_connection_refresh_token_flow_failed'

const wire = (status: number, error: string, description: string): Wire => ({ status, error, description })

const AUTH0: Readonly<Record<ExchangeRefusalCode, Wire>> = {
  not_connected: wire(401, NOT_FOUND, 'Federated connection Refresh Token not found.'),
  scope_missing: wire(401, NOT_FOUND, 'Federated connection Refresh Token not found.'),
  reconnect_required: wire(401, FLOW_FAILED, 'Refresh Token flow for the Federated Connection failed'),
  provider_unavailable: wire(401, FLOW_FAILED, 'Refresh Token flow for the Federated Connection failed'),
  policy_denied: wire(403, 'access_denied', 'The client may not do this.'),
  client_denied: wire(403, 'unauthorized_client', 'The client may not exchange tokens.'),
  account_ambiguous: wire(400, 'invalid_request', 'login_hint fits several accounts.'),
  connection_not_enabled: wire(403, 'unauthorized_client', 'The connection is not enabled for the client.'),
  invalid_request: wire(400, 'invalid_request', 'The request is malformed.'),
  connection_unknown: wire(400, 'invalid_request', 'The connection was not found.'),
  subject_token_invalid: wire(403, 'invalid_grant', 'Unknown or invalid refresh token.'),
  rate_limited: wire(429, 'too_many_requests', 'Too many exchanges for this user.'),
  approval_pending: wire(400, 'authorization_pending', 'The user has been asked, and has not answered yet.'),
}

/** RFC 8693 §2.2.2 has two errors of its own: a bad token is `invalid_request`, what cannot be had is `invalid_target`. */
const RFC_8693: Readonly<Record<ExchangeRefusalCode, Wire>> = {
  ...AUTH0,
  not_connected: { ...AUTH0.not_connected, status: 400, error: 'invalid_target' },
  scope_missing: { ...AUTH0.scope_missing, status: 400, error: 'invalid_scope' },
  reconnect_required: { ...AUTH0.reconnect_required, status: 400, error: 'invalid_target' },
  provider_unavailable: { ...AUTH0.provider_unavailable, status: 400, error: 'invalid_target' },
  connection_not_enabled: { ...AUTH0.connection_not_enabled, status: 400, error: 'invalid_target' },
  connection_unknown: { ...AUTH0.connection_unknown, error: 'invalid_target' },
  subject_token_invalid: { ...AUTH0.subject_token_invalid, status: 400, error: 'invalid_request' },
}

const WIRE: Readonly<Record<ExchangeGrant, Readonly<Record<ExchangeRefusalCode, Wire>>>> = {
  [VAULT_GRANT]: AUTH0,
  [TOKEN_EXCHANGE_GRANT]: RFC_8693,
}
