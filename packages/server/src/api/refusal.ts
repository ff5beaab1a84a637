// A refusal on its way to a caller of one of our JSON interfaces; each interface gives it its own shape.
import type { JsonObject } from '../lib/json.ts'

export interface FieldFault {
  /** JSON pointer into the body, or the name of a query parameter. */
  readonly pointer: string
  readonly detail: string
  readonly in: 'body' | 'query' | 'path'
}

export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal'
  readonly status: number
  /** Stable; see docs/reference/errors.md. */
  readonly code: string
  readonly faults: readonly FieldFault[]
  /** For `WWW-Authenticate`, without the scheme. */
  readonly challenge: Readonly<Record<string, string>> | undefined
  /** Of `WWW-Authenticate`. */
  readonly scheme: 'Bearer' | 'DPoP'
  readonly headers: Readonly<Record<string, string>>
  /** What a code that stands for several leaves open. */
  readonly reason: string | undefined
  /** Members of the answer besides those that every refusal has. */
  readonly details: JsonObject

  constructor(status: number, code: string, message: string, more: RefusalDetails = {}) {
    super(message, { cause: more.cause })
    this.status = status
    this.code = code
    this.faults = more.faults ?? []
    this.challenge = more.challenge
    this.scheme = more.scheme ?? 'Bearer'
    this.headers = more.headers ?? {}
    this.details = more.details ?? {}
    this.reason = more.reason
  }
}

export interface RefusalDetails {
  readonly faults?: readonly FieldFault[]
  readonly challenge?: Readonly<Record<string, string>>
  readonly scheme?: 'Bearer' | 'DPoP'
  readonly headers?: Readonly<Record<string, string>>
  readonly details?: JsonObject
  readonly cause?: unknown
  readonly reason?: string
}

/** 401: no token, or one that opens nothing. Which check failed is not for the caller to know. */
export const unauthorized = (message: string): ApiRefusal =>
  new ApiRefusal(401, 'invalid_token', message, { challenge: { error: 'invalid_token', error_description: message } })

/** 401: whoever shows the token has not shown that they hold its key (RFC 9449 §7.1). */
export const unproven = (code: string, nonce: string): ApiRefusal =>
  new ApiRefusal(401, code, 'The token is bound to a key, and this request does not prove that it is held.', {
    scheme: 'DPoP',
    challenge: { error: code, algs: 'ES256 Ed25519 EdDSA' },
    headers: { 'dpop-nonce': nonce },
  })

export const insufficientScope = (anyOf: readonly string[]): ApiRefusal =>
  new ApiRefusal(403, 'insufficient_scope', `Insufficient scope, expected any of: ${anyOf.join(',')}`, {
    challenge: { error: 'insufficient_scope', scope: anyOf.join(' ') },
  })

export const tooManyRequests = (retryAfterSeconds: number): ApiRefusal =>
  new ApiRefusal(429, 'too_many_requests', 'Global limit has been reached', {
    headers: { 'retry-after': String(retryAfterSeconds) },
  })

export const invalidBody = (message: string, pointer = ''): ApiRefusal =>
  new ApiRefusal(400, 'invalid_body', message, { faults: [{ pointer, detail: message, in: 'body' }] })

export const invalidQuery = (message: string, name: string): ApiRefusal =>
  new ApiRefusal(400, 'invalid_query_string', message, { faults: [{ pointer: name, detail: message, in: 'query' }] })

/** Status by its name (RFC 9110 §15), as both shapes show it. */
export const STATUS_NAMES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** The value of `WWW-Authenticate` for a refusal that has one (RFC 6750 §3); `common` goes with each. */
export function challengeOf(
  { status, challenge, scheme }: ApiRefusal,
  common: Readonly<Record<string, string>> = {},
): string | undefined {
  if (challenge === undefined && status !== 401) return undefined
  const parameters = Object.entries({ ...challenge, ...common }).map(
    ([name, value]) => `${name}="${value.replaceAll(/["\\]/g, '')}"`,
  )
  return [scheme, parameters.join(', ')].filter((part) => part !== '').join(' ')
}
