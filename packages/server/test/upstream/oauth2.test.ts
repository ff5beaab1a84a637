import assert from 'node:assert/strict'
import test, { after } from 'node:test'
import {
  type GithubOptions,
  type Json,
  type Provider,
  startGithubProvider,
  startOAuth2Provider,
} from '@tenon/sdk/testing'
import { gradeOf } from '../../src/domain/address.ts'
import { UpstreamRefused, UpstreamUnavailable } from '../../src/upstream/errors.ts'
import { connectorOf, signIn, startLeg } from './app.ts'

function untilDone(provider: Provider): Provider {
  after(() => provider.stop())
  return provider
}

const startGithub = async (options: GithubOptions = {}) => untilDone(await startGithubProvider(options))
const startPlain = async (options = {}) => untilDone(await startOAuth2Provider({ users: { Ada: {} }, ...options }))
const refused = (code: string) => (error: unknown) => error instanceof UpstreamRefused && error.code === code

test('T-PRE-08: at GitHub the numeric id is who it is, the login is only a name', async () => {
  const provider = await startGithub({ users: { Ada: { login: 'ada' } } })
  const connector = connectorOf(provider)
  const before = await signIn(connector)
  provider.updateUser('Ada', { login: 'ada-renamed' })
  provider.addUser('Eve', { login: 'ada' })
  const renamed = await signIn(connector)
  provider.switchUser('Eve')
  const newcomer = await signIn(connector)
  assert.equal(renamed.subject, before.subject)
  assert.equal(renamed.upstreamName, 'ada-renamed')
  assert.notEqual(newcomer.subject, before.subject)
  assert.equal(newcomer.profile.nickname, 'ada')
})

test('T-PRE-09: ids that differ beyond 2^53 are two people', async () => {
  const provider = await startGithub({ users: { Ada: { sub: '9007199254740993' }, Eve: { sub: '9007199254740992' } } })
  const connector = connectorOf(provider)
  assert.equal((await signIn(connector)).subject, '9007199254740993')
  provider.switchUser('Eve')
  assert.equal((await signIn(connector)).subject, '9007199254740992')
})

test('T-PRE-09: a GitHub id that is no integer is refused', async () => {
  const provider = await startGithub({ users: { Ada: {} } })
  const connector = connectorOf(provider)
  for (const id of [null, '', 'ada', [], {}, true, -1, 1.5, undefined]) {
    provider.tamperUserInfo = (claims) => ({ ...claims, id })
    await assert.rejects(signIn(connector), refused('subject_invalid'), JSON.stringify(id))
  }
  provider.tamperUserInfo = undefined
  for (const id of ['12345.0', '1e3', '"12345"', '"012345"', '-0', '1E400']) {
    const body = Buffer.from(`{"id":${id},"login":"ada"}`)
    provider.fail('userinfo', { status: 200, body, headers: { 'content-type': 'application/json' } })
    await assert.rejects(signIn(connector), refused('subject_invalid'), id)
  }
})

test('T-RP-02: a GitHub address is the primary one of the list, verified only when the list says true', async () => {
  const provider = await startGithub({
    users: { Ada: { extraClaims: { email: 'public@x.com', email_verified: true } } },
  })
  const connector = connectorOf(provider)
  const emailOf = async (list: readonly Json[]) => {
    provider.tamperEmails = () => list
    const { email, emailVerified } = await signIn(connector)
    return [email, emailVerified]
  }
  const primary = { email: 'Ada@X.com', primary: true, verified: true }
  assert.deepEqual(await emailOf([{ email: 'b@x.com', primary: false, verified: true }, primary]), ['ada@x.com', true])
  for (const verified of [false, 'true', 1, null, undefined]) {
    assert.deepEqual(await emailOf([{ ...primary, verified }]), ['ada@x.com', false], String(verified))
  }
  assert.deepEqual(await emailOf([{ ...primary, primary: 'true' }]), [undefined, false])
  assert.deepEqual(await emailOf([{ email: 'b@x.com', primary: false, verified: true }]), [undefined, false])
  assert.deepEqual(await emailOf([]), [undefined, false])
})

test('T-RP-02: a GitHub address is G0 unless the connection is trusted', async () => {
  const provider = await startGithub({ users: { Ada: {} } })
  const account = await signIn(connectorOf(provider))
  assert.equal(gradeOf({ ...account, connection: { options: {} } }), 0)
  assert.equal(gradeOf({ ...account, connection: { options: { trust_email: true } } }), 1)
})

test('without the scope for addresses there is none, and the sign-in goes on', async () => {
  const provider = await startGithub({ users: { Ada: {} } })
  const connector = connectorOf(provider)
  const account = await signIn(connector, { scopes: ['read:user'] })
  assert.equal(account.email, undefined)
  assert.deepEqual(account.tokenset.scopes, ['read:user'])
})

test('GitHub: scopes come back with commas, tokens of an OAuth App without an end', async () => {
  const provider = await startGithub({ users: { Ada: {} } })
  const { tokenset } = await signIn(connectorOf(provider), { scopes: ['repo', 'user:email'] })
  assert.deepEqual(tokenset.scopes, ['repo', 'user:email'])
  assert.equal(tokenset.accessExpiresAt, undefined)
  assert.equal(tokenset.refreshToken, undefined)
})

test('GitHub: an error with status 200 is an error', async () => {
  const provider = await startGithub({ users: { Ada: {} } })
  const connector = connectorOf(provider)
  const { answer, expected } = await startLeg(connector)
  await connector.redeem(answer, expected)
  await assert.rejects(connector.redeem(answer, expected), {
    code: 'code_refused',
    providerError: 'bad_verification_code',
  })
  const other = await startLeg(connector)
  const wrong = { ...other.expected, codeVerifier: 'x'.repeat(43) }
  await assert.rejects(connector.redeem(other.answer, wrong), refused('code_refused'))
})

test('GitHub: a token is deleted with our credentials in the vendor’s own way, and a dead one counts as deleted', async () => {
  const provider = await startGithub({ users: { Ada: {} }, expiring: true })
  const options = connectionOptions(provider)
  const revocation = `${provider.url}/applications/{client_id}/token`
  const connector = connectorOf(provider, { endpoints: { ...options, revocation } })
  const { tokenset } = await signIn(connector)
  assert.equal(await connector.revoke(tokenset.refreshToken ?? '', 'refresh_token'), 'unsupported')
  assert.equal(await connector.revoke(tokenset.accessToken, 'access_token'), 'revoked')
  assert.equal(provider.isLive(tokenset.accessToken), false)
  assert.equal(await connector.revoke(tokenset.accessToken, 'access_token'), 'revoked')
  assert.equal(
    provider.calls('revoke').every(({ method }) => method === 'DELETE'),
    true,
  )
})

function connectionOptions(provider: Provider): Record<string, string> {
  const { authorize: authorization = '', token = '', userinfo = '', emails = '' } = provider.endpoints
  return { authorization, token, userinfo, emails }
}

test('with one endpoint replaced, no secret goes to the vendor any more', async () => {
  const provider = await startGithub({ users: { Ada: {} } })
  const { emails: _, ...endpoints } = connectionOptions(provider)
  const connector = connectorOf(provider, { endpoints })
  const account = await signIn(connector)
  assert.equal(account.email, undefined)
  assert.equal(await connector.revoke(account.tokenset.accessToken, 'access_token'), 'unsupported')
  assert.throws(() => connectorOf(provider, { endpoints: { token: provider.endpoint('token') } }), {
    code: 'connection_unavailable',
  })
})

test('plain OAuth 2.0: fields are found by dotted paths, ids as text or whole numbers', async () => {
  const provider = await startPlain()
  const fieldsMap = {
    user_id: 'data.user.id',
    email: 'data.mails[0].value',
    name: 'data.user.name',
    picture: 'data.pic',
  }
  const connector = connectorOf(provider, { fieldsMap })
  const mails = [{ value: 'ada@x.com' }]
  const data = { user: { id: 12_345, name: ' A\u202eda ' }, mails, pic: 'javascript:alert(1)' }
  provider.tamperUserInfo = () => ({ data })
  const account = await signIn(connector)
  assert.equal(account.subject, '12345')
  assert.deepEqual(account.profile, { name: 'Ada' })
  assert.deepEqual([account.email, account.emailVerified], ['ada@x.com', false])
  assert.equal(account.upstreamName, 'Ada')
  for (const id of [undefined, null, '', {}, [], true, 1.5]) {
    provider.tamperUserInfo = () => ({ data: { user: { id } } })
    await assert.rejects(signIn(connector), refused('subject_invalid'), JSON.stringify(id))
  }
  provider.tamperUserInfo = () => ({ __proto__: { data }, id: 'x' })
  await assert.rejects(signIn(connector), refused('subject_invalid'))
})

test('T-RP-02: what is no user-info is refused', async () => {
  const provider = await startPlain()
  const connector = connectorOf(provider)
  const pages = [
    { status: 200, body: '<html>rate limit exceeded</html>' },
    { status: 200, body: ['id'] },
    { status: 200, body: '{"id":"x"}' },
    { status: 401, body: { message: 'Bad credentials' } },
    { status: 302, headers: { location: 'https://evil.example/' } },
    { status: 204 },
  ]
  for (const page of pages) {
    provider.fail('userinfo', page)
    await assert.rejects(signIn(connector), refused('userinfo_invalid'), JSON.stringify(page))
  }
  provider.fail('userinfo', { status: 429, headers: { 'retry-after': '9' } })
  await assert.rejects(
    signIn(connector),
    (error) => error instanceof UpstreamUnavailable && error.retryAfterSeconds === 9,
  )
})

test('T-RP-02: the profile is asked with the token just received, and PKCE is sent unless it is turned off', async () => {
  const provider = await startPlain({ requirePkce: true })
  const account = await signIn(connectorOf(provider))
  const [call] = provider.calls('userinfo')
  assert.equal(call?.headers.authorization, `Bearer ${account.tokenset.accessToken}`)
  provider.requirePkce = false
  await signIn(connectorOf(provider, { pkce_enabled: false }))
  const last = provider.calls('authorize').at(-1)
  assert.equal(last?.query.code_challenge, undefined)
  assert.equal(provider.calls('token').at(-1)?.body.code_verifier, undefined)
})

test('client authentication goes where the connection says', async () => {
  const provider = await startPlain()
  for (const method of ['client_secret_basic', 'client_secret_post']) {
    await signIn(connectorOf(provider, { token_endpoint_auth_method: method }))
    const call = provider.calls('token').at(-1)
    assert.equal(call?.body.client_secret === undefined, method === 'client_secret_basic')
    assert.equal(call?.headers.authorization === undefined, method === 'client_secret_post')
  }
  assert.throws(() => connectorOf(provider, { token_endpoint_auth_method: 'private_key_jwt' }), {
    code: 'connection_unavailable',
  })
})

test('T-NET-02: a token answer that breaks a rule is refused, an odd but clear one is taken', async () => {
  const provider = await startPlain()
  const connector = connectorOf(provider)
  const bad: Json[] = [
    { access_token: undefined },
    { access_token: '' },
    { access_token: 1 },
    { access_token: ['x'] },
    { access_token: 'a b' },
    { access_token: 'a\r\nx: y' },
    { refresh_token: {} },
    { token_type: 'mac' },
    { token_type: 'DPoP' },
    { token_type: 'N_A' },
    { expires_in: -1 },
    { expires_in: 1e99 },
    { expires_in: 'soon' },
    { expires_in: [3600] },
    { scope: ['a', 'b'] },
    { scope: 7 },
    { scope: 'a\u0000b' },
  ]
  for (const change of bad) {
    provider.tamperAnswer = (answer) => ({ ...answer, ...change })
    await assert.rejects(signIn(connector), refused('token_answer_invalid'), JSON.stringify(change))
  }
  const odd: [Json, (seconds: number | undefined) => boolean][] = [
    [{ expires_in: '3600' }, (seconds) => Math.abs((seconds ?? 0) - 3600) < 5],
    [{ expires_in: null }, (seconds) => seconds === undefined],
    [{ expires_in: 0 }, (seconds) => seconds === undefined],
    [{ token_type: undefined }, (seconds) => seconds !== undefined],
    [{ token_type: 'bEARER', scope: undefined }, (seconds) => seconds !== undefined],
  ]
  for (const [change, isExpected] of odd) {
    provider.tamperAnswer = (answer) => ({ ...answer, ...change })
    const { tokenset } = await signIn(connector)
    const { accessExpiresAt } = tokenset
    const seconds = accessExpiresAt === undefined ? undefined : accessExpiresAt - Date.now() / 1000
    assert.ok(isExpected(seconds), JSON.stringify(change))
    assert.equal(tokenset.tokenType, 'Bearer')
  }
})

test('T-PRE-06: an address or a login name cannot be made the subject', async () => {
  const provider = await startPlain()
  for (const user_id of [
    'email',
    'user.email',
    'data.mails[0].email',
    'login',
    'userName',
    'preferred_username',
    'upn',
  ]) {
    assert.throws(() => connectorOf(provider, { fieldsMap: { user_id } }), { code: 'connection_unavailable' }, user_id)
  }
  const github = await startGithub({ users: { Ada: {} } })
  assert.throws(() => connectorOf(github, { fieldsMap: { user_id: 'node_id' } }), { code: 'connection_unavailable' })
})

test('a GitHub App answers with an empty scope, which says nothing of what was granted', async () => {
  const provider = await startGithub({ users: { Ada: {} }, expiring: true })
  provider.tamperAnswer = (answer) => ({ ...answer, scope: '' })
  assert.equal((await signIn(connectorOf(provider))).tokenset.scopes, undefined)
  const plain = await startPlain()
  plain.tamperAnswer = (answer) => ({ ...answer, scope: '' })
  assert.deepEqual((await signIn(connectorOf(plain))).tokenset.scopes, [])
})
