// Express apps: sign-in by middleware, by Passport, and APIs that check access tokens.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after } from 'node:test'
import express, { type Express } from 'express'
import bearerAuth from 'express-oauth2-jwt-bearer'
import openid, { type ConfigParams } from 'express-openid-connect'
import { drive, signIn, tokenRequest } from '../../packages/server/test/support/actors.ts'
import { Browser } from '../../packages/server/test/support/browser.ts'
import { API } from '../../packages/server/test/support/tenant.ts'
import { Calls } from './support/calls.ts'
import { startLogouts } from './support/logouts.ts'
import { startWorld } from './support/world.ts'

const { auth, requiresAuth } = openid
const { auth: checkToken, requiredScopes } = bearerAuth

const server = createServer().listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
if (address === null || typeof address === 'string') throw new Error('the system gave no port')
const baseURL = `http://127.0.0.1:${address.port}`
after(() => {
  server.closeAllConnections()
  server.close()
})

const logouts = await startLogouts()
const SECRET = 'a secret that is sent in the header'
const world = await startWorld({
  // Passport's strategy sends the access token in the query of /userinfo.
  settings: { compatibility: { dangerously_accept_userinfo_query_token: true } },
  tenant: (file) => {
    const { clients, connections } = file
    const web = clients.find(({ client_id }) => client_id === 'web') ?? {}
    Object.assign(web, { callbacks: [`${baseURL}/callback`], allowed_logout_urls: [baseURL] })
    const method = 'client_secret_basic'
    clients.push({ ...web, client_id: 'express', client_secret: SECRET, token_endpoint_auth_method: method })
    logouts.register(file, 'express')
    for (const connection of connections)
      connection.enabled_clients = [...(connection.enabled_clients as string[]), 'express']
  },
})

/** Serves this app from now on. */
function serve(app: Express): void {
  server.removeAllListeners('request')
  server.on('request', app)
}

function signInApp(config: ConfigParams = {}): Express {
  const app = express()
  const client = { clientID: 'express', clientSecret: SECRET }
  const authorizationParams = { response_type: 'code', scope: 'openid profile email offline_access' }
  const standard = { baseURL, issuerBaseURL: world.issuer, secret: 'a secret of the app alone', authorizationParams }
  app.use(auth({ authRequired: false, auth0Logout: true, ...client, ...standard, ...config }))
  app.get('/', (request, response) => void response.json({ sub: request.oidc.user?.sub ?? null }))
  app.get('/secret', requiresAuth(), (_request, response) => void response.send('secret'))
  app.get('/profile', async (request, response) => void response.json(await request.oidc.fetchUserInfo()))
  app.get('/fresh', async (request, response) => {
    const fresh = await request.oidc.accessToken?.refresh()
    response.json({ changed: fresh !== undefined && fresh.access_token !== '' })
  })
  return app
}

/** Signs in as Ada, from a page of the app. */
async function visit(path: string, browser = new Browser()): Promise<Browser> {
  await browser.open(`${baseURL}${path}`)
  await drive(browser, { user: world.tenant.ada })
  return browser
}

const said = (browser: Browser) => JSON.parse(browser.page.body) as Readonly<Record<string, unknown>>

const middleware = new Calls(import.meta.filename, 'express-openid-connect')

middleware.works('auth', 'a sign-in by code, with the session in a cookie', async () => {
  serve(signInApp())
  const browser = await visit('/login')
  assert.match(String(said(browser).sub), /^auth0\|/)
})

middleware.works('auth', 'the same, the request pushed', async () => {
  serve(signInApp({ pushedAuthorizationRequests: true }))
  assert.match(String(said(await visit('/login')).sub), /^auth0\|/)
})

middleware.works('auth', 'as it is set up of itself: an ID token by form_post', async () => {
  serve(signInApp({ authorizationParams: { scope: 'openid profile email' } }))
  const browser = await visit('/login')
  // What the page's script posts by itself.
  const posted = [...browser.page.body.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
    name,
    value,
  ])
  await browser.post(`${baseURL}/callback`, Object.fromEntries(posted), { from: browser.page.url })
  assert.match(String(said(browser).sub), /^auth0\|/)
})

middleware.works('requiresAuth', 'who is not signed in is sent to, and comes back to where they wanted', async () => {
  serve(signInApp())
  assert.equal((await visit('/secret')).page.body, 'secret')
})

middleware.works('req.oidc.fetchUserInfo', 'the profile', async () => {
  serve(signInApp())
  const browser = await visit('/login')
  await browser.open(`${baseURL}/profile`)
  assert.equal(said(browser).email, world.tenant.ada.email)
})

middleware.works('req.oidc.accessToken.refresh', 'a fresh access token', async () => {
  serve(signInApp())
  const browser = await visit('/login')
  await browser.open(`${baseURL}/fresh`)
  assert.equal(said(browser).changed, true)
})

middleware.works('auth({ idpLogout })', 'the session of the app and ours end', async () => {
  serve(signInApp({ idpLogout: true }))
  const browser = await visit('/login')
  await browser.open(`${baseURL}/logout`)
  assert.deepEqual([browser.page.url, said(browser).sub], [`${baseURL}/`, null])
  await browser.open(`${baseURL}/login`)
  assert.equal(browser.page.name, 'login')
})

middleware.works('auth({ attemptSilentLogin })', 'who has a session with us is signed in without a page', async () => {
  serve(signInApp({ attemptSilentLogin: true }))
  const browser = await visit('/login')
  browser.jar.cookies = browser.jar.cookies.filter(({ name }) => name !== 'appSession')
  await browser.open(baseURL)
  assert.match(String(said(browser).sub), /^auth0\|/)
})

middleware.works('auth({ backchannelLogout })', 'a logout that the server tells the app of', async () => {
  const heard: object[] = []
  const onLogoutToken = (token: object) => void heard.push(token)
  serve(signInApp({ backchannelLogout: { onLogoutToken, isLoggedOut: false, onLogin: false } }))
  const { sub } = said(await visit('/login'))
  const body = new URLSearchParams({ logout_token: await logouts.logOut(world, String(sub)) })
  const response = await fetch(`${baseURL}/backchannel-logout`, { method: 'POST', body })
  assert.deepEqual([response.status, heard.length], [204, 1])
})

const bearer = new Calls(import.meta.filename, 'express-oauth2-jwt-bearer')

function apiApp(): Express {
  const app = express()
  app.use(checkToken({ issuerBaseURL: world.issuer, audience: API }))
  app.get('/things', requiredScopes('read:things'), (request, response) => void response.json(request.auth?.payload))
  return app
}

const callApi = (token: string) => fetch(`${baseURL}/things`, { headers: { authorization: `Bearer ${token}` } })

bearer.works('auth', 'an access token for the API opens it', async () => {
  serve(apiApp())
  const user = await signIn(world, {
    user: world.tenant.ada,
    redirectUri: `${baseURL}/callback`,
    audience: API,
    scope: 'openid read:things',
    browser: new Browser({ stopAt: [baseURL] }),
  })
  const response = await callApi(user.accessToken)
  assert.deepEqual([response.status, ((await response.json()) as { sub: string }).sub], [200, user.sub])
})

bearer.works('auth', 'a token for another audience, and an opaque one, do not', async () => {
  serve(apiApp())
  const fields = { grant_type: 'client_credentials', audience: `${world.issuer}api/v2/` }
  const other = (await tokenRequest(world, 'm2m', fields)).json.access_token
  assert.equal((await callApi(other)).status, 401)
  assert.equal((await callApi('opaque')).status, 401)
})

bearer.works('requiredScopes', 'a scope that the token has not is refused', async () => {
  serve(apiApp())
  const user = await signIn(world, {
    user: world.tenant.ada,
    redirectUri: `${baseURL}/callback`,
    audience: API,
    scope: 'openid',
    browser: new Browser({ stopAt: [baseURL] }),
  })
  assert.equal((await callApi(user.accessToken)).status, 403)
})

const passport = new Calls(import.meta.filename, 'passport-auth0')

interface Profile {
  readonly id: string
}
type Verify = (
  accessToken: string,
  refreshToken: string,
  extra: unknown,
  profile: Profile,
  done: (error: unknown, user?: Profile) => void,
) => void
interface Attempt {
  success(user: Profile): void
  fail(reason: unknown): void
  error(error: unknown): void
  redirect(url: string): void
  authenticate(request: object, options: object): void
}

/** What Passport does with a strategy: a request ends as a redirect, a user, or a refusal. */
async function attempt(strategy: Attempt, request: object): Promise<string | Profile> {
  const { promise, resolve, reject } = Promise.withResolvers<string | Profile>()
  const own = Object.create(strategy) as Attempt
  Object.assign(own, {
    success: resolve,
    redirect: resolve,
    error: reject,
    fail: (why: unknown) => reject(new Error(String(why))),
  })
  own.authenticate(request, { scope: 'openid profile email', connection: 'calendar' })
  return promise
}

passport.works(
  'Auth0Strategy',
  'a sign-in with connection and nonce; the profile with `dangerously_accept_userinfo_query_token`',
  async () => {
    world.person('passport', ['calendar'])
    // It has no declarations of its own.
    const { default: Auth0Strategy } = (await import('passport-auth0' as string)) as {
      readonly default: new (options: object, verify: Verify) => Attempt
    }
    const client = { clientID: 'web', clientSecret: world.secretOf('web'), callbackURL: `${baseURL}/callback` }
    const verify: Verify = (_accessToken, _refreshToken, _extra, profile, done) => done(undefined, profile)
    const strategy = new Auth0Strategy({ domain: world.domain, ...client }, verify)
    const session = {}
    const url = await attempt(strategy, { query: {}, session })
    const browser = new Browser({ stopAt: [baseURL] })
    await browser.open(String(url))
    const query = Object.fromEntries((await drive(browser)).params)
    const profile = await attempt(strategy, { query, session })
    assert.ok(typeof profile !== 'string' && /calendar/.test(profile.id))
  },
)
