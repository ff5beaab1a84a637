// An agent's app and the person in front of it, over HTTP alone: any server that listens will do, also one in a process
// of its own.
import { createHash, randomBytes } from 'node:crypto'
import { Browser } from './browser.ts'
import { type Answer, type Fields, request } from './http.ts'
import { CALLBACK, type Person, VAULT_GRANT } from './tenant.ts'

export interface AgentOptions {
  /** Where the server listens, with a slash at its end. */
  readonly issuer: string
  readonly clientId: string
  readonly secret: string
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
}

const REFRESH_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:refresh_token'
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token'
const FEDERATED_TYPE = 'http://auth0.com/oauth/token-type/federated-connection-access-token'

export interface StartedConnect {
  readonly auth_session: string
  readonly connect_uri: string
  readonly connect_params: { readonly ticket: string }
}

/** One client of one person: signs the person in, connects accounts and exchanges tokens. */
export class Agent {
  readonly browser = new Browser()
  readonly options: AgentOptions
  /** Everything secret that this side made or was given, for canary searches. */
  readonly secrets: string[] = []
  #tokens: Tokens | undefined

  constructor(options: AgentOptions) {
    this.options = options
  }

  get tokens(): Tokens {
    if (this.#tokens === undefined) throw new Error('nobody is signed in')
    return this.#tokens
  }

  /** By password, with a token for My Account and a refresh token. */
  async signIn(person: Person, parameters: Record<string, string> = {}): Promise<Tokens> {
    const pkce = this.#pkce()
    await this.browser.open(this.authorizeUrl(pkce.challenge, parameters))
    await this.browser.submit('login', { fields: { username: person.email, password: person.password } })
    return this.#redeem(pkce.verifier)
  }

  /** By a connection whose provider asks nothing. */
  async signInBy(connection: string, parameters: Record<string, string> = {}): Promise<Tokens> {
    const pkce = this.#pkce()
    await this.browser.open(this.authorizeUrl(pkce.challenge, { connection, ...parameters }))
    return this.#redeem(pkce.verifier)
  }

  authorizeUrl(challenge: string, parameters: Record<string, string> = {}): string {
    const { issuer, clientId } = this.options
    const fields = {
      response_type: 'code',
      client_id: clientId,
      redirect_uri: CALLBACK,
      scope: `openid profile email offline_access ${['create', 'read', 'delete'].map((verb) => `${verb}:me:connected_accounts`).join(' ')}`,
      audience: `${issuer}me/`,
      state: randomBytes(9).toString('base64url'),
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...parameters,
    }
    return `${issuer}authorize?${new URLSearchParams(fields)}`
  }

  /** The token endpoint, as this client. */
  async token(fields: Fields): Promise<Answer> {
    const { issuer, clientId, secret } = this.options
    return request(`${issuer}oauth/token`, { form: { client_id: clientId, client_secret: secret, ...fields } })
  }

  refresh(refreshToken = this.tokens.refresh_token): Promise<Answer> {
    return this.token({ grant_type: 'refresh_token', refresh_token: refreshToken })
  }

  /** The vault's exchange; `fields` change or add to the usual parameters. */
  exchange(connection: string, fields: Record<string, string | undefined> = {}): Promise<Answer> {
    return this.token({
      grant_type: VAULT_GRANT,
      connection,
      subject_token: this.tokens.refresh_token,
      subject_token_type: REFRESH_TOKEN_TYPE,
      requested_token_type: FEDERATED_TYPE,
      ...fields,
    })
  }

  /** The My Account API. */
  async me(method: string, path: string, json?: unknown): Promise<Answer> {
    const headers = { authorization: `Bearer ${this.tokens.access_token}` }
    return request(`${this.options.issuer}me/v1${path}`, { method, headers, ...(json === undefined ? {} : { json }) })
  }

  /** Connects an account from start to end. @returns the answer of `complete`. */
  async connect(connection: string, scopes?: readonly string[]): Promise<Answer> {
    const { started, verifier } = await this.startConnect(connection, scopes)
    await this.openTicket(started)
    return this.complete(started, await this.confirm(), verifier)
  }

  async startConnect(connection: string, scopes?: readonly string[]) {
    const { verifier, challenge } = this.#pkce()
    const answer = await this.me('POST', '/connected-accounts/connect', {
      connection,
      redirect_uri: CALLBACK,
      state: 'app-state',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...(scopes === undefined ? {} : { scopes }),
    })
    if (answer.status !== 201) throw new Error(`connect: ${answer.status} ${answer.text}`)
    const started: StartedConnect = answer.json
    this.secrets.push(started.auth_session, started.connect_params.ticket)
    return { started, verifier }
  }

  /** The browser leg up to the confirm page. */
  openTicket({ connect_uri: uri, connect_params: { ticket } }: StartedConnect, browser = this.browser) {
    return browser.open(`${uri}?ticket=${ticket}`)
  }

  /** Says yes on the confirm page. @returns the code for `complete`. */
  async confirm(browser = this.browser): Promise<string> {
    const page = await browser.submit('link-confirm', { action: 'confirm' })
    const code = page.params.get('connect_code')
    if (code === null) throw new Error(`no connect_code: ${page.url} ${page.text}`)
    this.secrets.push(code)
    return code
  }

  complete({ auth_session }: StartedConnect, code: string, verifier: string): Promise<Answer> {
    const proof = { auth_session, connect_code: code, redirect_uri: CALLBACK, code_verifier: verifier }
    return this.me('POST', '/connected-accounts/complete', proof)
  }

  async #redeem(verifier: string): Promise<Tokens> {
    const { params, url, text } = this.browser.page
    const code = params.get('code')
    if (code === null) throw new Error(`no code: ${url} ${text}`)
    const fields = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: verifier }
    const answer = await this.token(fields)
    if (answer.status !== 200) throw new Error(`no tokens: ${answer.status} ${answer.text}`)
    const tokens: Tokens = answer.json
    this.secrets.push(code, tokens.access_token, tokens.refresh_token, tokens.id_token)
    this.#tokens = tokens
    return tokens
  }

  #pkce() {
    const verifier = randomBytes(32).toString('base64url')
    this.secrets.push(verifier)
    return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
  }
}
