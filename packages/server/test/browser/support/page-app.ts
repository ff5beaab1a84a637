// An app that is a page alone, on an origin of its own: it signs people in with PKCE, keeps the tokens, and links a second
// sign-in to the first over the Management API, all of it across origins.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { CURRENT_USER_SCOPES } from '../../support/tenant.ts'

export interface PageApp {
  /** The page, and where its sign-ins come back to. */
  readonly url: string
  readonly origin: string
  /** Before the page is opened. */
  use(issuer: string): void
}

export async function startPageApp(t: TestContext): Promise<PageApp> {
  let issuer = ''
  const server = createServer((_request, response) => answer(response, issuer)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the system gave no port')
  const origin = `http://localhost:${address.port}`
  return {
    origin,
    url: `${origin}/settings`,
    use(given) {
      issuer = given
    },
  }
}

function answer(response: ServerResponse, issuer: string): void {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
  response.end(`<!doctype html><html lang="en"><head><title>Settings</title><link rel="icon" href="data:,"></head>
<body data-page="settings"><main><h1>Settings</h1>
<button id="first">Sign in</button><button id="second">Add another account</button><pre id="said"></pre></main>
<script type="module">
const issuer = ${JSON.stringify(issuer)}
const scope = ${JSON.stringify(`openid profile email ${CURRENT_USER_SCOPES.join(' ')}`)}
${SCRIPT}</script></body></html>`)
}

const SCRIPT = `
const here = location.origin + location.pathname
const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
const say = (what) => { document.getElementById('said').textContent = JSON.stringify(what) }

async function begin(turn, more) {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)))
  const state = base64url(crypto.getRandomValues(new Uint8Array(16)))
  sessionStorage.setItem(state, JSON.stringify({ turn, verifier }))
  const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)))
  const asked = { client_id: 'spa', response_type: 'code', redirect_uri: here, scope, audience: issuer + 'api/v2/', state,
    code_challenge: challenge, code_challenge_method: 'S256', ...more }
  location.assign(issuer + 'authorize?' + new URLSearchParams(asked))
}

async function tokensOf(code, verifier) {
  const body = new URLSearchParams({ grant_type: 'authorization_code', client_id: 'spa', code, code_verifier: verifier, redirect_uri: here })
  const response = await fetch(issuer + 'oauth/token', { method: 'POST', body })
  return response.json()
}

async function link(first, second) {
  const { sub } = JSON.parse(atob(first.id_token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')))
  const response = await fetch(issuer + 'api/v2/users/' + encodeURIComponent(sub) + '/identities', {
    method: 'POST',
    headers: { authorization: 'Bearer ' + first.access_token, 'content-type': 'application/json' },
    body: JSON.stringify({ link_with: second.id_token }),
  })
  return { status: response.status, sub, answer: await response.json() }
}

document.getElementById('first').addEventListener('click', () => begin('first', { connection: 'calendar' }))
document.getElementById('second').addEventListener('click', () => begin('second', { connection: 'code', prompt: 'login' }))
const came = new URLSearchParams(location.search)
const begun = JSON.parse(sessionStorage.getItem(came.get('state') ?? '') ?? 'null')
if (begun && came.has('code')) {
  const tokens = await tokensOf(came.get('code'), begun.verifier)
  if (begun.turn === 'first') {
    sessionStorage.setItem('tokens', JSON.stringify(tokens))
    say({ turn: 'first', signedIn: Boolean(tokens.id_token) })
  } else {
    say({ turn: 'second', ...(await link(JSON.parse(sessionStorage.getItem('tokens')), tokens)) })
  }
} else if (came.has('error')) {
  say(Object.fromEntries(came))
}
`
