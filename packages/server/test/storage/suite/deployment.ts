// Clients, connections, resource servers, client grants, keys and settings.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  ClientGrantRecord,
  ExchangeProfile,
  ResourceServerRecord,
  SigningKeyRecord,
} from '../../../src/storage/records.ts'
import type { Topic } from '../conformance.ts'
import {
  bytes,
  NOW,
  sampleArtifact,
  sampleClient,
  sampleConnect,
  sampleConnection,
  sampleLink,
  sampleRevocation,
  sampleTransaction,
  storedUser,
  unique,
} from '../samples.ts'

export const deploymentTests: Topic = (nodes) => {
  test('meta: put overwrites, putIfAbsent keeps what stands and says what it is', async () => {
    const { storage } = nodes()
    const key = unique('key')
    assert.equal(await storage.meta.find(key), undefined)
    assert.equal(await storage.transaction((tx) => tx.meta.putIfAbsent(key, 'one')), 'one')
    assert.equal(await storage.transaction((tx) => tx.meta.putIfAbsent(key, 'two')), 'one')
    await storage.transaction((tx) => tx.meta.put(key, 'three'))
    assert.equal(await storage.meta.find(key), 'three')
  })

  test('clients: a record comes back as it was given, a taken id is refused, put replaces', async () => {
    const { storage } = nodes()
    const client = sampleClient()
    assert.equal(await storage.transaction((tx) => tx.clients.insert(client)), true)
    assert.equal(await storage.transaction((tx) => tx.clients.insert(client)), false)
    assert.deepEqual(await storage.clients.find(client.clientId), client)

    const changed = { ...client, secretHash: undefined, document: { name: 'B' }, updatedAt: NOW + 5 }
    await storage.transaction((tx) => tx.clients.put(changed))
    assert.deepEqual(await storage.clients.find(client.clientId), changed)
    assert.equal(await storage.clients.find('nobody'), undefined)
  })

  test('exchange profiles: name and type are given once, a profile is found by either, renamed, deleted', async () => {
    const { storage } = nodes()
    const profile: ExchangeProfile = {
      id: unique('tep'),
      name: unique('profile'),
      subjectTokenType: unique('urn:acme'),
      connectionId: 'con_a',
      audiences: ['phone'],
      createdAt: NOW,
      updatedAt: NOW,
    }
    const insert = (more: Partial<ExchangeProfile> = {}) =>
      storage.transaction((tx) => tx.exchangeProfiles.insert({ ...profile, ...more }))
    assert.equal(await insert(), true)
    assert.equal(await insert({ id: unique('tep'), name: unique('profile') }), false)
    assert.equal(await insert({ id: unique('tep'), subjectTokenType: unique('urn:acme') }), false)
    await storage.transaction((tx) => tx.exchangeProfiles.rename(profile.id, `${profile.name} 2`, NOW + 1))
    const renamed = { ...profile, name: `${profile.name} 2`, updatedAt: NOW + 1 }
    assert.deepEqual(await storage.exchangeProfiles.find(profile.id), renamed)
    assert.deepEqual(await storage.exchangeProfiles.findByType(profile.subjectTokenType), renamed)
    const { items } = await storage.exchangeProfiles.list({ offset: 0, limit: 100 })
    assert.ok(items.some(({ id }) => id === profile.id))
    assert.equal(await storage.transaction((tx) => tx.exchangeProfiles.delete(profile.id)), true)
    assert.equal(await storage.transaction((tx) => tx.exchangeProfiles.delete(profile.id)), false)
  })

  test('clients: pages follow the time of creation and know the total', async () => {
    const { storage } = nodes()
    const { total } = await storage.clients.list({ offset: 0, limit: 0 })
    const added = [0, 1, 2].map((n) => sampleClient({ createdAt: NOW * 2 + n }))
    for (const client of added) await storage.transaction((tx) => tx.clients.put(client))

    const page = await storage.clients.list({ offset: total + 1, limit: 5 })
    assert.equal(page.total, total + 3)
    assert.deepEqual(page.items, added.slice(1))
  })

  test('clients: deletion takes along grants, enablement and what was issued, and says if there was one', async () => {
    const { storage } = nodes()
    const client = sampleClient()
    const connection = sampleConnection()
    const token = sampleArtifact({ kind: 'RefreshToken', clientId: client.clientId })
    const grant = sampleGrant({ clientId: client.clientId })
    await storage.transaction(async (tx) => {
      await tx.clients.insert(client)
      await tx.connections.insert(connection)
      await tx.connections.setClient(connection.id, client.clientId, true)
      await tx.clientGrants.put(grant)
      await tx.artifacts.put(token)
    })
    assert.equal(await storage.transaction((tx) => tx.clients.delete(client.clientId)), true)
    assert.equal(await storage.transaction((tx) => tx.clients.delete(client.clientId)), false)
    assert.equal(await storage.clientGrants.find(grant.id), undefined)
    assert.equal(await storage.connections.isEnabled(connection.id, client.clientId), false)
    assert.equal(await storage.artifacts.find('RefreshToken', token.idHash), undefined)
  })

  test('connections: found by id and name, a taken name is refused, put replaces and may rename', async () => {
    const { storage } = nodes()
    const connection = sampleConnection()
    assert.equal(await storage.transaction((tx) => tx.connections.insert(connection)), true)
    const sameName = sampleConnection({ name: connection.name })
    assert.equal(await storage.transaction((tx) => tx.connections.insert(sameName)), false)
    assert.deepEqual(await storage.connections.find(connection.id), connection)
    assert.deepEqual(await storage.connections.findByName(connection.name), connection)

    const changed = { ...connection, name: unique('renamed'), secretEnvelope: undefined, updatedAt: NOW + 1 }
    await storage.transaction((tx) => tx.connections.put(changed))
    assert.deepEqual(await storage.connections.find(connection.id), changed)
    assert.equal(await storage.connections.findByName(connection.name), undefined)
  })

  test('connections: lists filter by name and strategies, in order of name', async () => {
    const { storage } = nodes()
    const strategy = unique('strategy')
    const all = ['b', 'B', 'a', 'ä'].map((name) => sampleConnection({ name: `${name}-${strategy}`, strategy }))
    for (const connection of all) await storage.transaction((tx) => tx.connections.insert(connection))

    const page = await storage.connections.list({ offset: 0, limit: 3, strategies: [strategy, 'other'] })
    assert.equal(page.total, 4)
    // Byte order, the same on every database.
    assert.deepEqual(
      page.items.map((one) => one.name.charAt(0)),
      ['B', 'a', 'b'],
    )
    const named = await storage.connections.list({ offset: 0, limit: 9, name: `b-${strategy}` })
    assert.deepEqual(named, { items: [all[0]], total: 1 })
    assert.equal((await storage.connections.list({ offset: 0, limit: 9, strategies: [] })).total, 0)
  })

  test('connections: a client is enabled and disabled, and forgotten with the connection', async () => {
    const { storage } = nodes()
    const connection = sampleConnection()
    const clientId = unique('client')
    await storage.transaction((tx) => tx.connections.insert(connection))
    assert.equal(await storage.connections.isEnabled(connection.id, clientId), false)
    for (const _ of [1, 2]) await storage.transaction((tx) => tx.connections.setClient(connection.id, clientId, true))
    assert.equal(await storage.connections.isEnabled(connection.id, clientId), true)
    assert.deepEqual(await storage.connections.clientsOf(connection.id), [clientId])
    assert.deepEqual(await storage.connections.listForClient(clientId), [connection])

    await storage.transaction((tx) => tx.connections.setClient(connection.id, clientId, false))
    assert.equal(await storage.connections.isEnabled(connection.id, clientId), false)
    await storage.transaction((tx) => tx.connections.setClient(connection.id, clientId, true))
    assert.equal(await storage.transaction((tx) => tx.connections.delete(connection.id)), true)
    assert.equal(await storage.transaction((tx) => tx.connections.delete(connection.id)), false)
    assert.deepEqual(await storage.connections.listForClient(clientId), [])
  })

  test('connections: a deleted one is kept aside for as long as tokens of it wait to be revoked', async () => {
    const { storage } = nodes()
    const [quiet, busy] = [sampleConnection(), sampleConnection({ secretEnvelope: bytes(3) })]
    const jobs = [1, 2].map(() => sampleRevocation({ connectionId: busy.id }))
    await storage.transaction(async (tx) => {
      for (const connection of [quiet, busy]) await tx.connections.insert(connection)
      for (const job of jobs) await tx.revocations.add(job)
    })
    assert.equal(await storage.connections.findFormer(busy.id), undefined)
    for (const { id } of [quiet, busy]) await storage.transaction((tx) => tx.connections.delete(id))
    assert.equal(await storage.connections.findFormer(quiet.id), undefined)
    assert.equal(await storage.connections.find(busy.id), undefined)
    // The same id once more, and gone again.
    const again = { ...busy, name: unique('again') }
    await storage.transaction((tx) => tx.connections.insert(again))
    await storage.transaction((tx) => tx.connections.delete(busy.id))
    for (const job of jobs) {
      assert.deepEqual(await storage.connections.findFormer(busy.id), again)
      await storage.transaction(async (tx) => {
        await tx.revocations.done(job.id)
        await tx.connections.deleteOrphans()
      })
    }
    assert.equal(await storage.connections.findFormer(busy.id), undefined)
  })

  test('resource servers: found by id and identifier; deletion ends the grants for them', async () => {
    const { storage } = nodes()
    const server: ResourceServerRecord = {
      id: unique('rs'),
      identifier: unique('https://api'),
      document: { scopes: [] },
    }
    const grant = sampleGrant({ audience: server.identifier })
    await storage.transaction(async (tx) => {
      await tx.resourceServers.put(server)
      await tx.clientGrants.put(grant)
    })
    assert.deepEqual(await storage.resourceServers.find(server.id), server)
    assert.deepEqual(await storage.resourceServers.findByIdentifier(server.identifier), server)
    const changed = { ...server, document: { scopes: ['a'] } }
    await storage.transaction((tx) => tx.resourceServers.put(changed))
    const page = await storage.resourceServers.list({ offset: 0, limit: 100 })
    assert.deepEqual(
      page.items.find((one) => one.id === server.id),
      changed,
    )
    assert.equal(page.total, page.items.length)

    assert.equal(await storage.transaction((tx) => tx.resourceServers.delete(server.id)), true)
    assert.equal(await storage.transaction((tx) => tx.resourceServers.delete(server.id)), false)
    assert.equal(await storage.clientGrants.find(grant.id), undefined)
  })

  test('client grants: one for client, audience and subject type, found by them, listed by any of them', async () => {
    const { storage } = nodes()
    const clientId = unique('client')
    const forClient = sampleGrant({ clientId, audience: 'https://a.test/' })
    const forUser = sampleGrant({ clientId, audience: 'https://a.test/', subjectType: 'user', scopes: [] })
    const elsewhere = sampleGrant({ clientId, audience: 'https://b.test/' })
    for (const grant of [forClient, forUser, elsewhere]) await storage.transaction((tx) => tx.clientGrants.put(grant))

    assert.deepEqual(await storage.clientGrants.findFor(clientId, 'https://a.test/', 'user'), forUser)
    assert.deepEqual(await storage.clientGrants.findFor(clientId, 'https://a.test/', 'client'), forClient)
    assert.equal(await storage.clientGrants.findFor(clientId, 'https://b.test/', 'user'), undefined)
    assert.equal((await storage.clientGrants.list({ offset: 0, limit: 10, clientId })).total, 3)
    const ofUsers = await storage.clientGrants.list({ offset: 0, limit: 10, clientId, subjectType: 'user' })
    assert.deepEqual(ofUsers, { items: [forUser], total: 1 })
    const ofAudience = await storage.clientGrants.list({ offset: 0, limit: 10, clientId, audience: 'https://b.test/' })
    assert.deepEqual(ofAudience.items, [elsewhere])

    const changed = { ...forUser, scopes: ['read'] }
    await storage.transaction((tx) => tx.clientGrants.put(changed))
    assert.deepEqual(await storage.clientGrants.find(forUser.id), changed)
    assert.equal(await storage.transaction((tx) => tx.clientGrants.delete(forUser.id)), true)
    assert.equal(await storage.transaction((tx) => tx.clientGrants.delete(forUser.id)), false)
  })

  test('signing keys: kept with their state and envelope, oldest first', async () => {
    const { storage } = nodes()
    const older = sampleKey({ createdAt: NOW })
    const newer = sampleKey({ createdAt: NOW + 1, state: 'next' })
    await storage.transaction(async (tx) => {
      await tx.signingKeys.insert(newer)
      await tx.signingKeys.insert(older)
    })
    assert.deepEqual(await storage.signingKeys.list(), [older, newer])
    await storage.transaction(async (tx) => {
      await tx.signingKeys.setState(newer.kid, 'current', NOW + 9)
      await tx.signingKeys.replaceEnvelope(newer.kid, bytes(3))
      await tx.signingKeys.delete(older.kid)
    })
    const changed = { ...newer, state: 'current', changedAt: NOW + 9, envelope: bytes(3) }
    assert.deepEqual(await storage.signingKeys.list(), [changed])
  })

  test('user keys: the first insert stands, rewrapping names the key that it replaces', async () => {
    const { storage } = nodes()
    const [first, second] = [await storedUser(storage), await storedUser(storage)]
    const keyId = unique('kek')
    const key = { userId: first.userId, keyId, wrapped: bytes(1, 2) }
    assert.deepEqual(await storage.transaction((tx) => tx.userKeys.insert(key)), key)
    const late = { ...key, wrapped: bytes(3) }
    assert.deepEqual(await storage.transaction((tx) => tx.userKeys.insert(late)), key)
    await storage.transaction((tx) => tx.userKeys.insert({ ...key, userId: second.userId }))
    assert.equal((await storage.userKeys.countByKey()).get(keyId), 2)

    const rewrapped = { ...key, keyId: unique('kek'), wrapped: bytes(7) }
    assert.equal(await storage.transaction((tx) => tx.userKeys.rewrap(rewrapped, 'another')), false)
    assert.equal(await storage.transaction((tx) => tx.userKeys.rewrap(rewrapped, keyId)), true)
    assert.deepEqual(await storage.userKeys.find(first.userId), rewrapped)
    const left = await storage.userKeys.listNotUnder(rewrapped.keyId, 100)
    assert.ok(left.some((one) => one.userId === second.userId))
    assert.ok(!left.some((one) => one.userId === first.userId))
  })

  test('sealed rows: found in every table by how their envelope begins, replaced while it stands', async () => {
    const { storage } = nodes()
    const { userId } = await storedUser(storage)
    const [old, fresh] = [bytes(1, 200), bytes(1, 201)]
    const envelope = Uint8Array.from([...old, 7])
    const connection = sampleConnection({ secretEnvelope: envelope })
    const transaction = sampleTransaction({ verifierEnvelope: envelope })
    const connect = sampleConnect({ userId, pendingEnvelope: envelope })
    const former = sampleConnection({ secretEnvelope: envelope })
    const revocation = sampleRevocation({ envelope, dueAt: NOW * 2, connectionId: former.id })
    const mail = { id: unique('mail'), envelope, attempts: 0, dueAt: NOW * 2 }
    const key = sampleKey({ envelope })
    const link = sampleLink()
    const factor = { id: unique('fac'), userId, kind: 'totp', envelope, lastStep: 0, addedAt: NOW } as const
    await storage.transaction(async (tx) => {
      await tx.connections.insert(connection)
      await tx.connections.insert(sampleConnection({ secretEnvelope: undefined }))
      await tx.transactions.insert(transaction)
      await tx.connects.insert(connect)
      await tx.revocations.add(revocation)
      await tx.connections.insert(former)
      await tx.connections.delete(former.id)
      await tx.mails.add(mail)
      await tx.signingKeys.insert(key)
      await tx.secondFactors.insert(factor)
      await tx.links.insert(link)
      await tx.links.putSnapshot(link.id, envelope, NOW * 2)
    })
    assert.equal(await storage.sealed.countOf(old), 9)
    assert.equal(await storage.sealed.countOf(fresh), 0)
    const outside = await storage.sealed.listOutside(fresh, 1000)
    const mine = outside.filter((row) => row.envelope[1] === 200)
    assert.deepEqual(mine.map((row) => row.kind).toSorted(), [
      'connect',
      'connection',
      'former-connection',
      'link',
      'mail',
      'revocation',
      'second-factor',
      'signing-key',
      'transaction',
    ])
    assert.equal((await storage.sealed.listOutside(fresh, 2)).length, 2)
    for (const row of mine) {
      const next = Uint8Array.from([...fresh, 9])
      assert.equal(await storage.transaction((tx) => tx.sealed.replace(row, next)), true)
      assert.equal(await storage.transaction((tx) => tx.sealed.replace(row, next)), false)
    }
    assert.equal(await storage.sealed.countOf(fresh), 9)
    assert.equal(await storage.sealed.countOf(old), 0)
    await storage.transaction(async (tx) => {
      await tx.revocations.done(revocation.id)
      await tx.connections.deleteOrphans()
      await tx.mails.done(mail.id)
      await tx.signingKeys.delete(key.kid)
      await tx.links.deleteSnapshot(link.id)
      await tx.secondFactors.deleteOfUser(userId)
    })
  })
}

const sampleGrant = (over: Partial<ClientGrantRecord>): ClientGrantRecord => ({
  id: unique('cgr'),
  clientId: unique('client'),
  audience: unique('https://api'),
  subjectType: 'client',
  scopes: ['read:users', 'update:users'],
  document: { allow_any_organization: false },
  ...over,
})

const sampleKey = (over: Partial<SigningKeyRecord>): SigningKeyRecord => ({
  kid: unique('kid'),
  state: 'current',
  publicJwk: { kty: 'RSA', n: 'AQAB' },
  envelope: bytes(1, 2, 3),
  createdAt: NOW,
  changedAt: NOW,
  ...over,
})
