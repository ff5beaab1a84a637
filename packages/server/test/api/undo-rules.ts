// Undoing links, on whichever database.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { linkCalls, pairOf, refused } from './link-calls.ts'
import { path, type World } from './world.ts'

const DAY = 86_400

export function undoRules(
  database: string,
  open: (options?: { readonly metadata?: 'deep_merge' }) => Promise<World>,
): void {
  describe(database, () => {
    let w: World
    before(async () => {
      w = await open()
    })
    after(() => w.close())
    const { call, couple, everythingOf, find, history, identityOf, merge, patch, undo } = linkCalls(() => w)

    test('undone, both users are what they were to the byte, and a second undo is refused', async () => {
      const { primary, secondary } = await couple('undone')
      await w.account(primary.userId, 'code', 'undone-own')
      const shared = await w.account(primary.userId, 'acme', 'other')
      await w.storage.transaction(async (tx) => {
        await tx.accounts.setDefault(shared.id, primary.userId)
        await tx.agentStops.put(primary.userId, 'web', w.clock())
        await tx.agentStops.put(secondary.userId, 'spa', w.clock())
      })
      const before = await everythingOf(primary, secondary)
      w.wait(60)
      const { id } = await merge(primary, secondary)
      w.wait(60)
      const answer = await undo(id)
      assert.equal(answer.status, 200, answer.text)
      assert.deepEqual(answer.json.conflicts, [])
      assert.deepEqual(await everythingOf(primary, secondary), before)
      refused(await undo(id), 409, 'link_undone')
      assert.equal((await history(secondary.userId)).json.merged_into, undefined)
      assert.equal(await w.storage.links.findSnapshot(id), undefined)
    })

    test('of the same upstream account on both sides the dropped one comes back to be connected again', async () => {
      const { primary, secondary } = await couple('both')
      const older = await w.account(primary.userId, 'acme', 'same')
      await w.storage.transaction((tx) => tx.accounts.setDefault(older.id, primary.userId))
      w.wait(10)
      const newer = await w.account(secondary.userId, 'acme', 'same')
      const { id } = await merge(primary, secondary)
      assert.equal((await w.storage.accounts.find(newer.id))?.isDefault, true)
      assert.equal((await undo(id)).status, 200)
      const back = await w.storage.accounts.find(older.id)
      assert.deepEqual(
        [back?.userId, back?.isDefault, back?.health, back?.label],
        [primary.userId, true, 'reconnect_required', 'same'],
      )
      assert.equal(await w.accessToken(older.id), 'reconnect_required')
      assert.equal(await w.accessToken(newer.id), 'access of same at acme')
      const renewed = await w.account(primary.userId, 'acme', 'same')
      assert.equal(renewed.id, older.id)
      assert.equal(await w.accessToken(older.id), 'access of same at acme')
    })

    test('deep_merge: brought keys leave again; one that was written since is a conflict and stays', async () => {
      const own = await open({ metadata: 'deep_merge' })
      try {
        const one = await couple('deep', own)
        const first = await merge(one.primary, one.secondary, own)
        const merged = { theme: 'dark', shared: { a: 1, b: 2 }, city: 'Bath' }
        const metadata = async () => (await own.storage.users.find(one.primary.userId))?.userMetadata
        assert.deepEqual(await metadata(), merged)
        assert.equal((await undo(first.id, {}, own)).status, 200)
        assert.deepEqual(await metadata(), { theme: 'dark', shared: { a: 1 } })
        const second = await merge(one.primary, one.secondary, own)
        await patch(one.primary.userId, { user_metadata: { city: 'York', added: 1, shared: { a: 1, b: 3 } } }, own)
        const answer = await undo(second.id, {}, own)
        refused(answer, 409, 'undo_conflict')
        const conflicts = ['user_metadata.shared.b', 'user_metadata.city']
        assert.deepEqual(
          answer.json.conflicts,
          conflicts.map((key) => ({ code: 'metadata_changed', key })),
        )
        const kept = await undo(second.id, { keep_changes: true }, own)
        assert.equal(kept.status, 200, kept.text)
        assert.deepEqual(kept.json.conflicts, answer.json.conflicts)
        assert.deepEqual(await metadata(), { theme: 'dark', shared: { a: 1, b: 3 }, city: 'York', added: 1 })
        const back = await own.storage.users.find(one.secondary.userId)
        assert.deepEqual(back?.userMetadata, { city: 'Bath', shared: { b: 2 } })
      } finally {
        await own.close()
      }
    })

    test('an account disconnected since is a conflict; kept, the rest comes back', async () => {
      const { primary, secondary, account } = await couple('gone')
      const { id } = await merge(primary, secondary)
      const moved = await w.storage.accounts.find(account.id)
      assert.ok(moved)
      await w.storage.transaction((tx) => w.vault.drop(tx, moved, w.clock()))
      const answer = await undo(id)
      refused(answer, 409, 'undo_conflict')
      assert.deepEqual(answer.json.conflicts, [{ code: 'account_gone', connected_account: account.id }])
      refused(await find(secondary.userId), 404, 'inexistent_user')
      assert.equal((await undo(id, { keep_changes: true })).status, 200)
      assert.equal((await find(secondary.userId)).status, 200)
      assert.deepEqual(await w.storage.accounts.listOfUser(secondary.userId), [])
    })

    test('what came since stays with the primary, but a sign-in tokenset goes with its identity', async () => {
      const { primary, secondary } = await couple('since')
      const { id } = await merge(primary, secondary)
      w.wait(5)
      const { connectionId, subject } = { ...(await identityOf(secondary).catch(() => undefined)), ...(await moved()) }
      const agents = await w.account(primary.userId, 'acme', 'since-new')
      const signIn = await w.account(primary.userId, 'files', subject, { purpose: 'sign_in' })
      await w.storage.transaction((tx) =>
        tx.identities.touch({ connectionId, subject, profileData: { name: 'Newer' }, lastLogin: w.clock() }),
      )
      await patch(primary.userId, { name: 'Renamed', user_metadata: { later: true } })
      const answer = await undo(id)
      assert.equal(answer.status, 200, answer.text)
      assert.equal((await w.storage.accounts.find(agents.id))?.userId, primary.userId)
      assert.equal((await w.storage.accounts.find(signIn.id))?.userId, secondary.userId)
      assert.equal(await w.accessToken(signIn.id), `access of ${subject} at files`)
      const view = (await find(primary.userId)).json
      assert.equal(view.name, 'Renamed')
      assert.equal(view.user_metadata.later, true)
      assert.deepEqual((await identityOf(secondary)).profileData, { name: 'Newer' })

      async function moved() {
        const [, second] = await w.storage.identities.listOfUser(primary.userId)
        if (second === undefined) throw new Error('not moved')
        return second
      }
    })

    test('an identity that was unlinked since has taken the id with it', async () => {
      const primary = await w.person('split-one')
      const secondary = await w.person('split-two', { connection: 'code', subject: '9911' })
      const { id } = await merge(primary, secondary)
      const answer = await call('DELETE', `${path(primary.userId)}/identities/github/9911`)
      assert.equal(answer.status, 200)
      refused(await undo(id), 409, 'undo_unavailable')
      assert.equal((await find(secondary.userId)).json.user_id, secondary.userId)
    })

    test('chained merges come apart from the end; aliases lead to the user who stands', async () => {
      const [one, two, three] = [
        await w.person('chain-one'),
        await w.person('chain-two', { connection: 'files' }),
        await w.person('chain-three', { connection: 'code', subject: '4242' }),
      ]
      const before = await everythingOf(one, two, three)
      const first = await merge(two, three)
      const second = await merge(one, two)
      assert.equal((await find(one.userId)).json.identities.length, 3)
      assert.equal((await history(three.userId)).json.merged_into, one.userId)
      refused(await undo(first.id), 409, 'link_superseded')
      assert.equal((await undo(second.id)).status, 200)
      assert.equal((await history(three.userId)).json.merged_into, two.userId)
      assert.equal((await undo(first.id)).status, 200)
      assert.deepEqual(await everythingOf(one, two, three), before)
    })

    test('two merges into one user come apart in either order', async () => {
      for (const order of ['first', 'last'] as const) {
        const people = [
          await w.person(`order-${order}`),
          await w.person(`order-${order}-a`, { connection: 'files' }),
          await w.person(`order-${order}-b`, { connection: 'files' }),
        ] as const
        const [primary, a, b] = people
        const before = await everythingOf(a, b)
        const links = [await merge(primary, a), await merge(primary, b)]
        if (order === 'last') links.reverse()
        for (const { id } of links) assert.equal((await undo(id)).status, 200)
        assert.deepEqual(await everythingOf(a, b), before)
        assert.equal((await find(primary.userId)).json.identities.length, 1)
      }
    })

    test('merged again after an undo: a link of its own, and the older one stays undone', async () => {
      const { primary, secondary } = await couple('anew')
      const first = await merge(primary, secondary)
      await undo(first.id)
      const second = await merge(primary, secondary)
      const { links } = (await history(primary.userId)).json
      assert.deepEqual(
        links.map((one: { id: string; can_undo: boolean }) => [one.id, one.can_undo]),
        [
          [second.id, true],
          [first.id, false],
        ],
      )
      assert.equal((await undo(second.id)).status, 200)
    })

    test('after its time a link stays, and so does what is sealed no longer', async () => {
      const { primary, secondary } = await couple('late')
      const { id } = await merge(primary, secondary)
      const early = w.clock() + 30 * DAY
      await w.storage.transaction((tx) => tx.links.deleteExpiredSnapshots(early, 1000))
      assert.ok(await w.storage.links.findSnapshot(id))
      await w.storage.transaction((tx) => tx.links.deleteExpiredSnapshots(early + 1, 1000))
      assert.equal(await w.storage.links.findSnapshot(id), undefined)
      refused(await undo(id), 409, 'undo_unavailable')
    })

    test('deleting the user who remained takes every snapshot along, however they were chained', async () => {
      const [one, two, three] = [
        await w.person('erase-one'),
        await w.person('erase-two', { connection: 'files' }),
        await w.person('erase-three', { connection: 'code', subject: '5151' }),
      ]
      const links = [await merge(two, three), await merge(one, two)]
      assert.equal((await call('DELETE', path(one.userId))).status, 204)
      for (const { id } of links) {
        assert.equal(await w.storage.links.findSnapshot(id), undefined)
        assert.equal((await undo(id)).status, 409)
      }
    })

    test('sessions and grants that came in by what leaves end; those of the primary go on', async () => {
      const { primary, secondary } = await couple('sessions')
      const { id } = await merge(primary, secondary)
      const own = await w.userToken(primary.userId)
      const [, second] = await w.storage.identities.listOfUser(primary.userId)
      assert.ok(second)
      const session = (identityKey: string, idHash: string) =>
        ({
          kind: 'Session',
          idHash,
          uid: idHash,
          grantId: undefined,
          userId: primary.userId,
          clientId: undefined,
          payload: {},
          createdAt: w.clock(),
          expiresAt: w.clock() + 1000,
          consumedAt: undefined,
          successorEnvelope: undefined,
          identityKey,
        }) as const
      const first = await identityOf(primary)
      await w.storage.transaction(async (tx) => {
        await tx.artifacts.put(session(`${second.connectionId}|${second.subject}`, `${database} leaving`))
        await tx.artifacts.put(session(`${first.connectionId}|${first.subject}`, `${database} staying`))
      })
      assert.equal((await undo(id)).status, 200)
      const left = await w.storage.artifacts.listOfUser('Session', primary.userId)
      assert.deepEqual(
        left.map(({ idHash }) => idHash),
        [`${database} staying`],
      )
      assert.equal((await w.me(own, 'GET', '/connected-accounts/accounts')).status, 200)
    })

    test('a user who was blocked since does not come back in as two', async () => {
      const { primary, secondary } = await couple('blocked')
      const { id } = await merge(primary, secondary)
      await patch(primary.userId, { blocked: true })
      assert.equal((await undo(id)).status, 200)
      assert.equal((await find(secondary.userId)).json.blocked, true)
    })

    test('twenty undo at once: one wins, the rest are told; links and undos in parallel lose nothing', async () => {
      const { primary, secondary } = await couple('race')
      const { id } = await merge(primary, secondary)
      const answers = await Promise.all(Array.from({ length: 20 }, () => undo(id)))
      assert.equal(answers.filter(({ status }) => status === 200).length, 1)
      assert.ok(answers.every(({ status }) => status === 200 || status === 409))
      const people = [primary, secondary, await w.person('race-three', { connection: 'code', subject: '777' })]
      const links = await Promise.all(
        people.flatMap((a) => people.filter((b) => b !== a).map((b) => call('POST', '/links', pairOf(a, b)))),
      )
      assert.ok(
        links.every(({ status }) => [201, 404, 409].includes(status)),
        links.map(({ text }) => text).join('\n'),
      )
      const standing = (await Promise.all(people.map(({ userId }) => w.storage.users.find(userId)))).filter(Boolean)
      const identities = await w.storage.identities.listOfUsers(people.map(({ userId }) => userId))
      assert.equal(standing.length, 1)
      assert.equal(identities.length, 3)
    })

    test('a snapshot is among what a rotation of keys seals anew, and a damaged one refuses', async () => {
      const { primary, secondary } = await couple('rotated')
      const { id } = await merge(primary, secondary)
      const row = { kind: 'link', id, envelope: (await w.storage.links.findSnapshot(id)) ?? new Uint8Array() } as const
      assert.ok((await w.storage.sealed.listOutside(new Uint8Array([1, 1]), 1000)).some((one) => one.id === id))
      const broken = Uint8Array.from(row.envelope)
      broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1
      await w.storage.transaction((tx) => tx.sealed.replace(row, broken))
      refused(await undo(id), 409, 'undo_unavailable')
      assert.equal((await find(primary.userId)).status, 200)
    })
  })
}
