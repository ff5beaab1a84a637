// Apps that take passwords themselves meet the second step as well (auth0-wire.md §1.4, §1.6).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimsOf, expectStatus, mgmt, signIn, tokenRequest, userPath } from '../support/actors.ts'
import { enrolApp } from '../support/factors.ts'
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
  const { browser, sub } = await signIn(server, { user: ada })
  const { app, codes } = await enrolApp(browser, server)
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
  assert.equal((await send({ otp: app.code() })).json.error, 'invalid_grant')
  // Somebody who lost it all is let in again by the operator.
  const api = await mgmt(server)
  expectStatus(await api.delete(`${userPath(sub)}/authenticators`), 204)
  expectStatus(await password(), 200)
  expectStatus(await api.delete(`${userPath('auth0|nobody')}/authenticators`), 404)
})
