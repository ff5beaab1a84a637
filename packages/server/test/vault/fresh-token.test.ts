import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { FreshToken } from '../../src/vault/fresh-token.ts'
import { DATABASES, eventually, mint, openWorld, SCOPES, store } from './support.ts'

function fresh(answer: FreshToken): FreshToken & { kind: 'fresh' } {
  assert.equal(answer.kind, 'fresh')
  assert.ok(answer.kind === 'fresh')
  return answer
}

for (const database of DATABASES) {
  describe(`vault over ${database}`, () => {
    test('a fresh token is given without a lock, a write or a call', async () => {
      const world = await openWorld(database)
      const vault = await world.node()
      const account = await world.connect('ada', 3600)
      const events = (await world.events()).length
      const answer = fresh(await vault.freshToken(account))
      assert.ok(world.provider.isLive(answer.accessToken))
      assert.deepEqual(answer.scopes, SCOPES)
      assert.equal(answer.account.id, account.id)
      assert.ok(!('envelope' in answer.account))
      assert.deepEqual(await world.account(account.id), account)
      assert.equal((await world.events()).length, events)
      assert.equal(world.refreshes(), 0)
    })

    test('T-XCH-10 exchange flood: a thousand callers of one stale account make one call at the provider', async () => {
      const world = await openWorld(database)
      const account = await world.connect('ada')
      const nodes = [await world.node(), await world.node()]
      world.provider.delay('refresh', 100)
      const calls = Array.from({ length: 1000 }, (_, i) => nodes[i % 2]?.freshToken(i % 3 ? account : account.id))
      const answers = await Promise.all(calls)
      const tokens = new Set(answers.map((answer) => answer && fresh(answer).accessToken))
      assert.equal(tokens.size, 1)
      assert.equal(world.refreshes(), 1)
      assert.equal((await world.events('vault.refreshed')).length, 1)
      const row = await world.account(account.id)
      assert.equal(row.generation, account.generation + 1)
      assert.equal(row.intentGeneration, undefined)
      for (const node of nodes) fresh(await node.freshToken(row))
      assert.equal(world.refreshes(), 1)
    })

    test('rotation is kept: the newest refresh token is used each time, none twice', async () => {
      const world = await openWorld(database, { accessTokenSeconds: 20 })
      const vault = await world.node()
      const account = await world.connect('ada')
      const seen = new Set<string>()
      for (let turn = 0; turn < 4; turn++) seen.add(fresh(await vault.freshToken(account.id)).accessToken)
      assert.equal(seen.size, 4)
      assert.equal(world.refreshes(), 4)
      assert.equal(world.provider.reuses, 0)
      assert.ok(world.provider.hasLiveRefreshToken('ada'))
    })

    test('an answer without a new refresh token keeps the old', async () => {
      const world = await openWorld(database, { accessTokenSeconds: 20, rotation: 'static' })
      const vault = await world.node()
      const account = await world.connect('ada')
      for (let turn = 0; turn < 3; turn++) fresh(await vault.freshToken(account.id))
      assert.equal(world.refreshes(), 3)
    })

    test('junk, a lost answer and silence keep everything; the token that still lives is served', async () => {
      const world = await openWorld(database, { graceSeconds: 60 })
      world.refreshTimeoutSeconds = 1
      const vault = await world.node()
      const account = await world.connect('ada')
      const bodies = ['<html>hello</html>', { access_token: 7 }]
      for (const body of bodies) {
        world.provider.fail('refresh', { status: 200, body, headers: { 'content-type': 'application/json' } })
        fresh(await vault.freshToken(account.id))
      }
      world.skew += 60
      world.provider.loseAnswer('refresh')
      assert.equal((await vault.freshToken(account.id)).kind, 'provider_unavailable')
      assert.equal((await world.account(account.id)).generation, account.generation)
      assert.equal((await world.account(account.id)).intentGeneration, account.generation)
      world.skew += 60
      world.provider.reset()
      const answer = fresh(await vault.freshToken(account.id))
      assert.ok(world.provider.isLive(answer.accessToken))
      assert.equal(world.provider.reuses, 0)
      assert.equal((await world.account(account.id)).intentGeneration, undefined)
    })

    test('revoked at the provider: marked once, with one event; the dead token is not tried again; connecting heals', async () => {
      const world = await openWorld(database)
      const vault = await world.node()
      const account = await world.connect('ada')
      world.provider.revokeUser('ada')
      const answers = await Promise.all(Array.from({ length: 20 }, () => vault.freshToken(account.id)))
      for (const answer of answers)
        assert.deepEqual(answer, { kind: 'reconnect_required', reason: 'refresh_token_refused' })
      for (let turn = 0; turn < 5; turn++) await vault.freshToken(await world.account(account.id))
      assert.equal(world.refreshes(), 1)
      assert.equal((await world.events('vault.reconnect_required')).length, 1)
      const row = await world.account(account.id)
      assert.deepEqual([row.health, row.healthReason], ['reconnect_required', 'refresh_token_refused'])
      assert.equal(vault.healthOf(row), 'reconnect_required')

      const tokenset = mint(world, 'ada')
      const again = await store(world.storage, vault, { userId: account.userId, subject: 'ada', tokenset })
      assert.deepEqual([again.kind, again.account.id, again.account.health], ['renewed', account.id, 'ok'])
      assert.equal(fresh(await vault.freshToken(account.id)).accessToken, tokenset.accessToken)
      assert.equal((await world.events('vault.healed')).length, 1)
    })

    test('invalid_grant does not count when another node refreshed meanwhile', async () => {
      const world = await openWorld(database)
      const vault = await world.node()
      const account = await world.connect('ada')
      world.provider.hang('refresh', { when: 'before' })
      const waiting = vault.freshToken(account.id)
      await world.provider.untilHanging('refresh')
      // The answer to this call will be a refusal; somebody else has connected the account again before it comes.
      world.provider.revokeUser('ada')
      const tokenset = mint(world, 'ada')
      await store(world.storage, vault, { userId: account.userId, subject: 'ada', tokenset })
      world.provider.release()
      assert.equal(fresh(await waiting).accessToken, tokenset.accessToken)
      assert.equal((await world.account(account.id)).health, 'ok')
      assert.equal((await world.events('vault.reconnect_required')).length, 0)
    })

    test('T-LIFE-03 resurrection by race: a refresh that hangs while the account is deleted writes nothing back', async () => {
      const world = await openWorld(database)
      const vault = await world.node()
      const account = await world.connect('ada')
      world.provider.hang('refresh', { when: 'after' })
      const waiting = vault.freshToken(account.id)
      await world.provider.untilHanging('refresh')
      await world.storage.transaction((tx) => vault.drop(tx, account, world.clock()))
      world.provider.release()
      assert.deepEqual(await waiting, { kind: 'gone' })
      assert.equal(await world.storage.accounts.find(account.id), undefined)
      assert.deepEqual(await vault.freshToken(account.id), { kind: 'gone' })
      vault.start()
      await eventually(async () => !world.provider.hasLiveRefreshToken('ada'), 'the orphan is revoked upstream')
    })

    test('T-LIFE-03 resurrection by race: nor when the whole user is deleted', async () => {
      const world = await openWorld(database)
      const vault = await world.node()
      const account = await world.connect('ada')
      world.provider.hang('refresh', { when: 'after' })
      const waiting = vault.freshToken(account.id)
      await world.provider.untilHanging('refresh')
      await world.storage.transaction(async (tx) => {
        await vault.drop(tx, account, world.clock())
        await tx.users.delete(account.userId)
      })
      vault.forgetUser(account.userId)
      world.provider.release()
      assert.deepEqual(await waiting, { kind: 'gone' })
      assert.equal(await world.storage.userKeys.find(account.userId), undefined)
      assert.equal(await world.storage.accounts.find(account.id), undefined)
    })

    test('a refresh that is interrupted hands nothing out, and the rotated refresh token is not lost', async () => {
      const world = await openWorld(database)
      const vault = await world.node()
      const account = await world.connect('ada')
      world.provider.hang('refresh', { when: 'after' })
      const waiting = vault.freshToken(account.id)
      await world.provider.untilHanging('refresh')
      await world.storage.transaction((tx) => vault.interrupt(tx, account))
      world.provider.release()
      assert.deepEqual(await waiting, { kind: 'gone' })
      world.skew += 3600
      fresh(await vault.freshToken(account.id))
      assert.equal(world.provider.reuses, 0)
    })

    test('an account moved to another user opens there alone, also when a refresh was under way', async () => {
      const world = await openWorld(database)
      const vault = await world.node()
      const account = await world.connect('ada')
      await world.addUser('work|primary')
      world.provider.hang('refresh', { when: 'after' })
      const waiting = vault.freshToken(account.id)
      await world.provider.untilHanging('refresh')
      await world.storage.transaction(async (tx) => {
        const envelope = await vault.reseal(tx, account, 'work|primary')
        assert.ok(await tx.accounts.move(account.id, 'work|primary', envelope, account.generation))
      })
      world.provider.release()
      assert.deepEqual(await waiting, { kind: 'gone' })
      const moved = await world.account(account.id)
      assert.equal(moved.userId, 'work|primary')
      assert.ok(world.provider.isLive(fresh(await vault.freshToken(moved)).accessToken))
      assert.equal(world.provider.reuses, 0)
      assert.equal((await vault.freshToken({ ...moved, userId: account.userId, id: 'cac_x' })).kind, 'gone')
    })

    test('429 and 5xx touch nothing, honour Retry-After, and open a circuit for the connection', async () => {
      const world = await openWorld(database)
      const vault = await world.node()
      const [ada, bob] = [await world.connect('ada', 1), await world.connect('bob', 3600)]
      world.skew += 2
      const before = await world.account(ada.id)
      world.provider.fail('refresh', { status: 429, headers: { 'retry-after': '17' } })
      const answer = await vault.freshToken(ada.id)
      assert.deepEqual(answer, { kind: 'provider_unavailable', retryAfterSeconds: 17 })
      assert.deepEqual(await world.account(ada.id), before)
      const blocked = await vault.freshToken(ada.id)
      assert.ok(blocked.kind === 'provider_unavailable' && blocked.retryAfterSeconds > 10)
      assert.equal(world.refreshes(), 1)
      assert.equal(vault.healthOf(ada), 'provider_unavailable')
      fresh(await vault.freshToken(bob))
      world.skew += 20
      fresh(await vault.freshToken(ada.id))

      world.skew += 4000
      world.provider.fail('refresh', { status: 503, times: 1000 })
      for (let turn = 0; turn < 50; turn++) assert.equal((await vault.freshToken(ada.id)).kind, 'provider_unavailable')
      assert.ok(world.refreshes() < 10, `${world.refreshes()} calls`)
      assert.equal((await world.account(ada.id)).health, 'ok')
      world.provider.reset()
      world.skew += 60
      fresh(await vault.freshToken(ada.id))
    })

    test('a token refreshed just now is served although it lives shorter than what was asked for', async () => {
      const world = await openWorld(database, { accessTokenSeconds: 5 })
      const vault = await world.node()
      const account = await world.connect('ada')
      const answers = await Promise.all([60, 600, 6000].map((ttl) => vault.freshToken(account.id, ttl)))
      assert.equal(new Set(answers.map((answer) => fresh(answer).accessToken)).size, 1)
      assert.equal(world.refreshes(), 1)
    })

    test('without a refresh token: served to its end, then reconnect_required', async () => {
      const world = await openWorld(database)
      const vault = await world.node()
      const account = await world.connect('ada', 30, { refreshToken: false })
      fresh(await vault.freshToken(account, 60))
      world.skew += 31
      const dead = { kind: 'reconnect_required', reason: 'access_token_ended' }
      assert.deepEqual(await vault.freshToken(account, 60), dead)
      assert.deepEqual(await vault.freshToken(account, 60), dead)
      assert.equal((await world.events('vault.reconnect_required')).length, 1)
      assert.equal(world.refreshes(), 0)
    })
  })
}
