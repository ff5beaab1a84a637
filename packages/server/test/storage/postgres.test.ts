// The suite on PostgreSQL, and what only PostgreSQL is asked.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Overloaded } from '../../src/domain/errors.ts'
import { openStorage } from '../../src/storage/open.ts'
import { eventually } from '../support/http.ts'
import { conformance } from './conformance.ts'
import { migrationTests } from './migrations.ts'
import {
  accountRowsRead,
  createEmptyDatabase,
  createPostgresDatabase,
  disconnectAll,
  postgresServer,
} from './postgres-database.ts'
import { insertUser, sampleAccount, sampleArtifact, sampleClient, sampleConnection, storedUser } from './samples.ts'

if (postgresServer === undefined) {
  test('storage on PostgreSQL: TENON_TEST_POSTGRES names a server', {
    skip: process.env.TENON_TEST_SETUP !== '1',
  }, () => {
    throw new Error('TENON_TEST_POSTGRES is not set')
  })
} else {
  conformance('storage on PostgreSQL', () => createPostgresDatabase())
  migrationTests('migrations of PostgreSQL', () => createEmptyDatabase())
  postgresTests()
}

function postgresTests(): void {
  test('PostgreSQL: a deadlock ends in two successes', async () => {
    const database = await createPostgresDatabase()
    const storage = await database.open()
    const [one, two] = [await storedUser(storage), await storedUser(storage)]
    const { promise: bothHold, resolve } = Promise.withResolvers<void>()
    let holders = 0
    const lockInTurn = (first: string, second: string) =>
      storage.transaction(async (tx) => {
        await tx.users.recordLogin(first, 1, undefined)
        if (++holders === 2) resolve()
        await bothHold
        await tx.users.recordLogin(second, 1, undefined)
      })
    await Promise.all([lockInTurn(one.userId, two.userId), lockInTurn(two.userId, one.userId)])
    for (const { userId } of [one, two]) assert.equal((await storage.users.find(userId))?.loginsCount, 2)
    await storage.close()
    await database.remove()
  })

  test('PostgreSQL: a transaction that is overtaken every time says to come later, and changed nothing', async () => {
    const database = await createPostgresDatabase()
    const storage = await database.open()
    const overtaken = storage.transaction(async (tx) => {
      await tx.meta.put('k', 'v')
      throw Object.assign(new Error('deadlock detected'), { code: '40P01' })
    })
    await assert.rejects(overtaken, Overloaded)
    assert.equal(await storage.meta.find('k'), undefined)
    await storage.close()
    await database.remove()
  })

  test('PostgreSQL: a broken connection fails its query, not the process, and is replaced', async () => {
    const database = await createPostgresDatabase()
    const storage = await openStorage({ url: database.url, maxConnections: 2 })
    await storage.transaction((tx) => tx.meta.put('k', 'v'))
    await storage.meta.find('k')
    const cut = storage.transaction(async (tx) => {
      await tx.meta.put('k', 'lost')
      await disconnectAll(database.url)
      await tx.meta.put('k', 'lost again')
    })
    await assert.rejects(cut)
    // Each connection may tell of its end once.
    for (let n = 0; n < 3; n++) await storage.meta.find('k').catch(() => {})
    assert.equal(await storage.meta.find('k'), 'v')
    assert.equal(await storage.ready(), true)
    await database.remove()
    assert.equal(await storage.ready(), false)
    await storage.close()
  })

  test('PostgreSQL: a transaction whose work hides a failed statement does not pass for done', async () => {
    const database = await createPostgresDatabase()
    const storage = await database.open()
    const user = await storedUser(storage)
    const hidden = storage.transaction(async (tx) => {
      await tx.meta.put('k', 'v')
      await tx.users.insert(user).catch(() => {})
    })
    await assert.rejects(hidden)
    assert.equal(await storage.meta.find('k'), undefined)
    await storage.close()
    await database.remove()
  })

  test('PostgreSQL: an exchange reads no rows of other users, whether or not the tables are analysed, and its own once', async () => {
    const database = await createPostgresDatabase()
    const storage = await database.open()
    const [client, connection] = [sampleClient(), sampleConnection()]
    const users = await storage.transaction(async (tx) => {
      await tx.clients.put(client)
      await tx.connections.put(connection)
      const some = await Promise.all(Array.from({ length: 500 }, () => insertUser(tx)))
      for (const { userId } of some) await tx.accounts.insert(sampleAccount({ userId, connectionId: connection.id }))
      return some
    })
    const readBefore = await accountRowsRead(database.url)
    const [changing, ...asking] = users.slice(0, 11)
    assert.ok(changing)
    for (let round = 1; round <= 5; round++) {
      for (const { userId } of asking) {
        const subject = { kind: 'user', userId } as const
        const { accounts } = await storage.exchanges.find({ ...client, connection: connection.name, subject })
        assert.deepEqual(
          accounts.map((account) => account.userId),
          [userId],
        )
      }
      const grant = sampleArtifact({ kind: 'Grant', userId: changing.userId, clientId: client.clientId })
      await storage.transaction((tx) => tx.artifacts.put(grant))
    }
    // A session tells what it read when it ends.
    await storage.close()
    const read = await eventually('what the session read', async () => {
      const rows = await accountRowsRead(database.url)
      return rows > readBefore ? rows - readBefore : undefined
    })
    assert.ok(read <= 20, `${read} rows`)
    await database.remove()
  })
}
