import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOidcProvider } from '../src/testing/index.ts'
import { getWith, jsonOf, refresh, refreshed, refusal, signIn, untilDone } from './app.ts'

const SCOPE = 'openid offline_access'

test('refresh: a static refresh token stays as it is', async () => {
  const provider = untilDone(await startOidcProvider({ users: { ada: {} } }))
  const { refresh_token } = await signIn(provider, { scope: SCOPE })
  assert.equal((await refreshed(provider, refresh_token)).refresh_token, undefined)
  assert.ok((await refreshed(provider, refresh_token)).access_token)
  assert.equal(provider.reuses, 0)
})

test('refresh: without grace the second use of a rotated token ends the family', async () => {
  const provider = untilDone(await startOidcProvider({ rotation: 'rotating', users: { ada: {} } }))
  const { refresh_token } = await signIn(provider, { scope: SCOPE })
  const next = await refreshed(provider, refresh_token)

  assert.deepEqual(await refusal(await refresh(provider, refresh_token)), [400, 'invalid_grant'])
  assert.equal(provider.reuses, 1)
  assert.equal(provider.isLive(next.access_token), false)
  assert.equal(provider.hasLiveRefreshToken('ada'), false)
  assert.deepEqual(await refusal(await refresh(provider, next.refresh_token)), [400, 'invalid_grant'])
})

test('refresh: of parallel uses of one rotating token without grace exactly one succeeds', async () => {
  const provider = untilDone(await startOidcProvider({ rotation: 'rotating', users: { ada: {} } }))
  const { refresh_token } = await signIn(provider, { scope: SCOPE })
  const answers = await Promise.all(Array.from({ length: 5 }, () => refresh(provider, refresh_token)))
  assert.equal(answers.filter(({ status }) => status === 200).length, 1)
})

test('refresh: within the grace the previous token gets the same successor, afterwards it ends the family', async () => {
  let now = Date.now()
  const options = { rotation: 'rotating', graceSeconds: 10, nowMs: () => now, users: { ada: {} } } as const
  const provider = untilDone(await startOidcProvider(options))
  const { refresh_token } = await signIn(provider, { scope: SCOPE })
  const first = await refreshed(provider, refresh_token)
  now += 9_900
  const retry = await refreshed(provider, refresh_token)
  assert.equal(retry.refresh_token, first.refresh_token)
  assert.notEqual(retry.access_token, first.access_token)
  assert.equal(provider.reuses, 0)

  now += 100
  assert.equal((await refresh(provider, refresh_token)).status, 400)
  assert.equal(provider.reuses, 1)
  assert.equal(provider.hasLiveRefreshToken('ada'), false)
})

test('refresh: an older ancestor ends the family inside the grace too', async () => {
  const provider = untilDone(await startOidcProvider({ rotation: 'rotating', graceSeconds: 10, users: { ada: {} } }))
  const { refresh_token } = await signIn(provider, { scope: SCOPE })
  const { refresh_token: second } = await refreshed(provider, refresh_token)
  await refreshed(provider, second)
  assert.equal((await refresh(provider, refresh_token)).status, 400)
  assert.equal(provider.hasLiveRefreshToken('ada'), false)
})

test('refresh: access and refresh tokens end when their lives are over', async () => {
  let now = Date.now()
  const lives = { accessTokenSeconds: 2, refreshTokenSeconds: 5 }
  const provider = untilDone(await startOidcProvider({ ...lives, nowMs: () => now, users: { ada: {} } }))
  const tokens = await signIn(provider, { scope: SCOPE })
  assert.equal(tokens.expires_in, 2)
  now += 1_999
  assert.equal(provider.isLive(tokens.access_token), true)
  now += 1
  assert.equal(provider.isLive(tokens.access_token), false)
  assert.equal((await getWith(tokens.access_token, provider.apiUrl)).status, 401)
  now += 3_000
  assert.equal(provider.hasLiveRefreshToken('ada'), false)
  assert.deepEqual(await refusal(await refresh(provider, tokens.refresh_token)), [400, 'invalid_grant'])
})

test('refresh: scopes may be narrowed and never widened', async () => {
  const provider = untilDone(await startOidcProvider({ users: { ada: {} } }))
  const { refresh_token } = await signIn(provider, { scope: `${SCOPE} calendar.read` })
  const narrowed = await jsonOf(await refresh(provider, refresh_token, { scope: 'calendar.read' }))
  assert.equal(narrowed.scope, 'calendar.read')
  const widened = await refresh(provider, refresh_token, { scope: 'calendar.write' })
  assert.deepEqual(await refusal(widened), [400, 'invalid_scope'])
})

test('refresh: revokeUser ends everything of a user, expireAccessTokens leaves refresh tokens', async () => {
  const provider = untilDone(await startOidcProvider({ users: { ada: {}, grace: {} } }))
  const ada = await signIn(provider, { scope: SCOPE })
  provider.switchUser('grace')
  const grace = await signIn(provider, { scope: SCOPE })

  provider.expireAccessTokens('ada')
  assert.deepEqual([provider.isLive(ada.access_token), provider.isLive(grace.access_token)], [false, true])
  assert.equal(provider.hasLiveRefreshToken('ada'), true)
  provider.revokeUser('ada')
  assert.equal(provider.hasLiveRefreshToken('ada'), false)
  assert.equal(provider.hasLiveRefreshToken('grace'), true)
})

test('refresh: the secrets hold every code and token that was given out', async () => {
  const provider = untilDone(await startOidcProvider({ rotation: 'rotating', users: { ada: {} } }))
  const first = await signIn(provider, { scope: SCOPE })
  const second = await refreshed(provider, first.refresh_token)
  for (const { access_token, refresh_token, id_token } of [first, second]) {
    for (const secret of [access_token, refresh_token, id_token]) assert.ok(secret && provider.secrets.includes(secret))
  }
  assert.equal(provider.issued.filter(({ kind }) => kind === 'code').length, 1)
})
