import assert from 'node:assert/strict'
import test, { after } from 'node:test'
import { type Provider, startGithubProvider, startOidcProvider } from '@tenon/sdk/testing'
import type { Connection } from '../../src/domain/connection.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import type { AuthorizationRequest } from '../../src/upstream/connector.ts'
import { createConnectors } from '../../src/upstream/connectors.ts'
import { ConnectionUnavailable, UpstreamRefused } from '../../src/upstream/errors.ts'
import { CALLBACK, connectionOf, connectorOf, loopbackFetch, signIn, startLeg } from './app.ts'

async function start(): Promise<Provider> {
  const provider = await startOidcProvider({ users: { Ada: {} } })
  after(() => provider.stop())
  return provider
}

const refused = (code: string) => (error: unknown) => error instanceof UpstreamRefused && error.code === code
const request: AuthorizationRequest = {
  redirectUri: CALLBACK,
  state: 'the-state',
  nonce: 'the-nonce',
  codeChallenge: 'the-challenge',
  scopes: ['openid', 'email'],
}

test('an authorization request carries state, nonce and an S256 challenge', async () => {
  const provider = await start()
  const url = await connectorOf(provider).authorizationUrl(request)
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    response_type: 'code',
    client_id: provider.clientId,
    redirect_uri: CALLBACK,
    scope: 'openid email',
    state: 'the-state',
    nonce: 'the-nonce',
    code_challenge: 'the-challenge',
    code_challenge_method: 'S256',
  })
})

test('what carries the protocol cannot be replaced by options or by the client’s request', async () => {
  const provider = await start()
  const names =
    'client_id redirect_uri response_type response_mode state nonce scope request request_uri code_challenge'
  const evil = Object.fromEntries(names.split(' ').map((name) => [name, 'evil']))
  const upstream_params = Object.fromEntries(Object.keys(evil).map((name) => [name, { value: 'evil' }]))
  const connector = connectorOf(provider, { upstream_params })
  const url = await connector.authorizationUrl({ ...request, extra: evil, clientRequest: evil })
  assert.ok(!url.href.includes('evil'))
})

test('upstream_params are fixed values, or copies of the client’s own parameters', async () => {
  const provider = await start()
  const upstream_params = {
    access_type: { value: 'offline' },
    login_hint: { alias: 'login_hint' },
    tone: { alias: 'ext-tone' },
    missing: { alias: 'nothing' },
    odd: 7,
  }
  const clientRequest = { login_hint: 'ada', 'ext-tone': 'x'.repeat(2000), prompt: 'none' }
  const url = await connectorOf(provider, { upstream_params }).authorizationUrl({ ...request, clientRequest })
  const { access_type, login_hint, tone, missing, odd, prompt } = Object.fromEntries(url.searchParams)
  assert.deepEqual(
    { access_type, login_hint, tone, missing, odd, prompt },
    {
      access_type: 'offline',
      login_hint: 'ada',
      tone: undefined,
      missing: undefined,
      odd: undefined,
      prompt: undefined,
    },
  )
})

function google(options: JsonObject = {}): Connection {
  return {
    id: 'con_google',
    name: 'google-oauth2',
    strategy: 'google-oauth2',
    displayName: undefined,
    options: { client_id: 'c', client_secret: 's', scope: ['email', 'profile'], ...options },
    authenticationActive: true,
    connectedAccountsActive: true,
  }
}

test('Google is asked for a refresh token by access_type and prompt, and the journey’s own prompt is added', async () => {
  const connector = createConnectors({ fetch: loopbackFetch(), clock: () => 0 }).for(google())
  const scopes = connector.scopes.ask([])
  assert.deepEqual(scopes, ['openid', 'email', 'profile'])
  const url = await connector.authorizationUrl({ ...request, scopes, wantsRefreshToken: true })
  assert.equal(url.origin + url.pathname, 'https://accounts.google.com/o/oauth2/v2/auth')
  assert.equal(url.searchParams.get('access_type'), 'offline')
  assert.equal(url.searchParams.get('prompt'), 'consent')
  const again = await connector.authorizationUrl({
    ...request,
    wantsRefreshToken: true,
    extra: { prompt: 'select_account' },
  })
  assert.equal(again.searchParams.get('prompt'), 'consent select_account')
  const plain = await connector.authorizationUrl(request)
  assert.equal(plain.searchParams.get('access_type'), null)
  assert.equal(connector.traits.revocationEnds, 'grant')
  assert.deepEqual(connector.scopes.missing(['email'], ['https://www.googleapis.com/auth/userinfo.email']), [])
})

test('T-PRE-06: what stands in Google’s place does not speak for gmail.com', async () => {
  const provider = await start()
  provider.updateUser('Ada', { email: 'ada@gmail.com' })
  const { client_id, client_secret, issuer } = connectionOf(provider).options
  const connection = google({
    client_id: client_id ?? '',
    client_secret: client_secret ?? '',
    endpoints: { issuer: issuer ?? '' },
  })
  const connector = createConnectors({ fetch: loopbackFetch(), clock: () => Math.floor(Date.now() / 1000) }).for(
    connection,
  )
  const account = await signIn(connector)
  assert.equal(account.email, 'ada@gmail.com')
  assert.deepEqual(account.authoritativeDomains, [])
})

test('T-CONN-05: an answer without iss, or with another one, is refused before the code is redeemed', async () => {
  const provider = await start()
  const connector = connectorOf(provider)
  for (const iss of [undefined, 'https://evil.example', `${provider.issuer}/`, '']) {
    provider.tamperRedirect = ({ iss: _, ...rest }) => (iss === undefined ? rest : { ...rest, iss })
    const { answer, expected } = await startLeg(connector)
    await assert.rejects(connector.checkAnswer(answer), refused('issuer_mismatch'), String(iss))
    await assert.rejects(connector.redeem(answer, expected), refused('issuer_mismatch'), String(iss))
  }
  assert.equal(provider.calls('token').length, 0)
})

test('T-RP-04: hostile answers are refused, and nothing of their text is kept', async () => {
  const provider = await start()
  const connector = connectorOf(provider)
  const iss = provider.issuer
  const answers: [Record<string, string> | string, string][] = [
    [{ iss, error: 'access_denied' }, 'access_denied'],
    [{ iss, error: 'login_required' }, 'provider_error'],
    [{ iss, error: '<script>' }, 'provider_error'],
    [{ iss, error: 'e'.repeat(1_000_000) }, 'provider_error'],
    [{ iss, error: 'a\r\nset-cookie: b' }, 'provider_error'],
    [{ iss, error: 'server_error', code: 'a-code' }, 'provider_error'],
    [{ iss, error: '', code: 'a-code' }, 'provider_error'],
    [{ iss }, 'authorization_answer_invalid'],
    [{ iss, code: '' }, 'authorization_answer_invalid'],
    [{ iss, code: 'c'.repeat(5000) }, 'authorization_answer_invalid'],
    [{ iss, code: 'a\0b' }, 'authorization_answer_invalid'],
    [{ iss, code: 'a', id_token: 'x' }, 'authorization_answer_invalid'],
    [{ iss, code: 'a', access_token: 'x' }, 'authorization_answer_invalid'],
    [{ iss, response: 'a.b.c' }, 'authorization_answer_invalid'],
    [`iss=${encodeURIComponent(iss)}&code=a&code=b`, 'authorization_answer_invalid'],
    [`iss=${encodeURIComponent(iss)}&iss=x&code=a`, 'authorization_answer_invalid'],
  ]
  for (const [fields, code] of answers) {
    const answer = new URLSearchParams(fields)
    answer.set('error_description', '<b>secret text</b>')
    const error: unknown = await connector.checkAnswer(answer).catch((cause: unknown) => cause)
    assert.ok(error instanceof UpstreamRefused && error.code === code, `${JSON.stringify(fields)} ${String(error)}`)
    assert.ok(!error.message.includes('secret text') && error.message.length < 200)
    assert.doesNotMatch(error.message, /[\r\n<]/)
  }
  assert.equal(provider.calls('token').length, 0)
})

test('an answer with another state is not redeemed', async () => {
  const provider = await start()
  const connector = connectorOf(provider)
  const { answer, expected } = await startLeg(connector)
  await assert.rejects(
    connector.redeem(answer, { ...expected, state: 'another' }),
    refused('authorization_answer_invalid'),
  )
  assert.equal(provider.calls('token').length, 0)
})

test('a person’s no is access_denied', async () => {
  const provider = await start()
  const connector = connectorOf(provider)
  provider.denyNext()
  const { answer } = await startLeg(connector)
  await assert.rejects(connector.checkAnswer(answer), refused('access_denied'))
})

test('OAuth 2.0 with a configured issuer refuses another iss, and without one takes none', async () => {
  const provider = await startGithubProvider({ users: { Ada: {} } })
  after(() => provider.stop())
  const pinned = connectorOf(provider, { issuer: 'https://git.example' })
  await pinned.checkAnswer(new URLSearchParams({ code: 'a' }))
  await assert.rejects(
    pinned.checkAnswer(new URLSearchParams({ code: 'a', iss: 'https://x' })),
    refused('issuer_mismatch'),
  )
})

test('a strategy that is not built and options that miss something are connection_unavailable', async () => {
  const provider = await start()
  const connectors = createConnectors({ fetch: loopbackFetch(), clock: () => 0 })
  const connection = connectionOf(provider)
  const broken = [
    { ...connection, strategy: 'samlp' },
    { ...connection, strategy: 'auth0' },
    { ...connection, strategy: 'toString' },
    { ...connection, options: {} },
    { ...connection, options: { client_id: 'c' } },
    { ...connection, strategy: 'oauth2', options: { client_id: 'c', tokenURL: 'https://x.example/' } },
  ]
  for (const one of broken) assert.throws(() => connectors.for(one), ConnectionUnavailable)
})

test('a connector is kept while its connection’s options stay the same', async () => {
  const provider = await start()
  const connectors = createConnectors({ fetch: loopbackFetch(), clock: () => 0 })
  const connection = connectionOf(provider)
  const connector = connectors.for(connection)
  assert.equal(connectors.for({ ...connection, options: { ...connection.options } }), connector)
  assert.notEqual(
    connectors.for({ ...connection, options: { ...connection.options, client_secret: 'new' } }),
    connector,
  )
})
