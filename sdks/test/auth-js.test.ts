// What the present server-side SDKs are built on: one call, one request.
import assert from 'node:assert/strict'
import {
  AuthClient,
  isFederatedDomain,
  TokenByCodeError,
  TokenByRefreshTokenError,
  TokenForConnectionError,
} from '@auth0/auth0-auth-js'
import { connect, drive, meToken, signIn } from '../../packages/server/test/support/actors.ts'
import { Browser } from '../../packages/server/test/support/browser.ts'
import { enrolApp } from '../../packages/server/test/support/factors.ts'
import { API, CALLBACK, LOGGED_OUT, PASSWORDS } from '../../packages/server/test/support/tenant.ts'
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
const calls = new Calls(import.meta.filename, '@auth0/auth0-auth-js')
const { domain, issuer } = world
const client = clientOf('web')

function clientOf(clientId: string): AuthClient {
  const authorizationParams = { redirect_uri: CALLBACK, scope: 'openid profile email offline_access' }
  return new AuthClient({ domain, clientId, clientSecret: world.secretOf(clientId), authorizationParams })
}

/** Where the browser came back to, as the app sees it. */
async function visit(url: URL, how: Parameters<typeof drive>[1] = {}, browser = new Browser()): Promise<URL> {
  await browser.open(url.href)
  const page = await drive(browser, how)
  assert.ok(page.stopped, `stands on ${page.name}`)
  return new URL(page.url)
}

/** Somebody new, signed in by the SDK. */
async function newUser(name: string) {
  const { email, subjects } = world.person(name, ['calendar', 'files'])
  const browser = new Browser()
  const { authorizationUrl, codeVerifier } = await client.buildAuthorizationUrl({
    authorizationParams: { connection: 'calendar' },
  })
  const tokens = await client.getTokenByCode(await visit(authorizationUrl, {}, browser), { codeVerifier })
  const { idToken = '', refreshToken = '', claims } = tokens
  const subject = subjects.calendar ?? ''
  return { browser, tokens, idToken, refreshToken, email, subject, sub: String(claims?.sub) }
}

calls.works('getServerMetadata', 'discovery, with the issuer it was given', async () => {
  const metadata = await client.getServerMetadata()
  assert.equal(metadata.issuer, issuer)
})

calls.works('buildAuthorizationUrl', 'a sign-in without state and nonce', async () => {
  const { authorizationUrl, codeVerifier } = await client.buildAuthorizationUrl()
  const url = await visit(authorizationUrl, { user: world.tenant.ada })
  assert.equal(url.searchParams.has('state'), false)
  assert.ok((await client.getTokenByCode(url, { codeVerifier })).claims?.sub)
})

calls.works('buildAuthorizationUrl', 'pushed: the browser carries a reference alone', async () => {
  const { authorizationUrl, codeVerifier } = await client.buildAuthorizationUrl({ pushedAuthorizationRequests: true })
  assert.deepEqual([...authorizationUrl.searchParams.keys()].sort(), ['client_id', 'request_uri'])
  const url = await visit(authorizationUrl, { user: world.tenant.ada })
  assert.ok((await client.getTokenByCode(url, { codeVerifier })).idToken)
})

calls.works('getTokenByCode', 'a code that was used is refused', async () => {
  const { authorizationUrl, codeVerifier } = await client.buildAuthorizationUrl()
  const url = await visit(authorizationUrl, { user: world.tenant.ada })
  await client.getTokenByCode(url, { codeVerifier })
  await assert.rejects(client.getTokenByCode(url, { codeVerifier }), (error) => {
    assert.ok(error instanceof TokenByCodeError)
    return error.cause?.error === 'invalid_grant'
  })
})

calls.works('buildLinkUserUrl', 'a second account is linked, and the person stays who they are', async () => {
  const { browser, idToken, sub } = await newUser('linking')
  const { linkUserUrl, codeVerifier } = await client.buildLinkUserUrl({
    connection: 'files',
    connectionScope: 'profile',
    idToken,
    authorizationParams: { redirect_uri: CALLBACK },
  })
  const url = await visit(linkUserUrl, {}, browser)
  const { claims } = await client.getTokenByCode(url, { codeVerifier })
  assert.equal(claims?.sub, sub)
  assert.equal((await signIn(world, { connection: 'files' })).sub, sub)
})

calls.works('buildUnlinkUserUrl', 'the account goes again, and the person stays who they are', async () => {
  const { browser, idToken, sub } = await newUser('unlinking')
  const asked = { connection: 'files', authorizationParams: { redirect_uri: CALLBACK } }
  const linking = await client.buildLinkUserUrl({ ...asked, connectionScope: 'profile', idToken })
  const linked = await client.getTokenByCode(await visit(linking.linkUserUrl, {}, browser), linking)
  const unlinking = await client.buildUnlinkUserUrl({ ...asked, idToken: linked.idToken ?? '' })
  const url = await visit(unlinking.unlinkUserUrl, { answers: { unlink: 'confirm' } }, browser)
  assert.equal((await client.getTokenByCode(url, unlinking)).claims?.sub, sub)
  assert.notEqual((await signIn(world, { connection: 'files' })).sub, sub)
})

calls.works('getTokenByRefreshToken', 'fresh tokens, and a new ID token', async () => {
  const { refreshToken, sub } = await newUser('refreshing')
  const fresh = await client.getTokenByRefreshToken({ refreshToken })
  assert.equal(fresh.claims?.sub, sub)
})

calls.works('getTokenByRefreshToken', 'a token for another audience that the client’s policy names', async () => {
  const { refreshToken } = await newUser('other-audience')
  const scope = 'openid create:me:connected_accounts'
  const fresh = await client.getTokenByRefreshToken({ refreshToken, audience: `${issuer}me/`, scope })
  assert.equal(fresh.scope, scope)
})

calls.works('getTokenForConnection', 'the provider’s token, by refresh token', async () => {
  const user = await newUser('vault')
  const token = await meToken(world, { client: 'web', refreshToken: user.refreshToken })
  await connect(user.browser, world, { token, connection: 'calendar' })
  const { accessToken, expiresAt } = await client.getTokenForConnection({
    connection: 'calendar',
    refreshToken: user.refreshToken,
  })
  assert.ok(world.providers.calendar.isLive(accessToken))
  assert.ok(expiresAt > Date.now() / 1000)
})

calls.works('getTokenForConnection', 'what is not connected is told by its code', async () => {
  const { refreshToken } = await newUser('vault-empty')
  await assert.rejects(client.getTokenForConnection({ connection: 'code', refreshToken }), (error) => {
    assert.ok(error instanceof TokenForConnectionError)
    return error.cause?.error === 'federated_connection_refresh_token_not_found'
  })
})

/** A person with a connected account, and their access token for the API. */
async function apiUser(name: string) {
  world.person(name, ['calendar'])
  const user = await signIn(world, {
    connection: 'calendar',
    audience: API,
    scope: 'openid offline_access read:things',
  })
  await connect(user.browser, world, { token: await meToken(world, user), connection: 'calendar' })
  return user
}

calls.works(
  'getTokenForConnection',
  'the provider’s token for an API, by the access token it was called with',
  async () => {
    const { accessToken } = await apiUser('vault-api')
    const token = await clientOf('api').getTokenForConnection({ connection: 'calendar', accessToken })
    assert.ok(world.providers.calendar.isLive(token.accessToken))
  },
)

calls.works('exchangeToken', 'with a connection: the provider’s token', async () => {
  const { accessToken } = await apiUser('vault-exchange')
  const token = await clientOf('api').exchangeToken({ connection: 'calendar', subjectToken: accessToken })
  assert.ok(world.providers.calendar.isLive(token.accessToken))
  assert.equal(token.issuedTokenType, 'http://auth0.com/oauth/token-type/federated-connection-access-token')
})

calls.works('exchangeToken', 'with a profile: a token of a provider becomes one of ours', async () => {
  await makeProfile(world)
  const { subject } = await newUser('exchanged')
  const token = await client.exchangeToken({
    subjectTokenType: CALENDAR_TOKEN,
    subjectToken: calendarToken(world, subject),
    audience: API,
    scope: 'openid',
  })
  assert.ok(token.accessToken)
})

calls.works('getTokenByClientCredentials', 'a token of the client itself', async () => {
  const { accessToken } = await clientOf('m2m').getTokenByClientCredentials({ audience: `${issuer}api/v2/` })
  assert.ok(accessToken)
})

calls.works('getTokenByPassword', 'a password becomes tokens, where the client may ask for it', async () => {
  const { email: username, password } = world.tenant.ada
  const tokens = await client.getTokenByPassword({ username, password, realm: PASSWORDS, scope: 'openid' })
  assert.ok(tokens.claims?.sub)
})

calls.works('backchannelAuthentication', 'a person is asked, says yes, and the agent has waited for it', async () => {
  const { browser, email, sub } = await newUser('approving')
  const asked = client.backchannelAuthentication({ bindingMessage: 'Book it', loginHint: { sub } })
  await approveByMail(world, browser, email)
  assert.equal((await asked).claims?.sub, sub)
})

calls.works('initiateBackchannelAuthentication', 'a person is asked, and nobody waits', async () => {
  const { sub } = await newUser('asked')
  const { authReqId } = await client.initiateBackchannelAuthentication({
    bindingMessage: 'Book it',
    loginHint: { sub },
  })
  assert.ok(authReqId)
})

calls.works('backchannelAuthenticationGrant', 'a yes becomes tokens', async () => {
  const { browser, email, sub } = await newUser('answering')
  const { authReqId } = await client.initiateBackchannelAuthentication({
    bindingMessage: 'Book it',
    loginHint: { sub },
  })
  await approveByMail(world, browser, email)
  assert.equal((await client.backchannelAuthenticationGrant({ authReqId })).claims?.sub, sub)
})

calls.works('revokeToken', 'a revoked refresh token is of no use', async () => {
  const { refreshToken } = await newUser('revoking')
  await client.revokeToken({ token: refreshToken, tokenTypeHint: 'refresh_token' })
  await assert.rejects(client.getTokenByRefreshToken({ refreshToken }), (error) => {
    assert.ok(error instanceof TokenByRefreshTokenError)
    return error.cause?.error === 'invalid_grant'
  })
})

calls.works('getUserInfo', 'the profile of who the token is of', async () => {
  const { tokens, sub } = await newUser('profile')
  const profile = await client.getUserInfo({ accessToken: tokens.accessToken, expectedSubject: sub })
  assert.equal(profile.sub, sub)
})

calls.works('buildLogoutUrl', 'the session ends, and the browser comes back', async () => {
  const { browser } = await newUser('leaving')
  const url = await client.buildLogoutUrl({ returnTo: LOGGED_OUT })
  await browser.open(url.href)
  if (browser.page.name === 'logout') await browser.submit('logout', { action: 'confirm' })
  assert.equal(browser.page.url, LOGGED_OUT)
})

calls.works('verifyLogoutToken', 'a logout that the server tells the app of', async () => {
  const { sub } = await newUser('told')
  const logoutToken = await logouts.logOut(world, sub)
  assert.equal((await client.verifyLogoutToken({ logoutToken })).sub, sub)
})

/** Somebody with an authenticator app, who gave their password to an app. */
async function halfSignedIn() {
  const user = world.tenant.eve
  const { browser } = await signIn(world, { user })
  const { app, codes } = await enrolApp(browser, world)
  const asked = client.getTokenByPassword({ username: user.email, password: user.password, scope: 'openid' })
  const refused = await asked.catch((error) => error.cause)
  assert.equal(refused.error, 'mfa_required')
  return { app, codes, mfaToken: String(refused.mfa_token), requirements: refused.mfa_requirements }
}

const half = await halfSignedIn()

calls.works('mfa.listAuthenticators', 'what a half sign-in can be finished with', async () => {
  const found = await client.mfa.listAuthenticators(half)
  assert.deepEqual(
    found.map(({ authenticatorType }) => authenticatorType),
    ['otp', 'recovery-code'],
  )
  assert.deepEqual(half.requirements, { challenge: [{ type: 'otp' }, { type: 'recovery-code' }] })
})

calls.works('mfa.challengeAuthenticator', 'an app is ready to be asked', async () => {
  assert.deepEqual(await client.mfa.challengeAuthenticator({ ...half, challengeType: 'otp' }), { challengeType: 'otp' })
})

calls.works('mfa.verify', 'a code of the app, or one to recover by, makes the half whole', async () => {
  const { mfaToken, app, codes } = half
  await assert.rejects(client.mfa.verify({ factorType: 'otp', otp: '000000', mfaToken }), { code: 'mfa_verify_error' })
  const { claims } = await client.mfa.verify({ factorType: 'otp', otp: app.next(), mfaToken })
  assert.deepEqual(claims?.amr, ['pwd', 'otp', 'mfa'])
  assert.ok((await client.mfa.verify({ factorType: 'recovery-code', recoveryCode: codes[0] ?? '', mfaToken })).idToken)
})

calls.notYet('mfa.enrollAuthenticator', 'a half sign-in adds no second step', 'secondSteps', () =>
  assert.rejects(client.mfa.enrollAuthenticator({ ...half, authenticatorTypes: ['otp'] }), /already enrolled/),
)

calls.notYet('mfa.deleteAuthenticator', 'a half sign-in takes no second step away', 'secondSteps', () =>
  assert.rejects(client.mfa.deleteAuthenticator({ ...half, authenticatorId: 'totp' }), /already enrolled/),
)

calls.works('database.signUp', 'a password account begins without our pages', async () => {
  const email = 'new@example.test'
  const body = { email, password: 'a kettle on the upper shelf', connection: PASSWORDS }
  const made = await client.database.signUp(body)
  assert.deepEqual([made.email, made.emailVerified], [email, false])
})

calls.notYet('passwordless.sendEmail', 'a code by mail', 'passwordless', async () => {
  await assert.rejects(client.passwordless.sendEmail({ email: world.tenant.ada.email }))
})

calls.notYet(
  'isFederatedDomain',
  'whether an address belongs to a company’s own provider',
  'federatedDomains',
  async () => {
    assert.equal(await isFederatedDomain(domain, 'example.test'), false)
  },
)
