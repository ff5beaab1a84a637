// Links, their snapshots and aliases; addresses that are alike.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LinkRecord } from '../../../src/storage/records.ts'
import type { Topic } from '../conformance.ts'
import { bytes, NOW, sampleLink, storedUser, unique } from '../samples.ts'

export const linkTests: Topic = (nodes) => {
  const stored = async (over: Partial<LinkRecord> = {}): Promise<LinkRecord> => {
    const link = sampleLink(over)
    await nodes().storage.transaction((tx) => tx.links.insert(link))
    return link
  }

  test('links: a full and a bare one come back as they were given', async () => {
    const { storage } = nodes()
    const full = await stored({ clientId: 'web', actor: 'acme|ada', undoneAt: NOW + 5, undoneBy: 'm2m' })
    const bare = await stored({ secondaryUserId: undefined, identity: undefined })
    assert.deepEqual(await storage.links.find(full.id), full)
    assert.deepEqual(await storage.links.find(bare.id), bare)
    assert.equal(await storage.links.find('lnk_none'), undefined)
    await assert.rejects(storage.transaction((tx) => tx.links.insert(full)))
  })

  test('links: of either side, the newest first, in pages', async () => {
    const { storage } = nodes()
    const userId = unique('acme|user')
    const first = await stored({ primaryUserId: userId })
    const second = await stored({ secondaryUserId: userId })
    const third = await stored({ primaryUserId: userId })
    await stored()
    const page = await storage.links.listOfUser(userId, { offset: 0, limit: 2 })
    assert.deepEqual(page, { items: [third, second], total: 3 })
    assert.deepEqual((await storage.links.listOfUser(userId, { offset: 2, limit: 2 })).items, [first])
  })

  test('links: the newest that stands for an identity of a user', async () => {
    const { storage } = nodes()
    const identity = { connectionId: 'con_acme', subject: unique('subject') }
    const older = await stored({ identity })
    const newer = await stored({ identity, primaryUserId: older.primaryUserId })
    const find = (userId: string) =>
      storage.links.findStandingOfIdentity(userId, identity.connectionId, identity.subject)
    assert.equal((await find(older.primaryUserId))?.id, newer.id)
    assert.equal(await find('acme|other'), undefined)
    await storage.transaction((tx) => tx.links.claimUndo(newer.id, NOW, undefined))
    assert.equal((await find(older.primaryUserId))?.id, older.id)
  })

  test('links: one of many callers undoes, on whichever node', async () => {
    const { storage, other } = nodes()
    const link = await stored()
    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, turn) =>
        (turn % 2 ? storage : other).transaction((tx) => tx.links.claimUndo(link.id, NOW + turn, `by ${turn}`)),
      ),
    )
    assert.equal(claims.filter(Boolean).length, 1)
    const after = await storage.links.find(link.id)
    const winner = claims.indexOf(true)
    assert.deepEqual(after, { ...link, undoneAt: NOW + winner, undoneBy: `by ${winner}` })
    assert.equal(await storage.transaction((tx) => tx.links.claimUndo('lnk_none', NOW, undefined)), false)
  })

  test('link snapshots: kept until their time is over, and gone when they are deleted', async () => {
    const { storage } = nodes()
    const [one, two] = [await stored(), await stored()]
    await storage.transaction(async (tx) => {
      await tx.links.putSnapshot(one.id, bytes(1, 2), NOW + 10)
      await tx.links.putSnapshot(two.id, bytes(3, 4), NOW + 20)
    })
    assert.deepEqual(await storage.links.findSnapshot(one.id), bytes(1, 2))
    await storage.transaction((tx) => tx.links.deleteExpiredSnapshots(NOW + 11, 100))
    assert.equal(await storage.links.findSnapshot(one.id), undefined)
    assert.deepEqual(await storage.links.findSnapshot(two.id), bytes(3, 4))
    await storage.transaction((tx) => tx.links.deleteSnapshot(two.id))
    assert.equal(await storage.links.findSnapshot(two.id), undefined)
    await assert.rejects(storage.transaction((tx) => tx.links.putSnapshot('lnk_none', bytes(1), NOW)))
  })

  test('aliases: an undone merge leaves none', async () => {
    const { storage } = nodes()
    const retired = unique('acme|retired')
    await storage.transaction((tx) => tx.users.addAlias(retired, 'acme|primary', NOW))
    assert.equal(await storage.users.findAlias(retired), 'acme|primary')
    await storage.transaction((tx) => tx.users.removeAlias(retired))
    assert.equal(await storage.users.findAlias(retired), undefined)
  })

  test('evidence: addresses of different users that are equal but for dots and tags stand together', async () => {
    const { storage } = nodes()
    const domain = `${unique('alike')}.test`.toLowerCase()
    const [ada, bob, eve] = [await storedUser(storage), await storedUser(storage), await storedUser(storage)]
    const say = (user: { userId: string }, local: string) => ({
      userId: user.userId,
      address: `${local}@${domain}`,
      source: 'mail',
      grade: 3 as const,
      saidAt: NOW,
    })
    const together = [say(ada, 'a.d.a'), say(bob, 'ada+news'), say(eve, 'ada')]
    const alone = [say(ada, 'own'), say(ada, 'o.wn+x'), say(bob, '+own'), say(eve, '+other')]
    await storage.transaction(async (tx) => {
      for (const one of [...together, ...alone]) await tx.evidence.put(one)
    })
    const all = await storage.evidence.listAlike({ offset: 0, limit: 1000 })
    const mine = all.items.filter((group) => group.some(({ address }) => address.endsWith(`@${domain}`)))
    assert.deepEqual(mine, [together])
    assert.equal(all.total, all.items.length)
    assert.equal((await storage.evidence.listAlike({ offset: all.total, limit: 5 })).items.length, 0)
  })

  test('users kept apart: once for a pair, found among others, and left out of groups in which all are apart', async () => {
    const { storage } = nodes()
    const domain = `${unique('apart')}.test`.toLowerCase()
    const users = [await storedUser(storage), await storedUser(storage), await storedUser(storage)]
    const [one = '', two = '', three = ''] = users.map(({ userId }) => userId).sort()
    await storage.transaction(async (tx) => {
      for (const userId of [one, two, three])
        await tx.evidence.put({ userId, address: `ada@${domain}`, source: 'mail', grade: 3, saidAt: NOW })
      for (const userId of [one, two])
        await tx.evidence.put({ userId, address: `b.ob+x@${domain}`, source: 'mail', grade: 3, saidAt: NOW })
    })
    const groups = async (all = false) => {
      const { items, total } = await storage.evidence.listAlike({ offset: 0, limit: 1000, all })
      assert.equal(items.length, total)
      return items.flatMap(([first]) => (first?.address.endsWith(`@${domain}`) ? first.address.split('@')[0] : []))
    }
    const pair = (lesserUserId: string, greaterUserId: string) => ({ lesserUserId, greaterUserId })
    const put = (lesser: string, greater: string) =>
      storage.transaction((tx) => tx.apart.put({ ...pair(lesser, greater), keptAt: NOW, keptBy: 'console link' }))
    assert.deepEqual(await groups(), ['ada', 'b.ob+x'])
    assert.deepEqual([await put(one, two), await put(one, two)], [true, false])
    assert.deepEqual(await groups(), ['ada'])
    assert.deepEqual(await groups(true), ['ada', 'b.ob+x'])
    await put(one, three)
    assert.deepEqual(await groups(), ['ada'])
    await put(two, three)
    assert.deepEqual(await groups(), [])
    assert.deepEqual(await storage.apart.listAmong([one, two]), [pair(one, two)])
    assert.deepEqual(await storage.apart.listAmong([]), [])
    const mine = async () =>
      (await storage.apart.list({ offset: 0, limit: 1000 })).items.filter((kept) => kept.lesserUserId === one)
    assert.deepEqual(
      await mine(),
      [two, three].map((other) => ({ ...pair(one, other), keptAt: NOW, keptBy: 'console link' })),
    )
    const take = (lesser: string, greater: string) =>
      storage.transaction((tx) => tx.apart.delete(pair(lesser, greater)))
    assert.deepEqual([await take(one, two), await take(one, two)], [true, false])
    assert.deepEqual(await groups(), ['ada', 'b.ob+x'])
    await storage.transaction((tx) => tx.apart.deleteOfUser(three))
    assert.deepEqual(await storage.apart.listAmong([one, two, three]), [])
  })
}
