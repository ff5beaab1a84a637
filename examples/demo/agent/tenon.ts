// The agent as a client of Tenon: plain OAuth over fetch. With another server that speaks Auth0's wire format, or with one
// of its SDKs, the same would be written.
import { createHash, randomBytes } from 'node:crypto'
import { type IdToken, verifyIdToken } from './id-token.ts'

export interface TenonOptions {
  /** Ends in `/`. */
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** Where Tenon sends the person after signing in, and after connecting an account. */
  readonly signInCallback: string
  readonly connectCallback: string
  readonly fetch: typeof fetch
}

/** What has to be kept, in the person's session, while they are away at Tenon. */
export interface Departure {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

export interface SignedIn {
  readonly person: IdToken
  /** The only token that the agent keeps: with it, every other one is asked for when it is needed. */
  readonly refreshToken: string
}

/** What to send to `POST /me/v1/connected-accounts/connect`, as Tenon itself said. */
export interface ConnectHint {
  readonly connection: string
  readonly scopes: readonly string[]
}

/** What came of asking for a provider's access token. */
export type Access =
  | { readonly kind: 'token'; readonly accessToken: string }
  | { readonly kind: 'connect'; readonly reason: 'not_connected' | 'reconnect'; readonly connect: ConnectHint }
  | { readonly kind: 'refused'; readonly code: string }

export interface PendingConnect {
  readonly state: string
  readonly verifier: string
  readonly authSession: string
}

const VAULT = 'urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token'
const VAULT_TOKEN = 'http://auth0.com/oauth/token-type/federated-connection-access-token'
const REFRESH_TOKEN = 'urn:ietf:params:oauth:token-type:refresh_token'
const TIMEOUT_MS = 15_000

export class Tenon {
  readonly #options: TenonOptions

  constructor(options: TenonOptions) {
    this.#options = options
  }

  get issuer(): string {
    return this.#options.issuer
  }

  /** Where to send a person who signs in, and what to remember until they come back. */
  signIn(): { readonly url: string; readonly departure: Departure } {
    const departure = { state: random(), nonce: random(), verifier: random() }
    const url = new URL('authorize', this.#options.issuer)
    url.search = new URLSearchParams({
      response_type: 'code',
      client_id: this.#options.clientId,
      redirect_uri: this.#options.signInCallback,
      scope: 'openid profile email offline_access',
      state: departure.state,
      nonce: departure.nonce,
      ...challengeOf(departure.verifier),
    }).toString()
    return { url: url.href, departure }
  }

  /** Redeems the code that the person came back with. The caller has compared `state`. */
  async finishSignIn(code: string, { verifier, nonce }: Departure): Promise<SignedIn> {
    const answer = await this.#token({
      grant_type: 'authorization_code',
      code,
      redirect_uri: this.#options.signInCallback,
      code_verifier: verifier,
    })
    const jwks = await this.#json(new URL('.well-known/jwks.json', this.#options.issuer), {})
    const { issuer, clientId } = this.#options
    const person = verifyIdToken(text(answer.body, 'id_token'), jwks.body, { issuer, audience: clientId, nonce })
    return { person, refreshToken: text(answer.body, 'refresh_token') }
  }

  /**
   * Asks for the access token of the person's account at a provider.
   *
   * @param purpose why, in words; the person reads it on their activity page.
   */
  async accessTokenFor(connection: string, refreshToken: string, purpose: string): Promise<Access> {
    const { status, body } = await this.#tokenAnswer({
      grant_type: VAULT,
      subject_token: refreshToken,
      subject_token_type: REFRESH_TOKEN,
      requested_token_type: VAULT_TOKEN,
      connection,
      purpose: purpose.slice(0, 256),
    })
    if (status === 200) return { kind: 'token', accessToken: text(body, 'access_token') }
    const { code, connect } = memberOf(body, 'tenon')
    const hint = connectHint(connect)
    if (hint && (code === 'not_connected' || code === 'scope_missing')) {
      return { kind: 'connect', reason: 'not_connected', connect: hint }
    }
    if (hint && code === 'reconnect_required') return { kind: 'connect', reason: 'reconnect', connect: hint }
    return { kind: 'refused', code: typeof code === 'string' ? code : String(body.error ?? status) }
  }

  /** Begins connecting an account; the person is sent to `url` next. */
  async startConnect(
    hint: ConnectHint,
    refreshToken: string,
  ): Promise<{ readonly url: string; readonly pending: PendingConnect }> {
    const [state, verifier] = [random(), random()]
    const { body } = await this.#myAccount(refreshToken, 'connected-accounts/connect', {
      ...hint,
      redirect_uri: this.#options.connectCallback,
      state,
      ...challengeOf(verifier),
    })
    const url = new URL(text(body, 'connect_uri'))
    url.searchParams.set('ticket', text(memberOf(body, 'connect_params'), 'ticket'))
    return { url: url.href, pending: { state, verifier, authSession: text(body, 'auth_session') } }
  }

  /** Ends it: only now does Tenon keep the account. The caller has compared `state`. */
  async completeConnect(code: string, pending: PendingConnect, refreshToken: string): Promise<void> {
    await this.#myAccount(refreshToken, 'connected-accounts/complete', {
      auth_session: pending.authSession,
      connect_code: code,
      redirect_uri: this.#options.connectCallback,
      code_verifier: pending.verifier,
    })
  }

  /** Where signing out of Tenon itself happens; it comes back to `returnTo`. */
  signOutUrl(returnTo: string): string {
    const url = new URL('v2/logout', this.#options.issuer)
    url.search = new URLSearchParams({ client_id: this.#options.clientId, returnTo }).toString()
    return url.href
  }

  /** Posts JSON to the person's own API, with an access token for it that the refresh token gets us. */
  async #myAccount(refreshToken: string, path: string, body: object): Promise<Answer> {
    const { body: tokens } = await this.#token({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      audience: `${this.#options.issuer}me/`,
      scope: 'openid create:me:connected_accounts',
    })
    const answer = await this.#json(new URL(`me/v1/${path}`, this.#options.issuer), {
      method: 'POST',
      headers: { authorization: `Bearer ${text(tokens, 'access_token')}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (answer.status !== 201) throw refused(path, answer)
    return answer
  }

  async #token(fields: Readonly<Record<string, string>>): Promise<Answer> {
    const answer = await this.#tokenAnswer(fields)
    if (answer.status !== 200) throw refused('oauth/token', answer)
    return answer
  }

  #tokenAnswer(fields: Readonly<Record<string, string>>): Promise<Answer> {
    const { clientId: client_id, clientSecret: client_secret } = this.#options
    return this.#json(new URL('oauth/token', this.#options.issuer), {
      method: 'POST',
      body: new URLSearchParams({ ...fields, client_id, client_secret }),
    })
  }

  async #json(url: URL, init: RequestInit): Promise<Answer> {
    const response = await this.#options.fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) })
    const body: unknown = await response.json()
    return { status: response.status, body: asObject(body) }
  }
}

type Body = Readonly<Record<string, unknown>>

interface Answer {
  readonly status: number
  readonly body: Body
}

const random = () => randomBytes(32).toString('base64url')

const challengeOf = (verifier: string) => ({
  code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  code_challenge_method: 'S256',
})

// Members are looked at one by one afterwards.
const asObject = (value: unknown): Body => (typeof value === 'object' && value !== null ? (value as Body) : {})

const memberOf = (body: Body, key: string): Body => asObject(body[key])

function text(body: Body, key: string): string {
  const value = body[key]
  if (typeof value !== 'string') throw new Error(`Tenon's answer has no ${key}`)
  return value
}

function connectHint(value: unknown): ConnectHint | undefined {
  const { connection, scopes } = asObject(value)
  if (typeof connection !== 'string' || !Array.isArray(scopes)) return undefined
  return { connection, scopes: scopes.filter((scope) => typeof scope === 'string') }
}

function refused(what: string, { status, body }: Answer): Error {
  const reason = [body.error, body.error_description, body.title, body.detail].filter((one) => typeof one === 'string')
  return new Error(`Tenon refused ${what}: ${status} ${reason.join(', ')}`)
}
