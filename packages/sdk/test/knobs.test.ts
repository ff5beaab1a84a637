import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bombs, startOAuth2Provider } from '../src/testing/index.ts'
import { authorize, refresh, refreshed, signIn, untilDone } from './app.ts'

test('knobs: an endpoint fails as often as it is told, without any effect', async () => {
  const provider = untilDone(await startOAuth2Provider({ rotation: 'rotating', users: { ada: {} } }))
  const { refresh_token } = await signIn(provider, { scope: 'profile' })
  provider.fail('refresh', { status: 503, body: '<html>down</html>', times: 2, headers: { 'retry-after': '7' } })
  const down = await refresh(provider, refresh_token)
  assert.deepEqual([down.status, down.headers.get('retry-after'), await down.text()], [503, '7', '<html>down</html>'])
  assert.equal((await refresh(provider, refresh_token)).status, 503)
  assert.ok((await refreshed(provider, refresh_token)).refresh_token)
  assert.deepEqual(
    provider.calls('refresh').map(({ status }) => status),
    [503, 503, 200],
  )
})

test('knobs: a failure of refresh leaves code requests alone, and one of token meets both', async () => {
  const provider = untilDone(await startOAuth2Provider({ users: { ada: {} } }))
  provider.fail('refresh')
  const { refresh_token } = await signIn(provider, { scope: 'profile' })
  assert.equal((await refresh(provider, refresh_token)).status, 500)
  provider.fail('token', { status: 200, body: { error: 'odd' } })
  assert.deepEqual(await (await refresh(provider, refresh_token)).json(), { error: 'odd' })
  assert.equal(provider.calls('token', { grant: 'authorization_code' }).length, 1)
  assert.equal(provider.calls('token', { grant: 'refresh_token' }).length, 2)
})

test('knobs: what hangs before its effect rotates only after release', async () => {
  const provider = untilDone(await startOAuth2Provider({ rotation: 'rotating', users: { ada: {} } }))
  const { refresh_token } = await signIn(provider, { scope: 'profile' })
  provider.hang('refresh')
  const arrived = provider.nextCall('refresh')
  const answer = refresh(provider, refresh_token)
  assert.equal((await arrived).body.refresh_token, refresh_token)
  await provider.untilHanging('refresh')
  const before = provider.secrets.length
  provider.release('refresh')
  assert.equal((await answer).status, 200)
  assert.equal(provider.secrets.length, before + 2)
})

test('knobs: what hangs after its effect has rotated already', async () => {
  const provider = untilDone(await startOAuth2Provider({ rotation: 'rotating', graceSeconds: 10, users: { ada: {} } }))
  const { refresh_token } = await signIn(provider, { scope: 'profile' })
  provider.hang('refresh', { when: 'after' })
  const gone = new AbortController()
  const credentials = { client_id: provider.clientId, client_secret: provider.clientSecret }
  const body = new URLSearchParams({ ...credentials, grant_type: 'refresh_token', refresh_token: refresh_token ?? '' })
  const lost = fetch(provider.endpoint('token'), { method: 'POST', body, signal: gone.signal }).catch(() => 'gone')
  await provider.untilHanging('refresh')
  gone.abort()
  assert.equal(await lost, 'gone')
  provider.release()

  const known = new Set(provider.secrets)
  const retry = await refreshed(provider, refresh_token)
  assert.ok(retry.refresh_token && known.has(retry.refresh_token))
  assert.equal(provider.reuses, 0)
})

test('knobs: a lost answer breaks the connection after the token was rotated', async () => {
  const provider = untilDone(await startOAuth2Provider({ rotation: 'rotating', users: { ada: {} } }))
  const { refresh_token } = await signIn(provider, { scope: 'profile' })
  provider.loseAnswer('refresh')
  await assert.rejects(refresh(provider, refresh_token))
  assert.equal((await refresh(provider, refresh_token)).status, 400)
  assert.equal(provider.reuses, 1)
})

test('knobs: beyond its limit an endpoint answers 429 with Retry-After', async () => {
  let now = Date.now()
  const provider = untilDone(await startOAuth2Provider({ nowMs: () => now, users: { ada: {} } }))
  const { refresh_token } = await signIn(provider, { scope: 'profile' })
  provider.throttle('refresh', { requests: 2, seconds: 30 })
  const statuses = [await refresh(provider, refresh_token), await refresh(provider, refresh_token)].map(
    ({ status }) => status,
  )
  now += 10_000
  const third = await refresh(provider, refresh_token)
  assert.deepEqual([...statuses, third.status], [200, 200, 429])
  assert.equal(third.headers.get('retry-after'), '20')
  now += 20_001
  assert.equal((await refresh(provider, refresh_token)).status, 200)
})

test('knobs: a delay holds answers back until it is taken away', async () => {
  const provider = untilDone(await startOAuth2Provider({ users: { ada: {} } }))
  provider.delay('authorize', 60)
  const started = performance.now()
  await authorize(provider, { scope: 'profile' })
  assert.ok(performance.now() - started >= 55)
  provider.delay('authorize', 0)
  await authorize(provider, { scope: 'profile' })
})

test('knobs: the user says no once, and fewer scopes are granted than asked', async () => {
  const provider = untilDone(await startOAuth2Provider({ users: { ada: {} } }))
  provider.denyNext()
  const denied = await authorize(provider, { scope: 'profile' })
  assert.deepEqual([denied.error, denied.state, denied.code], ['access_denied', 'a-state', undefined])
  provider.grantOnly = ['profile']
  assert.equal((await signIn(provider, { scope: 'profile files.read' })).scope, 'profile')
  provider.reset()
  assert.equal((await signIn(provider, { scope: 'profile files.read' })).scope, 'profile files.read')
})

test('knobs: nobody signed in at the provider means access_denied', async () => {
  const provider = untilDone(await startOAuth2Provider())
  assert.equal((await authorize(provider, { scope: 'profile' })).error, 'access_denied')
})

test('knobs: stop ends what hangs and frees the port', async () => {
  const provider = await startOAuth2Provider({ users: { ada: {} } })
  provider.hang('userinfo')
  const arrived = provider.nextCall('userinfo')
  const hanging = fetch(provider.endpoint('userinfo')).catch(() => 'cut')
  await arrived
  await provider.stop()
  await provider.stop()
  await hanging
  await assert.rejects(fetch(provider.apiUrl))
  const again = untilDone(await startOAuth2Provider({ port: Number(new URL(provider.url).port) }))
  assert.equal(again.url, provider.url)
})

test('bombs: each hurts its reader and lets go when the reader leaves', async () => {
  const provider = untilDone(await startOAuth2Provider())
  const read = async (limitBytes: number, patienceMs: number) => {
    const response = await fetch(provider.endpoint('userinfo'), { signal: AbortSignal.timeout(patienceMs) })
    let size = 0
    for await (const chunk of response.body ?? []) {
      size += chunk.length
      if (size > limitBytes) return 'over the limit'
    }
    return 'whole'
  }
  const expectations = [
    [bombs.flood(), 'over the limit'],
    [bombs.gzipBomb(), 'over the limit'],
    [bombs.trickle(20), 'broken'],
    [bombs.endlessHeaders(), 'broken'],
    [bombs.unterminatedChunks(), 'broken'],
    [bombs.redirectLoop(), 'broken'],
    [bombs.connectionReset(), 'broken'],
    [bombs.invalidUtf8(), 'whole'],
  ] as const
  for (const [respond, outcome] of expectations) {
    provider.fail('userinfo', { respond, times: 30 })
    // Only what never ends needs the reader to lose patience; a busy machine sends the rest in its own time.
    const patienceMs = outcome === 'broken' ? 300 : 20_000
    assert.equal(await read(1_000_000, patienceMs).catch(() => 'broken'), outcome)
    provider.reset()
  }
})
