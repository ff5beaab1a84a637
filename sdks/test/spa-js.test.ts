// Apps that are pages alone, in a real browser.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { onPage, press } from '../../packages/server/test/browser/support/browser.ts'
import { currentUserSignIn, signIn } from '../../packages/server/test/support/actors.ts'
import { Authenticator } from '../../packages/server/test/support/authenticator.ts'
import { TOKEN_EXCHANGE } from '../../packages/server/test/support/delegation.ts'
import { App, addPasskey, ownWays } from '../../packages/server/test/support/factors.ts'
import { API, CALLBACK, CURRENT_USER_SCOPES, PASSWORDS } from '../../packages/server/test/support/tenant.ts'
import { Calls } from './support/calls.ts'
import { CALENDAR_TOKEN, calendarToken, makeProfile } from './support/consent.ts'
import { openSpa, startSpa } from './support/spa-page.ts'
import { startWorld } from './support/world.ts'

const spa = await startSpa('/auth0-spa-js.js')
const oldSpa = await startSpa('/auth0-js.js')
const world = await startWorld({
  hostName: 'localhost',
  tenant: ({ clients, connections }) => {
    connections.push(...ownWays().filter(({ strategy }) => strategy === 'passkey'))
    const client = clients.find(({ client_id }) => client_id === 'spa')
    const origins = [spa.origin, oldSpa.origin]
    const callbacks = [CALLBACK, spa.origin, `${spa.origin}/connected`]
    const grants = [...((client?.grant_types ?? []) as string[]), TOKEN_EXCHANGE]
    const exchange = { grant_types: grants, token_exchange: { allow_any_profile_of_type: ['custom_authentication'] } }
    const allowed_logout_urls = [`${spa.origin}/out`]
    Object.assign(client ?? {}, { callbacks, allowed_logout_urls, web_origins: origins, ...exchange })
  },
})
for (const app of [spa, oldSpa]) app.use(world)
const calls = new Calls(import.meta.filename, '@auth0/auth0-spa-js')

interface ClientOptions {
  readonly useRefreshTokens?: boolean
  readonly useDpop?: boolean
  readonly useMrrt?: boolean
  readonly audience?: string
  readonly scope?: string
  readonly cacheLocation?: 'memory'
}

/** Makes `client` in the page; a page that was left needs it anew. */
async function makeClient(page: Page, name = 'client', options: ClientOptions = {}): Promise<void> {
  const { audience, scope = 'openid profile email', ...others } = options
  const authorizationParams = { redirect_uri: spa.origin, scope, ...(audience === undefined ? {} : { audience }) }
  const domain = new URL(world.issuer).host
  const config = { domain, clientId: 'spa', cacheLocation: 'localstorage', authorizationParams, ...others }
  await page.evaluate(`window.${name} = new auth0.Auth0Client(${JSON.stringify(config)}); undefined`)
}

const call = (page: Page, expression: string): Promise<unknown> => page.evaluate(`(async () => ${expression})()`)

/** The name and code of what the SDK throws. */
const failure = (page: Page, expression: string): Promise<unknown> =>
  page.evaluate(`(async () => ${expression})().then(() => 'nothing', (error) => error.error ?? error.message)`)

/** Signs in by the SDK, in a page that leaves for Tenon and comes back. */
async function login(page: Page, options: ClientOptions = {}, connection = 'calendar'): Promise<void> {
  await makeClient(page, 'client', options)
  await call(page, `{ client.loginWithRedirect({ authorizationParams: { connection: '${connection}' } }) }`)
  await page.waitForURL(`${spa.origin}/?*`)
  await makeClient(page, 'client', options)
  await call(page, 'client.handleRedirectCallback()')
}

async function signedIn(t: TestContext, name: string, options: ClientOptions = {}): Promise<Page> {
  world.person(name, ['calendar', 'files', 'code'])
  const page = await openSpa(t, spa)
  await login(page, options)
  return page
}

const REFRESHING = { useRefreshTokens: true, scope: 'openid profile email offline_access' }

calls.works('loginWithRedirect', 'a sign-in, and what the app gave it to keep', async (t) => {
  world.person('redirect', ['calendar'])
  const page = await openSpa(t, spa)
  await makeClient(page)
  const options = { appState: { target: '/settings' }, authorizationParams: { connection: 'calendar' } }
  await call(page, `{ client.loginWithRedirect(${JSON.stringify(options)}) }`)
  await page.waitForURL(`${spa.origin}/?*`)
  await makeClient(page)
  const result = (await call(page, 'client.handleRedirectCallback()')) as { appState: { target: string } }
  assert.equal(result.appState.target, '/settings')
  assert.equal(await call(page, 'client.isAuthenticated()'), true)
  assert.equal(await call(page, 'client.getIdTokenClaims().then(({ iss }) => iss)'), world.issuer)
})

calls.works('loginWithPopup', 'a sign-in in a popup, which posts its answer and goes', async (t) => {
  world.person('popup', ['calendar'])
  const page = await openSpa(t, spa)
  await makeClient(page)
  await call(page, "client.loginWithPopup({ authorizationParams: { connection: 'calendar' } })")
  assert.equal(await call(page, 'client.isAuthenticated()'), true)
  assert.equal(page.context().pages().length, 1)
})

calls.works('getTokenSilently', 'a fresh token by refresh token, and for an audience of its own', async (t) => {
  const page = await signedIn(t, 'refreshing', { ...REFRESHING, useMrrt: true })
  const first = await call(page, 'client.getTokenSilently()')
  const fresh = await call(page, "client.getTokenSilently({ cacheMode: 'off' })")
  assert.notEqual(fresh, first)
  const other = `client.getTokenSilently({ authorizationParams: { audience: '${world.issuer}me/', scope: 'openid read:me:connected_accounts' } })`
  assert.equal(String(await call(page, other)).split('.').length, 3)
})

calls.works('getTokenSilently', 'a fresh token by an iframe, from the session alone', async (t) => {
  const page = await signedIn(t, 'iframe')
  const first = await call(page, 'client.getTokenSilently()')
  const asked = { cacheMode: 'off', authorizationParams: { audience: API, scope: 'openid read:things' } }
  const fresh = await call(page, `client.getTokenSilently(${JSON.stringify(asked)})`)
  assert.notEqual(fresh, first)
})

calls.works('getTokenSilently', 'without a session the answer is login_required', async (t) => {
  const page = await openSpa(t, spa)
  await makeClient(page)
  assert.equal(await failure(page, "client.getTokenSilently({ cacheMode: 'off' })"), 'login_required')
})

calls.works('checkSession', 'a page that is opened again finds its session', async (t) => {
  const page = await signedIn(t, 'checking')
  await call(page, 'localStorage.clear()')
  await makeClient(page)
  assert.equal(await call(page, 'client.isAuthenticated()'), false)
  await call(page, 'client.checkSession()')
  assert.equal(await call(page, 'client.isAuthenticated()'), true)
})

calls.works('revokeRefreshToken', 'the refresh token is of no use any more', async (t) => {
  const page = await signedIn(t, 'revoking', REFRESHING)
  const stored = await call(
    page,
    `Object.entries(localStorage).map(([, value]) => JSON.parse(value).body?.refresh_token).find(Boolean)`,
  )
  await call(page, 'client.revokeRefreshToken()')
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'spa', refresh_token: String(stored) })
  const response = await fetch(`${world.issuer}oauth/token`, { method: 'POST', body })
  assert.equal(((await response.json()) as { error: string }).error, 'invalid_grant')
})

calls.works('logout', 'the session of the page and ours end', async (t) => {
  const page = await signedIn(t, 'leaving')
  await call(page, `{ client.logout({ logoutParams: { returnTo: '${spa.origin}/out' } }) }`)
  await page.waitForURL(`${spa.origin}/out`)
  await makeClient(page)
  assert.equal(await failure(page, "client.getTokenSilently({ cacheMode: 'off' })"), 'login_required')
})

calls.works('connectAccountWithRedirect', 'an account is connected, and the page hears which', async (t) => {
  const options = { ...REFRESHING, useMrrt: true }
  const page = await signedIn(t, 'connecting', options)
  const asked = { connection: 'code', redirectUri: `${spa.origin}/connected`, appState: { from: 'settings' } }
  await call(page, `{ client.connectAccountWithRedirect(${JSON.stringify(asked)}) }`)
  await onPage(page, 'link-confirm')
  await press(page, 'confirm')
  await page.waitForURL(`${spa.origin}/connected?*`)
  await makeClient(page, 'client', options)
  const result = (await call(page, 'client.handleRedirectCallback()')) as Record<string, unknown>
  assert.match(String(result.id), /^cac_/)
  assert.deepEqual([result.connection, result.appState], ['code', { from: 'settings' }])
})

calls.works('createFetcher', 'the page reads its accounts', async (t) => {
  const page = await signedIn(t, 'fetching', { ...REFRESHING, useMrrt: true })
  const listed = `client.createFetcher({ dpopNonceId: 'me', baseUrl: '${world.issuer}' })
    .fetchWithAuth('me/v1/connected-accounts/accounts', {}, { audience: '${world.issuer}me/', scope: ['read:me:connected_accounts'] })
    .then(async (response) => [response.status, await response.json()])`
  assert.deepEqual(await call(page, listed), [200, { accounts: [] }])
})

calls.works('createFetcher', 'the page reads its accounts with a token bound to its key (DPoP)', async (t) => {
  const page = await signedIn(t, 'bound', { ...REFRESHING, useDpop: true, useMrrt: true })
  const listed = `client.createFetcher({ dpopNonceId: 'me', baseUrl: '${world.issuer}' })
    .fetchWithAuth('me/v1/connected-accounts/accounts', {}, { audience: '${world.issuer}me/', scope: ['read:me:connected_accounts'] })
    .then(({ status }) => status)`
  assert.equal(await call(page, listed), 200)
})

calls.works(
  'loginWithPopup',
  'a second account is proved in a popup and linked over the Management API (link_with)',
  async (t) => {
    const own = { audience: `${world.issuer}api/v2/`, scope: `openid profile email ${CURRENT_USER_SCOPES.join(' ')}` }
    const page = await signedIn(t, 'settings', own)
    world.person('settings-second', ['files'])
    await makeClient(page, 'second', { cacheLocation: 'memory' })
    const opening = page.waitForEvent('popup')
    const proving = call(
      page,
      "second.loginWithPopup({ authorizationParams: { connection: 'files', prompt: 'login' } })",
    )
    const popup = await opening
    // Somebody arrives by an unknown account while signed in: they are asked before anything happens.
    await onPage(popup, 'link-choose')
    await press(popup, 'continue')
    await proving
    const linked = `client.getTokenSilently().then(async (token) => {
    const [{ sub }, { __raw }] = [await client.getUser(), await second.getIdTokenClaims()]
    const response = await fetch('${world.issuer}api/v2/users/' + encodeURIComponent(sub) + '/identities', {
      method: 'POST',
      headers: { authorization: 'Bearer ' + token, 'content-type': 'application/json' },
      body: JSON.stringify({ link_with: __raw }),
    })
    const answer = await response.json(); return [response.status, answer.map?.(({ connection }) => connection) ?? answer]
  })`
    assert.deepEqual(await call(page, linked), [201, ['calendar', 'files']])
  },
)

calls.works('exchangeToken', 'a token of a provider becomes one of ours, once', async (t) => {
  await makeProfile(world)
  const { subjects } = world.person('bringing', ['calendar'])
  const { sub } = await signIn(world, { connection: 'calendar' })
  const page = await openSpa(t, spa)
  await makeClient(page)
  const options = { subject_token: calendarToken(world, subjects.calendar ?? ''), subject_token_type: CALENDAR_TOKEN }
  const exchange = `client.exchangeToken(${JSON.stringify({ ...options, audience: API, scope: 'openid read:things' })})`
  await call(page, exchange)
  assert.equal(await call(page, 'client.getUser().then((user) => user.sub)'), sub)
  assert.equal(await failure(page, exchange), 'invalid_grant')
})

calls.works('handleRedirectCallback', 'a person who is not who was asked for comes back as an error', async (t) => {
  const page = await openSpa(t, spa)
  await makeClient(page)
  const options = { authorizationParams: { prompt: 'none' } }
  await call(page, `{ client.loginWithRedirect(${JSON.stringify(options)}) }`)
  await page.waitForURL(`${spa.origin}/?*`)
  await makeClient(page)
  assert.equal(await failure(page, 'client.handleRedirectCallback()'), 'login_required')
})

async function signedInByPassword(t: TestContext): Promise<Page> {
  const { email, password } = world.tenant.ada
  const page = await openSpa(t, spa)
  const options = { ...REFRESHING, useMrrt: true }
  await makeClient(page, 'client', options)
  await call(page, `{ client.loginWithRedirect({ authorizationParams: { connection: '${PASSWORDS}' } }) }`)
  await page.fill('[name=username]', email)
  await page.fill('[name=password]', password)
  await page.press('[name=password]', 'Enter')
  await page.waitForURL(`${spa.origin}/?*`)
  await makeClient(page, 'client', options)
  await call(page, 'client.handleRedirectCallback()')
  return page
}

calls.works('myAccount.getFactors', 'which second factors there are', async (t) => {
  const page = await signedIn(t, 'factors', { ...REFRESHING, useMrrt: true })
  const factors = (await call(page, 'client.myAccount.getFactors()')) as { type: string }[]
  assert.ok(factors.some(({ type }) => type === 'totp'))
})

calls.works('myAccount.getAuthenticationMethods', 'what one proves oneself with', async (t) => {
  const page = await signedInByPassword(t)
  const [method] = (await call(page, 'client.myAccount.getAuthenticationMethods()')) as { type: string; id: string }[]
  assert.equal(method?.type, 'password')
})

calls.works('myAccount.getAuthenticationMethod', 'one of them, or that there is none', async (t) => {
  const page = await signedInByPassword(t)
  const first =
    'client.myAccount.getAuthenticationMethods().then(([{ id }]) => client.myAccount.getAuthenticationMethod(id))'
  assert.equal(((await call(page, first)) as { type: string }).type, 'password')
  assert.match(String(await failure(page, "client.myAccount.getAuthenticationMethod('any')")), /no such/)
})

/** An app of codes, set up in the page; what it was begun with stays there as `begun`. */
async function enrolled(page: Page): Promise<App> {
  const begin = "client.myAccount.enrollmentChallenge({ type: 'totp' }).then((begun) => (window.begun = begun))"
  const begun = (await call(page, begin)) as { manual_input_code: string; barcode_uri: string; location: string }
  assert.match(begun.barcode_uri, /^otpauth:/)
  assert.ok(begun.location.startsWith(`${world.issuer}me/v1/authentication-methods/`))
  return new App(begun.manual_input_code)
}

const verified = (page: Page, app: App): Promise<unknown> =>
  call(page, `client.myAccount.enrollmentVerify({ ...window.begun, otp_code: '${app.code()}' })`)

calls.works('myAccount.enrollmentChallenge', 'an app of codes is begun, and is nobody’s yet', async (t) => {
  const page = await signedIn(t, 'beginning', { ...REFRESHING, useMrrt: true })
  await enrolled(page)
  assert.deepEqual(await call(page, "client.myAccount.getAuthenticationMethods('totp')"), [])
})

calls.works('myAccount.enrollmentVerify', 'a code of the app makes it a second step', async (t) => {
  const page = await signedIn(t, 'enrolling', { ...REFRESHING, useMrrt: true })
  const app = await enrolled(page)
  const wrong = "client.myAccount.enrollmentVerify({ ...window.begun, otp_code: '000000' })"
  assert.match(String(await failure(page, wrong)), /code/)
  const method = (await verified(page, app)) as { type: string; recovery_codes: string[] }
  assert.deepEqual([method.type, method.recovery_codes.length], ['totp', 10])
})

calls.works('myAccount.updateAuthenticationMethod', 'a passkey gets another name', async (t) => {
  world.person('naming', ['calendar'])
  const { browser } = await signIn(world, { connection: 'calendar' })
  const device = new Authenticator(world.url)
  await addPasskey(browser, world, device)
  const page = await openSpa(t, spa)
  await login(page, { ...REFRESHING, useMrrt: true })
  const id = `passkey|${device.id.toString('base64url')}`
  const renamed = `client.myAccount.updateAuthenticationMethod('${id}', { name: 'Phone' })`
  assert.equal(((await call(page, renamed)) as { name: string }).name, 'Phone')
})

calls.works(
  'myAccount.deleteAuthenticationMethod',
  'a second step is given up after a sign-in that showed it',
  async (t) => {
    const options = { ...REFRESHING, useMrrt: true }
    const page = await signedIn(t, 'giving-up', options)
    const app = await enrolled(page)
    const { id } = (await verified(page, app)) as { id: string }
    const remove = `client.myAccount.deleteAuthenticationMethod('${id}')`
    assert.match(String(await failure(page, remove)), /second step/)
    // The SDK keeps its tokens: the app asks for a new one after a new sign-in.
    await call(page, 'localStorage.clear()')
    await makeClient(page, 'client', options)
    await call(page, `{ client.loginWithRedirect({ authorizationParams: { connection: 'calendar', max_age: 0 } }) }`)
    await onPage(page, 'mfa')
    await page.fill('[name=code]', app.next())
    await page.press('[name=code]', 'Enter')
    await page.waitForURL(`${spa.origin}/?*`)
    await makeClient(page, 'client', options)
    await call(page, 'client.handleRedirectCallback()')
    await call(page, remove)
    assert.deepEqual(await call(page, "client.myAccount.getAuthenticationMethods('totp')"), [])
  },
)

const old = new Calls(import.meta.filename, 'auth0-js')

old.works(
  'Management.linkUser',
  'a second ID token (link_with) links with the person’s own access token',
  async (t) => {
    world.person('old-one', ['calendar'])
    const primary = await currentUserSignIn(world, { connection: 'calendar' })
    world.person('old-two', ['files'])
    const secondary = await signIn(world, { client: 'spa', connection: 'files' })
    const page = await openSpa(t, oldSpa)
    const options = { domain: world.domain, token: primary.accessToken }
    const [userId, idToken] = [primary.sub, secondary.idToken].map((value) => JSON.stringify(value))
    const linked = `new Promise((resolve, reject) => new auth0.Management(${JSON.stringify(options)})
    .linkUser(${userId}, ${idToken}, (error, identities) => error ? reject(new Error(JSON.stringify(error))) : resolve(identities)))`
    const identities = (await call(page, linked)) as { connection: string }[]
    assert.deepEqual(
      identities.map(({ connection }) => connection),
      ['calendar', 'files'],
    )
  },
)
