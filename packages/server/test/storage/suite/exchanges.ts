// The exchange's one statement: what it finds together is what the single reads find.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { NewEvent } from '../../../src/domain/event.ts'
import type { Topic } from '../conformance.ts'
import { NOW, sampleAccount, sampleArtifact, sampleClient, sampleConnection, storedUser, unique } from '../samples.ts'

export const exchangeTests: Topic = (nodes) => {
  async function world() {
    const { storage } = nodes()
    const user = await storedUser(storage)
    const [client, connection] = [sampleClient(), sampleConnection()]
    const owner = { userId: user.userId, clientId: client.clientId }
    const grant = sampleArtifact({ kind: 'Grant', ...owner, expiresAt: NOW + 60 })
    const token = sampleArtifact({ kind: 'RefreshToken', ...owner, grantId: grant.idHash, expiresAt: NOW + 90 })
    const accounts = [
      sampleAccount({ userId: user.userId, connectionId: connection.id, connectedAt: NOW + 2 }),
      sampleAccount({ userId: user.userId, connectionId: connection.id, connectedAt: NOW + 1 }),
      sampleAccount({ userId: user.userId, connectionId: connection.id, connectedAt: NOW + 3, purpose: 'sign_in' }),
    ]
    await storage.transaction(async (tx) => {
      await tx.clients.put(client)
      await tx.connections.put(connection)
      await tx.connections.setClient(connection.id, client.clientId, true)
      await tx.artifacts.put(grant)
      await tx.artifacts.put(token)
      for (const account of accounts) await tx.accounts.insert(account)
      await tx.accounts.insert(sampleAccount({ userId: user.userId }))
    })
    const byToken = { kind: 'refresh_token', tokenHash: token.idHash } as const
    const byGrant = { kind: 'access_token', ...owner, grantId: grant.idHash } as const
    return { storage, user, client, connection, grant, token, accounts, byToken, byGrant }
  }

  describe('exchanges', () => {
    test('a refresh token is found with client, connection, enablement, user and accounts in their order', async () => {
      const { storage, user, client, connection, grant, accounts, byToken } = await world()
      const query = { clientId: client.clientId, connection: connection.name, subject: byToken }
      const facts = await storage.exchanges.find(query)
      assert.deepEqual(facts, {
        client,
        connection,
        enabled: true,
        stopped: false,
        subject: {
          clientId: client.clientId,
          userId: user.userId,
          expiresAt: grant.expiresAt,
          consumedAt: undefined,
          userBlocked: false,
          jkt: undefined,
        },
        accounts,
      })
    })

    test('a stop is found for the client that asks and for the one that the token was issued to, until it is lifted', async () => {
      const { storage, user, client, connection, byToken, byGrant } = await world()
      const other = sampleClient()
      await storage.transaction((tx) => tx.clients.put(other))
      const stopped = async (clientId: string, subject: typeof byToken | typeof byGrant = byToken) =>
        (await storage.exchanges.find({ clientId, connection: connection.name, subject })).stopped
      const { userId } = user
      assert.equal(await storage.transaction((tx) => tx.agentStops.put(userId, client.clientId, NOW)), true)
      assert.equal(await storage.transaction((tx) => tx.agentStops.put(userId, client.clientId, NOW + 1)), false)
      assert.equal(await storage.agentStops.find(userId, client.clientId), NOW)
      assert.deepEqual(await storage.agentStops.listOfUser(userId), new Map([[client.clientId, NOW]]))
      assert.equal(await stopped(client.clientId), true)
      assert.equal(await stopped(other.clientId, byGrant), true)
      assert.equal(await storage.transaction((tx) => tx.agentStops.delete(userId, client.clientId)), true)
      assert.equal(await stopped(client.clientId), false)
      await storage.transaction((tx) => tx.agentStops.put(userId, other.clientId, NOW))
      assert.equal(await stopped(client.clientId), false)
      assert.equal(await stopped(other.clientId), true)
    })

    test('without a client id the client is the one that the token was issued to', async () => {
      const { storage, client, connection, byToken, byGrant } = await world()
      for (const subject of [byToken, byGrant]) {
        const facts = await storage.exchanges.find({ clientId: undefined, connection: connection.name, subject })
        assert.deepEqual(facts.client, client)
        assert.equal(facts.enabled, true)
      }
    })

    test('an access token stands on the grant of this user and this client', async () => {
      const { storage, user, client, connection, accounts, byGrant } = await world()
      const find = (subject: Partial<typeof byGrant>) =>
        storage.exchanges.find({
          clientId: client.clientId,
          connection: connection.name,
          subject: { ...byGrant, ...subject },
        })
      const facts = await find({})
      assert.equal(facts.subject?.userId, user.userId)
      assert.deepEqual(facts.accounts, accounts)
      for (const wrong of [{ userId: 'acme|other' }, { clientId: 'other' }, { grantId: 'other' }]) {
        const nothing = await find(wrong)
        assert.deepEqual([nothing.subject, nothing.accounts, nothing.client], [undefined, [], client])
      }
    })

    test('each thing that is missing hides nothing but itself', async () => {
      const { storage, client, connection, byToken } = await world()
      const query = { clientId: client.clientId, connection: connection.name, subject: byToken }
      const noClient = await storage.exchanges.find({ ...query, clientId: 'nobody' })
      assert.deepEqual([noClient.client, noClient.enabled, noClient.accounts.length], [undefined, false, 3])
      const noConnection = await storage.exchanges.find({ ...query, connection: 'nowhere' })
      assert.deepEqual([noConnection.connection, noConnection.enabled], [undefined, false])
      assert.equal(noConnection.subject?.clientId, client.clientId)
      const noSubject = await storage.exchanges.find({ ...query, subject: { kind: 'none' } })
      assert.deepEqual([noSubject.subject, noSubject.accounts, noSubject.enabled], [undefined, [], true])
      assert.equal((await storage.exchanges.find({ ...query, connection: 'no\0where' })).connection, undefined)
    })

    test('questions that come together get each its own answer', async () => {
      const worlds = [await world(), await world(), await world()]
      const { storage } = nodes()
      const queries = worlds.flatMap(({ client, connection, byToken, byGrant }) => [
        { clientId: client.clientId, connection: connection.name, subject: byToken },
        { clientId: undefined, connection: connection.name, subject: byGrant },
        { clientId: client.clientId, connection: 'no\0where', subject: byToken },
        { clientId: client.clientId, connection: connection.name, subject: { kind: 'none' } as const },
      ])
      const together = await Promise.all(queries.map((query) => storage.exchanges.find(query)))
      for (const [index, { user, client, connection, accounts }] of worlds.entries()) {
        const [byToken, byGrant, unstorable, none] = together.slice(index * 4)
        for (const facts of [byToken, byGrant]) {
          assert.deepEqual([facts?.client, facts?.connection, facts?.accounts], [client, connection, accounts])
          assert.equal(facts?.subject?.userId, user.userId)
        }
        assert.deepEqual([unstorable?.client, unstorable?.accounts], [undefined, []])
        assert.deepEqual([none?.client, none?.subject], [client, undefined])
      }
    })

    test('every change shows at once, on the node that made it and on the other', async () => {
      const { storage, user, client, connection, grant, token, accounts, byToken } = await world()
      const query = { clientId: client.clientId, connection: connection.name, subject: byToken }
      const { other } = nodes()
      const [first, second] = accounts
      assert.ok(first && second)
      const both = async () => [await storage.exchanges.find(query), await other.exchanges.find(query)]
      await both()
      await storage.transaction((tx) => tx.accounts.setLabel(first.id, user.userId, 'at work'))
      for (const facts of await both()) assert.equal(facts.accounts[0]?.label, 'at work')
      await storage.transaction((tx) => tx.accounts.setDefault(second.id, user.userId))
      for (const facts of await both()) assert.equal(facts.accounts[1]?.isDefault, true)
      const renewed = { ...first, envelope: Uint8Array.of(1, 2, 3) }
      await storage.transaction((tx) => tx.accounts.replace(renewed, first.generation))
      for (const facts of await both()) assert.deepEqual(facts.accounts[0]?.envelope, renewed.envelope)
      assert.ok(
        await storage.transaction((tx) =>
          tx.accounts.setHealth(second.id, 'reconnect_required', 'dead', second.generation),
        ),
      )
      for (const facts of await both()) assert.equal(facts.accounts[1]?.health, 'reconnect_required')
      await storage.transaction((tx) => tx.accounts.delete(second.id))
      for (const facts of await both()) assert.equal(facts.accounts.length, 2)
      const added = sampleAccount({ userId: user.userId, connectionId: connection.id, connectedAt: NOW })
      await storage.transaction((tx) => tx.accounts.insert(added))
      for (const facts of await both()) assert.equal(facts.accounts.length, 3)
      await storage.transaction((tx) => tx.agentStops.put(user.userId, client.clientId, NOW))
      for (const facts of await both()) assert.equal(facts.stopped, true)
      await storage.transaction((tx) => tx.agentStops.delete(user.userId, client.clientId))
      for (const facts of await both()) assert.equal(facts.stopped, false)
      await storage.transaction((tx) => tx.users.replace({ ...user, blocked: true }))
      for (const facts of await both()) assert.equal(facts.subject?.userBlocked, true)
      await storage.transaction((tx) => tx.artifacts.consume('RefreshToken', token.idHash, NOW))
      for (const facts of await both()) assert.equal(facts.subject?.consumedAt, NOW)
      await storage.transaction((tx) => tx.connections.setClient(connection.id, client.clientId, false))
      for (const facts of await both()) assert.equal(facts.enabled, false)
      await storage.transaction((tx) => tx.connections.put({ ...connection, document: { options: {} } }))
      for (const facts of await both()) assert.deepEqual(facts.connection?.document, { options: {} })
      await storage.transaction((tx) => tx.clients.put({ ...client, secretHash: 'b'.repeat(64) }))
      for (const facts of await both()) assert.equal(facts.client?.secretHash, 'b'.repeat(64))
      await storage.transaction((tx) => tx.artifacts.deleteByGrant(grant.idHash))
      for (const facts of await both()) assert.equal(facts.subject, undefined)
      await storage.transaction((tx) => tx.clients.delete(client.clientId))
      for (const facts of await both()) assert.equal(facts.client, undefined)
      await storage.transaction((tx) => tx.connections.delete(connection.id))
      for (const facts of await both()) assert.equal(facts.connection, undefined)
    })

    test('a user that goes takes along what was known of them', async () => {
      const { storage, user, client, connection, byToken } = await world()
      const query = { clientId: client.clientId, connection: connection.name, subject: byToken }
      const named = { ...query, subject: { kind: 'user', userId: user.userId } } as const
      const { other } = nodes()
      const users = async () => {
        const found = [storage, other].flatMap(({ exchanges }) => [exchanges.find(query), exchanges.find(named)])
        return (await Promise.all(found)).map(({ subject, accounts }) => [subject?.userId, accounts.length])
      }
      assert.deepEqual(await users(), Array(4).fill([user.userId, 3]))
      await storage.transaction((tx) => tx.users.delete(user.userId))
      assert.deepEqual(await users(), Array(4).fill([undefined, 0]))
    })

    test('an account that moves to another user leaves the one and comes to the other', async () => {
      const { storage, client, connection, accounts, user } = await world()
      const heir = await storedUser(storage)
      const { other } = nodes()
      const counts = async () => {
        const found = [user, heir].flatMap(({ userId }) =>
          [storage, other].map(({ exchanges }) =>
            exchanges.find({
              clientId: client.clientId,
              connection: connection.name,
              subject: { kind: 'user', userId },
            }),
          ),
        )
        return (await Promise.all(found)).map((facts) => facts.accounts.length)
      }
      assert.deepEqual(await counts(), [3, 3, 0, 0])
      const [moved] = accounts
      assert.ok(moved)
      assert.ok(
        await storage.transaction((tx) => tx.accounts.move(moved.id, heir.userId, moved.envelope, moved.generation)),
      )
      assert.deepEqual(await counts(), [2, 2, 1, 1])
    })

    test('nobody is told what was so before a change that was acknowledged', async () => {
      const { storage, user, client, connection, accounts, byToken } = await world()
      const query = { clientId: client.clientId, connection: connection.name, subject: byToken }
      const [account] = accounts
      assert.ok(account)
      const LAST = 100
      let acknowledged = 0
      let isOver = false
      const write = async () => {
        for (let n = 1; n <= LAST; n++) {
          await storage.transaction((tx) => tx.accounts.setLabel(account.id, user.userId, String(n)))
          acknowledged = n
        }
      }
      let asked = 0
      const ask = async (node: typeof storage) => {
        while (!isOver) {
          const least = acknowledged
          const label = (await node.exchanges.find(query)).accounts[0]?.label
          assert.ok(least === 0 || Number(label) >= least, `${label} after ${least}`)
          asked++
        }
      }
      const { other } = nodes()
      const written = write().finally(() => {
        isOver = true
      })
      await Promise.all([written, ask(storage), ask(storage), ask(other), ask(other)])
      assert.ok(asked > LAST / 4, `${asked} questions`)
    })

    test('a row that stayed the same is the same object', async () => {
      const { storage, client, connection, byToken } = await world()
      const query = { clientId: client.clientId, connection: connection.name, subject: byToken }
      const [first, second] = [await storage.exchanges.find(query), await storage.exchanges.find(query)]
      assert.equal(first.client, second.client)
      assert.equal(first.connection, second.connection)
    })

    test('the key that a refresh token is bound to comes along', async () => {
      const { storage, client, connection, token } = await world()
      const bound = { ...token, idHash: unique('hash'), payload: { jkt: 'thumb' } }
      await storage.transaction((tx) => tx.artifacts.put(bound))
      const subject = { kind: 'refresh_token', tokenHash: bound.idHash } as const
      const facts = await storage.exchanges.find({ clientId: client.clientId, connection: connection.name, subject })
      assert.equal(facts.subject?.jkt, 'thumb')
    })

    test('many events are appended at once, in their order, bare and full', async () => {
      const { storage } = nodes()
      const userId = unique('acme|user')
      const bare: NewEvent = { type: 'vault.exchanged', at: NOW, outcome: 'refused', userId }
      const full: NewEvent = {
        ...bare,
        outcome: 'ok',
        clientId: 'agent',
        actor: 'agent',
        connectionId: 'con',
        accountId: 'cac',
        data: { purpose: 'a "quoted", {odd} \\ null', scopes: ['one', 'two'] },
      }
      await storage.transaction((tx) => tx.events.appendAll([bare, full, bare]))
      await storage.transaction((tx) => tx.events.appendAll([]))
      const found = await storage.events.list({ userId, limit: 10 })
      assert.deepEqual(
        found.map(({ seq, ...event }) => event),
        [bare, full, bare],
      )
      const unstorable = storage.transaction((tx) => tx.events.appendAll([{ ...bare, actor: 'a\0b' }]))
      await assert.rejects(unstorable, { code: 'unstorable_text' })
    })
  })
}
