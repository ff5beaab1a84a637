// Second factors and passkeys, as both databases keep them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Topic } from '../conformance.ts'
import { bytes, NOW, sampleIdentity, sampleLink, storedUser, unique } from '../samples.ts'

export const factorTests: Topic = (nodes) => {
  test('second factors: one of each kind, a step once for whoever is first, codes once each', async () => {
    const { storage, other } = nodes()
    const { userId } = await storedUser(storage)
    const totp = { id: unique('fac'), userId, kind: 'totp', envelope: bytes(1, 2), lastStep: 5, addedAt: NOW } as const
    const insert = (factor: Parameters<typeof storage.secondFactors.insert>[0]) =>
      storage.transaction((tx) => tx.secondFactors.insert(factor))
    assert.equal(await insert(totp), true)
    assert.equal(await insert({ ...totp, id: unique('fac') }), false)
    assert.equal(await insert({ ...totp, id: unique('fac'), kind: 'passkey', envelope: undefined }), true)
    const [passkey, app] = await storage.secondFactors.listOfUser(userId)
    assert.deepEqual([passkey?.envelope, app], [undefined, totp])
    const step = (on: typeof storage, at: number) => on.transaction((tx) => tx.secondFactors.consumeStep(totp.id, at))
    assert.equal(await step(storage, 5), false)
    const won = await Promise.all([step(storage, 6), step(other, 6), step(storage, 6)])
    assert.equal(won.filter(Boolean).length, 1)
    await storage.transaction((tx) => tx.secondFactors.replaceCodes(userId, ['a', 'b']))
    await storage.transaction((tx) => tx.secondFactors.replaceCodes(userId, ['b', 'c']))
    const use = (on: typeof storage, hash: string) => on.transaction((tx) => tx.secondFactors.consumeCode(userId, hash))
    assert.equal(await use(storage, 'a'), false)
    assert.equal((await Promise.all([use(storage, 'b'), use(other, 'b')])).filter(Boolean).length, 1)
    assert.equal(await storage.secondFactors.countCodes(userId), 1)
    assert.equal(await storage.transaction((tx) => tx.secondFactors.delete(userId, 'totp')), true)
    assert.equal(await storage.transaction((tx) => tx.secondFactors.delete(userId, 'totp')), false)
    await storage.transaction((tx) => tx.secondFactors.deleteOfUser(userId))
    assert.deepEqual(await storage.secondFactors.listOfUser(userId), [])
    assert.equal(await storage.secondFactors.countCodes(userId), 0)
  })

  test('second factors: they wait for a user who may come back, and for nobody else', async () => {
    const { storage } = nodes()
    const [kept, joined, gone] = [await storedUser(storage), await storedUser(storage), await storedUser(storage)]
    const users = [kept, joined, gone].map(({ userId }) => userId)
    const link = sampleLink({ primaryUserId: kept.userId, secondaryUserId: joined.userId, undoUntil: NOW + 10 })
    await storage.transaction(async (tx) => {
      for (const userId of users) {
        const factor = {
          id: unique('fac'),
          userId,
          kind: 'passkey',
          envelope: undefined,
          lastStep: 0,
          addedAt: NOW,
        } as const
        await tx.secondFactors.insert(factor)
        await tx.secondFactors.replaceCodes(userId, ['a'])
      }
      await tx.links.insert(link)
      await tx.users.delete(joined.userId)
      await tx.users.delete(gone.userId)
    })
    const left = async (now: number) => {
      await storage.transaction((tx) => tx.secondFactors.deleteOrphans(now))
      const counts = users.map(async (userId) => [
        (await storage.secondFactors.listOfUser(userId)).length,
        await storage.secondFactors.countCodes(userId),
      ])
      return (await Promise.all(counts)).flat()
    }
    assert.deepEqual(await left(NOW), [1, 1, 1, 1, 0, 0])
    assert.deepEqual(await left(NOW + 11), [1, 1, 0, 0, 0, 0])
  })

  test('passkeys: they go with their identity, and their counter moves for one caller', async () => {
    const { storage, other } = nodes()
    const { userId } = await storedUser(storage)
    const identity = sampleIdentity({ userId })
    const { connectionId, subject } = identity
    const passkey = {
      connectionId,
      subject,
      userHandle: 'aGFuZGxl',
      publicKey: bytes(9, 8, 7),
      counter: 0,
      transports: ['internal', 'hybrid'],
      label: 'Phone',
    }
    await storage.transaction(async (tx) => {
      await tx.identities.insert(identity)
      assert.equal(await tx.passkeys.insert(passkey), true)
      assert.equal(await tx.passkeys.insert(passkey), false)
    })
    assert.deepEqual(await storage.passkeys.find(connectionId, subject), passkey)
    assert.deepEqual(await storage.passkeys.findBySubject(subject), passkey)
    const move = (on: typeof storage) => on.transaction((tx) => tx.passkeys.replaceCounter(passkey, 0, 3))
    assert.equal((await Promise.all([move(storage), move(other)])).filter(Boolean).length, 1)
    await storage.transaction((tx) => tx.passkeys.setLabel(passkey, 'Old phone'))
    assert.deepEqual(await storage.passkeys.listOfUser(userId), [{ ...passkey, counter: 3, label: 'Old phone' }])
    await storage.transaction((tx) => tx.identities.unlink({ connectionId, subject, userId }, NOW))
    assert.equal(await storage.passkeys.find(connectionId, subject), undefined)
  })
}
