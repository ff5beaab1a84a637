// The handlers that a Next.js app mounts, and what its pages call.
import assert from 'node:assert/strict'
import { AccessTokenForConnectionError, ConnectAccountError } from '@auth0/nextjs-auth0/errors'
import type { SessionData } from '@auth0/nextjs-auth0/types'
import { Calls } from './support/calls.ts'
import { approveByMail, withGrants } from './support/consent.ts'
import { startLogouts } from './support/logouts.ts'
import type { NextApp as App } from './support/next-app.ts'
import { startWorld } from './support/world.ts'

const APP = 'http://127.0.0.1:9'
const logouts = await startLogouts()
const world = await startWorld({
  hostName: 'localhost',
  tenant: (file) => {
    const { clients } = file
    withGrants(file)
    logouts.register(file)
    const web = clients.find(({ client_id }) => client_id === 'web')
    Object.assign(web ?? {}, { callbacks: [`${APP}/auth/callback`], allowed_logout_urls: [APP] })
  },
})
// Later than the server, whose adapter puts a `Request` of its own in the place of Node's: Next.js extends what it finds.
const { NextApp } = await import('./support/next-app.ts')
const calls = new Calls(import.meta.filename, '@auth0/nextjs-auth0')

async function signedIn(name: string): Promise<App> {
  world.person(name, ['calendar', 'files', 'code'])
  const app = new NextApp(world)
  await app.login()
  return app
}

async function connected(name: string): Promise<App> {
  const app = await signedIn(name)
  await app.roundTrip(await app.open('/auth/connect?connection=code&returnTo=/close'))
  return app
}

const subOf = async (app: App) => (await app.auth0.getSession(app.request('/')))?.user.sub

calls.works('/auth/login', 'a sign-in with state and nonce, and back to where it began', async () => {
  world.person('login', ['calendar'])
  const app = new NextApp(world)
  const response = await app.login({}, 'connection=calendar&returnTo=/settings')
  assert.equal(response.headers.get('location'), `${APP}/settings`)
  assert.match(String(await subOf(app)), /calendar/)
})

calls.works('/auth/login', 'the request pushed, and bound to a key (DPoP)', async () => {
  world.person('pushed', ['calendar'])
  const { privateKey, publicKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ])
  const app = new NextApp(world, {
    pushedAuthorizationRequests: true,
    useDPoP: true,
    dpopKeyPair: { privateKey, publicKey },
  })
  const response = await app.login()
  assert.equal(response.headers.get('location'), `${APP}/`)
  const token = await app.with((request, answer) => app.auth0.getAccessToken(request, answer, { refresh: true }))
  assert.equal(token.token_type?.toLowerCase(), 'dpop')
})

calls.works('/auth/callback', 'an answer that nobody asked for is refused', async () => {
  const response = await new NextApp(world).open('/auth/callback?code=any&state=any')
  assert.ok(response.status >= 400)
})

calls.works('/auth/logout', 'the session of the app and ours end', async () => {
  const app = await signedIn('leaving')
  const response = await app.open('/auth/logout')
  await app.browser.open(response.headers.get('location') ?? '')
  if (app.browser.page.name === 'logout') await app.browser.submit('logout', { action: 'confirm' })
  assert.ok(app.browser.page.url.startsWith(APP))
  assert.equal(await app.auth0.getSession(app.request('/')), null)
})

calls.works('/auth/access-token', 'the page’s own scripts get the access token', async () => {
  const app = await signedIn('token')
  const response = await app.open('/auth/access-token')
  assert.equal(response.status, 200)
  assert.ok(((await response.json()) as { token?: string }).token)
})

calls.works('/auth/profile', 'the page’s own scripts get the profile', async () => {
  const app = await signedIn('profile')
  const profile = (await (await app.open('/auth/profile')).json()) as { sub?: string }
  assert.equal(profile.sub, await subOf(app))
})

calls.works('/auth/backchannel-logout', 'a logout that the server tells the app of ends its session', async () => {
  world.person('told', ['calendar'])
  const kept = new Map<string, SessionData>()
  const app = new NextApp(world, {
    sessionStore: {
      get: async (id) => kept.get(id) ?? null,
      set: async (id, session) => void kept.set(id, session),
      delete: async (id) => void kept.delete(id),
      deleteByLogoutToken: async ({ sub }) => {
        for (const [id, { user }] of kept) if (user.sub === sub) kept.delete(id)
      },
    },
  })
  await app.login()
  const body = new URLSearchParams({ logout_token: await logouts.logOut(world, String(await subOf(app))) }).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const response = await app.open('/auth/backchannel-logout', { method: 'POST', body, headers })
  assert.equal(response.status, 204, await response.text())
  assert.equal(await app.auth0.getSession(app.request('/')), null)
})

calls.works(
  '/auth/login?scope=link_account',
  'a second account is linked, and the person stays who they are',
  async () => {
    const app = await signedIn('linking')
    const sub = await subOf(app)
    const session = await app.auth0.getSession(app.request('/'))
    const query = new URLSearchParams({
      scope: 'openid profile offline_access link_account',
      requested_connection: 'files',
      id_token_hint: session?.tokenSet.idToken ?? '',
      returnTo: '/close',
    })
    const response = await app.roundTrip(await app.open(`/auth/login?${query}`))
    assert.equal(response.headers.get('location'), `${APP}/close`)
    assert.equal(await subOf(app), sub)
  },
)

calls.works('/auth/connect', 'an account is connected with the scopes that were asked for', async () => {
  const app = await signedIn('connecting')
  const response = await app.roundTrip(
    await app.open('/auth/connect?connection=calendar&scopes=openid&scopes=calendar.read&returnTo=/close'),
  )
  assert.equal(response.headers.get('location'), `${APP}/close`)
  const accounts = await app.with((request, answer) => app.auth0.getConnectedAccounts(request, answer))
  assert.deepEqual(
    accounts.map(({ connection, scopes }) => ({ connection, asked: scopes?.includes('calendar.read') })),
    [{ connection: 'calendar', asked: true }],
  )
})

calls.works('connectAccount', 'the same, begun by a page of the app', async () => {
  const app = await signedIn('connecting-page')
  const begun = await app.auth0.connectAccount({ connection: 'code', returnTo: '/done' }, app.request('/'))
  app.take(begun)
  const response = await app.roundTrip(begun)
  assert.equal(response.headers.get('location'), `${APP}/done`)
})

calls.works('connectAccount', 'a person who says no comes back as an error, and nothing is connected', async () => {
  const app = await signedIn('unwilling')
  const begun = await app.open('/auth/connect?connection=code&returnTo=/close')
  const response = await app.roundTrip(begun, { answers: { 'link-confirm': 'cancel' } })
  assert.ok(response.status >= 400)
  assert.deepEqual(await app.with((request, answer) => app.auth0.getConnectedAccounts(request, answer)), [])
})

calls.works('connectAccount', 'a connection that there is not is told by its code', async () => {
  const app = await signedIn('nowhere')
  await assert.rejects(app.auth0.connectAccount({ connection: 'nowhere' }, app.request('/')), (error) => {
    assert.ok(error instanceof ConnectAccountError, String(error))
    return error.code === 'failed_to_initiate' && typeof error.cause?.status === 'number'
  })
})

calls.works('getAccessTokenForConnection', 'the provider’s token of the connected account', async () => {
  const app = await connected('vault')
  const { token } = await app.with((request, answer) =>
    app.auth0.getAccessTokenForConnection({ connection: 'code' }, request, answer),
  )
  assert.ok(world.providers.code.isLive(token))
})

calls.works('getAccessTokenForConnection', 'what is not connected is told by its code', async () => {
  const app = await signedIn('vault-empty')
  const asking = app.with((request, answer) =>
    app.auth0.getAccessTokenForConnection({ connection: 'code' }, request, answer),
  )
  await assert.rejects(asking, (error) => {
    assert.ok(error instanceof AccessTokenForConnectionError)
    assert.equal(error.code, 'failed_to_exchange_refresh_token')
    return error.cause?.code === 'federated_connection_refresh_token_not_found'
  })
})

calls.works('getAccessToken', 'a fresh token when it is asked for', async () => {
  const app = await signedIn('refreshing')
  const first = await app.with((request, answer) => app.auth0.getAccessToken(request, answer))
  const fresh = await app.with((request, answer) => app.auth0.getAccessToken(request, answer, { refresh: true }))
  assert.notEqual(fresh.token, first.token)
})

calls.works('getConnectedAccounts', 'every account, over several pages', async () => {
  const app = await signedIn('several')
  const { calendar } = world.providers
  for (let index = 0; index < 11; index++) {
    calendar.addUser(`several-${index}`, { email: `several-${index}@example.test` })
    calendar.switchUser(`several-${index}`)
    await app.roundTrip(await app.open('/auth/connect?connection=calendar'))
  }
  assert.equal((await app.with((request, answer) => app.auth0.getConnectedAccounts(request, answer))).length, 11)
})

calls.works('disconnectAccount', 'the account is gone, and its token with it', async () => {
  const app = await connected('disconnecting')
  await app.with((request, answer) => app.auth0.disconnectAccount({ connection: 'code' }, request, answer))
  assert.deepEqual(await app.with((request, answer) => app.auth0.getConnectedAccounts(request, answer)), [])
})

calls.works('/me/*', 'the page’s own scripts reach the My Account API through the app', async () => {
  const app = await connected('proxied')
  const response = await app.open('/me/v1/connected-accounts/accounts', {
    headers: { scope: 'read:me:connected_accounts' },
  })
  assert.equal(response.status, 200)
  assert.equal(((await response.json()) as { accounts: unknown[] }).accounts.length, 1)
})

calls.works('getTokenByBackchannelAuth', 'a sign-in that is approved elsewhere', async () => {
  const { email } = world.person('approving', ['calendar'])
  const app = new NextApp(world)
  await app.login({}, 'connection=calendar')
  const sub = String(await subOf(app))
  const asked = app.inAction(() =>
    app.auth0.getTokenByBackchannelAuth({ bindingMessage: 'Sign in', loginHint: { sub } }),
  )
  await approveByMail(world, app.browser, email)
  const { tokenSet, idTokenClaims } = await asked
  assert.ok(tokenSet.accessToken)
  assert.equal(idTokenClaims?.sub, sub)
})

calls.works('revokeRefreshToken', 'the refresh token is of no use, and the session says so', async () => {
  const app = await signedIn('revoking')
  await app.auth0.revokeRefreshToken({ req: app.request('/') })
  await assert.rejects(app.with((request, answer) => app.auth0.getAccessToken(request, answer, { refresh: true })))
})
