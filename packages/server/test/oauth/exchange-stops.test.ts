// A stop counts for the next request, on the node that heard of it and on the other, and for one that is under way.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Repositories } from '../../src/storage/storage.ts'
import { refused } from './exchange-refused.ts'
import { DATABASES, openWorld, type Person, type World } from './exchange-world.ts'

type Stop = (tx: Repositories, person: Person) => Promise<unknown>

const block: Stop = async (tx, { userId }) => {
  const user = await tx.users.find(userId)
  if (user) await tx.users.replace({ ...user, blocked: true })
}

const STOPS: Readonly<Record<string, Stop>> = {
  'the user is blocked': block,
  'the user is deleted': (tx, { userId }) => tx.users.delete(userId),
  'the grant is revoked': (tx, { grantId }) => tx.artifacts.deleteByGrant(grantId),
  'the client is deleted': (tx) => tx.clients.delete('web'),
  'the connection is taken from the client': (tx) => tx.connections.setClient('con_work', 'web', false),
  'the connection is deleted': (tx) => tx.connections.delete('con_work'),
  'the account is disconnected': async (tx, { userId }) => {
    for (const { id } of await tx.accounts.listCandidates(userId, 'con_work')) await tx.accounts.delete(id)
  },
}

for (const database of DATABASES)
  describe(`stops of an exchange on ${database}`, () => {
    for (const [what, stop] of Object.entries(STOPS))
      test(`${what}: refused at once on both nodes`, async () => {
        const w = await openWorld(database)
        const person = await w.connectedPerson()
        const other = await w.node()
        assert.deepEqual(await statuses(w, other, person), [200, 200])
        await w.storage.transaction((tx) => stop(tx, person))
        for (const status of await statuses(w, other, person)) assert.ok(status >= 400, `status ${status}`)
      })

    test('a user who is blocked while the provider answers gets no token', async () => {
      const w = await openWorld(database)
      const person = await w.connectedPerson({ accessTokenSeconds: 20 })
      w.provider.delay('refresh', 600)
      const asked = w.provider.nextCall('refresh')
      const answer = w.ask(person.refreshToken)
      await asked
      await w.storage.transaction((tx) => block(tx, person))
      refused(await answer, 403, 'invalid_grant', 'subject_token_invalid')
    })

    test('a refresh token that was rotated serves no more, its successor does', async () => {
      const w = await openWorld(database)
      const { userId, refreshToken } = await w.connectedPerson()
      const { token } = await w.issueRefreshToken(userId, 'web')
      const used = { kind: 'RefreshToken', idHash: w.hashOf(refreshToken) } as const
      await w.storage.transaction((tx) => tx.artifacts.consume(used.kind, used.idHash, w.clock()))
      refused(await w.ask(refreshToken), 403, 'invalid_grant', 'subject_token_invalid')
      assert.equal((await w.ask(token)).status, 200)
    })
  })

async function statuses(w: World, other: Awaited<ReturnType<World['node']>>, person: Person) {
  const body = w.bodyOf(person.refreshToken)
  const there = await other.exchange.handle({ body, authorization: undefined, requestId: 'req-2' })
  return [(await w.ask(person.refreshToken)).status, there.status]
}
