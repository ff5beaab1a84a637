// An app that finds its user's other account, has it proved, and links it.
import { type ManagementClient as Client, ManagementClient } from 'auth0'
import express, { type Request, type Response } from 'express'
import openid from 'express-openid-connect'
import { escapeHtml, page } from '../local/page.ts'
import { planLink, type Suggestion, suggestionsFor } from './linking.ts'

const { APP_URL = '', AUTH0_DOMAIN = '', AUTH0_CLIENT_SECRET = '', PORT = '0' } = process.env
const management: Client = new ManagementClient({
  domain: AUTH0_DOMAIN,
  clientId: 'backend',
  clientSecret: AUTH0_CLIENT_SECRET,
})

const app = express()
app.use(
  openid.auth({
    issuerBaseURL: `https://${AUTH0_DOMAIN}/`,
    baseURL: APP_URL,
    clientID: 'example',
    clientSecret: AUTH0_CLIENT_SECRET,
    secret: AUTH0_CLIENT_SECRET,
    authRequired: false,
    authorizationParams: { response_type: 'code', scope: 'openid profile email' },
    // The second sign-in comes back here: it is whom the app asked for, or nothing is linked.
    async afterCallback(_request, _response, session, state) {
      const plan = planLink(state.linking, session.id_token)
      if (plan === undefined || plan.kind === 'nothing-to-do') return session
      if (plan.kind === 'wrong-account') throw Object.assign(new Error('This is another account.'), { status: 403 })
      await link(plan.primary, plan.secondary)
      return session
    },
    getLoginState: (_request, { returnTo, ...options }) => ({
      returnTo,
      ...('linking' in options ? { linking: options.linking } : {}),
    }),
  }),
)

app.get('/', async (request, response) => {
  const { user } = request.oidc
  if (user === undefined) return show(response, 'welcome', '<a href="/login">Sign in</a>')
  const suggestions = suggestionsFor(user, await management.users.listUsersByEmail({ email: String(user.email) }))
  return show(response, 'home', `<p>You are ${escapeHtml(String(user.sub))}.</p>${suggestions.map(offer).join('')}`)
})

app.get('/link', openid.requiresAuth(), async (request, response) => {
  const { user } = request.oidc
  const target = String(request.query.user_id)
  const candidates = await management.users.listUsersByEmail({ email: String(user?.email) })
  const wanted = suggestionsFor(user ?? {}, candidates).find(({ userId }) => userId === target)
  if (wanted === undefined) return show(response, 'unknown', 'There is no such account.', 404)
  // `prompt=login`: the session that is there proves nothing about the other account.
  const authorizationParams = { prompt: 'login', connection: wanted.connection, login_hint: wanted.email }
  const linking = { primary: String(user?.sub), secondary: wanted.userId }
  // `linking` goes into the state, which the library signs; its type does not know of it.
  return response.oidc.login({ authorizationParams, returnTo: '/linked', ...({ linking } as object) })
})

// The account that was proved is no user of its own any more, and its sessions have ended: they sign in as who they are.
app.get('/linked', (_request, response) => response.oidc.login({ returnTo: '/' }))

app.use((error: { status?: number; message: string }, _request: Request, response: Response, _next: unknown) => {
  show(response, 'error', escapeHtml(error.message), error.status ?? 500)
})

app.listen(Number(PORT), 'localhost', () => console.log('listening'))

async function link(primary: string, secondary: string): Promise<void> {
  const [kept, joined] = await Promise.all([management.users.get(primary), management.users.get(secondary)])
  // The metadata of the account that is joined is not kept; what the app wants of it, it takes before.
  await management.users.update(primary, { user_metadata: { ...joined.user_metadata, ...kept.user_metadata } })
  const [identity] = joined.identities ?? []
  if (identity?.provider === undefined || identity.user_id === undefined) throw new Error('an account without identity')
  await management.users.identities.link(primary, { provider: identity.provider, user_id: String(identity.user_id) })
}

const offer = ({ userId, connection }: Suggestion) =>
  `<p data-suggestion>You have another account here, by ${escapeHtml(connection)}.
<a href="/link?user_id=${encodeURIComponent(userId)}">Link it</a></p>`

function show(response: Response, name: string, content: string, status = 200): void {
  response.status(status).type('html').send(page(name, content))
}
