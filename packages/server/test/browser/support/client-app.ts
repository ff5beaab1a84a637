// A client of the server, on another host name and port than the server: what it shows is what it got.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export interface ClientOptions {
  readonly clientId: string
  readonly clientSecret: string
}

/** What its pages show as JSON in `<pre>`. */
export interface Arrived {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** The token endpoint's answer, or that of `complete`. */
  readonly answer?: Readonly<Record<string, unknown>>
}

const VAULT_GRANT = 'urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token'
const ME_SCOPES = ['create:me:connected_accounts', 'read:me:connected_accounts']

/**
 * Pages: `/login?…` (further parameters go to `/authorize`), `/cb`, `/connect?connection=…`, `/connected`, `/popup?…`
 * (opens `/connect`, or what `open` names, in a popup and waits for its end), `/signed-out`, `/frame?url=…`.
 */
export class ClientApp {
  readonly url: string
  readonly #server
  readonly #pending = new Map<string, { verifier: string; authSession?: string }>()
  #issuer = ''
  #options: ClientOptions = { clientId: '', clientSecret: '' }
  refreshToken = ''
  idToken = ''

  private constructor(server: ReturnType<typeof createServer>, port: number) {
    this.#server = server
    this.url = `http://localhost:${port}`
  }

  static async start(): Promise<ClientApp> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the system gave no port')
    const app = new ClientApp(server, address.port)
    server.on('request', (request, response) => {
      app.#answer(request, response).catch((error: unknown) => page(response, 500, 'client-error', String(error)))
    })
    return app
  }

  /** Its registration, as the tenant file takes it. */
  registration(options: ClientOptions, more: object = {}): object {
    return {
      client_id: options.clientId,
      client_secret: options.clientSecret,
      name: 'Agent app',
      app_type: 'regular_web',
      callbacks: [`${this.url}/cb`, `${this.url}/connected`],
      allowed_logout_urls: [`${this.url}/signed-out`],
      grant_types: ['authorization_code', 'refresh_token', VAULT_GRANT],
      refresh_token: { policies: [{ audience: '<issuer>me/', scope: ME_SCOPES }] },
      ...more,
    }
  }

  static clientGrant = ({ clientId }: ClientOptions): object => ({
    client_id: clientId,
    audience: '<issuer>me/',
    scope: ME_SCOPES,
    subject_type: 'user',
  })

  use(issuer: string, options: ClientOptions): void {
    this.#issuer = issuer
    this.#options = options
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url)
    const query = Object.fromEntries(url.searchParams)
    switch (url.pathname) {
      case '/login':
        return redirect(response, this.#authorizeUrl(query))
      case '/cb':
        return show(response, { path: '/cb', query, ...(await this.#redeem(query)) }, CLOSE)
      case '/connect':
        return redirect(response, await this.#startConnect(query.connection ?? ''))
      case '/connected':
        return show(response, { path: '/connected', query, ...(await this.#complete(query)) }, CLOSE)
      case '/popup':
        return page(response, 200, 'client-popup', `<button>Connect</button><p id="said"></p>${OPEN}`)
      case '/frame':
        return page(response, 200, 'client-frame', `<iframe src="${query.url?.replaceAll('"', '&quot;')}"></iframe>`)
      case '/signed-out':
        return show(response, { path: '/signed-out', query })
      default:
        response.writeHead(404).end()
    }
  }

  #authorizeUrl(more: Readonly<Record<string, string>>): string {
    const url = new URL('authorize', this.#issuer)
    const standard = { response_type: 'code', redirect_uri: `${this.url}/cb`, scope: 'openid profile offline_access' }
    const asked = { client_id: this.#options.clientId, ...standard, ...this.#begin(), ...more }
    url.search = new URLSearchParams(asked).toString()
    return url.href
  }

  #begin(authSession?: string) {
    const [state, verifier] = [randomBytes(16).toString('base64url'), randomBytes(32).toString('base64url')]
    this.#pending.set(state, { verifier, ...(authSession === undefined ? {} : { authSession }) })
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    return { state, code_challenge: challenge, code_challenge_method: 'S256' }
  }

  async #redeem({ code, state }: Readonly<Record<string, string>>): Promise<Partial<Arrived>> {
    const pending = this.#pending.get(state ?? '')
    if (pending === undefined) throw new Error('an answer that nobody asked for')
    if (code === undefined) return {}
    const redirect_uri = `${this.url}/cb`
    const fields = { grant_type: 'authorization_code', code, redirect_uri, code_verifier: pending.verifier }
    const answer = await this.#token(fields)
    this.refreshToken = String(answer.refresh_token)
    this.idToken = String(answer.id_token)
    return { answer }
  }

  async #startConnect(connection: string): Promise<string> {
    const begun = this.#begin()
    const answer = await this.#me('connect', {
      connection,
      redirect_uri: `${this.url}/connected`,
      ...begun,
    })
    const { verifier } = this.#pending.get(begun.state) ?? { verifier: '' }
    this.#pending.set(begun.state, { verifier, authSession: String(answer.auth_session) })
    const params = answer.connect_params as { readonly ticket: string }
    return `${answer.connect_uri}?ticket=${params.ticket}`
  }

  async #complete({ connect_code, state }: Readonly<Record<string, string>>): Promise<Partial<Arrived>> {
    const pending = this.#pending.get(state ?? '')
    if (pending === undefined) throw new Error('an answer that nobody asked for')
    if (connect_code === undefined) return {}
    const { authSession: auth_session, verifier: code_verifier } = pending
    return {
      answer: await this.#me('complete', {
        auth_session,
        connect_code,
        redirect_uri: `${this.url}/connected`,
        code_verifier,
      }),
    }
  }

  async #me(step: 'connect' | 'complete', body: object): Promise<Readonly<Record<string, unknown>>> {
    const tokens = await this.#token({
      grant_type: 'refresh_token',
      refresh_token: this.refreshToken,
      audience: `${this.#issuer}me/`,
      scope: 'openid create:me:connected_accounts',
    })
    const response = await fetch(new URL(`me/v1/connected-accounts/${step}`, this.#issuer), {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens.access_token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return jsonOf(response)
  }

  /** The provider's access token, by the vault exchange. */
  async exchange(connection: string): Promise<Readonly<Record<string, unknown>>> {
    return this.#token({
      grant_type: VAULT_GRANT,
      subject_token: this.refreshToken,
      subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token',
      requested_token_type: 'http://auth0.com/oauth/token-type/federated-connection-access-token',
      connection,
    })
  }

  async #token(fields: Readonly<Record<string, string>>): Promise<Readonly<Record<string, unknown>>> {
    const { clientId: client_id, clientSecret: client_secret } = this.#options
    const body = new URLSearchParams({ ...fields, client_id, client_secret })
    return jsonOf(await fetch(new URL('oauth/token', this.#issuer), { method: 'POST', body }))
  }
}

async function jsonOf(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const text = await response.text()
  if (!response.ok) throw new Error(`${new URL(response.url).pathname}: ${response.status} ${text}`)
  // Tests read single members and compare them.
  return JSON.parse(text) as Readonly<Record<string, unknown>>
}

/** As the AI samples do it: a popup whose end is noticed by asking again and again whether it is closed. */
const OPEN = `<script>
const said = document.getElementById('said')
addEventListener('message', (event) => { said.textContent += ' message from ' + event.origin })
document.querySelector('button').addEventListener('click', () => {
  const asked = new URLSearchParams(location.search)
  const popup = open(asked.get('open') || '/connect?connection=' + asked.get('connection'), 'connect', 'width=500,height=700')
  said.textContent = 'open'
  const asking = setInterval(() => {
    if (!popup.closed) return
    clearInterval(asking)
    said.textContent += ' closed'
  }, 20)
})
</script>`
const CLOSE = '<script>if (opener) { opener.postMessage("connected", location.origin); close() }</script>'

function show(response: ServerResponse, arrived: Arrived, script = ''): void {
  const json = JSON.stringify(arrived, undefined, 1).replaceAll('<', '\\u003c')
  page(response, 200, 'client', `<pre>${json}</pre>${script}`)
}

function page(response: ServerResponse, status: number, name: string, content: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' })
  response.end(`<!doctype html><html lang="en"><head><title>Client</title><link rel="icon" href="data:,"></head>
<body data-page="${name}"><main><h1>Client</h1>${content}</main></body></html>`)
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location }).end()
}
