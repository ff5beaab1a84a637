// The client that keeps a web app's sessions, whatever the framework.
import assert from 'node:assert/strict'
import {
  type LogoutTokenClaims,
  ServerClient,
  type StateData,
  type StateStore,
  type TransactionData,
  type TransactionStore,
} from '@auth0/auth0-server-js'
import { connect, drive, meToken } from '../../packages/server/test/support/actors.ts'
import { Browser } from '../../packages/server/test/support/browser.ts'
import { API, CALLBACK, LOGGED_OUT } from '../../packages/server/test/support/tenant.ts'
import { Calls } from './support/calls.ts'
import { approveByMail, CALENDAR_TOKEN, calendarToken, makeProfile, withGrants } from './support/consent.ts'
import { startLogouts } from './support/logouts.ts'
import { startWorld } from './support/world.ts'

const logouts = await startLogouts()
const world = await startWorld({
  tenant: (file) => {
    withGrants(file)
    logouts.register(file)
  },
})
const calls = new Calls(import.meta.filename, '@auth0/auth0-server-js')

/** One person's cookies, as an app would keep them. */
class States implements StateStore<unknown> {
  readonly #states = new Map<string, StateData>()
  async get(id: string) {
    return this.#states.get(id)
  }
  async set(id: string, state: StateData) {
    this.#states.set(id, state)
  }
  async delete(id: string) {
    this.#states.delete(id)
  }
  async deleteByLogoutToken({ sid }: LogoutTokenClaims) {
    for (const [id, state] of this.#states) if (state.internal.sid === sid) this.#states.delete(id)
  }
}

class Transactions implements TransactionStore<unknown> {
  readonly #transactions = new Map<string, TransactionData>()
  async get(id: string) {
    return this.#transactions.get(id)
  }
  async set(id: string, transaction: TransactionData) {
    this.#transactions.set(id, transaction)
  }
  async delete(id: string) {
    this.#transactions.delete(id)
  }
}

/** An app as one person uses it, with their browser. */
async function newApp(name: string) {
  const { email, subjects } = world.person(name, ['calendar', 'files'])
  const client = new ServerClient({
    domain: world.domain,
    clientId: 'web',
    clientSecret: world.secretOf('web'),
    authorizationParams: { redirect_uri: CALLBACK, scope: 'openid profile email offline_access' },
    stateStore: new States(),
    transactionStore: new Transactions(),
  })
  const browser = new Browser()
  /** Goes there, and comes back to the app. */
  const visit = async (url: URL, how: Parameters<typeof drive>[1] = {}) => {
    await browser.open(url.href)
    const page = await drive(browser, how)
    assert.ok(page.stopped, `stands on ${page.name}`)
    return new URL(page.url)
  }
  const login = async () => {
    const url = await client.startInteractiveLogin({ authorizationParams: { connection: 'calendar' } })
    await client.completeInteractiveLogin(await visit(url))
    return String((await client.getUser())?.sub)
  }
  const refreshToken = async () => (await client.getSession())?.refreshToken ?? ''
  return { client, browser, visit, login, refreshToken, email, subject: subjects.calendar ?? '' }
}

calls.works('startInteractiveLogin', 'a sign-in, its state kept by the app', async () => {
  const { client, visit } = await newApp('login')
  const url = await client.startInteractiveLogin({
    appState: { returnTo: '/settings' },
    authorizationParams: { connection: 'calendar' },
  })
  const { appState } = await client.completeInteractiveLogin<{ returnTo: string }>(await visit(url))
  assert.equal(appState?.returnTo, '/settings')
  assert.match(String((await client.getUser())?.sub), /calendar/)
})

calls.works('startInteractiveLogin', 'the same, pushed', async () => {
  const { client, visit } = await newApp('pushed')
  const url = await client.startInteractiveLogin({
    pushedAuthorizationRequests: true,
    authorizationParams: { connection: 'calendar' },
  })
  await client.completeInteractiveLogin(await visit(url))
  assert.ok(await client.getUser())
})

calls.works('completeInteractiveLogin', 'a person who says no comes back as an error', async () => {
  const { client, visit } = await newApp('denied')
  world.providers.calendar.currentUser = undefined
  const url = await client.startInteractiveLogin({ authorizationParams: { connection: 'calendar' } })
  const back = await visit(url)
  assert.equal(back.searchParams.get('error'), 'access_denied')
  await assert.rejects(client.completeInteractiveLogin(back))
})

calls.works('startLinkUser', 'a second account is linked, and the session is the same person’s', async () => {
  const { client, visit, login } = await newApp('linking')
  const sub = await login()
  const url = await client.startLinkUser({
    connection: 'files',
    connectionScope: 'profile',
    appState: { from: 'settings' },
    authorizationParams: { redirect_uri: CALLBACK },
  })
  const { appState } = await client.completeLinkUser<{ from: string }>(await visit(url))
  assert.equal(appState?.from, 'settings')
  assert.equal((await client.getUser())?.sub, sub)
})

calls.works('completeLinkUser', 'a person who says no comes back as an error, and nothing is linked', async () => {
  const { client, visit, login } = await newApp('unwilling')
  const sub = await login()
  const authorizationParams = { redirect_uri: CALLBACK }
  const url = await client.startLinkUser({ connection: 'files', connectionScope: 'profile', authorizationParams })
  const back = await visit(url, { answers: { 'link-confirm': 'cancel' } })
  assert.equal(back.searchParams.get('error'), 'access_denied')
  await assert.rejects(client.completeLinkUser(back))
  assert.equal((await client.getUser())?.sub, sub)
})

calls.works('startUnlinkUser', 'the account goes again', async () => {
  const { client, visit, login } = await newApp('unlinking')
  const sub = await login()
  const authorizationParams = { redirect_uri: CALLBACK }
  const linking = await client.startLinkUser({ connection: 'files', connectionScope: 'profile', authorizationParams })
  await client.completeLinkUser(await visit(linking))
  const url = await client.startUnlinkUser({ connection: 'files', authorizationParams })
  await client.completeUnlinkUser(await visit(url, { answers: { unlink: 'confirm' } }))
  assert.equal((await client.getUser())?.sub, sub)
})

calls.works('completeUnlinkUser', 'what a person is known by stays: an error comes back', async () => {
  const { client, visit, login } = await newApp('unlinking-first')
  const sub = await login()
  const authorizationParams = { redirect_uri: CALLBACK }
  const url = await client.startUnlinkUser({ connection: 'calendar', authorizationParams })
  await assert.rejects(async () => client.completeUnlinkUser(await visit(url)))
  assert.equal((await client.getUser())?.sub, sub)
})

calls.works('getAccessToken', 'the token that is there, and one for another audience', async () => {
  const { client, login } = await newApp('access')
  await login()
  const first = await client.getAccessToken()
  assert.equal((await client.getAccessToken()).accessToken, first.accessToken)
  const audience = `${world.issuer}me/`
  const own = await client.getAccessToken({ audience, scope: 'openid read:me:connected_accounts' })
  assert.equal(own.audience, audience)
  assert.notEqual(own.accessToken, first.accessToken)
})

calls.works(
  'getAccessTokenForConnection',
  'the provider’s token of a connected account, kept until it ends',
  async () => {
    const { client, browser, login, refreshToken } = await newApp('vault')
    await login()
    const token = await meToken(world, { client: 'web', refreshToken: await refreshToken() })
    await connect(browser, world, { token, connection: 'calendar' })
    const first = await client.getAccessTokenForConnection({ connection: 'calendar' })
    assert.ok(world.providers.calendar.isLive(first.accessToken))
    const again = await client.getAccessTokenForConnection({ connection: 'calendar' })
    assert.equal(again.accessToken, first.accessToken)
  },
)

calls.works('getAccessTokenForConnection', 'what is not connected is told by its code', async () => {
  const { client, login } = await newApp('vault-empty')
  await login()
  await assert.rejects(client.getAccessTokenForConnection({ connection: 'code' }), (error) => {
    const { cause } = error as { readonly cause?: { readonly error?: string } }
    return cause?.error === 'federated_connection_refresh_token_not_found'
  })
})

calls.works('revokeRefreshToken', 'the app holds a token that is of no use', async () => {
  const { client, login, refreshToken } = await newApp('revoking')
  await login()
  const token = await refreshToken()
  await client.revokeRefreshToken()
  await assert.rejects(client.authClient.getTokenByRefreshToken({ refreshToken: token }))
})

calls.works('logout', 'the app’s session and ours end, and the refresh token with them', async () => {
  const { client, browser, login, refreshToken } = await newApp('leaving')
  await login()
  const token = await refreshToken()
  const url = await client.logout({ returnTo: LOGGED_OUT })
  await browser.open(url.href)
  if (browser.page.name === 'logout') await browser.submit('logout', { action: 'confirm' })
  assert.equal(browser.page.url, LOGGED_OUT)
  assert.equal(await client.getUser(), undefined)
  await assert.rejects(client.authClient.getTokenByRefreshToken({ refreshToken: token }))
})

calls.works('loginBackchannel', 'a sign-in that is approved elsewhere', async () => {
  const { client, browser, login, email } = await newApp('backchannel')
  const sub = await login()
  const asked = client.loginBackchannel({ bindingMessage: 'Sign in', loginHint: { sub } })
  await approveByMail(world, browser, email)
  await asked
  assert.equal((await client.getUser())?.sub, sub)
})

calls.works('handleBackchannelLogout', 'a logout that the server tells the app of ends its session', async () => {
  const { client, login } = await newApp('told')
  const token = await logouts.logOut(world, await login())
  await client.handleBackchannelLogout(token)
  assert.equal(await client.getUser(), undefined)
})

calls.works('customTokenExchange', 'a token of a provider becomes one of ours', async () => {
  await makeProfile(world)
  const { client, login, subject } = await newApp('exchanging')
  await login()
  const token = await client.customTokenExchange({
    subjectTokenType: CALENDAR_TOKEN,
    subjectToken: calendarToken(world, subject),
    audience: API,
    scope: 'openid',
  })
  assert.ok(token.accessToken)
})
