// Users, identities, passwords and what is known about addresses.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  allOf,
  testOf,
  type UserNumberField,
  type UserTest,
  type UserTextField,
  userField,
} from '../../../src/domain/search.ts'
import type { AddressEvidence, User } from '../../../src/domain/user.ts'
import type { Topic } from '../conformance.ts'
import {
  bytes,
  insertUser,
  NOW,
  sampleAccount,
  sampleArtifact,
  sampleConnect,
  sampleConnection,
  sampleIdentity,
  samplePassword,
  sampleProof,
  sampleTransaction,
  sampleUser,
  storedUser,
  unique,
} from '../samples.ts'

export const peopleTests: Topic = (nodes) => {
  test('users: a full and an empty user come back as they were given', async () => {
    const { storage } = nodes()
    const full = await storedUser(storage, {
      email: `${unique('Ada')}@Example.test`,
      emailVerified: true,
      profile: {
        name: 'Ada',
        givenName: 'A',
        familyName: 'L',
        nickname: 'ada',
        username: 'al',
        picture: 'https://pic.test/a',
        phoneNumber: '+441',
      },
      userMetadata: { theme: 'dark', list: [1, 'two', null] },
      appMetadata: { roles: ['admin'] },
      blocked: true,
      lastLogin: NOW,
      lastIp: '::1',
      loginsCount: 3,
    })
    assert.deepEqual(await storage.users.find(full.userId), full)
    const empty = await storedUser(storage)
    assert.deepEqual(await storage.users.find(empty.userId), empty)
    assert.equal(await storage.users.find('nobody'), undefined)
  })

  test('users: an id is given once, also after its user was deleted', async () => {
    const { storage } = nodes()
    const user = await storedUser(storage)
    assert.equal(await storage.transaction((tx) => tx.users.claimId(user.userId)), false)
    assert.equal(await storage.transaction((tx) => tx.users.delete(user.userId)), true)
    assert.equal(await storage.transaction((tx) => tx.users.claimId(user.userId)), false)
    assert.equal(await storage.transaction((tx) => tx.users.delete(user.userId)), false)
    await assert.rejects(storage.transaction((tx) => tx.users.insert(sampleUser())))
  })

  test('users: replace keeps id and creation, and says when the user has gone', async () => {
    const { storage } = nodes()
    const user = await storedUser(storage, { email: 'old@example.test', profile: { name: 'Old' } })
    const changed: User = { ...user, email: undefined, profile: { nickname: 'new' }, blocked: true, updatedAt: NOW + 1 }
    assert.equal(await storage.transaction((tx) => tx.users.replace({ ...changed, createdAt: 1 })), true)
    assert.deepEqual(await storage.users.find(user.userId), changed)
    assert.equal(await storage.transaction((tx) => tx.users.replace(sampleUser())), false)
  })

  test('users: a sign-in is counted', async () => {
    const { storage } = nodes()
    const user = await storedUser(storage)
    await storage.transaction((tx) => tx.users.recordLogin(user.userId, NOW + 1, '192.0.2.1'))
    await storage.transaction((tx) => tx.users.recordLogin(user.userId, NOW + 2, '192.0.2.2'))
    const expected = { ...user, lastLogin: NOW + 2, lastIp: '192.0.2.2', loginsCount: 2 }
    assert.deepEqual(await storage.users.find(user.userId), expected)
  })

  test('users: found by the canonical form of their primary address, whatever its spelling', async () => {
    const { storage } = nodes()
    const name = unique('ada')
    const one = await storedUser(storage, { email: `${name.toUpperCase()}@EXAMPLE.test`, createdAt: NOW })
    const two = await storedUser(storage, { email: `${name}@example.test`, createdAt: NOW + 1 })
    await storedUser(storage, { email: `${name}+tag@example.test` })
    assert.deepEqual(await storage.users.listByAddress(`${name}@example.test`), [one, two])
  })

  test('users: search combines its conditions', async () => {
    const { storage } = nodes()
    const connection = sampleConnection({ strategy: 'oidc' })
    const catalogue = sampleConnection({ strategy: 'github' })
    const name = unique('Grace')
    const [one, two] = await storage.transaction(async (tx) => {
      await tx.connections.insert(connection)
      await tx.connections.insert(catalogue)
      const first = await insertUser(tx, { email: `${name}@example.test`, profile: { name }, createdAt: NOW })
      const second = await insertUser(tx, { profile: { name, nickname: 'g' }, blocked: true, createdAt: NOW + 1 })
      await tx.identities.insert(
        sampleIdentity({ userId: first.userId, connectionId: connection.id, subject: `a|${name}` }),
      )
      await tx.identities.insert(
        sampleIdentity({ userId: second.userId, connectionId: catalogue.id, subject: `7${name}` }),
      )
      return [first, second]
    })
    const search = async (...tests: readonly UserTest[]) => {
      const matching = allOf(tests.map(testOf))
      const { items, total } = await storage.users.list({ offset: 0, limit: 10, matching })
      assert.equal(total, items.length)
      return items.map((user) => user.userId)
    }
    const is = (text: string) => ({ kind: 'is', text }) as const
    const user = (field: UserTextField, text: string): UserTest => ({ on: 'text', field, match: is(text) })
    const flag = (field: UserNumberField, value: number): UserTest => {
      const bound = { value, inclusive: true }
      return { on: 'number', field, match: { kind: 'within', from: bound, to: bound } }
    }
    const identity = (members: Partial<Record<'connection' | 'provider' | 'identity_user_id', string>>): UserTest => ({
      on: 'identity',
      tests: Object.entries(members).map(([field, text]) => ({
        on: 'text',
        // A key of the type above.
        field: field as 'connection' | 'provider' | 'identity_user_id',
        match: is(text),
      })),
    })
    assert.deepEqual(await search(user('name', name)), [one.userId, two.userId])
    assert.deepEqual(await search(user('name', name), flag('blocked', 1)), [two.userId])
    assert.deepEqual(await search(user('nickname', 'g'), user('name', name)), [two.userId])
    assert.deepEqual(await search(user('email', `${name.toLowerCase()}@example.test`)), [one.userId])
    assert.deepEqual(await search(flag('email_verified', 0), user('user_id', one.userId)), [one.userId])
    assert.deepEqual(await search(identity({ connection: connection.name })), [one.userId])
    assert.deepEqual(await search(identity({ identity_user_id: `${connection.name}|a|${name}` })), [one.userId])
    assert.deepEqual(await search(identity({ identity_user_id: `a|${name}` })), [])
    assert.deepEqual(await search(identity({ identity_user_id: `7${name}`, provider: 'github' })), [two.userId])
    assert.deepEqual(await search(identity({ identity_user_id: `7${name}`, connection: connection.name })), [])
    const none = { kind: 'not', of: testOf(user('nickname', 'g')) } as const
    const { items } = await storage.users.list({
      offset: 0,
      limit: 10,
      matching: allOf<UserTest>([testOf(user('name', name)), none]),
    })
    assert.deepEqual(
      items.map(({ userId }) => userId),
      [one.userId],
    )
  })

  test('users: found by how their name begins, in capitals or not, letter by letter', async () => {
    const { storage } = nodes()
    const mark = unique('zq')
    for (const name of [`${mark} Émile Ö`, `${mark.toUpperCase()} éMILE ö`, `${mark}%x`, `${mark}_x`, `Not ${mark}`])
      await storedUser(storage, { profile: { name } })
    await storedUser(storage, { profile: { name: `${mark} long ${'ß'.repeat(5000)}` } })
    const named = async (value: string) => {
      const matching = { kind: 'test', test: { on: 'name', beginsWith: value } } as const
      return (await storage.users.list({ offset: 0, limit: 10, matching })).total
    }
    assert.deepEqual(
      await Promise.all([`${mark} émile`, `${mark} ÉMILE Ö`, `${mark}%`, `${mark}_`, mark, `${mark} Emile`].map(named)),
      [2, 2, 1, 1, 5, 0],
    )
    assert.equal(await named(`${mark} LONG ${'ß'.repeat(5000)}`), 1)
  })

  test('users: sorted either way, those without the value last, pages do not overlap', async () => {
    const { storage } = nodes()
    const nickname = unique('sorted')
    const matching = userField('nickname', nickname)
    const of = (over: Partial<User>) => storedUser(storage, { ...over, profile: { nickname } })
    const never = await of({ lastLogin: undefined })
    const late = await of({ lastLogin: NOW + 9 })
    const early = await of({ lastLogin: NOW + 1 })
    const sorted = async (descending: boolean, offset = 0, limit = 10) => {
      const sort = { field: 'last_login', descending } as const
      return (await storage.users.list({ offset, limit, matching, sort })).items.map((user) => user.userId)
    }
    assert.deepEqual(await sorted(false), [early.userId, late.userId, never.userId])
    assert.deepEqual(await sorted(true), [late.userId, early.userId, never.userId])
    assert.deepEqual(await sorted(true, 1, 1), [early.userId])
  })

  test('users: lock answers in order of id, with those that exist', async () => {
    const { storage } = nodes()
    const one = await storedUser(storage)
    const two = await storedUser(storage)
    const ordered = one.userId < two.userId ? [one, two] : [two, one]
    const locked = await storage.transaction((tx) => tx.users.lock([two.userId, 'nobody', one.userId]))
    assert.deepEqual(locked, ordered)
    assert.deepEqual(await storage.transaction((tx) => tx.users.lock([])), [])
    await assert.rejects(storage.users.lock([one.userId]), { code: 'write_outside_transaction' })
  })

  test('users: an alias answers where a retired user went', async () => {
    const { storage } = nodes()
    const [retired, primary] = [unique('a|retired'), unique('a|primary')]
    assert.equal(await storage.users.findAlias(retired), undefined)
    await storage.transaction((tx) => tx.users.addAlias(retired, primary, NOW))
    assert.equal(await storage.users.findAlias(retired), primary)
  })

  test('users: deletion takes along everything of theirs and nothing of others', async () => {
    const { storage } = nodes()
    const [ada, bob] = [await storedUser(storage), await storedUser(storage)]
    const of = ({ userId }: User) => ({
      userId,
      identity: sampleIdentity({ userId, connectionId: 'con_password' }),
      account: sampleAccount({ userId }),
      session: sampleArtifact({ kind: 'Session', userId }),
      connect: sampleConnect({ userId }),
      transaction: sampleTransaction({ userId }),
      proof: sampleProof({ userId }),
      evidence: { userId, address: 'x@example.test', source: 'self', grade: 0, saidAt: NOW } as const,
    })
    const [hers, his] = [of(ada), of(bob)]
    for (const one of [hers, his]) {
      await storage.transaction(async (tx) => {
        await tx.identities.insert(one.identity)
        await tx.passwords.insert(samplePassword({ subject: one.identity.subject }))
        await tx.accounts.insert(one.account)
        await tx.artifacts.put(one.session)
        await tx.connects.insert(one.connect)
        await tx.transactions.insert(one.transaction)
        await tx.proofs.insert(one.proof)
        await tx.evidence.put(one.evidence)
        await tx.userKeys.insert({ userId: one.userId, keyId: 'kek', wrapped: bytes(1) })
      })
    }
    const left = async (one: typeof hers) => [
      await storage.identities.find('con_password', one.identity.subject),
      await storage.passwords.find('con_password', one.identity.subject),
      await storage.accounts.find(one.account.id),
      await storage.artifacts.find('Session', one.session.idHash),
      await storage.connects.find(one.connect.authSessionHash),
      await storage.transactions.find(one.transaction.stateHash),
      await storage.proofs.find(one.proof.idHash),
      (await storage.evidence.listOfUser(one.userId))[0],
      await storage.userKeys.find(one.userId),
    ]
    assert.ok((await left(hers)).every((row) => row !== undefined))
    await storage.transaction((tx) => tx.users.delete(ada.userId))
    assert.ok((await left(hers)).every((row) => row === undefined))
    assert.ok((await left(his)).every((row) => row !== undefined))
  })

  test('identities: belong to one user, in order of position', async () => {
    const { storage } = nodes()
    const [user, stranger] = [await storedUser(storage), await storedUser(storage)]
    const profileData = { email: 'a@b.test', email_verified: true, ids: ['1'] }
    const second = sampleIdentity({ userId: user.userId, position: 1, profileData, lastLogin: NOW })
    const first = sampleIdentity({ userId: user.userId, position: 0 })
    await storage.transaction(async (tx) => {
      assert.equal(await tx.identities.insert(second), true)
      assert.equal(await tx.identities.insert(first), true)
      assert.equal(await tx.identities.insert({ ...first, userId: stranger.userId }), false)
    })
    assert.deepEqual(await storage.identities.find(first.connectionId, first.subject), first)
    assert.deepEqual(await storage.identities.listOfUser(user.userId), [first, second])
    assert.deepEqual(await storage.identities.listOfUsers([user.userId, stranger.userId]), [first, second])
    assert.deepEqual(await storage.identities.listOfUsers([]), [])

    await storage.transaction((tx) => tx.identities.touch({ ...first, profileData: { name: 'N' }, lastLogin: NOW + 3 }))
    const touched = { ...first, profileData: { name: 'N' }, lastLogin: NOW + 3 }
    assert.deepEqual(await storage.identities.find(first.connectionId, first.subject), touched)
  })

  test('identities: subjects are exact: case, spaces and composed letters tell them apart', async () => {
    const { storage } = nodes()
    const { userId } = await storedUser(storage)
    const connectionId = unique('con')
    const subjects = ['ada', 'Ada', ' ada', 'ada ', 'a\u0308', '\u00e4']
    for (const subject of subjects) {
      const inserted = await storage.transaction((tx) =>
        tx.identities.insert(sampleIdentity({ userId, connectionId, subject })),
      )
      assert.equal(inserted, true)
    }
    for (const subject of subjects)
      assert.equal((await storage.identities.find(connectionId, subject))?.subject, subject)
  })

  test('identities: a move takes one to the end of another list, and fails when it moved already', async () => {
    const { storage } = nodes()
    const [from, to] = [await storedUser(storage), await storedUser(storage)]
    const moved = sampleIdentity({ userId: from.userId })
    await storage.transaction(async (tx) => {
      await tx.identities.insert(moved)
      await tx.identities.insert(sampleIdentity({ userId: to.userId, position: 4 }))
    })
    const key = { connectionId: moved.connectionId, subject: moved.subject, fromUserId: from.userId }
    assert.equal(await storage.transaction((tx) => tx.identities.move(key, to.userId)), true)
    assert.equal(await storage.transaction((tx) => tx.identities.move(key, to.userId)), false)
    assert.equal((await storage.identities.listOfUser(to.userId)).at(-1)?.position, 5)

    await storage.transaction((tx) => tx.identities.move({ ...key, fromUserId: to.userId }, from.userId))
    assert.equal((await storage.identities.listOfUser(from.userId))[0]?.position, 0)
  })

  test('identities: unlinking leaves a tombstone and no password', async () => {
    const { storage } = nodes()
    const user = await storedUser(storage)
    const identity = sampleIdentity({ userId: user.userId, connectionId: 'con_password' })
    const { connectionId, subject } = identity
    await storage.transaction(async (tx) => {
      await tx.identities.insert(identity)
      await tx.passwords.insert(samplePassword({ subject }))
    })
    const stranger = { connectionId, subject, userId: 'somebody' }
    assert.equal(await storage.transaction((tx) => tx.identities.unlink(stranger, NOW)), false)
    const key = { connectionId, subject, userId: user.userId }
    assert.equal(await storage.transaction((tx) => tx.identities.unlink(key, NOW + 1)), true)
    assert.equal(await storage.identities.find(connectionId, subject), undefined)
    assert.equal(await storage.passwords.find(connectionId, subject), undefined)
    const expected = { userId: user.userId, unlinkedAt: NOW + 1 }
    assert.deepEqual(await storage.identities.findTombstone(connectionId, subject), expected)
  })

  test('passwords: one address for each in a connection, hash and address replaceable', async () => {
    const { storage } = nodes()
    const [one, two] = [samplePassword(), samplePassword()]
    await storage.transaction(async (tx) => {
      assert.equal(await tx.passwords.insert(one), true)
      assert.equal(await tx.passwords.insert({ ...two, address: one.address }), false)
      assert.equal(await tx.passwords.insert(two), true)
    })
    assert.deepEqual(await storage.passwords.findByAddress(one.connectionId, one.address), one)
    assert.equal(await storage.passwords.findByAddress('elsewhere', one.address), undefined)
    await storage.transaction(async (tx) => {
      assert.equal(await tx.passwords.replaceAddress(one.connectionId, one.subject, two.address), false)
      assert.equal(await tx.passwords.replaceAddress(one.connectionId, one.subject, one.address), true)
      assert.equal(await tx.passwords.replaceAddress(one.connectionId, one.subject, `new-${one.address}`), true)
      assert.equal(await tx.passwords.replaceHash(one.connectionId, one.subject, 'argon2id$2', NOW + 1), true)
      assert.equal(await tx.passwords.replaceHash(one.connectionId, 'nobody', 'argon2id$2', NOW + 1), false)
    })
    const expected = { ...one, address: `new-${one.address}`, hash: 'argon2id$2', changedAt: NOW + 1 }
    assert.deepEqual(await storage.passwords.find(one.connectionId, one.subject), expected)
  })

  test('evidence: the newest word of a source counts, and moves with its user', async () => {
    const { storage } = nodes()
    const [from, to] = [await storedUser(storage), await storedUser(storage)]
    const address = `${unique('a')}@example.test`
    const word = (over: Partial<AddressEvidence>): AddressEvidence => ({
      userId: from.userId,
      address,
      source: 'connection:x',
      grade: 1,
      saidAt: NOW,
      ...over,
    })
    await storage.transaction(async (tx) => {
      await tx.evidence.put(word({ grade: 2, saidAt: NOW + 5 }))
      await tx.evidence.put(word({ grade: 0, saidAt: NOW + 1 }))
      await tx.evidence.put(word({ source: 'mail', grade: 3 }))
      await tx.evidence.put(word({ source: 'self', grade: 0 }))
      await tx.evidence.put(word({ userId: to.userId, source: 'mail', grade: 3, saidAt: NOW + 7 }))
    })
    const fresh = word({ grade: 2, saidAt: NOW + 5 })
    assert.deepEqual((await storage.evidence.listOfUser(from.userId))[0], fresh)
    assert.equal((await storage.evidence.listForAddress(address)).length, 4)

    await storage.transaction((tx) => tx.evidence.deleteBySource(from.userId, 'self'))
    await storage.transaction((tx) => tx.evidence.moveUser(from.userId, to.userId))
    assert.deepEqual(await storage.evidence.listOfUser(from.userId), [])
    assert.deepEqual(await storage.evidence.listOfUser(to.userId), [
      { ...fresh, userId: to.userId },
      word({ userId: to.userId, source: 'mail', grade: 3, saidAt: NOW + 7 }),
    ])
  })
}
