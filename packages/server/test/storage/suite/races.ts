// Twenty callers on two nodes want the same thing at the same moment: one gets it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Repositories } from '../../../src/storage/storage.ts'
import { MarkStood } from '../../../src/storage/transaction-errors.ts'
import type { Nodes, Topic } from '../conformance.ts'
import {
  bytes,
  insertUser,
  NOW,
  sampleAccount,
  sampleArtifact,
  sampleConnect,
  sampleIdentity,
  samplePassword,
  sampleProof,
  sampleRevocation,
  sampleTransaction,
  storedUser,
  unique,
} from '../samples.ts'

export const raceTests: Topic = (nodes) => {
  const assertOneWins = async (attempt: (tx: Repositories, caller: number) => Promise<boolean>) => {
    const results = await race(nodes(), attempt)
    assert.equal(results.filter(Boolean).length, 1)
  }

  test('race: one consumes a code, a transaction, a proof, a step of a connect request', async () => {
    const { storage } = nodes()
    const { userId } = await storedUser(storage)
    const code = sampleArtifact({ kind: 'AuthorizationCode' })
    const transaction = sampleTransaction()
    const proof = sampleProof({ userId })
    const connect = sampleConnect({ userId })
    await storage.transaction(async (tx) => {
      await tx.artifacts.put(code)
      await tx.transactions.insert(transaction)
      await tx.proofs.insert(proof)
      await tx.connects.insert(connect)
    })
    await assertOneWins((tx) => tx.artifacts.consume('AuthorizationCode', code.idHash, NOW))
    await assertOneWins((tx) => tx.transactions.consume(transaction.stateHash))
    await assertOneWins((tx) => tx.proofs.consume(proof.idHash))
    await assertOneWins((tx, caller) =>
      tx.connects.advance(connect.authSessionHash, 'created', 'opened', { browserHash: String(caller) }),
    )
  })

  test('race: one inserts what may exist once', async () => {
    const { storage } = nodes()
    const { userId } = await storedUser(storage)
    const jti = { idHash: unique('jti'), expiresAt: 2_000_000_000 }
    await assertOneWins((tx) => tx.replays.insertOnce(jti))
    const claimed = unique('a|user')
    await assertOneWins((tx) => tx.users.claimId(claimed))
    const password = samplePassword()
    await assertOneWins((tx, caller) => tx.passwords.insert({ ...password, subject: String(caller) }))
    const account = sampleAccount({ userId })
    await assertOneWins((tx) => tx.accounts.insert({ ...account, id: unique('cac') }))
  })

  test('race: one may go on with marks that must all be new', async () => {
    const { storage, other } = nodes()
    const mark = { idHash: unique('jti'), expiresAt: 2_000_000_000 }
    const keys = Array.from({ length: CALLERS }, (_, caller) => unique(`key-${caller}`))
    const results = await Promise.allSettled(
      keys.map((key, caller) =>
        (caller % 2 === 0 ? storage : other).transactionAtOnce((tx) =>
          Promise.all([tx.replays.insertAllNew([mark]), tx.meta.put(key, key)]),
        ),
      ),
    )
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const [caller, result] of results.entries()) {
      if (result.status === 'rejected') assert.ok(result.reason instanceof MarkStood, String(result.reason))
      const kept = result.status === 'fulfilled' ? keys[caller] : undefined
      assert.equal(await storage.meta.find(keys[caller] ?? ''), kept)
    }
  })

  test('race: an identity goes to one of twenty new users', async () => {
    const { storage } = nodes()
    const identity = { connectionId: unique('con'), subject: 'the-one' }
    const results = await race(nodes(), async (tx) => {
      const user = await insertUser(tx)
      const isMine = await tx.identities.insert(sampleIdentity({ ...identity, userId: user.userId }))
      return isMine ? user.userId : undefined
    })
    const winners = results.filter((one) => one !== undefined)
    assert.equal(winners.length, 1)
    assert.equal((await storage.identities.find(identity.connectionId, identity.subject))?.userId, winners[0])
  })

  test('race: one gets the lease, one writes the new tokenset, stale generations write nothing', async () => {
    const { storage } = nodes()
    const { userId } = await storedUser(storage)
    const account = sampleAccount({ userId })
    await storage.transaction((tx) => tx.accounts.insert(account))
    await assertOneWins((tx, caller) =>
      tx.accounts.claimLease(account.id, { generation: 1, holder: String(caller), now: NOW, until: NOW + 10 }),
    )
    await assertOneWins((tx, caller) => tx.accounts.replace({ ...account, envelope: bytes(caller) }, 1))
    assert.equal((await storage.accounts.find(account.id))?.generation, 2)
    await assertOneWins(async (tx, caller) => {
      const current = await tx.accounts.find(account.id)
      return tx.accounts.replace({ ...account, envelope: bytes(caller) }, (current?.generation ?? 0) > 2 ? 1 : 2)
    })
  })

  test('race: twenty putIfAbsent and twenty data keys agree on one value', async () => {
    const { storage } = nodes()
    const { userId } = await storedUser(storage)
    const key = unique('key')
    const values = await race(nodes(), (tx, caller) => tx.meta.putIfAbsent(key, String(caller)))
    assert.equal(new Set(values).size, 1)
    const keys = await race(nodes(), (tx, caller) =>
      tx.userKeys.insert({ userId, keyId: 'kek', wrapped: bytes(caller) }),
    )
    assert.equal(new Set(keys.map((one) => one.wrapped[0])).size, 1)
  })

  test('race: one takes an address that several want', async () => {
    const { storage } = nodes()
    const passwords = Array.from({ length: CALLERS }, () => samplePassword())
    await storage.transaction(async (tx) => {
      for (const password of passwords) await tx.passwords.insert(password)
    })
    const wanted = `${unique('wanted')}@example.test`
    await assertOneWins((tx, caller) =>
      tx.passwords.replaceAddress('con_password', passwords[caller]?.subject ?? '', wanted),
    )
  })

  test('race: no job is claimed twice and none is forgotten', async () => {
    const { storage } = nodes()
    const jobs = Array.from({ length: 50 }, () => sampleRevocation())
    await storage.transaction(async (tx) => {
      for (const job of jobs) await tx.revocations.add(job)
    })
    const claimed: string[] = []
    // Rows that another node is just claiming are passed over, so that one round may miss some.
    for (let round = 0; round < 10 && claimed.length < jobs.length; round++) {
      const results = await race(nodes(), (tx) => tx.revocations.claim({ now: NOW, leaseSeconds: 60, limit: 4 }))
      claimed.push(...results.flat().map((job) => job.id))
    }
    assert.deepEqual(claimed.toSorted(), jobs.map((job) => job.id).toSorted())
    await storage.transaction(async (tx) => {
      for (const job of jobs) await tx.revocations.done(job.id)
    })
  })

  test('race: every point and every sign-in counts', async () => {
    const { storage } = nodes()
    const key = unique('limit')
    await race(nodes(), (tx) => tx.limits.add(key, 2, NOW, NOW + 60))
    assert.equal((await storage.limits.find(key, NOW))?.points, 2 * CALLERS)
    const { userId } = await storedUser(storage)
    await race(nodes(), (tx) => tx.users.recordLogin(userId, NOW, undefined))
    assert.equal((await storage.users.find(userId))?.loginsCount, CALLERS)
  })

  test('race: two users locked in either order change in turn, and none is lost', async () => {
    const { storage } = nodes()
    const [one, two] = [await storedUser(storage), await storedUser(storage)]
    const ids = [one.userId, two.userId]
    await race(nodes(), async (tx, caller) => {
      const users = await tx.users.lock(caller % 2 === 0 ? ids : ids.toReversed())
      for (const user of users) await tx.users.replace({ ...user, loginsCount: user.loginsCount + 1 })
    })
    for (const id of ids) assert.equal((await storage.users.find(id))?.loginsCount, CALLERS)
  })

  test('race: a user keeps one default account', async () => {
    const { storage } = nodes()
    const { userId } = await storedUser(storage)
    const accounts = Array.from({ length: CALLERS }, () => sampleAccount({ userId }))
    await storage.transaction(async (tx) => {
      for (const account of accounts) await tx.accounts.insert(account)
    })
    await race(nodes(), (tx, caller) => tx.accounts.setDefault(accounts[caller]?.id ?? '', userId))
    const defaults = (await storage.accounts.listOfUser(userId)).filter((one) => one.isDefault)
    assert.equal(defaults.length, 1)
  })
}

const CALLERS = 20

const race = <T>({ storage, other }: Nodes, attempt: (tx: Repositories, caller: number) => Promise<T>): Promise<T[]> =>
  Promise.all(
    Array.from({ length: CALLERS }, (_, caller) =>
      (caller % 2 === 0 ? storage : other).transaction((tx) => attempt(tx, caller)),
    ),
  )
