// Apps that take passwords themselves meet the second step as well (auth0-wire.md §1.4, §1.6).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ApiCaller,
  claimsOf,
  expectStatus,
  me,
  meToken,
  mgmt,
  type Reachable,
  signIn,
  tokenRequest,
  userPath,
} from '../support/actors.ts'
import { enrolApp } from '../support/factors.ts'
import { eventually, request } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { passTime } from '../support/time.ts'

const [OTP, RECOVERY] = ['mfa-otp', 'mfa-recovery-code'].map((name) => `http://auth0.com/oauth/grant-type/${name}`)

test('T-API-08 a password is half a sign-in over the API too, and its token is of use to the same client with a fresh code', async () => {
  const server = await startServer({
    providers: {},
    tenant: (file) => {
      for (const client of file.clients.filter(({ client_id: id }) => ['web', 'agent-a'].includes(String(id))))
        client.grant_types = ['authorization_code', 'refresh_token', 'password', OTP, RECOVERY]
    },
  })
  const { ada } = server.tenant
  const visit = await signIn(server, { user: ada })
  const { browser, sub } = visit
  const api = me(server, await meToken(server, visit))
  assert.deepEqual(await methodTypes(api), ['password'])
  const { app, codes } = await enrolApp(browser, server)
  await authenticationMethods(api)
  const password = () =>
    tokenRequest(server, 'web', {
      grant_type: 'password',
      username: ada.email,
      password: ada.password,
      scope: 'openid',
    })
  const refused = expectStatus(await password(), 403).json
  assert.deepEqual([refused.error, refused.access_token], ['mfa_required', undefined])
  assert.deepEqual(refused.mfa_requirements, { challenge: [{ type: 'otp' }, { type: 'recovery-code' }] })
  await authenticators(server, refused.mfa_token)
  const send = (fields: Record<string, string | undefined>, client = 'web') =>
    tokenRequest(server, client, { grant_type: OTP, mfa_token: refused.mfa_token, ...fields })
  passTime(60)
  const otp = app.code()
  assert.equal((await send({ otp: '000000' })).json.error, 'invalid_grant')
  assert.equal((await send({ otp, mfa_token: 'x' })).json.error, 'invalid_grant')
  assert.equal((await send({ otp }, 'agent-a')).json.error, 'invalid_grant')
  const { json } = expectStatus(await send({ otp }), 200)
  const claims = claimsOf(json.id_token)
  assert.deepEqual([claims.sub, claims.amr], [sub, ['pwd', 'otp', 'mfa']])
  assert.equal((await send({ otp })).json.error, 'invalid_grant')
  expectStatus(await send({ grant_type: RECOVERY, recovery_code: codes[0] }), 200)
  assert.equal((await send({ grant_type: RECOVERY, recovery_code: codes[0] })).json.error, 'invalid_grant')
  passTime(601)
  expectStatus(await mfa(server, 'authenticators', { token: refused.mfa_token }), 401)
  assert.equal((await send({ otp: app.code() })).json.error, 'invalid_grant')
  // Somebody who lost it all is let in again by the operator.
  const operator = await mgmt(server)
  expectStatus(await operator.delete(`${userPath(sub)}/authenticators`), 204)
  expectStatus(await password(), 200)
  await eventually('the mail about it', () =>
    server.mails().some(({ to, subject }) => to === ada.email && /second step was removed/.test(subject)),
  )
  expectStatus(await operator.delete(`${userPath('auth0|nobody')}/authenticators`), 404)
})

const methodsOf = async (api: ApiCaller, query = ''): Promise<readonly Record<string, unknown>[]> =>
  expectStatus(await api.get(`/authentication-methods${query}`), 200).json.authentication_methods

const methodTypes = async (api: ApiCaller, query?: string) => (await methodsOf(api, query)).map(({ type }) => type)

/** The person's own apps may look at what they prove themselves with, without any secret of it. */
async function authenticationMethods(api: ApiCaller): Promise<void> {
  assert.deepEqual(await methodTypes(api), ['password', 'totp', 'recovery-code'])
  const [app, ...others] = await methodsOf(api, '?type=totp')
  assert.equal(others.length, 0)
  assert.deepEqual(Object.keys(app ?? {}).toSorted(), ['confirmed', 'created_at', 'id', 'type', 'usage'])
  const one = expectStatus(await api.get(`/authentication-methods/${encodeURIComponent(String(app?.id))}`), 200)
  assert.deepEqual(one.json, app)
  assert.equal(expectStatus(await api.get('/authentication-methods/totp%7Cnobody'), 404).json.code, 'not_found')
  const { factors } = expectStatus(await api.get('/factors'), 200).json
  assert.deepEqual(
    factors.map(({ type }: Record<string, unknown>) => type),
    ['password', 'totp', 'recovery-code'],
  )
}

interface MfaCall {
  readonly method?: string
  readonly token?: string
  readonly body?: object
}

const mfa = (server: Reachable, path: string, { method = 'GET', token, body }: MfaCall) =>
  request(`${server.url}/mfa/${path}`, {
    method,
    headers: { authorization: token && `Bearer ${token}` },
    ...(body && { json: body }),
  })

/** What there is to choose from, with the token of half a sign-in; it changes nothing. */
async function authenticators(server: Reachable, token: string): Promise<void> {
  const list = expectStatus(await mfa(server, 'authenticators', { token }), 200).json
  assert.deepEqual(
    list.map(({ id, authenticator_type, active }: Record<string, unknown>) => [id, authenticator_type, active]),
    [
      ['totp', 'otp', true],
      ['recovery-code', 'recovery-code', true],
    ],
  )
  for (const wrong of [{}, { token: 'x' }, { token: `${token}x` }])
    assert.equal(expectStatus(await mfa(server, 'authenticators', wrong), 401).json.error, 'invalid_token')
  const asked = { mfa_token: token, client_id: 'web', challenge_type: 'oob otp' }
  const post = (body: object) => mfa(server, 'challenge', { method: 'POST', body })
  assert.deepEqual(expectStatus(await post(asked), 200).json, { challenge_type: 'otp' })
  assert.equal(expectStatus(await post({ ...asked, client_id: 'agent-a' }), 401).json.error, 'invalid_token')
  for (const other of [{ challenge_type: 'oob' }, { authenticator_id: 'recovery-code' }])
    assert.equal(expectStatus(await post({ ...asked, ...other }), 400).json.error, 'unsupported_challenge_type')
  assert.equal(expectStatus(await post({ client_id: 'web' }), 400).json.error, 'invalid_request')
  const changes = [
    ['authenticators/totp', { method: 'DELETE', token }],
    ['associate', { method: 'POST', token, body: { authenticator_types: ['otp'] } }],
  ] as const
  for (const [path, call] of changes) {
    assert.equal(expectStatus(await mfa(server, path, call), 403).json.error, 'access_denied')
    expectStatus(await mfa(server, path, { ...call, token: 'x' }), 401)
  }
}
