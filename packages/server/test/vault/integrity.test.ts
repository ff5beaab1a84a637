import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { StoredAccount } from '../../src/domain/tokenset.ts'
import { DATABASES, openWorld, type World } from './support.ts'

const write = (world: World, account: StoredAccount, envelope: Uint8Array) =>
  world.storage.transaction(async (tx) => {
    const now = await tx.accounts.find(account.id)
    assert.ok(now)
    // As an attacker with the database would: the row stays as it is but for the envelope.
    assert.ok(await tx.accounts.delete(account.id))
    assert.ok(await tx.accounts.insert({ ...now, envelope }))
  })

for (const database of DATABASES) {
  describe(`T-VAULT-01 ciphertext swap over ${database}`, () => {
    test('an envelope in another row, of another user or rolled back gives no token, and one alarm each', async () => {
      const world = await openWorld(database)
      const vault = await world.node()
      const [victim, attacker] = [await world.connect('victim', 3600), await world.connect('attacker', 3600)]
      await write(world, attacker, victim.envelope)
      for (let turn = 0; turn < 3; turn++)
        assert.deepEqual(await vault.freshToken(attacker.id), { kind: 'vault_integrity' })
      await write(world, attacker, attacker.envelope)
      assert.equal((await vault.freshToken(attacker.id)).kind, 'fresh')

      world.skew += 3600
      assert.equal((await vault.freshToken(victim.id)).kind, 'fresh')
      await write(world, victim, victim.envelope)
      assert.deepEqual(await vault.freshToken(victim.id), { kind: 'vault_integrity' })
      const alarms = await world.events('vault.integrity_failed')
      assert.deepEqual(
        alarms.map(({ accountId }) => accountId),
        [attacker.id, victim.id],
      )
      assert.equal(world.refreshes(), 1)
    })
  })
}

test('T-VAULT-02 downgrade and malleability: whatever is done to a stored envelope, it does not open', async () => {
  const world = await openWorld('sqlite')
  const vault = await world.node()
  const account = await world.connect('ada', 3600)
  const { envelope } = account
  const flip = fc.tuple(fc.nat(envelope.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, mask]) => {
    const bytes = Buffer.from(envelope)
    bytes.writeUInt8(bytes.readUInt8(at) ^ mask, at)
    return bytes
  })
  const cut = fc.nat(envelope.length - 1).map((length) => envelope.subarray(0, length))
  const longer = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((more) => Buffer.concat([envelope, more]))
  const other = fc.uint8Array({ maxLength: 300 })
  const legacy = fc.constant(Buffer.from('{"access_token":"up_access_1","token_type":"Bearer"}'))
  await fc.assert(
    fc.asyncProperty(fc.oneof(flip, cut, longer, other, legacy), async (damaged) => {
      await write(world, account, damaged)
      assert.deepEqual(await vault.freshToken(account.id), { kind: 'vault_integrity' })
    }),
    { numRuns: 150 },
  )
})

test('T-VAULT-03 stolen backup without KEK: no token stands in a row or an event', async () => {
  const world = await openWorld('sqlite')
  const vault = await world.node()
  const account = await world.connect('ada')
  await vault.freshToken(account.id)
  await world.storage.transaction(async (tx) => {
    const row = await tx.accounts.find(account.id)
    assert.ok(row)
    await vault.drop(tx, row, world.clock())
    const jobs = await tx.revocations.claim({ now: world.clock(), leaseSeconds: 1, limit: 10 })
    const kept = [row.envelope, account.envelope, ...jobs.map(({ envelope }) => envelope)]
    const text =
      kept.map((bytes) => Buffer.from(bytes).toString('latin1')).join() +
      JSON.stringify(await tx.events.list({ limit: 100 }))
    assert.equal(jobs.length, 2)
    for (const secret of world.provider.secrets) assert.ok(!text.includes(secret))
  })
})
