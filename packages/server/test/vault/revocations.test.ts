import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CONNECTION, DATABASES, eventually, mint, openWorld, store } from './support.ts'

for (const database of DATABASES) {
  describe(`revocation over ${database}`, () => {
    test('T-LIFE-06 orphan provider grant: the account is gone at once, its tokens end once the provider is back', async () => {
      const world = await openWorld(database)
      const vault = await world.node()
      const account = await world.connect('ada', 3600)
      world.provider.fail('revoke', { status: 503, times: 2 })
      await world.storage.transaction((tx) => vault.drop(tx, account, world.clock()))
      assert.equal(await world.storage.accounts.find(account.id), undefined)
      assert.equal((await world.events('vault.revoked')).length, 1)
      vault.start()
      const other = await world.node()
      other.start()
      await eventually(async () => world.provider.calls('revoke').length >= 2, 'two failing calls')
      assert.ok(world.provider.hasLiveRefreshToken('ada'))
      world.skew += 30
      await eventually(async () => (await world.events('vault.token_revoked')).length === 2, 'both tokens revoked')
      assert.ok(!world.provider.hasLiveRefreshToken('ada'))
      assert.equal(await world.storage.revocations.countOfAccount(account.id), 0)
      assert.equal(world.provider.calls('revoke').length, 4)
    })

    test('connecting again revokes what it replaces, and not what it brings', async () => {
      const world = await openWorld(database)
      const vault = await world.node()
      const account = await world.connect('ada', 3600)
      const next = mint(world, 'ada')
      await store(world.storage, vault, { userId: account.userId, subject: 'ada', tokenset: next })
      // The same tokens once more: nothing to revoke.
      await store(world.storage, vault, { userId: account.userId, subject: 'ada', tokenset: next })
      vault.start()
      await eventually(async () => (await world.events('vault.token_revoked')).length === 2, 'the old tokens revoked')
      assert.ok(world.provider.isLive(next.accessToken))
      assert.equal(world.provider.calls('revoke').length, 2)
    })

    test('where a revocation ends the whole grant, it waits for the last tokenset of that account', async () => {
      const world = await openWorld(database)
      world.traits = { revocationEnds: 'grant' }
      const vault = await world.node()
      const account = await world.connect('ada', 3600)
      await store(world.storage, vault, { userId: account.userId, subject: 'ada', tokenset: mint(world, 'ada') })
      vault.start()
      const results = async () => (await world.events('vault.token_revoked')).map(({ data }) => data?.result)
      await eventually(async () => (await results()).length === 2, 'the old tokens dropped')
      assert.deepEqual(await results(), ['grant_kept', 'grant_kept'])
      assert.equal(world.provider.calls('revoke').length, 0)
      await world.storage.transaction((tx) => vault.drop(tx, account, world.clock()))
      await eventually(async () => (await results()).length === 4, 'the last ones revoked')
      assert.deepEqual((await results()).slice(2), ['revoked', 'revoked'])
    })

    test('a renewal without a refresh token keeps the one that lives', async () => {
      const world = await openWorld(database)
      const vault = await world.node()
      const account = await world.connect('ada', 3600)
      const { kind } = await store(world.storage, vault, {
        userId: account.userId,
        subject: 'ada',
        tokenset: { ...mint(world, 'ada'), refreshToken: undefined },
      })
      assert.equal(kind, 'renewed')
      world.skew += 4000
      assert.equal((await vault.freshToken(account.id)).kind, 'fresh')
    })

    test('what was never kept is revoked as well; a pending connect opens for its own request alone', async () => {
      const world = await openWorld(database)
      const vault = await world.node()
      world.provider.addUser('ada')
      const tokenset = mint(world, 'ada')
      const pending = vault.sealPending('hash1', { tokenset, details: { subject: 'ada' } })
      assert.deepEqual(vault.openPending('hash1', pending), { tokenset, details: { subject: 'ada' } })
      assert.throws(() => vault.openPending('hash2', pending))
      const owner = { id: 'cac_never', userId: 'work|ada', connectionId: CONNECTION, subject: 'ada' }
      await world.storage.transaction((tx) => vault.discard(tx, owner, tokenset))
      vault.start()
      await eventually(async () => !world.provider.hasLiveRefreshToken('ada'), 'the revocation')
    })
  })
}

test('tokens of accounts in use are renewed before their end, others are not', async () => {
  const world = await openWorld('sqlite', { accessTokenSeconds: 3600 })
  const vault = await world.node()
  const [used, idle] = [await world.connect('used', 200), await world.connect('idle', 200)]
  await world.storage.transaction((tx) => tx.accounts.setUse(used.id, world.clock()))
  vault.start()
  await eventually(async () => (await world.account(used.id)).generation > used.generation, 'the early refresh')
  assert.equal((await world.account(idle.id)).generation, idle.generation)
  assert.equal(world.refreshes(), 1)
})

test('a lost answer is asked for again without anybody waiting for the token', async () => {
  const world = await openWorld('sqlite', { graceSeconds: 10, accessTokenSeconds: 3600 })
  const vault = await world.node()
  const account = await world.connect('ada')
  vault.start()
  world.provider.loseAnswer('refresh')
  assert.equal((await vault.freshToken(account.id)).kind, 'fresh')
  await eventually(async () => (await world.account(account.id)).generation > account.generation, 'the second try')
  assert.equal(world.provider.reuses, 0)
})
