// What the protocol engine keeps, upstream transactions, connect requests and mailed proofs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReplayMark } from '../../../src/storage/records.ts'
import { MarkStood } from '../../../src/storage/transaction-errors.ts'
import type { Topic } from '../conformance.ts'
import {
  bytes,
  NOW,
  sampleArtifact,
  sampleConnect,
  sampleProof,
  sampleTransaction,
  storedUser,
  unique,
} from '../samples.ts'

export const protocolTests: Topic = (nodes) => {
  test('artifacts: a full and an empty one come back as they were given; kinds are apart', async () => {
    const { storage } = nodes()
    const full = sampleArtifact({
      kind: 'Session',
      uid: unique('uid'),
      grantId: unique('grant'),
      userId: unique('a|user'),
      clientId: 'web',
      payload: { accountId: 'x', nested: { deep: [1, null, 'ü'] } },
      successorEnvelope: bytes(0, 255),
      identityKey: 'con|subject',
    })
    const empty = sampleArtifact({ kind: 'Interaction' })
    await storage.transaction(async (tx) => {
      await tx.artifacts.put(full)
      await tx.artifacts.put(empty)
    })
    assert.deepEqual(await storage.artifacts.find('Session', full.idHash), full)
    assert.deepEqual(await storage.artifacts.findByUid('Session', full.uid ?? ''), full)
    assert.deepEqual(await storage.artifacts.find('Interaction', empty.idHash), empty)
    assert.equal(await storage.artifacts.find('Grant', full.idHash), undefined)
    assert.equal(await storage.artifacts.findByUid('Interaction', full.uid ?? ''), undefined)
    assert.deepEqual(await storage.artifacts.listOfUser('Session', full.userId ?? ''), [full])
    await storage.transaction((tx) => tx.artifacts.delete('Session', full.idHash))
    assert.equal(await storage.artifacts.find('Session', full.idHash), undefined)
  })

  test('artifacts: put replaces, but a consumed one stays consumed and keeps its successor', async () => {
    const { storage } = nodes()
    const token = sampleArtifact({ kind: 'RefreshToken' })
    await storage.transaction(async (tx) => {
      await tx.artifacts.put(token)
      assert.equal(await tx.artifacts.consume('RefreshToken', token.idHash, NOW + 1), true)
      assert.equal(await tx.artifacts.consume('RefreshToken', token.idHash, NOW + 2), false)
      assert.equal(await tx.artifacts.consume('RefreshToken', 'nothing', NOW + 2), false)
      await tx.artifacts.setSuccessor('RefreshToken', token.idHash, bytes(5))
      await tx.artifacts.put({ ...token, payload: { changed: true }, expiresAt: NOW + 7 })
    })
    const expected = {
      ...token,
      payload: { changed: true },
      expiresAt: NOW + 7,
      consumedAt: NOW + 1,
      successorEnvelope: bytes(5),
    }
    assert.deepEqual(await storage.artifacts.find('RefreshToken', token.idHash), expected)
  })

  test('replays: a mark is there from its first insertion to its end', async () => {
    const { storage } = nodes()
    const mark = { idHash: unique('mark'), expiresAt: NOW + 50 }
    assert.equal(await storage.replays.has(mark.idHash, NOW), false)
    assert.equal(await storage.transaction((tx) => tx.replays.insertOnce(mark)), true)
    assert.equal(await storage.transaction((tx) => tx.replays.insertOnce({ ...mark, expiresAt: NOW + 90 })), false)
    assert.equal(await storage.replays.has(mark.idHash, NOW + 49), true)
    assert.equal(await storage.replays.has(mark.idHash, NOW + 50), false)
    await storage.transaction((tx) => tx.replays.deleteExpired(NOW + 51, 1000))
    assert.equal(await storage.transaction((tx) => tx.replays.insertOnce(mark)), true)
  })

  test('replays: of many marks those are inserted that were not there, and the first of equal ones', async () => {
    const { storage } = nodes()
    const [old, one, two] = ['old', 'one', 'two'].map((name) => ({ idHash: unique(name), expiresAt: NOW + 50 }))
    assert.ok(old && one && two)
    await storage.transaction((tx) => tx.replays.insertOnce(old))
    const marks = [two, old, { ...two, expiresAt: NOW + 10 }, one]
    assert.deepEqual(await storage.transaction((tx) => tx.replays.insertAllOnce(marks)), [true, false, false, true])
    assert.equal(await storage.replays.has(two.idHash, NOW + 49), true)
  })

  test('replays: of many marks that must all be new one old or equal one ends the transaction', async () => {
    const { storage } = nodes()
    const [old, one, two] = ['old', 'one', 'two'].map((name) => ({ idHash: unique(name), expiresAt: NOW + 50 }))
    assert.ok(old && one && two)
    const insert = (...marks: ReplayMark[]) => storage.transaction((tx) => tx.replays.insertAllNew(marks))
    await insert(old)
    await assert.rejects(insert(one, old), MarkStood)
    await assert.rejects(insert(one, { ...one, expiresAt: NOW + 90 }), MarkStood)
    assert.equal(await storage.replays.has(one.idHash, NOW), false)
    await insert(two, one)
    assert.equal(await storage.replays.has(one.idHash, NOW), true)
    assert.equal(await storage.replays.has(two.idHash, NOW), true)
  })

  test('artifacts: a refresh subject hangs on its token, its grant and its user', async () => {
    const { storage } = nodes()
    const user = await storedUser(storage)
    const { userId } = user
    const grant = sampleArtifact({ kind: 'Grant', userId, clientId: 'web', expiresAt: NOW + 50 })
    const token = sampleArtifact({
      kind: 'RefreshToken',
      userId,
      clientId: 'web',
      grantId: grant.idHash,
      payload: { scope: 'openid offline_access' },
      expiresAt: NOW + 100,
    })
    const find = () => storage.artifacts.findRefreshSubject(token.idHash)
    await storage.transaction((tx) => tx.artifacts.put(token))
    assert.equal(await find(), undefined)
    await storage.transaction((tx) => tx.artifacts.put(grant))
    const expected = {
      clientId: 'web',
      userId,
      grantId: grant.idHash,
      scopes: ['openid', 'offline_access'],
      expiresAt: NOW + 50,
      consumedAt: undefined,
      userBlocked: false,
    }
    assert.deepEqual(await find(), expected)

    await storage.transaction(async (tx) => {
      await tx.users.replace({ ...user, blocked: true })
      await tx.artifacts.consume('RefreshToken', token.idHash, NOW + 3)
    })
    assert.deepEqual(await find(), { ...expected, consumedAt: NOW + 3, userBlocked: true })
    await storage.transaction((tx) => tx.artifacts.delete('Grant', grant.idHash))
    assert.equal(await find(), undefined)
    await storage.transaction((tx) => tx.artifacts.put(grant))
    await storage.transaction((tx) => tx.users.delete(userId))
    assert.equal(await find(), undefined)
  })

  test('artifacts: the end of a grant is the end of all that was issued under it', async () => {
    const { storage } = nodes()
    const grant = sampleArtifact({ kind: 'Grant' })
    const code = sampleArtifact({ kind: 'AuthorizationCode', grantId: grant.idHash })
    const token = sampleArtifact({ kind: 'AccessToken', grantId: grant.idHash })
    const other = sampleArtifact({ kind: 'AccessToken', grantId: unique('grant') })
    await storage.transaction(async (tx) => {
      for (const one of [grant, code, token, other]) await tx.artifacts.put(one)
      await tx.artifacts.deleteByGrant(grant.idHash)
    })
    for (const one of [grant, code, token]) assert.equal(await storage.artifacts.find(one.kind, one.idHash), undefined)
    assert.deepEqual(await storage.artifacts.find('AccessToken', other.idHash), other)
  })

  test('artifacts: of a user, all or only those of one identity, client or kind are ended', async () => {
    const { storage } = nodes()
    const userId = unique('a|user')
    const byAcme = { userId, clientId: 'web', identityKey: 'acme|1' }
    const session = sampleArtifact({ kind: 'Session', ...byAcme })
    const grant = sampleArtifact({ kind: 'Grant', ...byAcme })
    const token = sampleArtifact({ kind: 'RefreshToken', userId, clientId: 'web', grantId: grant.idHash })
    const elsewhere = sampleArtifact({ kind: 'Session', userId, clientId: 'cli', identityKey: 'other|1' })
    const foreign = sampleArtifact({ kind: 'Session', userId: unique('a|other'), identityKey: 'acme|1' })
    const all = [session, grant, token, elsewhere, foreign]
    const left = async () => {
      const found = await Promise.all(all.map((one) => storage.artifacts.find(one.kind, one.idHash)))
      return all.filter((_, index) => found[index] !== undefined)
    }
    const endAfterRestore = async (only?: Parameters<typeof storage.artifacts.deleteOfUser>[1]) => {
      await storage.transaction(async (tx) => {
        for (const one of all) await tx.artifacts.put(one)
        await tx.artifacts.deleteOfUser(userId, only)
      })
      return left()
    }
    assert.deepEqual(await endAfterRestore(), [foreign])
    assert.deepEqual(await endAfterRestore({ identityKey: 'acme|1' }), [elsewhere, foreign])
    assert.deepEqual(await endAfterRestore({ identityKey: 'acme|1', kinds: ['Session'] }), [
      grant,
      token,
      elsewhere,
      foreign,
    ])
    assert.deepEqual(await endAfterRestore({ clientId: 'cli' }), [session, grant, token, foreign])
    assert.deepEqual(await endAfterRestore({ kinds: ['RefreshToken', 'Grant'] }), [session, elsewhere, foreign])
    assert.deepEqual(await endAfterRestore({ kinds: [] }), all)
  })

  test('what has expired is deleted in portions, and nothing else', async () => {
    const { storage } = nodes()
    const { userId } = await storedUser(storage)
    const ended = { createdAt: 1, expiresAt: 10 }
    const artifacts = [1, 2, 3].map(() => sampleArtifact({ kind: 'AccessToken', ...ended }))
    const live = sampleArtifact({ kind: 'AccessToken', createdAt: 1, expiresAt: 11 })
    await storage.transaction(async (tx) => {
      for (const one of [...artifacts, live]) await tx.artifacts.put(one)
      await tx.transactions.insert(sampleTransaction(ended))
      await tx.connects.insert(sampleConnect({ userId, ...ended }))
      await tx.proofs.insert(sampleProof({ userId, ...ended }))
      await tx.limits.add(unique('limit'), 1, 5, 10)
    })
    await storage.transaction(async (tx) => {
      assert.equal(await tx.artifacts.deleteExpired(11, 2), 2)
      assert.equal(await tx.artifacts.deleteExpired(11, 2), 1)
      assert.equal(await tx.artifacts.deleteExpired(11, 2), 0)
      assert.equal(await tx.transactions.deleteExpired(11, 9), 1)
      assert.equal(await tx.connects.deleteExpired(11, 9), 1)
      assert.equal(await tx.proofs.deleteExpired(11, 9), 1)
      assert.equal(await tx.limits.deleteExpired(11, 9), 1)
    })
    assert.deepEqual(await storage.artifacts.find('AccessToken', live.idHash), live)
  })

  test('upstream transactions: kept whole, consumed once, ended with their user', async () => {
    const { storage } = nodes()
    const userId = unique('a|user')
    const full = sampleTransaction({ kind: 'link', sessionUid: 's', userId, scopes: [] })
    const bare = sampleTransaction({ clientId: undefined })
    await storage.transaction(async (tx) => {
      await tx.transactions.insert(full)
      await tx.transactions.insert(bare)
    })
    assert.deepEqual(await storage.transactions.find(full.stateHash), full)
    assert.deepEqual(await storage.transactions.find(bare.stateHash), bare)
    assert.equal(await storage.transaction((tx) => tx.transactions.consume(bare.stateHash)), true)
    assert.equal(await storage.transaction((tx) => tx.transactions.consume(bare.stateHash)), false)
    await storage.transaction((tx) => tx.transactions.deleteOfUser(userId))
    assert.equal(await storage.transactions.find(full.stateHash), undefined)
  })

  test('connect requests: advance only from the status that was expected, with what the step learnt', async () => {
    const { storage } = nodes()
    const { userId } = await storedUser(storage)
    const request = sampleConnect({ userId, state: 's', codeChallenge: 'c', dpopThumbprint: 'jkt' })
    await storage.transaction((tx) => tx.connects.insert(request))
    assert.deepEqual(await storage.connects.findByTicket(request.ticketHash), request)
    const { authSessionHash } = request
    await storage.transaction(async (tx) => {
      assert.equal(await tx.connects.advance(authSessionHash, 'opened', 'answered', {}), false)
      const opening = { browserHash: 'b', sessionUid: 'u' }
      assert.equal(await tx.connects.advance(authSessionHash, 'created', 'opened', opening), true)
      assert.equal(await tx.connects.advance(authSessionHash, 'created', 'opened', opening), false)
      const answer = { pendingEnvelope: bytes(1), connectCodeHash: 'code' }
      assert.equal(await tx.connects.advance(authSessionHash, 'opened', 'answered', answer), true)
      assert.equal(
        await tx.connects.advance(authSessionHash, 'answered', 'completed', { pendingEnvelope: undefined }),
        true,
      )
    })
    const expected = { ...request, browserHash: 'b', sessionUid: 'u', connectCodeHash: 'code', status: 'completed' }
    assert.deepEqual(await storage.connects.find(authSessionHash), expected)
    await storage.transaction((tx) => tx.connects.deleteOfUser(userId))
    assert.equal(await storage.connects.find(authSessionHash), undefined)
  })

  test('mailed proofs: consumed once; a new one ends those of its kind', async () => {
    const { storage } = nodes()
    const { userId } = await storedUser(storage)
    const goesTo = { url: 'https://app.test/welcome', withAddress: true }
    const [verify, reset] = [sampleProof({ userId }), sampleProof({ userId, kind: 'reset', boundTo: 'x', goesTo })]
    await storage.transaction(async (tx) => {
      await tx.proofs.insert(verify)
      await tx.proofs.insert(reset)
      await tx.proofs.deleteOfUser(userId, 'verify')
    })
    assert.equal(await storage.proofs.find(verify.idHash), undefined)
    assert.deepEqual(await storage.proofs.find(reset.idHash), reset)
    assert.equal(await storage.transaction((tx) => tx.proofs.consume(reset.idHash)), true)
    assert.equal(await storage.transaction((tx) => tx.proofs.consume(reset.idHash)), false)
    await storage.transaction(async (tx) => {
      await tx.proofs.insert(verify)
    })
    assert.deepEqual(await storage.proofs.find(verify.idHash), verify)
    await storage.transaction((tx) => tx.proofs.deleteOfUser(userId))
    assert.equal(await storage.proofs.find(verify.idHash), undefined)
  })
}
