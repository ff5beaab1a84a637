import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { EnvelopeError } from '../../src/crypto/envelope.ts'
import { KeyringError } from '../../src/crypto/key-file.ts'
import { openKeyring } from '../../src/crypto/keyring.ts'
import {
  keyReferences,
  pruneVaultKeys,
  resumeRewrapping,
  rewrapAll,
  rotateVaultKeys,
} from '../../src/vault/key-rotation.ts'
import { checkVaultKey, deploymentSecret, samlDecryptionKey, samlKey } from '../../src/vault/meta-secrets.ts'
import { DATABASES, openWorld, type World } from './support.ts'

const open = (world: World) => openKeyring({ source: `file:${world.keyFile}`, pollMs: 0 })
const foreign = () => openKeyring({ source: 'env:KEY', environment: { KEY: randomBytes(32).toString('base64') } })

for (const database of DATABASES) {
  describe(`T-VAULT-04 key rotation faults over ${database}`, () => {
    test('a wrong key is refused at start, before any write', async () => {
      const world = await openWorld(database)
      await checkVaultKey(world)
      await checkVaultKey(world)
      await world.connect('ada')
      const before = await world.storage.meta.find('vault-check')
      await assert.rejects(checkVaultKey({ ...world, keyring: foreign() }), KeyringError)
      assert.equal(await world.storage.meta.find('vault-check'), before)
    })

    test('a database without a check value but with data keys refuses a wrong key as well', async () => {
      const world = await openWorld(database)
      await world.connect('ada')
      await assert.rejects(checkVaultKey({ ...world, keyring: foreign() }), KeyringError)
      assert.equal(await world.storage.meta.find('vault-check'), undefined)
    })

    test('the deployment secret is one for all nodes', async () => {
      const world = await openWorld(database)
      const secrets = await Promise.all(Array.from({ length: 5 }, () => deploymentSecret(world)))
      assert.equal(new Set(secrets.map((one) => one.toString('hex'))).size, 1)
      assert.equal(secrets[0]?.length, 32)
    })

    test('a rotation beside exchanges loses nothing, reaches everything, and lets the old key go', async () => {
      const world = await openWorld(database, { accessTokenSeconds: 20 })
      await checkVaultKey(world)
      const secret = await deploymentSecret(world)
      const samlKeys = [await samlKey(world), await samlDecryptionKey(world)]
      const old = world.keyring.activeKeyId
      const accounts = await Promise.all(Array.from({ length: 12 }, (_, i) => world.connect(`user${i}`)))
      await sealEverywhere(world)
      const server = await world.node({ keyring: open(world) })
      const command = { ...world, keyring: open(world) }

      let stop = false
      let exchanges = 0
      const load = (async () => {
        for (let turn = 0; !stop; turn++) {
          const answer = await server.freshToken(accounts[turn % accounts.length]?.id ?? '')
          assert.equal(answer.kind, 'fresh')
          exchanges++
        }
      })()
      const report = await rotateVaultKeys(command)
      stop = true
      await load
      assert.ok(exchanges > 10, `${exchanges} exchanges`)
      assert.ok(report.resealed >= 12 + 6 + 4, `${report.resealed}`)
      assert.notEqual(report.activeKeyId, old)

      const references = await keyReferences(command)
      assert.equal(references.get(old), 0)
      assert.deepEqual(await pruneVaultKeys(command), [old])
      const restarted = { ...world, keyring: open(world) }
      await checkVaultKey(restarted)
      assert.deepEqual(await deploymentSecret(restarted), secret)
      assert.deepEqual([await samlKey(restarted), await samlDecryptionKey(restarted)], samlKeys)
      const vault = await world.node({ keyring: restarted.keyring })
      for (const { id } of accounts) assert.equal((await vault.freshToken(id, 0)).kind, 'fresh')
      await opensEverywhere(world, restarted.keyring)
      assert.throws(
        () => restarted.keyring.open('mail:m1', world.keyring.seal('mail:m1', Buffer.from(''))),
        EnvelopeError,
      )
    })

    test('a rotation that was cut off is carried on, and the old key stays while rows need it', async () => {
      const world = await openWorld(database)
      const accounts = await Promise.all(Array.from({ length: 5 }, (_, i) => world.connect(`user${i}`, 3600)))
      const old = world.keyring.activeKeyId
      world.keyring.rotate()
      assert.equal((await keyReferences(world)).get(old), 5)
      await world.storage.transaction(async (tx) => {
        for (const { userId } of accounts.slice(0, 2)) {
          const row = await tx.userKeys.find(userId)
          assert.ok(row)
          const wrapped = world.keyring.wrap(userId, world.keyring.unwrap(userId, row.wrapped))
          assert.ok(await tx.userKeys.rewrap({ userId, ...wrapped }, old))
        }
      })
      assert.equal((await keyReferences(world)).get(old), 3)
      const vault = await world.node({ keyring: open(world) })
      for (const { id } of accounts) assert.equal((await vault.freshToken(id)).kind, 'fresh')
      await resumeRewrapping(world)
      assert.equal((await keyReferences(world)).get(old), 0)
      assert.equal(await rewrapAll(world), 0)
    })
  })
}

test('a key from the environment is rotated by putting the new one in front', async () => {
  const world = await openWorld('sqlite')
  const [first, second] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')]
  const keys = (KEY: string) => openKeyring({ source: 'env:KEY', environment: { KEY } })
  const before = { ...world, keyring: keys(first) }
  await checkVaultKey(before)
  await assert.rejects(rotateVaultKeys(before), KeyringError)
  const both = { ...world, keyring: keys(`${second},${first}`) }
  await checkVaultKey(both)
  await rotateVaultKeys(both)
  await checkVaultKey({ ...world, keyring: keys(second) })
  await assert.rejects(checkVaultKey(before), KeyringError)
})

/** One row in each table that the keyring seals something in. */
async function sealEverywhere({ storage, keyring, clock }: World): Promise<void> {
  const now = clock()
  const sealed = (context: string) => keyring.seal(context, Buffer.from(context))
  await storage.transaction(async (tx) => {
    const at = { createdAt: now, updatedAt: now }
    const connection = { id: 'c1', name: 'c1', strategy: 'oidc', document: {} }
    await tx.connections.put({ ...connection, ...at, secretEnvelope: sealed('connection:c1') })
    await tx.connections.put({ ...connection, ...at, id: 'c2', name: 'c2', secretEnvelope: undefined })
    await tx.mails.add({ id: 'm1', envelope: sealed('mail:m1'), attempts: 0, dueAt: now })
    await tx.webhooks.put({ id: 'w1', url: 'https://x.test/', envelope: sealed('webhook:w1'), patterns: [] })
    await tx.revocations.add({
      id: 'r1',
      userId: 'u',
      connectionId: 'c1',
      accountId: 'cac_1',
      subject: 's',
      hint: 'access_token',
      envelope: sealed('revocation:r1'),
      attempts: 0,
      dueAt: now,
    })
    await tx.signingKeys.insert({
      kid: 'k1',
      state: 'current',
      publicJwk: {},
      envelope: sealed('signing-key:k1'),
      createdAt: now,
      changedAt: now,
    })
    await tx.transactions.insert({
      stateHash: 't1',
      kind: 'login',
      connectionId: 'c1',
      callbackPath: '/',
      browserHash: 'b',
      interactionHash: 'i',
      sessionUid: undefined,
      userId: undefined,
      clientId: undefined,
      nonce: 'n',
      verifierEnvelope: sealed('transaction:t1'),
      scopes: [],
      createdAt: now,
      expiresAt: now + 600,
    })
    await tx.connects.insert({
      authSessionHash: 'a1',
      ticketHash: 't',
      connectCodeHash: undefined,
      userId: 'work|user0',
      clientId: 'web',
      connectionId: 'c1',
      redirectUri: 'https://app.test/',
      state: undefined,
      codeChallenge: undefined,
      scopes: [],
      authorizationParams: {},
      dpopThumbprint: undefined,
      status: 'answered',
      browserHash: undefined,
      sessionUid: undefined,
      pendingEnvelope: sealed('connect:a1'),
      createdAt: now,
      expiresAt: now + 600,
    })
  })
}

async function opensEverywhere({ storage, clock }: World, keyring: World['keyring']): Promise<void> {
  const found = {
    'connection:c1': (await storage.connections.find('c1'))?.secretEnvelope,
    'transaction:t1': (await storage.transactions.find('t1'))?.verifierEnvelope,
    'connect:a1': (await storage.connects.find('a1'))?.pendingEnvelope,
    'signing-key:k1': (await storage.signingKeys.list())[0]?.envelope,
    'webhook:w1': (await storage.webhooks.list())[0]?.envelope,
    ...(await storage.transaction(async (tx) => {
      const query = { now: clock(), leaseSeconds: 60, limit: 10 }
      const [mail] = await tx.mails.claim(query)
      const jobs = await tx.revocations.claim(query)
      return { 'mail:m1': mail?.envelope, 'revocation:r1': jobs.find(({ id }) => id === 'r1')?.envelope }
    })),
  }
  for (const [context, envelope] of Object.entries(found)) {
    assert.ok(envelope, context)
    assert.equal(keyring.open(context, envelope).toString(), context)
  }
}
