// How a call to a provider can end badly. Messages name codes and checks only: never a token, a secret, an address, or
// text that the provider chose.

/** Why no usable answer came. `client_rejected`: the provider does not know our client id and secret. */
export type UnavailableReason = 'network' | 'timeout' | 'status' | 'throttled' | 'junk' | 'client_rejected'

export interface UnavailableDetails {
  /** How long the provider asked us to wait. */
  readonly retryAfterSeconds?: number | undefined
  /** For the operator: a status, an error code, a name of a check. */
  readonly detail?: string | undefined
  readonly cause?: unknown
}

/** No usable answer this time; what is stored stands, and the same call may succeed later. */
export class UpstreamUnavailable extends Error {
  override readonly name = 'UpstreamUnavailable'
  readonly code = 'provider_unavailable'
  readonly reason: UnavailableReason
  readonly retryAfterSeconds: number | undefined
  readonly detail: string | undefined

  constructor(reason: UnavailableReason, { retryAfterSeconds, detail, cause }: UnavailableDetails = {}) {
    super(`the provider gave no usable answer: ${reason}${detail === undefined ? '' : ` (${detail})`}`, { cause })
    this.reason = reason
    this.retryAfterSeconds = retryAfterSeconds
    this.detail = detail
  }
}

export type RefusalCode =
  /** The URL or an address behind it may not be called (see `address-policy.ts`). */
  | 'address_blocked'
  /** Too large, not UTF-8, not HTTP, not JSON, not the type that the specification names. */
  | 'answer_malformed'
  /** The person, or the provider for them, said no at the authorization endpoint. */
  | 'access_denied'
  /** Another error at the authorization endpoint; `providerError` names it. */
  | 'provider_error'
  /** RFC 9207: the answer comes from another issuer than the one we sent the browser to. */
  | 'issuer_mismatch'
  | 'authorization_answer_invalid'
  | 'metadata_invalid'
  /** The token endpoint did not take the code; `providerError` names why. */
  | 'code_refused'
  | 'token_answer_invalid'
  | 'id_token_invalid'
  | 'userinfo_invalid'
  | 'subject_invalid'
  /** What a person typed: the provider does not take it. */
  | 'credential_refused'
  /** A refresh was answered with an ID token of somebody else (OpenID Connect Core §12.2). */
  | 'subject_changed'
  /** Not the XML of a SAML message: a document type, a comment, too much of it, not well-formed. */
  | 'saml_xml_refused'
  /** Not a response to our request, or not of the one shape that has one meaning. */
  | 'saml_response_invalid'
  /** None, not the provider's, over something else, or by an algorithm that does not hold. */
  | 'saml_signature_refused'
  /** Encrypted where that was not asked for, in a way that does not hold, or to another key: which, is not said. */
  | 'saml_decryption_refused'
  /** Signed, and not for us, not now, or not about anybody. */
  | 'saml_assertion_refused'
  /** What may serve once was here before. */
  | 'answer_replayed'

/** The provider's answer, or the way to it, breaks a rule. Nothing of it may be used; trying again does not help. */
export class UpstreamRefused extends Error {
  override readonly name = 'UpstreamRefused'
  readonly code: RefusalCode
  /** For the operator: which check failed. */
  readonly detail: string | undefined
  /** The provider's OAuth error code, when it gave a well-formed one. */
  readonly providerError: string | undefined

  constructor(
    code: RefusalCode,
    {
      detail,
      providerError,
      cause,
    }: { detail?: string | undefined; providerError?: string | undefined; cause?: unknown } = {},
  ) {
    const more = [detail, providerError].filter((one) => one !== undefined).join(', ')
    super(`the provider's answer was refused: ${code}${more && ` (${more})`}`, { cause })
    this.code = code
    this.detail = detail
    this.providerError = providerError
  }
}

/** The connection's strategy is not built, or its options miss something that the connector needs. */
export class ConnectionUnavailable extends Error {
  override readonly name = 'ConnectionUnavailable'
  readonly code = 'connection_unavailable'
  readonly detail: string

  constructor(detail: string) {
    super(`the connection cannot be used: ${detail}`)
    this.detail = detail
  }
}

/** An OAuth error code as the provider gave it; `undefined` when it is not a plain name or URI of 64 characters at most. */
export function errorCodeOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\w.:/-]{1,64}$/.test(value) ? value : undefined
}
