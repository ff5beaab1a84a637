// How somebody signs in, changed by an app of theirs: set up, used, named and given up (auth0-wire.md §3.5).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databases } from '../attacks/databases.ts'
import {
  type ApiCaller,
  authorize,
  expectStatus,
  me,
  mgmt,
  redeem,
  refresh,
  signIn,
  userPath,
} from '../support/actors.ts'
import { Authenticator } from '../support/authenticator.ts'
import { Browser } from '../support/browser.ts'
import { addPasskey, ownWays, toSecondStep, typeCode, typeRecovery } from '../support/factors.ts'
import { type Answer, eventually } from '../support/http.ts'
import { beginApp, METHODS, methodPath, ownApp, verifyApp } from '../support/own-methods.ts'
import { startServer } from '../support/server.ts'
import { CALLBACK, PASSWORDS } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const refused = (answer: Answer, status: number, code: string): Answer => {
  assert.deepEqual([answer.status, answer.json.code], [status, code], answer.text)
  return answer
}

for (const database of databases) {
  const server = await startServer({
    database,
    providers: {},
    hostName: 'localhost',
    tenant: ({ connections }) => void connections.push(...ownWays()),
  })
  const operator = await mgmt(server)
  let people = 0

  const somebody = async (name: string, client = 'web') => {
    const user = { email: `${name}-${++people}@example.test`, password: `of ${name} ${Math.random()}` }
    expectStatus(await operator.post('/users', { connection: PASSWORDS, email_verified: true, ...user }), 201)
    const visit = await signIn(server, { user, client })
    return { ...visit, user, api: await ownApp(server, visit) }
  }
  const typesOf = async (api: ApiCaller): Promise<string[]> =>
    expectStatus(await api.get(METHODS), 200).json.authentication_methods.map(({ type }: { type: string }) => type)
  const mailTo = (to: string, about: RegExp) =>
    eventually(`a mail about ${about}`, () => server.mails().find((mail) => mail.to === to && about.test(mail.subject)))

  test(`an app of codes is set up, asked for, counted as proof, and given up (${database})`, async () => {
    const who = await somebody('ada', 'spa')
    const [elsewhere, origin] = [new Browser(), new URL(CALLBACK).origin]
    await authorize(elsewhere, server, { user: who.user })
    const begun = await beginApp(who.api, { origin })
    const { headers, json } = begun.answer
    assert.equal(begun.location, `${server.issuer}me/v1${methodPath(begun.id)}`)
    assert.equal(headers['access-control-allow-origin'], origin)
    assert.match(headers['access-control-expose-headers'] ?? '', /\blocation\b/)
    assert.match(json.barcode_uri, new RegExp(`^otpauth://totp/Acme:.+secret=${json.totp_secret}`))
    // Nothing is theirs before a code of it came.
    assert.deepEqual(await typesOf(who.api), ['password'])
    refused(await verifyApp(who.api, begun, '000000'), 400, 'invalid_otp_code')
    const method = expectStatus(await verifyApp(who.api, begun, begun.app.code()), 201).json
    assert.deepEqual([method.id, method.type, method.confirmed], [begun.id, 'totp', true])
    assert.equal(method.recovery_codes.length, 10)
    assert.deepEqual(await typesOf(who.api), ['password', 'totp', 'recovery-code'])
    assert.match((await mailTo(who.user.email, /second step was added/)).links[0] ?? '', /not-me/)
    // Whoever was signed in goes around nothing, in no browser.
    for (const browser of [elsewhere, who.browser])
      assert.equal((await browser.open(`${server.url}/account`)).name, 'login')

    // The token of before has shown one step of two.
    const wanted = refused(await who.api.delete(methodPath(begun.id)), 401, 'insufficient_user_authentication')
    assert.match(
      wanted.headers['www-authenticate'] ?? '',
      /^Bearer error="insufficient_user_authentication".*max_age="0", acr_values="http:\/\/schemas.openid.net\/pape\/policies\/2007\/06\/multi-factor"/,
    )
    passTime(60)
    const recovering = await toSecondStep(server, who.user)
    assert.ok((await typeRecovery(recovering, method.recovery_codes[0])).stopped)
    const browser = new Browser()
    const flow = await authorize(browser, server, {
      user: who.user,
      client: 'spa',
      extra: { max_age: '0', acr_values: wanted.json.acr_values },
    })
    assert.equal(browser.page.name, 'mfa')
    const { params } = await typeCode(browser, begun.app.code())
    const tokens = expectStatus(await redeem(server, { ...flow, params }), 200).json
    const api = await ownApp(server, { client: 'spa', refreshToken: tokens.refresh_token })
    refused(await api.post(METHODS, { type: 'totp' }), 409, 'method_exists')
    refused(await api.delete(methodPath('recovery-code')), 400, 'operation_not_supported')
    expectStatus(await api.delete(methodPath(begun.id)), 204)
    refused(await api.delete(methodPath(begun.id)), 404, 'not_found')
    assert.deepEqual(await typesOf(api), ['password'])
    await mailTo(who.user.email, /second step was removed/)
    const logs = expectStatus(await operator.get(`${userPath(who.sub)}/logs?per_page=50`), 200).json
    for (const event of ['second_factor.added', 'second_factor.removed'])
      assert.ok(
        logs.some((one: Record<string, unknown>) => one.description === event && one.client_id === 'spa'),
        event,
      )
  })

  test(`what was begun is of use to the same person, app and id, for ten minutes (${database})`, async () => {
    const [who, other] = [await somebody('bea'), await somebody('bo')]
    const begun = await beginApp(who.api)
    const code = begun.app.code()
    const elsewhere = await ownApp(server, await signIn(server, { user: who.user, client: 'agent-a' }))
    for (const api of [other.api, elsewhere]) refused(await verifyApp(api, begun, code), 400, 'invalid_request')
    const second = await beginApp(who.api)
    refused(await verifyApp(who.api, { ...begun, location: second.location }, code), 400, 'invalid_request')
    refused(await verifyApp(who.api, { ...begun, authSession: 'x' }, code), 400, 'invalid_request')
    passTime(605)
    const fresh = await ownApp(server, await signIn(server, { user: who.user }))
    refused(await verifyApp(fresh, begun, begun.app.code()), 400, 'invalid_request')
    assert.deepEqual(await typesOf(fresh), ['password'])
  })

  test(`what an app cannot set up or name is refused with the reason, and without the scope nothing is (${database})`, async () => {
    const who = await somebody('cleo')
    for (const type of ['password', 'email', 'passkey', 'recovery-code'])
      refused(await who.api.post(METHODS, { type }), 400, 'operation_not_supported')
    refused(await who.api.post(METHODS, { type: 'phone', phone_number: '+1' }), 400, 'invalid_body')
    const [{ id }] = expectStatus(await who.api.get(METHODS), 200).json.authentication_methods
    refused(await who.api.patch(methodPath(id), { name: 'Mine' }), 400, 'operation_not_supported')
    refused(await who.api.delete(methodPath(id)), 400, 'operation_not_supported')
    const fields = { audience: `${server.issuer}me/`, scope: 'read:me:authentication_methods' }
    const { access_token: token } = expectStatus(await refresh(server, 'web', who.refreshToken, fields), 200).json
    const reader = me(server, token)
    for (const answer of [
      await reader.post(METHODS, { type: 'totp' }),
      await reader.post(`${methodPath('totp|x')}/verify`, { auth_session: 'x', otp_code: '1' }),
      await reader.patch(methodPath(id), { name: 'Mine' }),
      await reader.delete(methodPath(id)),
    ])
      refused(answer, 403, 'insufficient_scope')
  })

  test(`a passkey is named and deleted by its person’s app, and nobody else’s (${database})`, async () => {
    const [who, other] = [await somebody('dina'), await somebody('dov')]
    const device = new Authenticator(server.url)
    await addPasskey(who.browser, server, device)
    const id = `passkey|${device.id.toString('base64url')}`
    const named = expectStatus(await who.api.patch(methodPath(id), { name: ' The  blue one ' }), 200).json
    assert.deepEqual([named.id, named.name], [id, 'The blue one'])
    refused(await who.api.patch(methodPath(id), { name: 'one\u202etwo' }), 400, 'invalid_body')
    refused(await other.api.patch(methodPath(id), { name: 'Mine' }), 404, 'not_found')
    refused(await other.api.delete(methodPath(id)), 404, 'not_found')
    assert.equal(expectStatus(await who.api.get(methodPath(id)), 200).json.name, 'The blue one')
    expectStatus(await who.api.delete(methodPath(id)), 204)
    refused(await who.api.get(methodPath(id)), 404, 'not_found')
    assert.match((await mailTo(who.user.email, /way to sign in to Acme was removed/)).text, /Passkey/)
  })
}
