// Merging and undoing, over a real database: random people, and nothing of them is lost.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { mergeUsers, previewMerge } from '../../src/accounts/link.ts'
import { undoLink } from '../../src/accounts/link-undo.ts'
import { identityKeyOf } from '../../src/domain/identity-key.ts'
import { openWorld, type World } from '../api/world.ts'
import { exportOf } from './export.ts'
import { makePerson, nextNumber, person } from './people.ts'

type Policy = 'keep_primary' | 'deep_merge'
type DatabaseForTest = { readonly url: string; readonly remove: () => Promise<void> }

export function mergeUndoRules(
  database: string,
  { open, runs }: { readonly open: () => Promise<DatabaseForTest>; readonly runs: number },
): void {
  describe(database, () => {
    const opened: { readonly world: World; readonly databaseUrl: string; readonly policy: Policy }[] = []
    before(async () => {
      for (const policy of ['keep_primary', 'deep_merge'] as const) {
        const given = await open()
        opened.push({ policy, databaseUrl: given.url, world: await openWorld({ metadata: policy, database: given }) })
      }
    })
    after(async () => {
      for (const { world } of opened) await world.close()
    })
    const worldOf = (policy: Policy) => {
      const found = opened.find((one) => one.policy === policy)
      if (found === undefined) throw new Error('no such world')
      return found
    }

    for (const policy of ['keep_primary', 'deep_merge'] as const) {
      test(`merge, then undo, returns a byte-equal export of both users (${policy})`, async () => {
        const { world: w, databaseUrl } = worldOf(policy)
        await fc.assert(
          fc.asyncProperty(person, person, async (a, b) => {
            const ids = [await makePerson(w, a), await makePerson(w, b)] as const
            const pair = { primaryUserId: ids[0], secondaryUserId: ids[1], policy: { metadata: policy } }
            const exporting = { world: w, databaseUrl, revoked: droppedBy(await previewMerge(w.storage, pair)) }
            const before = await exportOf(exporting, ids)
            w.wait(7)
            const { link } = await merge(w, policy, ...ids)
            assert.notEqual(await exportOf(exporting, ids).catch(() => 'the secondary is gone'), before)
            w.wait(7)
            const { conflicts } = await undo(w, link.id)
            assert.deepEqual(conflicts, [])
            assert.equal(await exportOf(exporting, ids), before)
            for (const kind of ['Session', 'Grant', 'RefreshToken'] as const)
              assert.deepEqual(
                await w.storage.artifacts.listOfUser(kind, ids[1]),
                [],
                'what was issued does not return',
              )
          }),
          { numRuns: runs },
        )
      })
    }

    test('identities and upstream accounts are conserved by merges, chained and side by side, and by their undoing', async () => {
      const { world: w } = worldOf('keep_primary')
      await fc.assert(
        fc.asyncProperty(person, person, person, fc.boolean(), async (a, b, c, chained) => {
          const ids = [await makePerson(w, a), await makePerson(w, b), await makePerson(w, c)] as const
          const identities = async () =>
            (await w.storage.identities.listOfUsers(ids)).map((one) => identityKeyOf(one)).sort()
          const upstream = async () => {
            const accounts = await Promise.all(ids.map((id) => w.storage.accounts.listOfUser(id)))
            return new Set(accounts.flat().map((one) => `${identityKeyOf(one)} ${one.purpose}`))
          }
          const before = { identities: await identities(), upstream: await upstream() }
          const links = chained
            ? [await merge(w, 'keep_primary', ids[1], ids[2]), await merge(w, 'keep_primary', ids[0], ids[1])]
            : [await merge(w, 'keep_primary', ids[0], ids[1]), await merge(w, 'keep_primary', ids[0], ids[2])]
          assert.deepEqual({ identities: await identities(), upstream: await upstream() }, before)
          for (const { link } of links.toReversed()) {
            w.wait(1)
            await undo(w, link.id)
            assert.deepEqual({ identities: await identities(), upstream: await upstream() }, before)
          }
        }),
        { numRuns: runs },
      )
    })

    test('the order of two links does not matter', async () => {
      const { world: w } = worldOf('keep_primary')
      await fc.assert(
        fc.asyncProperty(person, person, person, async (a, b, c) => {
          const results: string[] = []
          for (const order of [
            [1, 2],
            [2, 1],
          ] as const) {
            const numbers: number[] = []
            const made: string[] = []
            for (const one of [a, b, c]) {
              numbers.push(nextNumber())
              made.push(await makePerson(w, one))
            }
            const [first = ''] = made
            for (const index of order) await merge(w, 'keep_primary', first, made[index] ?? '')
            results.push(await shape(w, first, numbers))
          }
          assert.equal(results[0], results[1])
        }),
        { numRuns: runs },
      )
    })
  })
}

const merge = (w: World, metadataPolicy: Policy, primaryUserId: string, secondaryUserId: string) =>
  w.storage.transaction((tx) =>
    mergeUsers(
      tx,
      { vault: w.vault, keyring: w.keyring, notify: async () => {} },
      {
        primaryUserId,
        secondaryUserId,
        policy: { metadata: metadataPolicy, undoDays: 30 },
        rule: 'management',
        proof: {},
        at: w.clock(),
      },
    ),
  )

const undo = (w: World, linkId: string) =>
  w.storage.transaction((tx) =>
    undoLink(tx, { vault: w.vault, keyring: w.keyring, notify: async () => {} }, { linkId, at: w.clock() }),
  )

const droppedBy = ({ plan }: { plan: { accounts: readonly { id: string; outcome: string }[] } }) =>
  new Set(plan.accounts.filter(({ outcome }) => outcome === 'dropped').map(({ id }) => id))

/** What remains, without the order in which it came and with people counted from the first of the three. */
async function shape(w: World, userId: string, numbers: readonly number[]): Promise<string> {
  const user = await w.storage.users.find(userId)
  const accounts = await w.storage.accounts.listOfUser(userId)
  const text = JSON.stringify({
    profile: user?.profile,
    metadata: [user?.userMetadata, user?.appMetadata],
    email: [user?.email, user?.emailVerified],
    identities: (await w.storage.identities.listOfUser(userId)).map((one) => nameless(identityKeyOf(one))).sort(),
    accounts: accounts.map((one) => `${identityKeyOf(one)} ${one.purpose}`).sort(),
    evidence: (await w.storage.evidence.listOfUser(userId))
      .map((one) => [nameless(one.address), one.source, one.grade])
      .sort(),
    stops: [...(await w.storage.agentStops.listOfUser(userId)).keys()].sort(),
  })
  return nameless(text)

  function nameless(given: string): string {
    return numbers.reduce(
      (done, number, index) => done.replaceAll(new RegExp(`\\bp${number}\\b`, 'g'), `n${index}`),
      given,
    )
  }
}
