// The last release of auth0 that holds both the authentication and the management clients, as many apps still use it.
import assert from 'node:assert/strict'
import { AuthApiError, AuthenticationClient, ManagementApiError, ManagementClient, UserInfoClient } from 'auth0-v4'
import {
  authorize,
  codeOf,
  connect,
  currentUserSignIn,
  drive,
  meToken,
  signIn,
} from '../../packages/server/test/support/actors.ts'
import { Browser } from '../../packages/server/test/support/browser.ts'
import { eventually } from '../../packages/server/test/support/http.ts'
import { API, CALLBACK, PASSWORDS } from '../../packages/server/test/support/tenant.ts'
import { Calls } from './support/calls.ts'
import { approveByMail, CALENDAR_TOKEN, calendarToken, makeProfile, withGrants } from './support/consent.ts'
import { startWorld } from './support/world.ts'

const world = await startWorld({ tenant: withGrants })
const calls = new Calls(import.meta.filename, 'auth0-v4')
const { domain } = world
const secret = { clientId: 'web', clientSecret: world.secretOf('web') }
const authentication = new AuthenticationClient({ domain, ...secret })
const management = new ManagementClient({ domain, clientId: 'm2m', clientSecret: world.secretOf('m2m') })
const ada = await signIn(world, { user: world.tenant.ada })

const refusedWith =
  (statusCode: number, code: string) =>
  (error: unknown): true => {
    assert.ok(error instanceof AuthApiError, String(error))
    assert.deepEqual([error.statusCode, error.error], [statusCode, code])
    return true
  }
const notFound = (error: unknown): true => {
  assert.ok(error instanceof AuthApiError || error instanceof ManagementApiError, String(error))
  assert.equal(error.statusCode, 404)
  return true
}

async function newUser(name: string, provider: 'calendar' | 'files') {
  const { subjects } = world.person(name, [provider])
  const signedIn = await signIn(world, { connection: provider })
  const cut = signedIn.sub.indexOf('|')
  const identity = { provider: signedIn.sub.slice(0, cut) as 'oauth2', user_id: signedIn.sub.slice(cut + 1) }
  return { ...signedIn, identity, subject: subjects[provider] }
}

calls.works('oauth.authorizationCodeGrant', 'a code becomes tokens, and the ID token is valid', async () => {
  const flow = await authorize(new Browser(), world, {
    user: world.tenant.ada,
    extra: { code_challenge: undefined, code_challenge_method: undefined, nonce: undefined },
  })
  const { data } = await authentication.oauth.authorizationCodeGrant({ code: codeOf(flow), redirect_uri: CALLBACK })
  assert.ok(data.access_token && data.id_token && data.refresh_token)
  assert.equal(data.token_type, 'Bearer')
})

calls.works('oauth.authorizationCodeGrantWithPKCE', 'a code and its verifier become tokens', async () => {
  const flow = await authorize(new Browser(), world, { user: world.tenant.ada })
  const { data } = await authentication.oauth.authorizationCodeGrantWithPKCE(
    { code: codeOf(flow), redirect_uri: CALLBACK, code_verifier: flow.verifier },
    { idTokenValidateOptions: { nonce: flow.nonce } },
  )
  assert.ok(data.id_token)
})

calls.works('oauth.authorizationCodeGrantWithPKCE', 'another verifier is refused', async () => {
  const flow = await authorize(new Browser(), world, { user: world.tenant.ada })
  const code_verifier = 'another-verifier-another-verifier-another-verifier'
  const body = { code: codeOf(flow), redirect_uri: CALLBACK, code_verifier }
  await assert.rejects(authentication.oauth.authorizationCodeGrantWithPKCE(body), refusedWith(403, 'invalid_grant'))
})

calls.works('oauth.refreshTokenGrant', 'a refresh token becomes fresh tokens', async () => {
  const { data } = await authentication.oauth.refreshTokenGrant({ refresh_token: ada.refreshToken })
  assert.ok(data.access_token && data.id_token)
})

calls.works('oauth.clientCredentialsGrant', 'a token of the client itself', async () => {
  const machine = new AuthenticationClient({ domain, clientId: 'm2m', clientSecret: world.secretOf('m2m') })
  const { data } = await machine.oauth.clientCredentialsGrant({ audience: `${world.issuer}api/v2/` })
  assert.ok(data.expires_in > 0)
})

calls.works('oauth.clientCredentialsGrant', 'an API that the client has no grant for is refused', async () => {
  const machine = new AuthenticationClient({ domain, clientId: 'm2m', clientSecret: world.secretOf('m2m') })
  await assert.rejects(machine.oauth.clientCredentialsGrant({ audience: API }), refusedWith(403, 'access_denied'))
})

calls.works('oauth.pushedAuthorization', 'a request that is pushed is taken up at /authorize', async () => {
  const pushed = { client_id: 'web', response_type: 'code', redirect_uri: CALLBACK, scope: 'openid', state: 'pushed' }
  const { data } = await authentication.oauth.pushedAuthorization(pushed)
  const browser = new Browser()
  await browser.open(
    `${world.issuer}authorize?${new URLSearchParams({ client_id: 'web', request_uri: data.request_uri })}`,
  )
  const { params } = await drive(browser, { user: world.tenant.ada })
  assert.ok(params.get('code'))
})

calls.works('oauth.revokeRefreshToken', 'a revoked refresh token is of no use', async () => {
  const { refreshToken } = await signIn(world, { user: world.tenant.ada })
  await authentication.oauth.revokeRefreshToken({ token: refreshToken })
  await assert.rejects(
    authentication.oauth.refreshTokenGrant({ refresh_token: refreshToken }),
    refusedWith(403, 'invalid_grant'),
  )
})

calls.works('oauth.tokenForConnection', 'the provider’s token of a connected account', async () => {
  const user = await newUser('vault', 'calendar')
  await connect(user.browser, world, { token: await meToken(world, user), connection: 'calendar' })
  const { data } = await authentication.oauth.tokenForConnection({
    connection: 'calendar',
    subject_token: user.refreshToken,
  })
  assert.ok(world.providers.calendar.isLive(data.access_token))
})

calls.works('oauth.tokenForConnection', 'what is not connected is told by its code', async () => {
  await assert.rejects(
    authentication.oauth.tokenForConnection({ connection: 'code', subject_token: ada.refreshToken }),
    refusedWith(401, 'federated_connection_refresh_token_not_found'),
  )
})

calls.works('oauth.passwordGrant', 'a password becomes tokens, where the client may ask for it', async () => {
  const { email: username, password } = world.tenant.ada
  const { data } = await authentication.oauth.passwordGrant({ username, password, realm: PASSWORDS, scope: 'openid' })
  assert.ok(data.id_token)
})

calls.works('backchannel.authorize', 'a person is asked', async () => {
  const asked = { userId: ada.sub, binding_message: 'Book it', scope: 'openid' }
  assert.ok((await authentication.backchannel.authorize(asked)).auth_req_id)
})

calls.works('backchannel.backchannelGrant', 'a yes becomes tokens', async () => {
  const { browser, sub } = await signIn(world, { user: world.tenant.eve })
  const asked = { userId: sub, binding_message: 'Book it', scope: 'openid' }
  const { auth_req_id } = await authentication.backchannel.authorize(asked)
  await approveByMail(world, browser, world.tenant.eve.email)
  assert.ok((await authentication.backchannel.backchannelGrant({ auth_req_id })).id_token)
})

calls.works('tokenExchange.exchangeToken', 'a token of a provider becomes one of ours, by a profile', async () => {
  await makeProfile(world)
  const { subject = '' } = await newUser('exchanged', 'calendar')
  const tokens = await authentication.tokenExchange.exchangeToken({
    subject_token_type: CALENDAR_TOKEN,
    subject_token: calendarToken(world, subject),
    audience: API,
    scope: 'openid',
  })
  assert.ok(tokens.access_token)
})

calls.works('database.signUp', 'a password account begins without our pages', async () => {
  const body = { email: 'new@example.test', password: 'a kettle on the upper shelf', connection: PASSWORDS }
  assert.equal((await authentication.database.signUp(body)).data.email, body.email)
})

calls.works('database.changePassword', 'a mail lets a person choose a new password', async () => {
  const { email } = world.tenant.eve
  await authentication.database.changePassword({ email, connection: PASSWORDS })
  await eventually('the mail', () => world.mails().find(({ to, links }) => to === email && links.length > 0))
})

calls.notYet('passwordless.sendEmail', 'a code by mail', 'passwordless', async () => {
  await assert.rejects(authentication.passwordless.sendEmail({ email: world.tenant.ada.email, send: 'code' }), notFound)
})

calls.notYet('passwordless.sendSMS', 'a code by message', 'passwordless', async () => {
  await assert.rejects(authentication.passwordless.sendSMS({ phone_number: '+15550100' }), notFound)
})

for (const [call, login] of Object.entries({
  'passwordless.loginWithEmail': () => authentication.passwordless.loginWithEmail({ email: 'a@b.test', code: '1' }),
  'passwordless.loginWithSMS': () => authentication.passwordless.loginWithSMS({ phone_number: '+15550100', code: '1' }),
}))
  calls.notYet(call, 'signing in by a code', 'passwordless', () => assert.rejects(login))

calls.works('UserInfoClient.getUserInfo', 'the profile of who the token is of', async () => {
  const { data } = await new UserInfoClient({ domain }).getUserInfo(ada.accessToken)
  assert.deepEqual([data.sub, data.email], [ada.sub, world.tenant.ada.email])
})

calls.works('users.link', 'two users become one, and the primary keeps its id', async () => {
  const [primary, secondary] = [await newUser('v4-one', 'calendar'), await newUser('v4-two', 'files')]
  const { data, status } = await management.users.link({ id: primary.sub }, secondary.identity)
  assert.deepEqual([status, data.length], [201, 2])
})

calls.works('users.link', 'a second ID token (link_with) links with the person’s own access token', async () => {
  world.person('v4-own-one', ['calendar'])
  const primary = await currentUserSignIn(world, { connection: 'calendar' })
  world.person('v4-own-two', ['files'])
  const secondary = await signIn(world, { client: 'spa', connection: 'files' })
  const own = new ManagementClient({ domain, token: primary.accessToken })
  const { data } = await own.users.link({ id: primary.sub }, { link_with: secondary.idToken })
  assert.equal(data.length, 2)
})

calls.works('users.unlink', 'the identity becomes a user of its own again', async () => {
  const [primary, secondary] = [await newUser('v4-out-one', 'calendar'), await newUser('v4-out-two', 'files')]
  await management.users.link({ id: primary.sub }, secondary.identity)
  const { data } = await management.users.unlink({ id: primary.sub, ...secondary.identity })
  assert.equal(data.length, 1)
  assert.equal((await management.users.get({ id: secondary.sub })).data.user_id, secondary.sub)
})

calls.works('usersByEmail.getByEmail', 'who has this address', async () => {
  const { data } = await management.usersByEmail.getByEmail({ email: world.tenant.ada.email })
  assert.deepEqual(
    data.map(({ user_id }) => user_id),
    [ada.sub],
  )
})

calls.works('users.get', 'what nobody has is told by its code', async () => {
  await assert.rejects(management.users.get({ id: 'auth0|000000000000000000000000' }), (error) => {
    assert.ok(error instanceof ManagementApiError)
    return error.statusCode === 404 && error.errorCode === 'inexistent_user'
  })
})

calls.works('users.getAll', 'a bare list, and a wrapped one', async () => {
  const bare = await management.users.getAll({ per_page: 2 })
  assert.equal(bare.data.length, 2)
  const wrapped = await management.users.getAll({ per_page: 2, include_totals: true })
  assert.equal(wrapped.data.users.length, 2)
  assert.ok(wrapped.data.total >= 2)
})

calls.works('users.getAllTokensets', 'the tokensets of a user, in the older form', async () => {
  const user = await newUser('tokensets', 'calendar')
  await connect(user.browser, world, { token: await meToken(world, user), connection: 'calendar' })
  const { data } = await management.users.getAllTokensets({ id: user.sub })
  assert.ok(data.some(({ connection }) => connection === 'calendar'))
})

calls.works('users.deleteTokenset', 'a tokenset ends, in the older form', async () => {
  const user = await newUser('tokenset', 'calendar')
  const { id } = await connect(user.browser, world, { token: await meToken(world, user), connection: 'calendar' })
  await management.users.deleteTokenset({ id: user.sub, tokenset_id: id })
  const { data } = await management.users.getAllTokensets({ id: user.sub })
  assert.deepEqual(
    data.filter((tokenset) => tokenset.id === id),
    [],
  )
})
