import assert from 'node:assert/strict'
import test, { after } from 'node:test'
import {
  bombs,
  type FailOptions,
  type Json,
  type Provider,
  startGithubProvider,
  startOAuth2Provider,
  startOidcProvider,
} from '@tenon/sdk/testing'
import type { Connector, RefreshRequest } from '../../src/upstream/connector.ts'
import { UpstreamRefused, UpstreamUnavailable } from '../../src/upstream/errors.ts'
import { connectorOf, loopbackFetch, signIn } from './app.ts'

function untilDone(provider: Provider): Provider {
  after(() => provider.stop())
  return provider
}

async function connect(provider: Provider): Promise<{ connector: Connector; request: RefreshRequest }> {
  untilDone(provider)
  const connector = connectorOf(provider)
  const { subject, tokenset } = await signIn(connector)
  return { connector, request: { subject, refreshToken: tokenset.refreshToken ?? '' } }
}

async function unavailable(refreshing: Promise<unknown>): Promise<UpstreamUnavailable> {
  const error: unknown = await refreshing.then(
    () => new Error('it was taken'),
    (cause: unknown) => cause,
  )
  if (!(error instanceof UpstreamUnavailable)) throw error
  return error
}

test('a refresh brings new tokens; a refresh token only when the provider rotates', async () => {
  const users = { Ada: {} }
  const still = await connect(await startOidcProvider({ users }))
  const kept = await still.connector.refresh(still.request)
  assert.ok(kept.kind === 'refreshed' && kept.tokenset.refreshToken === undefined)
  const moving = await connect(await startOidcProvider({ users, rotation: 'rotating' }))
  const rotated = await moving.connector.refresh(moving.request)
  assert.ok(rotated.kind === 'refreshed' && rotated.tokenset.refreshToken !== undefined)
  assert.notEqual(rotated.tokenset.refreshToken, moving.request.refreshToken)
})

test('a dead refresh token is invalid_grant, in each provider’s own words', async () => {
  const users = { Ada: {} }
  const providers: [Provider, string][] = [
    [await startOidcProvider({ users }), 'invalid_grant'],
    [await startOAuth2Provider({ users }), 'invalid_grant'],
    [await startGithubProvider({ users, expiring: true }), 'bad_refresh_token'],
  ]
  for (const [provider, reason] of providers) {
    const { connector, request } = await connect(provider)
    provider.revokeUser('Ada')
    assert.deepEqual(await connector.refresh(request), { kind: 'invalid_grant', reason })
  }
})

test('invalid_grant counts with any 4xx status, and with WWW-Authenticate beside it', async () => {
  const { connector, request, provider } = await plain()
  for (const status of [400, 401, 403]) {
    provider.fail('refresh', { status, body: { error: 'invalid_grant' }, headers: { 'www-authenticate': 'Basic' } })
    assert.deepEqual(await connector.refresh(request), { kind: 'invalid_grant', reason: 'invalid_grant' })
  }
})

async function plain() {
  const provider = await startOAuth2Provider({ users: { Ada: {} } })
  return { provider, ...(await connect(provider)) }
}

test('T-NET-02: whatever is no clear answer leaves the refresh token alone', async () => {
  const { connector, request, provider } = await plain()
  const json = { 'content-type': 'application/json' }
  const failures: [FailOptions, string][] = [
    [{ status: 500, body: { error: 'invalid_grant' } }, 'status'],
    [{ status: 503, body: '<html>' }, 'status'],
    [{ status: 429, body: { error: 'invalid_grant' } }, 'throttled'],
    [{ status: 200, body: '<html>maintenance</html>' }, 'junk'],
    [{ status: 200, body: '{"access_token":', headers: json }, 'junk'],
    [{ status: 200, body: '[]', headers: json }, 'junk'],
    [{ status: 200, body: '', headers: json }, 'junk'],
    [{ status: 204 }, 'junk'],
    [{ status: 200, body: {} }, 'junk'],
    [{ status: 200, body: { access_token: 1, token_type: 'Bearer' } }, 'junk'],
    [{ status: 200, body: { access_token: 'x', token_type: 'mac' } }, 'junk'],
    [{ status: 200, body: { access_token: 'x', token_type: 'Bearer', expires_in: -1 } }, 'junk'],
    [{ status: 200, body: { access_token: 'x', token_type: 'Bearer', scope: ['a'] } }, 'junk'],
    [{ status: 200, body: { error: 'temporarily_unavailable' } }, 'junk'],
    [{ status: 200, body: { error: { code: 7 } } }, 'junk'],
    [{ status: 400, body: { error: 'invalid_request' } }, 'junk'],
    [{ status: 400, body: { error: ['invalid_grant'] } }, 'junk'],
    [{ status: 400, body: { message: 'invalid_grant' } }, 'junk'],
    [{ status: 400, body: 'invalid_grant' }, 'junk'],
    [{ status: 401, body: { error: 'invalid_client' } }, 'client_rejected'],
    [{ status: 302, headers: { location: 'https://evil.example' } }, 'junk'],
    [{ respond: bombs.invalidUtf8() }, 'junk'],
    [{ respond: bombs.gzipBomb(16 * 2 ** 20) }, 'junk'],
    [{ respond: bombs.endlessHeaders() }, 'junk'],
    [{ respond: bombs.redirectLoop(307) }, 'junk'],
    [{ respond: bombs.connectionReset() }, 'network'],
    [{ respond: bombs.unterminatedChunks() }, 'network'],
  ]
  for (const [failure, reason] of failures) {
    provider.fail('refresh', failure)
    const error = await unavailable(connector.refresh(request))
    assert.equal(error.reason, reason, JSON.stringify(failure))
    assert.ok(!error.message.includes(request.refreshToken))
  }
  const answer = await connector.refresh(request)
  assert.equal(answer.kind, 'refreshed')
})

test('Retry-After is handed on', async () => {
  const { connector, request, provider } = await plain()
  provider.throttle('refresh', { requests: 0, seconds: 40 })
  provider.fail('refresh', { status: 429, headers: { 'retry-after': '33' } })
  assert.equal((await unavailable(connector.refresh(request))).retryAfterSeconds, 33)
  provider.fail('refresh', { status: 503, headers: { 'retry-after': '120' } })
  assert.equal((await unavailable(connector.refresh(request))).retryAfterSeconds, 120)
})

test('a refresh ends when its time is up', async () => {
  const { connector, request, provider } = await plain()
  provider.hang('refresh')
  const started = Date.now()
  const error = await unavailable(connector.refresh({ ...request, timeoutSeconds: 0.3 }))
  assert.equal(error.reason, 'timeout')
  assert.ok(Date.now() - started < 9000)
  provider.release()
})

test('T-RP-05: an ID token about somebody else in the answer is refused, the same person’s is taken', async () => {
  const provider = await startOidcProvider({ users: { Ada: {}, Eve: {} } })
  const { connector, request } = await connect(provider)
  const changes: ((claims: Json) => Json)[] = [
    (claims) => ({ ...claims, sub: 'eve' }),
    (claims) => ({ ...claims, sub: undefined }),
    (claims) => ({ ...claims, sub: [claims.sub] }),
    (claims) => ({ ...claims, iss: 'https://evil.example' }),
    (claims) => ({ ...claims, aud: 'another-client' }),
  ]
  for (const change of changes) {
    provider.tamperIdToken = change
    const isChanged = (error: unknown) => error instanceof UpstreamRefused && error.code === 'subject_changed'
    await assert.rejects(connector.refresh(request), isChanged)
  }
  provider.tamperIdToken = undefined
  provider.tamperSignedIdToken = () => 'junk'
  assert.equal((await unavailable(connector.refresh(request))).reason, 'junk')
  provider.tamperSignedIdToken = undefined
  assert.equal((await connector.refresh(request)).kind, 'refreshed')
})

test('a rotated refresh token is not lost because the provider’s keys or user-info are away', async () => {
  const provider = await startOidcProvider({ users: { Ada: {} }, rotation: 'rotating' })
  const { connector, request } = await connect(provider)
  await provider.rotateKeys({ keepOld: false })
  provider.fail('jwks', { status: 500, times: 10 })
  provider.fail('userinfo', { status: 500, times: 10 })
  assert.equal((await connector.refresh(request)).kind, 'refreshed')
})

test('a revocation that the provider did not take is to be tried again', async () => {
  const { connector, provider } = await plain()
  const { tokenset } = await signIn(connector)
  provider.fail('revoke', { status: 503, headers: { 'retry-after': '5' } })
  assert.equal((await unavailable(connector.revoke(tokenset.accessToken, 'access_token'))).retryAfterSeconds, 5)
  provider.fail('revoke', { status: 401, body: { error: 'invalid_client' } })
  assert.equal((await unavailable(connector.revoke(tokenset.accessToken, 'access_token'))).reason, 'client_rejected')
  provider.fail('revoke', { status: 400, body: { error: 'invalid_token' } })
  assert.equal(await connector.revoke(tokenset.accessToken, 'access_token'), 'revoked')
  provider.fail('revoke', { status: 400, body: { error: 'unsupported_token_type' } })
  assert.equal(await connector.revoke(tokenset.accessToken, 'access_token'), 'unsupported')
  assert.equal(provider.isLive(tokenset.accessToken), true)
  assert.equal(await connector.revoke(tokenset.refreshToken ?? '', 'refresh_token'), 'revoked')
  assert.equal(provider.isLive(tokenset.accessToken), false)
})

test('a provider that hangs does not hold up another', async () => {
  const fetch = loopbackFetch()
  const slow = untilDone(await startOAuth2Provider({ users: { Ada: {} } }))
  const quick = untilDone(await startOAuth2Provider({ users: { Ada: {} } }))
  const stuck = connectorOf(slow, {}, { fetch })
  slow.hang('refresh')
  const request = { refreshToken: 'x', subject: 's', timeoutSeconds: 600 }
  let ended = 0
  const waiting = Array.from({ length: 100 }, async () => {
    await unavailable(stuck.refresh(request))
    ended++
  })
  await signIn(connectorOf(quick, {}, { fetch }))
  assert.equal(ended, 0, 'all of them still wait')
  await slow.stop()
  await Promise.all(waiting)
})
