// How a call through the proxy ends that no provider answers.
import { ExchangeRefusal, type ExchangeRefusalCode, tenonOf } from '../../oauth/exchange-refusal.ts'
import { UpstreamRefused, UpstreamUnavailable } from '../../upstream/errors.ts'
import { ApiRefusal } from '../refusal.ts'
import { refusalOf } from '../refusal-of.ts'

const STATUSES: Readonly<Record<ExchangeRefusalCode, number>> = {
  not_connected: 404,
  scope_missing: 403,
  reconnect_required: 409,
  provider_unavailable: 502,
  policy_denied: 403,
  client_denied: 403,
  account_ambiguous: 400,
  connection_not_enabled: 403,
  connection_unknown: 404,
  invalid_request: 400,
  subject_token_invalid: 401,
  rate_limited: 429,
  approval_pending: 403,
}

/** Undefined: a bug. `tenon` is the same as in an exchange. */
export function proxyRefusal(error: unknown): ApiRefusal | undefined {
  if (error instanceof ExchangeRefusal) {
    const { code, message, details } = error
    const { retryAfterSeconds } = details
    const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
    const tenon = tenonOf(code, details)
    const shown = typeof tenon.code === 'string' ? tenon.code : code
    const reason = details.reason === undefined ? {} : { reason: details.reason }
    return new ApiRefusal(STATUSES[code], shown, message, { headers, details: { tenon }, cause: error, ...reason })
  }
  if (error instanceof UpstreamUnavailable) {
    const status = error.reason === 'timeout' ? 504 : 502
    return new ApiRefusal(status, error.code, 'The provider did not answer.', { cause: error, reason: error.reason })
  }
  if (error instanceof UpstreamRefused)
    return new ApiRefusal(502, error.code, 'The provider cannot be called, or its answer not be used.', {
      cause: error,
    })
  return refusalOf(error)
}
