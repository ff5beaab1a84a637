// Refusals of the floors below as refusals of an interface.
import { Conflict, Forbidden, Invalid, NotFound, Overloaded, Refusal } from '../domain/errors.ts'
import { ApiRefusal } from './refusal.ts'

/** Codes that our callers know under the name that Auth0 gave them. */
const WIRE_CODES: Readonly<Record<string, string>> = {
  self_link: 'invalid_body',
  invalid_address: 'invalid_body',
  ambiguous_identity: 'invalid_body',
  no_password: 'operation_not_supported',
  user_exists: 'auth0_idp_error',
}

export function refusalOf(error: unknown): ApiRefusal | undefined {
  if (error instanceof ApiRefusal) return error
  if (!(error instanceof Refusal)) return undefined
  const headers = error instanceof Overloaded ? { 'retry-after': String(error.retryAfterSeconds) } : {}
  return new ApiRefusal(statusOf(error), WIRE_CODES[error.code] ?? error.code, error.message, { headers, cause: error })
}

function statusOf(refusal: Refusal): number {
  if (refusal instanceof NotFound) return 404
  if (refusal instanceof Conflict) return 409
  if (refusal instanceof Forbidden) return 403
  if (refusal instanceof Overloaded) return 503
  return refusal instanceof Invalid ? 400 : 500
}
