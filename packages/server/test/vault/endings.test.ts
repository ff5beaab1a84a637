// An account that will stop working by itself is told of ahead: once for each end, whatever runs how often.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { StoredAccount } from '../../src/domain/tokenset.ts'
import { tellEndings } from '../../src/vault/endings.ts'
import { CONNECTION, DATABASES, mint, openWorld, store, type World } from './support.ts'

const DAY = 86_400

for (const database of DATABASES)
  suite(database, async () => {
    const world = await openWorld(database)
    const connectors = new Map([[CONNECTION, { traits: { refreshTokenEndsAfterSeconds: 30 * DAY } }]])
    const turn = () =>
      tellEndings({
        storage: world.storage,
        clock: world.clock,
        connectorFor: async (id) => connectors.get(id),
      })
    const told = async () => (await world.events('vault.ending')).map(({ accountId, data }) => [accountId, data?.why])

    const setUse = (id: string, ago: number) =>
      world.storage.transaction((tx) => tx.accounts.setUse(id, world.clock() - ago))

    test('of nodes that look at the same time one tells, and none again after a restart', async () => {
      const account = await ending(world, 'ada', { refreshSeconds: 30 * DAY })
      await turn()
      assert.deepEqual(await told(), [])
      world.skew = 24 * DAY
      await Promise.all([turn(), turn(), turn()])
      // A node that starts looks at once.
      const vault = await world.node()
      vault.start()
      await vault.stop()
      assert.deepEqual(await told(), [[account.id, 'consent_ends']])
      const [event] = await world.events('vault.ending')
      assert.deepEqual(
        [event?.userId, event?.connectionId, event?.data?.ends_at, event?.data?.purpose],
        ['work|ada', CONNECTION, account.refreshExpiresAt, 'agents'],
      )
      assert.equal(vault.healthOf(account), 'expiring')
    })

    test('an account that was connected again has another end, which is told in its turn', async () => {
      const again = await ending(world, 'ada', { refreshSeconds: 30 * DAY })
      await turn()
      assert.equal((await told()).length, 1)
      world.skew += 25 * DAY
      await turn()
      assert.deepEqual((await told()).at(-1), [again.id, 'consent_ends'])
      assert.equal((await told()).length, 2)
    })

    test('what a use puts off, and what lives for less than a day, is not worth an event', async () => {
      const before = (await told()).length
      const used = await ending(world, 'used', { refreshSeconds: 20 * DAY })
      const brief = await ending(world, 'brief', { accessSeconds: 3600 })
      const dull = await ending(world, 'dull', { accessSeconds: 3 * DAY })
      await turn()
      assert.deepEqual((await told()).slice(before), [[dull.id, 'not_renewable']])
      world.skew += 14 * DAY
      await setUse(used.id, DAY)
      await turn()
      assert.equal((await told()).length, before + 1, brief.id)
      await setUse(used.id, 8 * DAY)
      await turn()
      assert.deepEqual((await told()).at(-1), [used.id, 'key_ends'])
    })

    test('a key whose end no renewal puts off is told although the account is used, once it is seen', async () => {
      const before = (await told()).length
      const fixed = await ending(world, 'fixed', { refreshSeconds: 20 * DAY })
      const moving = await ending(world, 'moving', { refreshSeconds: 20 * DAY })
      world.skew += 18 * DAY + 3600
      for (const { id } of [fixed, moving]) await setUse(id, 3600)
      await turn()
      const renew = async (id: string, later: number) => {
        const now = await world.account(id)
        const [end, generation] = [(now.refreshExpiresAt ?? 0) + later, now.generation]
        const renewed = { ...now, refreshExpiresAt: end, generation: generation + 1 }
        assert.ok(await world.storage.transaction((tx) => tx.accounts.replace(renewed, generation)))
      }
      await renew(fixed.id, 1)
      await renew(moving.id, 300)
      await turn()
      assert.deepEqual((await told()).slice(before), [[fixed.id, 'key_ends']])
      await renew(fixed.id, 0)
      await turn()
      assert.equal((await told()).length, before + 1)
    })

    test('more than a page of them are all told', async () => {
      const before = (await told()).length
      const [one] = await Promise.all([ending(world, 'many', { accessSeconds: 2 * DAY })])
      const { id, ...rest } = await world.account(one.id)
      await world.storage.transaction(async (tx) => {
        for (let index = 0; index < 450; index++)
          await tx.accounts.insert({ ...rest, id: `${id}${index}`, subject: `many ${index}` })
      })
      await turn()
      assert.equal((await told()).length, before + 451)
    })
  })

async function ending(
  world: World,
  name: string,
  { refreshSeconds, accessSeconds = 3600 }: { refreshSeconds?: number; accessSeconds?: number },
): Promise<StoredAccount> {
  const userId = `work|${name}`
  if ((await world.storage.users.find(userId)) === undefined) {
    world.provider.addUser(name)
    await world.addUser(userId)
  }
  const tokenset = {
    ...mint(world, name),
    accessExpiresAt: world.clock() + accessSeconds,
    ...(refreshSeconds === undefined
      ? { refreshToken: undefined }
      : { refreshExpiresAt: world.clock() + refreshSeconds }),
  }
  const vault = await world.node({ storage: world.storage })
  const { account } = await store(world.storage, vault, { userId, subject: name, tokenset })
  return world.account(account.id)
}
