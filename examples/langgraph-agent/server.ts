// The app: its user signs in, asks, connects what the agent lacks, and comes back to the answer.
import { createAgent, type Pending } from '@tenon/sdk'
import express, { type Request, type Response } from 'express'
import openid from 'express-openid-connect'
import { escapeHtml, page } from '../local/page.ts'
import { type Answer, ask, type Conversation, resume } from './agent.ts'

const { APP_URL = '', AUTH0_DOMAIN = '', AUTH0_CLIENT_SECRET = '', PORT = '0' } = process.env
const issuer = `https://${AUTH0_DOMAIN}/`
const agent = createAgent({ issuer, clientId: 'example', credential: { secret: AUTH0_CLIENT_SECRET } })

/** Who is away to connect something: the agent's question to Tenon, and the conversation that waits. Once for each user. */
const away = new Map<string, { readonly pending: Pending; readonly thread: string }>()

const app = express()
app.use(
  openid.auth({
    issuerBaseURL: issuer,
    baseURL: APP_URL,
    clientID: 'example',
    clientSecret: AUTH0_CLIENT_SECRET,
    secret: AUTH0_CLIENT_SECRET,
    // As @tenon/sdk does: a client has one way to prove itself.
    clientAuthMethod: 'client_secret_post',
    authRequired: false,
    authorizationParams: { response_type: 'code', scope: 'openid profile email offline_access' },
  }),
)

app.get('/', (request, response) => {
  if (request.oidc.user === undefined) return show(response, 'welcome', '<a href="/login">Sign in</a>')
  return show(response, 'agent', FORM)
})

app.post('/ask', openid.requiresAuth(), express.urlencoded({ extended: false }), async (request, response) => {
  const conversation = conversationOf(request, crypto.randomUUID())
  await answer(request, response, conversation, await ask(conversation, String(request.body.question ?? '')))
})

// Tenon sends the browser back to here; nothing is kept there before `finishConnect`.
app.get('/connected', openid.requiresAuth(), async (request, response) => {
  const waiting = away.get(userIdOf(request))
  if (waiting === undefined) return show(response, 'lost', 'Nothing was being connected.', 404)
  away.delete(userIdOf(request))
  const conversation = conversationOf(request, waiting.thread)
  const user = await agent.userOf(refreshTokenOf(request))
  const connected = await user.finishConnect(new URL(request.originalUrl, APP_URL), waiting.pending)
  if (connected.kind === 'refused') return show(response, 'agent', `${FORM}<p data-refused>Then I cannot say.</p>`)
  return answer(request, response, conversation, await resume(conversation))
})

app.use((error: Error, _request: Request, response: Response, _next: unknown) => {
  console.error(error)
  show(response, 'error', escapeHtml(error.message), 500)
})

app.listen(Number(PORT), 'localhost', () => console.log('listening'))

async function answer(request: Request, response: Response, { thread }: Conversation, heard: Answer): Promise<void> {
  if (heard.kind === 'text') return show(response, 'agent', `${FORM}<p data-answer>${escapeHtml(heard.text)}</p>`)
  const user = await agent.userOf(refreshTokenOf(request))
  const { url, pending } = await user.startConnect(heard.connect, `${APP_URL}/connected`)
  away.set(userIdOf(request), { pending, thread })
  const name = escapeHtml(heard.connect.connection)
  show(
    response,
    'agent',
    `${FORM}<p data-connect>For that I need your ${name}. <a href="${escapeHtml(url)}">Connect it</a></p>`,
  )
}

const conversationOf = (request: Request, thread: string): Conversation => ({
  agent,
  subject: { refreshToken: refreshTokenOf(request) },
  thread,
})

const userIdOf = (request: Request): string => String(request.oidc.user?.sub)

function refreshTokenOf(request: Request): string {
  if (request.oidc.refreshToken === undefined) throw new Error('the session has no refresh token')
  return request.oidc.refreshToken
}

const FORM = `<h1>An agent</h1><form method="post" action="/ask"><label>Ask <input name="question" value="What is on tomorrow?"></label>
<button>Ask</button></form>`

function show(response: Response, name: string, content: string, status = 200): void {
  response.status(status).type('html').send(page(name, content))
}
