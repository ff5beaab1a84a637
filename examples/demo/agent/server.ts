// The agent app: a page to talk on, a client of Tenon, and the two ways back from there.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answer, type Question, understand } from './answer.ts'
import type { ApiOptions } from './apis.ts'
import { LATEST, renderChat } from './chat.ts'
import { chatPage, type Frame, problemPage, welcomePage } from './pages.ts'
import { noCookie, type Session, Sessions, sessionCookie } from './sessions.ts'
import { Tenon } from './tenon.ts'

export interface AgentOptions {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly calendarUrl: string
  readonly codeUrl: string
  /** Every call that the agent makes goes through it. */
  readonly fetch?: typeof fetch
  readonly onError: (error: unknown) => void
}

export interface Listener {
  readonly server: Server
  readonly url: string
}

export const CALLBACKS = { signIn: '/callback', connect: '/connected' } as const

/** Takes a port first: Tenon has to know the callbacks before it starts. */
export async function listen(port = 0): Promise<Listener> {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  // Listening on TCP, so that it has an address with a port.
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** Answers on the listener from now on. */
export function serveAgent({ server, url }: Listener, options: AgentOptions): void {
  const { issuer, clientId, clientSecret, calendarUrl, codeUrl, fetch: fetcher = fetch, onError } = options
  const agent: Agent = {
    url,
    sessions: new Sessions(),
    apis: { calendarUrl, codeUrl, fetch: fetcher },
    tenon: new Tenon({
      issuer,
      clientId,
      clientSecret,
      signInCallback: url + CALLBACKS.signIn,
      connectCallback: url + CALLBACKS.connect,
      fetch: fetcher,
    }),
  }
  server.on('request', (request, response) => {
    handle(agent, request).then(
      (result) => send(response, result),
      (error: unknown) => {
        onError(error)
        send(
          response,
          problem(
            agent,
            undefined,
            502,
            'This did not work',
            'Tenon and I did not understand each other. Nothing was changed.',
          ),
        )
      },
    )
  })
}

interface Agent {
  readonly url: string
  readonly sessions: Sessions
  readonly tenon: Tenon
  readonly apis: ApiOptions
}

interface Result {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

type Route = (agent: Agent, visit: Visit) => Promise<Result> | Result

interface Visit {
  readonly session: Session | undefined
  readonly query: URLSearchParams
  readonly form: URLSearchParams
}

const ROUTES: Readonly<Record<string, Route>> = {
  'GET /': home,
  'GET /login': leaveToSignIn,
  [`GET ${CALLBACKS.signIn}`]: comeBackSignedIn,
  'POST /say': say,
  'POST /connect': leaveToConnect,
  [`GET ${CALLBACKS.connect}`]: comeBackConnected,
  'POST /sign-out': signOut,
  'GET /tenon.css': () => asset('tenon.css', 'text/css; charset=utf-8'),
  'GET /favicon.svg': () => asset('favicon.svg', 'image/svg+xml'),
}

async function handle(agent: Agent, request: IncomingMessage): Promise<Result> {
  const url = new URL(request.url ?? '/', agent.url)
  const route = ROUTES[`${request.method} ${url.pathname}`]
  const session = agent.sessions.find(request)
  if (!route) return problem(agent, session, 404, 'Nothing is here', 'The agent has no such page.')
  // Beside the `Lax` cookie: a page on another port of this host counts as the same site.
  const { origin } = request.headers
  if (request.method === 'POST' && origin !== undefined && origin !== agent.url) {
    return problem(agent, session, 403, 'This came from another page', 'The agent did nothing.')
  }
  const form = request.method === 'POST' ? await readForm(request) : new URLSearchParams()
  return route(agent, { session, query: url.searchParams, form })
}

function home({ tenon }: Agent, { session }: Visit): Result {
  const name = session?.signedIn?.person.name
  if (!session || name === undefined) return page(200, welcomePage({ issuer: tenon.issuer }))
  return page(200, chatPage({ issuer: tenon.issuer, name }, renderChat(session, tenon.issuer)))
}

function leaveToSignIn({ sessions, tenon }: Agent, { session: before }: Visit): Result {
  if (before) sessions.end(before)
  const session = sessions.start()
  const { url, departure } = tenon.signIn()
  session.departure = departure
  return redirect(url, sessionCookie(session))
}

async function comeBackSignedIn(agent: Agent, { session, query }: Visit): Promise<Result> {
  const departure = session?.departure
  if (!session || !departure || query.get('state') !== departure.state) return strayed(agent, session)
  agent.sessions.end(session)
  const code = query.get('code')
  if (code === null)
    return problem(
      agent,
      undefined,
      200,
      'You are not signed in',
      'You said no, or it was not possible. You can try again.',
    )
  return redirect('/', sessionCookie(agent.sessions.start(await agent.tenon.finishSignIn(code, departure))))
}

async function say(agent: Agent, { session, form }: Visit): Promise<Result> {
  const text = (form.get('say') ?? '').trim().slice(0, 256)
  if (!session?.signedIn || text === '') return redirect('/')
  const question = understand(text)
  await answerIn(agent, session, question, true)
  return toLatest
}

/** Adds a turn; what it needs to have connected is asked for under it. */
async function answerIn(agent: Agent, session: Session, question: Question, isAsked: boolean): Promise<void> {
  const refreshToken = session.signedIn?.refreshToken
  if (refreshToken === undefined) return
  const parts = await answer(question, { tenon: agent.tenon, apis: agent.apis, refreshToken })
  const need = parts.find((part) => part.kind === 'need')
  session.open = need && { connect: need.connect, question }
  session.turns.push({ question: isAsked ? question : undefined, parts })
}

async function leaveToConnect({ tenon }: Agent, { session, form }: Visit): Promise<Result> {
  const { open, signedIn } = session ?? {}
  if (!session || !open || !signedIn) return redirect('/')
  if (form.get('action') !== 'continue') return goOnWithout(session)
  const { url, pending } = await tenon.startConnect(open.connect, signedIn.refreshToken)
  session.connecting = pending
  return redirect(url)
}

function goOnWithout(session: Session): Result {
  session.open = undefined
  session.turns.push({
    question: undefined,
    parts: [{ kind: 'say', text: 'Then without. Ask again whenever you like.' }],
  })
  return toLatest
}

async function comeBackConnected(agent: Agent, { session, query }: Visit): Promise<Result> {
  const { connecting, signedIn, open } = session ?? {}
  if (!session || !connecting || !signedIn || query.get('state') !== connecting.state) return strayed(agent, session)
  session.connecting = undefined
  const code = query.get('connect_code')
  if (code === null) return goOnWithout(session)
  await agent.tenon.completeConnect(code, connecting, signedIn.refreshToken)
  if (open) await answerIn(agent, session, open.question, false)
  return toLatest
}

function signOut({ sessions, tenon, url }: Agent, { session }: Visit): Result {
  if (session) sessions.end(session)
  return redirect(tenon.signOutUrl(`${url}/`), noCookie)
}

const strayed = (agent: Agent, session: Session | undefined): Result =>
  problem(
    agent,
    session,
    400,
    'This is not what I was waiting for',
    'You may have opened it twice, or in another browser. Nothing was changed.',
  )

function problem({ tenon }: Agent, session: Session | undefined, status: number, title: string, text: string): Result {
  const frame: Frame = { issuer: tenon.issuer, name: session?.signedIn?.person.name }
  return page(status, problemPage(frame, title, text))
}

const page = (status: number, body: string): Result => ({
  status,
  headers: {
    'content-type': 'text/html; charset=utf-8',
    // Without form-action: it would also govern where a form's answer leads, and one leads to Tenon.
    'content-security-policy':
      "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    'cache-control': 'no-store',
  },
  body,
})

const redirect = (location: string, cookie?: string): Result => ({
  status: 303,
  headers: { location, 'cache-control': 'no-store', ...(cookie !== undefined && { 'set-cookie': cookie }) },
})

const toLatest = redirect(`/#${LATEST}`)

const ASSETS = new URL('../../../packages/server/src/web/assets/', import.meta.url)

const asset = (name: string, type: string): Result => ({
  status: 200,
  headers: { 'content-type': type },
  body: readFileSync(new URL(name, ASSETS), 'utf8'),
})

function send(response: ServerResponse, { status, headers, body }: Result): void {
  response.writeHead(status, {
    ...headers,
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
  })
  response.end(body)
}

const LONGEST_FORM_BYTES = 16_384

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk
    if (text.length > LONGEST_FORM_BYTES) throw new Error('a form is too long')
  }
  return new URLSearchParams(text)
}
