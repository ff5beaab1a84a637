// Connected accounts and kept tokensets.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StoredAccount, VaultAccount } from '../../../src/domain/tokenset.ts'
import type { Topic } from '../conformance.ts'
import { bytes, NOW, sampleAccount, storedUser, unique } from '../samples.ts'

export const accountTests: Topic = (nodes) => {
  const stored = async (over: Partial<StoredAccount> = {}): Promise<StoredAccount> => {
    const { storage } = nodes()
    const account = sampleAccount({ userId: over.userId ?? (await storedUser(storage)).userId, ...over })
    assert.equal(await storage.transaction((tx) => tx.accounts.insert(account)), true)
    return account
  }

  test('accounts: a full and a bare one come back as they were given', async () => {
    const { storage } = nodes()
    const full = await stored({
      isDefault: true,
      health: 'expiring',
      healthReason: 'dated',
      lastUsedAt: NOW,
      refreshExpiresAt: NOW + 9,
    })
    const bare = await stored({
      purpose: 'sign_in',
      clientId: undefined,
      scopesAsked: [],
      scopesGranted: [],
      extras: {},
      accessExpiresAt: undefined,
      hasRefreshToken: false,
    })
    for (const account of [full, bare]) {
      assert.deepEqual(await storage.accounts.find(account.id), account)
      assert.deepEqual(await storage.accounts.findBySubject(account), account)
    }
    assert.equal(await storage.accounts.findBySubject({ ...full, purpose: 'sign_in' }), undefined)
  })

  test('accounts: one for user, connection, subject and purpose; other users may have the same', async () => {
    const { storage } = nodes()
    const account = await stored()
    const twin = { ...account, id: unique('cac') }
    assert.equal(await storage.transaction((tx) => tx.accounts.insert(twin)), false)
    await stored({ ...twin, purpose: 'sign_in' })
    await stored({ subject: account.subject })
    assert.equal(await storage.accounts.countOfSubject(account.connectionId, account.subject), 3)
  })

  test('accounts: pages of a user go from the newest connection to the oldest', async () => {
    const { storage } = nodes()
    const { userId } = await storedUser(storage)
    const accounts = []
    for (const connectedAt of [NOW + 3, NOW + 2, NOW + 2, NOW + 1]) accounts.push(await stored({ userId, connectedAt }))
    await stored({ userId, purpose: 'sign_in', connectionId: 'con_else', connectedAt: NOW })
    const expected = accounts.map(withoutEnvelope).sort(newestFirst)

    assert.deepEqual(await storage.accounts.listOfUser(userId, { purpose: 'agents' }), expected)
    const first = await storage.accounts.listOfUser(userId, { purpose: 'agents', limit: 2 })
    const after = first.at(-1)?.id ?? ''
    const second = await storage.accounts.listOfUser(userId, { purpose: 'agents', limit: 2, after })
    assert.deepEqual([...first, ...second], expected)
    assert.equal((await storage.accounts.listOfUser(userId)).length, 5)
    assert.equal((await storage.accounts.listOfUser(userId, { connectionIds: ['con_else'] })).length, 1)
    assert.deepEqual(await storage.accounts.listOfUser(userId, { connectionIds: [] }), [])
    const ofNobody = { after: (await stored()).id }
    assert.deepEqual(await storage.accounts.listOfUser(userId, ofNobody), [])
  })

  test('accounts: candidates are agents’ ones first, then newest first', async () => {
    const { storage } = nodes()
    const { userId } = await storedUser(storage)
    const signIn = await stored({ userId, purpose: 'sign_in', connectedAt: NOW + 9 })
    const older = await stored({ userId, connectedAt: NOW })
    const newer = await stored({ userId, connectedAt: NOW + 1 })
    await stored({ userId, connectionId: 'con_else' })
    assert.deepEqual(await storage.accounts.listCandidates(userId, 'con_acme'), [newer, older, signIn])
  })

  test('accounts: a new tokenset raises the generation, and keeps label, default, use and lease as they are', async () => {
    const { storage } = nodes()
    const account = await stored()
    const lease = { generation: 1, holder: 'node', now: NOW, until: NOW + 10 }
    await storage.transaction((tx) => tx.accounts.claimLease(account.id, lease))
    const next: StoredAccount = {
      ...account,
      envelope: bytes(8),
      clientId: 'cli',
      scopesAsked: ['all'],
      scopesGranted: ['read', 'write'],
      health: 'expiring',
      healthReason: 'dated',
      extras: { tenant: '1' },
      connectedAt: NOW + 1,
      accessExpiresAt: NOW + 99,
      refreshExpiresAt: NOW + 999,
      hasRefreshToken: false,
      intentGeneration: 1,
      intentStartedAt: NOW,
    }
    const ignored = { label: 'ignored', isDefault: true, lastUsedAt: NOW, createdAt: 1 }
    const replace = (generation: number) =>
      storage.transaction((tx) => tx.accounts.replace({ ...next, ...ignored }, generation))
    assert.equal(await replace(2), false)
    assert.equal(await replace(1), true)
    assert.equal(await replace(1), false)
    assert.deepEqual(await storage.accounts.find(account.id), { ...next, generation: 2 })

    const claimBy = (holder: string) => ({ ...lease, generation: 2, holder })
    assert.equal(await storage.transaction((tx) => tx.accounts.claimLease(account.id, claimBy('other'))), false)
    await storage.transaction((tx) => tx.accounts.releaseLease(account.id, 'node'))
    const released = { ...next, generation: 2, intentGeneration: undefined, intentStartedAt: undefined }
    assert.deepEqual(await storage.accounts.find(account.id), released)
    assert.equal(await storage.transaction((tx) => tx.accounts.claimLease(account.id, claimBy('other'))), true)
  })

  test('accounts: a lease is taken when it is free or has run out, for the generation that stands', async () => {
    const { storage } = nodes()
    const { id } = await stored()
    const claim = (over: object) => {
      const lease = { generation: 1, holder: 'one', now: NOW, until: NOW + 10, ...over }
      return storage.transaction((tx) => tx.accounts.claimLease(id, lease))
    }
    assert.equal(await claim({ generation: 2 }), false)
    assert.equal(await claim({}), true)
    assert.equal(await claim({ holder: 'two' }), false)
    assert.equal(await claim({ now: NOW + 5, until: NOW + 10 }), true)
    assert.equal(await claim({ holder: 'two', now: NOW + 10, until: NOW + 20 }), true)
    await storage.transaction((tx) => tx.accounts.releaseLease(id, 'one'))
    assert.equal(await claim({ holder: 'three', now: NOW + 11 }), false)
    await storage.transaction((tx) => tx.accounts.releaseLease(id, 'two'))
    assert.equal(await claim({ holder: 'three', now: NOW + 11 }), true)
  })

  test('accounts: an intent needs the lease, and stands open once the lease has run out', async () => {
    const { storage } = nodes()
    const { id } = await stored()
    const intend = (holder: string, generation: number, at: number) =>
      storage.transaction((tx) => tx.accounts.putIntent(id, holder, generation, at))
    const isOpen = async (now: number) =>
      (await storage.accounts.listOpenIntents(now, 100)).some((one) => one.id === id)

    assert.equal(await intend('one', 1, NOW), false)
    const lease = { generation: 1, holder: 'one', now: NOW, until: NOW + 10 }
    await storage.transaction((tx) => tx.accounts.claimLease(id, lease))
    assert.equal(await intend('two', 1, NOW), false)
    assert.equal(await intend('one', 2, NOW), false)
    assert.equal(await intend('one', 1, NOW + 10), false)
    assert.equal(await intend('one', 1, NOW + 1), true)
    const account = await storage.accounts.find(id)
    assert.deepEqual([account?.intentGeneration, account?.intentStartedAt], [1, NOW + 1])

    assert.equal(await isOpen(NOW + 9), false)
    assert.equal(await isOpen(NOW + 10), true)
    await storage.transaction((tx) => tx.accounts.releaseLease(id, 'one'))
    assert.equal(await isOpen(NOW + 10), false)
  })

  test('accounts: health and moves name their generation; a raised one stops them', async () => {
    const { storage } = nodes()
    const account = await stored({ isDefault: true })
    const { id } = account
    const { userId: toUserId } = await storedUser(storage)
    await storage.transaction(async (tx) => {
      assert.equal(await tx.accounts.setHealth(id, 'reconnect_required', 'invalid_grant', 1), true)
      await tx.accounts.raiseGeneration(id)
      assert.equal(await tx.accounts.setHealth(id, 'ok', undefined, 1), false)
      assert.equal(await tx.accounts.move(id, toUserId, bytes(6), 1), false)
      assert.equal(await tx.accounts.move(id, toUserId, bytes(6), 2), true)
    })
    assert.deepEqual(await storage.accounts.find(id), {
      ...account,
      userId: toUserId,
      envelope: bytes(6),
      generation: 3,
      isDefault: false,
      health: 'reconnect_required',
      healthReason: 'invalid_grant',
    })
    const twin = await stored({ subject: account.subject })
    assert.equal(await storage.transaction((tx) => tx.accounts.move(twin.id, toUserId, bytes(7), 1)), false)
  })

  test('accounts: use, label and default are the owner’s; one default for each connection', async () => {
    const { storage } = nodes()
    const one = await stored()
    const two = await stored({ userId: one.userId })
    const elsewhere = await stored({ userId: one.userId, connectionId: 'con_else', isDefault: true })
    await storage.transaction(async (tx) => {
      await tx.accounts.setUse(one.id, NOW + 5)
      assert.equal(await tx.accounts.setLabel(one.id, one.userId, 'Work'), true)
      assert.equal(await tx.accounts.setLabel(one.id, 'stranger', 'Mine'), false)
      assert.equal(await tx.accounts.setDefault(one.id, 'stranger'), false)
      assert.equal(await tx.accounts.setDefault(one.id, one.userId), true)
      assert.equal(await tx.accounts.setDefault(two.id, one.userId), true)
    })
    assert.deepEqual(await storage.accounts.find(one.id), { ...one, lastUsedAt: NOW + 5, label: 'Work' })
    assert.equal((await storage.accounts.find(two.id))?.isDefault, true)
    assert.deepEqual(await storage.accounts.find(elsewhere.id), elsewhere)
    assert.equal(await storage.transaction((tx) => tx.accounts.delete(one.id)), true)
    assert.equal(await storage.transaction((tx) => tx.accounts.delete(one.id)), false)
  })

  test('accounts: expiring ones are those in use that a refresh token can save', async () => {
    const { storage } = nodes()
    const used = { lastUsedAt: NOW - 5, accessExpiresAt: NOW - 100 }
    const expiring = await stored(used)
    await stored({ ...used, lastUsedAt: NOW - 50 })
    await stored({ ...used, lastUsedAt: undefined })
    await stored({ ...used, hasRefreshToken: false })
    await stored({ ...used, accessExpiresAt: NOW })
    await stored({ ...used, accessExpiresAt: NOW - 500 })
    await stored({ ...used, accessExpiresAt: undefined })
    const found = await storage.accounts.listExpiring({
      usedSince: NOW - 10,
      after: NOW - 500,
      before: NOW,
      limit: 100,
    })
    assert.deepEqual(found, [withoutEnvelope(expiring)])
  })

  test('accounts: what nothing renews is listed before its end, and counted by connection', async () => {
    const { storage } = nodes()
    const connectionId = unique('con_')
    const soon = await stored({ connectionId, hasRefreshToken: true, refreshExpiresAt: NOW - 400_000 })
    const sooner = await stored({
      connectionId,
      hasRefreshToken: false,
      refreshExpiresAt: undefined,
      accessExpiresAt: NOW - 500_000,
    })
    await stored({ connectionId, hasRefreshToken: true, refreshExpiresAt: NOW })
    await stored({ connectionId, hasRefreshToken: true, refreshExpiresAt: undefined, accessExpiresAt: NOW - 500_000 })
    await stored({ connectionId, health: 'reconnect_required', refreshExpiresAt: NOW - 400_000 })
    const found = await storage.accounts.listEnding({ before: NOW - 300_000, limit: 100 })
    const here = found.filter((one) => one.connectionId === connectionId)
    assert.deepEqual(here, [withoutEnvelope(sooner), withoutEnvelope(soon)])
    assert.equal((await storage.accounts.countEnding(NOW - 300_000)).get(connectionId), 2)
    assert.equal((await storage.accounts.countEnding(NOW - 600_000)).get(connectionId), undefined)
  })
}

function withoutEnvelope({ envelope: _, ...account }: StoredAccount): VaultAccount {
  return account
}

const newestFirst = (a: VaultAccount, b: VaultAccount): number =>
  b.connectedAt - a.connectedAt || (b.id < a.id ? -1 : 1)
