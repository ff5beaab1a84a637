// Refusals that end a journey on the error page.

/** Stable codes, in docs/reference/errors.md with what to do about each. */
export type FlowErrorCode =
  | 'access_denied'
  | 'address_unproven'
  | 'connection_unavailable'
  | 'cross_site_request'
  | 'identity_conflict'
  | 'interaction_expired'
  | 'invalid_client'
  | 'invalid_redirect_uri'
  | 'invalid_request'
  | 'not_found'
  | 'provider_error'
  | 'provider_unavailable'
  | 'rate_limited'
  | 'ticket_invalid'
  | 'transaction_invalid'
  | 'user_blocked'
  | 'wrong_browser'
  | 'wrong_user'

const STATUSES: Readonly<Partial<Record<FlowErrorCode, number>>> = {
  access_denied: 403,
  address_unproven: 403,
  cross_site_request: 403,
  identity_conflict: 409,
  not_found: 404,
  rate_limited: 429,
  user_blocked: 403,
  wrong_user: 403,
}

/** What the person can do now, as the one button of the page. */
export interface FlowNext {
  readonly kind: 'start-again' | 'sign-in' | 'account'
  readonly url: string
}

export interface FlowErrorDetails {
  readonly hint?: string
  readonly cause?: unknown
  readonly next?: FlowNext
  readonly retryAfterSeconds?: number
}

export class FlowError extends Error {
  override readonly name = 'FlowError'
  readonly code: FlowErrorCode
  readonly status: number
  readonly hint: string | undefined
  readonly next: FlowNext | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(code: FlowErrorCode, { hint, cause, next, retryAfterSeconds }: FlowErrorDetails = {}) {
    super(`the journey ended: ${code}`, { cause })
    this.code = code
    this.status = STATUSES[code] ?? 400
    this.hint = hint
    this.retryAfterSeconds = retryAfterSeconds
    this.next = next
  }
}
