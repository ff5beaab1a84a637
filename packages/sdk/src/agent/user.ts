// The API of the user that an agent acts for: what it may use, and connecting what is missing (RFC 7636 for the way back).
import { base64url, randomText } from './base64url.ts'
import { type Fetch, send } from './http.ts'
import { type ConnectHint, isObject, TenonError } from './refusals.ts'

export type { ConnectHint } from './refusals.ts'

export interface ConnectedAccount {
  /** `cac_…` */
  readonly id: string
  readonly label: string
  readonly is_default: boolean
  readonly scopes: readonly string[]
  readonly health: 'ok' | 'expiring' | 'reconnect_required' | 'provider_unavailable' | 'revoked'
  readonly health_reason?: string
  /** RFC 3339. */
  readonly expires_at?: string
  readonly connected_at: string
  readonly last_used_at?: string
  /** What the provider says beside its tokens: where its API lives, which of its sites the account reaches. */
  readonly extras?: Readonly<Record<string, unknown>>
  /** Set where the account has to be connected again. */
  readonly connect?: ConnectHint
  /** Set where the agent may call the provider through Tenon, which adds the token: the API's paths go behind it. */
  readonly proxy?: { readonly url: string }
}

/** What needs the user's yes. */
export interface ApprovalRule {
  readonly connection?: string
  readonly scopes?: readonly string[]
  readonly methods?: readonly string[]
  readonly paths?: readonly string[]
  /** How long a yes serves; 0: once, for the very request. */
  readonly valid_seconds: number
}

/** What this agent may use for this user, as `GET /me/v1/capabilities` says it. */
export interface Capabilities {
  /** What the operator lets the agent do, where that is less than everything. */
  readonly policy?: {
    readonly connect: boolean
    readonly hours?: {
      readonly time_zone: string
      readonly days: readonly string[]
      readonly from: string
      readonly to: string
      /** Seconds until they begin; 0 within them. */
      readonly opens_in: number
    }
    readonly rate?: { readonly per_minute: number }
  }
  readonly connections: readonly {
    readonly connection: string
    readonly strategy: string
    readonly display_name?: string
    readonly access: readonly ('token' | 'proxy')[]
    readonly api_hosts: readonly string[]
    readonly scopes_allowed?: readonly string[]
    readonly methods_allowed?: readonly string[]
    readonly approvals?: readonly ApprovalRule[]
    readonly accounts: readonly ConnectedAccount[]
    /** Set where there is no account yet. */
    readonly connect?: ConnectHint
  }[]
}

/** What the agent keeps, in the user's session, while the user is away: JSON, and nobody else's to read. */
export interface Pending {
  readonly state: string
  readonly verifier: string
  readonly authSession: string
  readonly redirectUri: string
}

export interface ConnectStart {
  /** Where to send the user's browser. */
  readonly url: string
  readonly pending: Pending
}

export type Connected =
  | { readonly kind: 'connected'; readonly id: string; readonly connection: string; readonly scopes: readonly string[] }
  /** The user said no. */
  | { readonly kind: 'refused' }

export interface User {
  /** @throws {TenonError} */
  capabilities(): Promise<Capabilities>
  /**
   * Starts connecting an account.
   *
   * @param wanted `connect` of a refusal or of the capabilities.
   * @param redirectUri where the browser comes back to; registered with the client.
   * @throws {TenonError}
   */
  startConnect(wanted: ConnectHint, redirectUri: string): Promise<ConnectStart>
  /**
   * Finishes it. Nothing is kept before.
   *
   * @param cameBackTo the whole URL that the browser came back with.
   * @throws {TenonError} `wrong_state`: the answer is to another question than `pending`'s; or Tenon's refusal.
   */
  finishConnect(cameBackTo: string | URL, pending: Pending): Promise<Connected>
}

interface UserParts {
  /** Ends in `/`. */
  readonly api: string
  readonly accessToken: string
  readonly fetch: Fetch
}

export function createUser({ api, accessToken, fetch }: UserParts): User {
  const call = async (path: string, expected: number, body?: unknown) => {
    const answer = await send(fetch, `${api}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${accessToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (answer.status !== expected) throw problemOf(answer.status, answer.body)
    return answer.body
  }
  return {
    // The shapes are Tenon's promise (/openapi.json); the SDK's tests compare them with a server's answers.
    capabilities: async () => (await call('capabilities', 200)) as unknown as Capabilities,
    async startConnect(wanted, redirectUri) {
      const [state, verifier] = [randomText(), randomText()]
      const started = (await call('connected-accounts/connect', 201, {
        ...wanted,
        redirect_uri: redirectUri,
        state,
        code_challenge: await challengeOf(verifier),
        code_challenge_method: 'S256',
      })) as { connect_uri: string; auth_session: string; connect_params: { ticket: string } }
      const url = new URL(started.connect_uri)
      url.searchParams.set('ticket', started.connect_params.ticket)
      return { url: url.href, pending: { state, verifier, authSession: started.auth_session, redirectUri } }
    },
    async finishConnect(cameBackTo, { state, verifier, authSession, redirectUri }) {
      const answer = new URL(cameBackTo).searchParams
      if (answer.get('state') !== state)
        throw new TenonError('wrong_state', 'The answer is to another question than the one that was kept.')
      if (answer.get('error') === 'access_denied') return { kind: 'refused' }
      const error = answer.get('error')
      if (error !== null) throw new TenonError(error, answer.get('error_description') ?? 'Connecting failed.')
      const account = (await call('connected-accounts/complete', 201, {
        auth_session: authSession,
        connect_code: answer.get('connect_code'),
        redirect_uri: redirectUri,
        code_verifier: verifier,
      })) as { id: string; connection: string; scopes?: readonly string[] }
      return { kind: 'connected', id: account.id, connection: account.connection, scopes: account.scopes ?? [] }
    },
  }
}

/** RFC 9457, as the API answers. */
function problemOf(status: number, body: Readonly<Record<string, unknown>>): TenonError {
  const { type, detail, title } = body
  const code = typeof body.code === 'string' ? body.code : typeof type === 'string' ? type : 'malformed_answer'
  const message = [detail, title].find((one) => typeof one === 'string')
  const validation = Array.isArray(body.validation_errors) ? body.validation_errors.filter(isObject) : []
  const why = validation.map((one) => one.detail).filter((one) => typeof one === 'string')
  return new TenonError(code, [message ?? `Tenon answered ${status}.`, ...why].join(' '), { status })
}

const challengeOf = async (verifier: string): Promise<string> =>
  base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))))
