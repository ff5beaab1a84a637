// How Tenon says no, as errors that a program can tell apart. `message` is fit for logs and models: no secret is in it.

/** What to send to the connect endpoint, as Tenon says it. */
export interface ConnectHint {
  readonly connection: string
  readonly scopes?: readonly string[]
}

/** Anything but the answer that was asked for: a refusal, or an answer that is none of Tenon's. */
export class TenonError extends Error {
  /** HTTP status; 0 when nothing was answered. */
  readonly status: number
  /** A stable code (docs/reference/errors.md); `unreachable` and `malformed_answer` are the SDK's own. */
  readonly code: string

  constructor(code: string, message: string, { status = 0, cause }: { status?: number; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
    this.status = status
  }
}

export interface RefusalDetails {
  readonly connection?: string
  readonly reason?: string
  readonly missing_scopes?: readonly string[]
  readonly connect?: ConnectHint
  /** Seconds. */
  readonly retry_after?: number
  readonly labels?: readonly string[]
  readonly auth_req_id?: string
  /** Seconds between two questions whether the user has answered. */
  readonly interval?: number
}

/** An exchange that was refused. */
export class TenonRefusal extends TenonError {
  readonly details: RefusalDetails

  constructor(code: string, message: string, { status, details }: { status: number; details: RefusalDetails }) {
    super(code, message, { status })
    this.details = details
  }
}

/** The user has no such account here: `connect` says how to get one. */
export class NotConnected extends TenonRefusal {
  get connect(): ConnectHint {
    return requireHint(this)
  }
}

/** The account is there, and was allowed less: `connect` asks for the rest. */
export class ScopeMissing extends TenonRefusal {
  get connect(): ConnectHint {
    return requireHint(this)
  }

  get missingScopes(): readonly string[] {
    return this.details.missing_scopes ?? []
  }
}

/** The provider ended our access; the user has to connect the account again. */
export class ReconnectRequired extends TenonRefusal {
  get connect(): ConnectHint {
    return requireHint(this)
  }
}

/** Nothing is wrong with the account; the provider does not answer. */
export class ProviderUnavailable extends TenonRefusal {
  get retryAfterSeconds(): number {
    return this.details.retry_after ?? 30
  }
}

/** The operator's policy, or the user, does not let this agent do this. */
export class PolicyDenied extends TenonRefusal {}

/** The user was asked. Ask again, not before `intervalSeconds` have passed. */
export class ApprovalPending extends TenonRefusal {
  get requestId(): string | undefined {
    return this.details.auth_req_id
  }

  get intervalSeconds(): number {
    return this.details.interval ?? 5
  }
}

/** The hint fits several accounts: `labels` are what they are called. */
export class AccountAmbiguous extends TenonRefusal {
  get labels(): readonly string[] {
    return this.details.labels ?? []
  }
}

/** Too many exchanges for this user. */
export class RateLimited extends TenonRefusal {
  get retryAfterSeconds(): number {
    return this.details.retry_after ?? 60
  }
}

const CLASSES: Readonly<Record<string, typeof TenonRefusal>> = {
  not_connected: NotConnected,
  scope_missing: ScopeMissing,
  reconnect_required: ReconnectRequired,
  provider_unavailable: ProviderUnavailable,
  policy_denied: PolicyDenied,
  approval_pending: ApprovalPending,
  account_ambiguous: AccountAmbiguous,
  rate_limited: RateLimited,
}

/** The error for an answer of the token endpoint. */
export function refusalOf(status: number, answer: Readonly<Record<string, unknown>>): TenonError {
  const { error, error_description: description, tenon } = answer
  const message = typeof description === 'string' ? description : `Tenon answered ${status}.`
  if (!isObject(tenon) || typeof tenon.code !== 'string')
    return new TenonError(typeof error === 'string' ? error : 'malformed_answer', message, { status })
  const Refusal = Object.hasOwn(CLASSES, tenon.code) ? CLASSES[tenon.code] : undefined
  const { code, ...details } = tenon
  // The members are Tenon's promise (docs/reference/errors.md).
  return new (Refusal ?? TenonRefusal)(code, message, { status, details: details as RefusalDetails })
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function requireHint({ details, code }: TenonRefusal): ConnectHint {
  if (details.connect !== undefined) return details.connect
  if (details.connection !== undefined) return { connection: details.connection }
  throw new TenonError('malformed_answer', `Tenon said ${code} and not of which connection.`)
}
