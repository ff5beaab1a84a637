// Apps that change how somebody signs in, with tokens that are no proof of a moment ago, or none of the person's own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ApiCaller,
  claimsOf,
  expectStatus,
  me,
  meToken,
  mgmt,
  type SignedIn,
  signIn,
  tokenRequest,
  userPath,
} from '../support/actors.ts'
import { answer, ask, askByDevice, poll, pollByDevice, withApprovals } from '../support/approvals.ts'
import { callApi, handOn, withApis, withSecrets } from '../support/delegation.ts'
import { type Answer, eventually } from '../support/http.ts'
import { beginApp, METHODS, methodPath, ownApp, verifyApp } from '../support/own-methods.ts'
import { type StartOptions, startServer } from '../support/server.ts'
import { API, PASSWORDS, type Person } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'
import { databases } from './databases.ts'

const STEP_UP = 'insufficient_user_authentication'
const WRITES = ['create', 'update', 'delete'].map((verb) => `${verb}:me:authentication_methods`)
let people = 0

async function open(options: Pick<StartOptions, 'database' | 'tenant' | 'settings'> = {}) {
  const server = await startServer({ providers: {}, ...options })
  const operator = await mgmt(server)
  const somebody = async (name: string): Promise<SignedIn & { readonly user: Person }> => {
    const user = { email: `${name}-${++people}@example.test`, password: `of ${name} ${Math.random()}` }
    expectStatus(await operator.post('/users', { connection: PASSWORDS, email_verified: true, ...user }), 201)
    return { ...(await signIn(server, { user })), user }
  }
  return { server, operator, somebody }
}

/** Every write there is, each by what the person has. */
async function tryEverything(
  api: ApiCaller,
  begun: { id: string; location: string; authSession: string },
  code: string,
) {
  const [{ id }] = expectStatus(await api.get(METHODS), 200).json.authentication_methods
  return [
    await api.post(METHODS, { type: 'totp' }),
    await verifyApp(api, begun, code),
    await api.patch(methodPath(id), { name: 'Mine' }),
    await api.delete(methodPath(id)),
  ]
}

const refused = ({ status, json, text }: Answer, expected: number, code: string) =>
  assert.deepEqual([status, json.code], [expected, code], text)

for (const database of databases)
  test(`T-LINK-10 a token of an old sign-in changes nothing of how somebody signs in, however often it is refreshed (${database})`, async () => {
    const { server, somebody } = await open({ database })
    const who = await somebody('ada')
    const begun = await beginApp(await ownApp(server, who))
    const methods = async (api: ApiCaller) => expectStatus(await api.get(METHODS), 200).json
    const events = async () =>
      expectStatus(await (await mgmt(server)).get(`${userPath(who.sub)}/logs?per_page=50`), 200).json.map(
        ({ description }: { description: string }) => description,
      )
    const early = await ownApp(server, who)
    const [before, recorded] = [await methods(early), await events()]
    const signedInAt = claimsOf(early.token).auth_time
    passTime(601)
    const late = await ownApp(server, who)
    passTime(7 * 86_400)
    const later = await ownApp(server, who)
    assert.equal(claimsOf(later.token).auth_time, signedInAt)
    assert.equal(claimsOf(late.token).auth_time, signedInAt)
    for (const one of await tryEverything(later, begun, begun.app.code())) {
      refused(one, 401, STEP_UP)
      const challenge = one.headers['www-authenticate'] ?? ''
      assert.match(challenge, /^Bearer error="insufficient_user_authentication", .*max_age="600"/)
      assert.doesNotMatch(challenge, /acr_values/)
    }
    assert.deepEqual(await methods(later), before)
    assert.deepEqual(await events(), recorded)
    assert.deepEqual(
      server.mails().filter(({ to }) => to === who.user.email),
      [],
    )
    // The session alone gives no newer proof: the person does, and the app goes on.
    const again = await signIn(server, { browser: who.browser, user: who.user, extra: { max_age: '0' } })
    const api = await ownApp(server, again)
    const fresh = await beginApp(api)
    expectStatus(await verifyApp(api, fresh, fresh.app.code()), 201)
  })

test('T-LINK-10 a token that no sign-in in a browser led to, or that another holds, changes nothing of how somebody signs in', async () => {
  const { server, operator, somebody } = await open({
    tenant: (file) => {
      withApprovals(file)
      withApis(file)
      const audience = '<issuer>me/'
      const scope = ['read:me:authentication_methods', ...WRITES]
      for (const client_id of ['theirs', 'tv', 'api'])
        file.client_grants.push({ client_id, audience, scope, subject_type: 'user' })
      for (const api of file.resource_servers)
        if (api.identifier === API) Object.assign(api, { scopes: scope.map((value) => ({ value })) })
      for (const client of file.clients)
        if (client.client_id === 'web') client.grant_types = [...(client.grant_types as string[]), 'password']
    },
  })
  withSecrets(server)
  const who = await somebody('bea')
  const begun = await beginApp(await ownApp(server, who))
  const wanted = { audience: `${server.issuer}me/`, scope: `openid read:me:authentication_methods ${WRITES.join(' ')}` }
  const tokenOf = (got: Answer): string => expectStatus(got, 200).json.access_token

  const { email: username, password } = who.user
  const byPassword = await tokenRequest(server, 'web', { grant_type: 'password', username, password, ...wanted })
  const question = expectStatus(await ask(server, who.sub, wanted), 200)
  await answer(server, who.browser, question, 'allow')
  const device = expectStatus(await askByDevice(server, wanted), 200)
  await who.browser.open(device.json.verification_uri_complete)
  await who.browser.submit('approve', { action: 'allow' })
  for (const [how, token] of Object.entries({
    password: tokenOf(byPassword),
    ciba: tokenOf(await poll(server, question)),
    device: tokenOf(await pollByDevice(server, device)),
  })) {
    const { auth_time, amr, acr } = claimsOf(token)
    assert.deepEqual([auth_time, amr, acr], [undefined, undefined, undefined], how)
    for (const one of await tryEverything(me(server, token), begun, begun.app.code())) refused(one, 401, STEP_UP)
  }

  const theirs = await signIn(server, { client: 'theirs', user: who.user, ...wanted })
  const own = await callApi(server, who.user, wanted.scope)
  const handed = await handOn(server, 'api', own.accessToken, wanted.audience)
  for (const [reason, token] of [
    ['third_party', theirs.accessToken],
    ['handed_on', tokenOf(handed)],
  ] as const)
    for (const one of await tryEverything(me(server, token), begun, begun.app.code())) {
      refused(one, 403, 'policy_denied')
      assert.equal(one.json.reason, reason)
    }
  // Nor does anybody's token for anything else say when its person was here.
  assert.equal(claimsOf(own.accessToken).auth_time, undefined)
  // Whoever was blocked since has nothing here at all.
  const last = me(server, await meToken(server, who))
  expectStatus(await operator.patch(userPath(who.sub), { blocked: true }), 200)
  refused(await last.post(METHODS, { type: 'totp' }), 401, 'invalid_token')
  refused(await verifyApp(last, begun, begun.app.code()), 401, 'invalid_token')
})

test('T-API-08 guesses of a code that sets an app up are counted for the account', async () => {
  const { server, somebody } = await open({ settings: { rate_limits: { enabled: true } } })
  const who = await somebody('cleo')
  const api = await ownApp(server, who)
  const begun = await beginApp(api)
  for (let guess = 0; guess < 10; guess++) refused(await verifyApp(api, begun, '000000'), 400, 'invalid_otp_code')
  const limited = await verifyApp(api, begun, begun.app.code())
  refused(limited, 429, 'rate_limited')
  assert.ok(Number(limited.headers['retry-after']) > 0)
})

for (const database of databases)
  test(`T-LINK-10 of apps that are set up at the same moment one is, and the other’s app learns no recovery code (${database})`, async () => {
    const { server, somebody } = await open({ database })
    const who = await somebody('dov')
    const api = await ownApp(server, who)
    const begun = await Promise.all([beginApp(api), beginApp(api)])
    const answers = await Promise.all(begun.map((one) => verifyApp(api, one, one.app.code())))
    const [made, ...others] = answers.toSorted((one, other) => one.status - other.status)
    assert.equal(made?.status, 201)
    assert.equal(made?.json.recovery_codes.length, 10)
    // It is refused for what it finds: a second step that its token has not shown.
    for (const one of others) refused(one, 401, STEP_UP)
    await eventually('one mail', () => server.mails().filter(({ to }) => to === who.user.email).length === 1)
  })
