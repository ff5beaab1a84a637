// What a transaction promises, and which texts a database takes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { userField } from '../../../src/domain/search.ts'
import type { Repositories } from '../../../src/storage/storage.ts'
import type { Topic } from '../conformance.ts'
import { insertUser, sampleIdentity, sampleUser, storedUser, unique } from '../samples.ts'

export const transactionTests: Topic = (nodes) => {
  test('transaction: a throw undoes all of it and reaches the caller', async () => {
    const { storage } = nodes()
    const key = unique('key')
    const failing = storage.transaction(async (tx) => {
      await tx.meta.put(key, 'value')
      throw new Error('stop here')
    })
    await assert.rejects(failing, { message: 'stop here' })
    assert.equal(await storage.meta.find(key), undefined)
  })

  test('transaction: it sees its own writes; others see them once it has ended', async () => {
    const { storage, other } = nodes()
    const key = unique('key')
    const inside = await storage.transaction(async (tx) => {
      await tx.meta.put(key, 'value')
      assert.equal(await storage.meta.find(key), undefined)
      assert.equal(await other.meta.find(key), undefined)
      return tx.meta.find(key)
    })
    assert.equal(inside, 'value')
    assert.equal(await storage.meta.find(key), 'value')
    assert.equal(await other.meta.find(key), 'value')
  })

  test('transaction: those that run at the same time do not share their fate', async () => {
    const { storage } = nodes()
    const keys = Array.from({ length: 40 }, (_, index) => unique(`key-${index}`))
    const results = await Promise.allSettled(
      keys.map((key, index) =>
        storage.transaction(async (tx) => {
          await tx.meta.put(key, 'value')
          if (index % 3 === 0) throw new Error('mine alone')
          // A refusal of the database disturbs nobody else either.
          if (index % 3 === 1) await tx.users.insert(sampleUser())
        }),
      ),
    )
    for (const [index, key] of keys.entries()) {
      const isKept = index % 3 === 2
      assert.equal(results[index]?.status, isKept ? 'fulfilled' : 'rejected')
      assert.equal(await storage.meta.find(key), isKept ? 'value' : undefined)
    }
  })

  test('transaction: its handle is dead afterwards', async () => {
    const { storage } = nodes()
    let leaked: Repositories | undefined
    await storage.transaction(async (tx) => {
      leaked = tx
    })
    await assert.rejects(async () => leaked?.meta.put('late', 'x'), { code: 'transaction_ended' })
    await assert.rejects(async () => leaked?.meta.find('late'), { code: 'transaction_ended' })
  })

  test('transaction: statements may be sent together', async () => {
    const { storage } = nodes()
    const keys = Array.from({ length: 10 }, () => unique('key'))
    await storage.transaction((tx) => Promise.all(keys.map((key) => tx.meta.put(key, key))))
    for (const key of keys) assert.equal(await storage.meta.find(key), key)
  })

  test('transaction at once: what it asked for is kept whole, and answered', async () => {
    const { storage, other } = nodes()
    const keys = Array.from({ length: 10 }, () => unique('key'))
    for (const some of [keys.slice(0, 1), keys]) {
      const found = await storage.transactionAtOnce(async (tx) => {
        const [answer] = await Promise.all([tx.meta.find(some[0] ?? ''), ...some.map((key) => tx.meta.put(key, key))])
        return answer
      })
      assert.equal(found, some.length === 1 ? undefined : some[0])
      for (const key of some) assert.equal(await other.meta.find(key), key)
    }
    assert.equal(await storage.transactionAtOnce(async () => 'nothing'), 'nothing')
  })

  test('transaction at once: what cannot be sent or is refused takes everything along', async () => {
    const { storage } = nodes()
    const mark = { idHash: unique('mark'), expiresAt: 2_000_000_000 }
    await storage.transaction((tx) => tx.replays.insertOnce(mark))
    const refusals: Readonly<Record<string, (tx: Repositories) => Promise<unknown>>> = {
      before: (tx) => tx.meta.put('nul \0', 'value'),
      'by the database': (tx) => tx.users.insert(sampleUser()),
      'of a mark that stands': (tx) => tx.replays.insertAllNew([mark]),
    }
    for (const [when, refused] of Object.entries(refusals)) {
      for (const isFirst of [true, false]) {
        const key = unique('key')
        const failing = storage.transactionAtOnce((tx) => {
          const asks = [() => tx.meta.put(key, 'value'), () => refused(tx)]
          return Promise.all((isFirst ? asks.toReversed() : asks).map((ask) => ask()))
        })
        await assert.rejects(failing, `${when}, ${isFirst}`)
        assert.equal(await storage.meta.find(key), undefined, when)
      }
    }
    // Whoever comes next finds a connection that is as it was.
    const key = unique('key')
    await storage.transaction((tx) => tx.meta.put(key, 'value'))
    assert.equal(await storage.meta.find(key), 'value')
  })

  test('transaction at once: its handle is dead afterwards', async () => {
    const { storage } = nodes()
    let leaked: Repositories | undefined
    await storage.transactionAtOnce(async (tx) => {
      leaked = tx
      await tx.meta.put(unique('key'), 'value')
    })
    await assert.rejects(async () => leaked?.meta.put('late', 'x'), { code: 'transaction_ended' })
  })

  test('writes without a transaction are refused', async () => {
    const { storage } = nodes()
    const refused = { code: 'write_outside_transaction' }
    await assert.rejects(storage.meta.put('k', 'v'), refused)
    await assert.rejects(storage.users.claimId('u'), refused)
    await assert.rejects(storage.artifacts.consume('Session', 'x', 1), refused)
    await assert.rejects(storage.mails.claim({ now: 1, leaseSeconds: 1, limit: 1 }), refused)
    await assert.rejects(storage.limits.add('k', 1, 1, 2), refused)
  })

  test('a key that no row can have finds nothing; a text that cannot be kept whole is refused', async () => {
    const { storage } = nodes()
    for (const bad of ['nul\0', '\0', 'half \ud800 pair', '\udc00']) {
      assert.equal(await storage.users.find(bad), undefined)
      assert.equal(await storage.identities.find('con', bad), undefined)
      assert.deepEqual(await storage.users.listByAddress(bad), [])
      const matching = userField('name', bad)
      assert.deepEqual(await storage.users.list({ offset: 0, limit: 1, matching }), { items: [], total: 0 })
      await assert.rejects(
        storage.transaction((tx) => insertUser(tx, { profile: { name: bad } })),
        { code: 'unstorable_text' },
      )
    }
    // Documents are JSON, which writes such characters out.
    const user = await storedUser(storage, { userMetadata: { odd: 'nul\0 half \ud800' } })
    assert.deepEqual(await storage.users.find(user.userId), user)
  })

  test('texts with quotes, marks of statements and letters of every script are kept as they are', async () => {
    const { storage } = nodes()
    const { userId } = await storedUser(storage)
    for (const odd of [`'; drop table users; --`, '$1 ? ?1 :a @b', '"x" \\ \n\t', '👩‍🚀 नमस्ते', '']) {
      const identity = sampleIdentity({ userId, connectionId: unique('con'), subject: odd })
      await storage.transaction((tx) => tx.identities.insert(identity))
      assert.deepEqual(await storage.identities.find(identity.connectionId, odd), identity)
    }
  })

  test('ready: says yes while the database answers', async () => {
    assert.equal(await nodes().storage.ready(), true)
  })
}
