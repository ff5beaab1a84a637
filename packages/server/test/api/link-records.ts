// Links as records: preview, merge, undo, history, on whichever database.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { addIdentity } from '../../src/accounts/add-identity.ts'
import { createUser } from '../../src/accounts/users.ts'
import type { User } from '../../src/domain/user.ts'
import { CURRENT_USER_SCOPES } from '../../src/protocol/api-scopes.ts'
import { API_AUDIENCE, path, type World } from './world.ts'

const DAY = 86_400

export function linkRecords(
  database: string,
  open: (options?: { readonly metadata?: 'deep_merge' }) => Promise<World>,
): void {
  describe(database, () => {
    let w: World
    let admin: string
    before(async () => {
      w = await open()
      admin = w.machineToken()
    })
    after(() => w.close())

    const pairOf = (primary: User, secondary: User, more = {}) => ({
      primary_user_id: primary.userId,
      secondary_user_id: secondary.userId,
      ...more,
    })
    const preview = (primary: User, secondary: User) =>
      w.management(admin, 'POST', '/links/preview', pairOf(primary, secondary))
    const merge = async (primary: User, secondary: User, world = w) => {
      const answer = await world.management(world.machineToken(), 'POST', '/links', pairOf(primary, secondary))
      assert.equal(answer.status, 201, answer.text)
      return answer.json
    }
    const undo = (id: string, body: unknown = {}, world = w) =>
      world.management(world.machineToken(), 'POST', `/links/${id}/undo`, body)
    const find = (userId: string) => w.management(admin, 'GET', path(userId))
    const history = (userId: string) => w.management(admin, 'GET', `${path(userId)}/links`)
    const patch = async (userId: string, body: unknown, world = w) =>
      assert.equal((await world.management(world.machineToken(), 'PATCH', path(userId), body)).status, 200)
    const identityOf = async ({ userId }: User) => {
      const [identity] = await w.storage.identities.listOfUser(userId)
      if (identity === undefined) throw new Error('no identity')
      return identity
    }
    /** A primary and a secondary with metadata, and an account of the secondary's. */
    async function couple(name: string, world = w) {
      const primary = await world.person(`${name}-one`)
      const secondary = await world.person(`${name}-two`, { connection: 'files' })
      const account = await world.account(secondary.userId, 'code', `${name}-code`)
      await patch(primary.userId, { user_metadata: { theme: 'dark', shared: { a: 1 } } }, world)
      await patch(secondary.userId, { user_metadata: { city: 'Bath', shared: { b: 2 } } }, world)
      return { primary, secondary, account }
    }
    /** All that is kept of two people, but for what every write changes. */
    async function everythingOf(...users: readonly User[]) {
      return Promise.all(
        users.map(async ({ userId }) => ({
          view: (await find(userId)).text,
          identities: await w.storage.identities.listOfUser(userId),
          evidence: await w.storage.evidence.listOfUser(userId),
          stops: await w.storage.agentStops.listOfUser(userId),
          accounts: (await w.storage.accounts.listOfUser(userId)).map((one) => ({ ...one, generation: 0 })),
          access: await Promise.all(
            (await w.storage.accounts.listOfUser(userId)).map(async ({ id }) => w.accessToken(id)),
          ),
        })),
      )
    }
    const refused = (answer: { status: number; json: { errorCode?: string } }, status: number, code: string) =>
      assert.deepEqual([answer.status, answer.json?.errorCode], [status, code])

    test('a preview names each part with its why, and writes nothing', async () => {
      const { primary, secondary, account } = await couple('preview')
      await w.storage.transaction((tx) => tx.agentStops.put(secondary.userId, 'web', w.clock()))
      const before = await everythingOf(primary, secondary)
      const { status, json } = await preview(primary, secondary)
      assert.equal(status, 200)
      assert.deepEqual(
        json.identities.map((one: { provider: string; user_id: string; outcome: string; why: string }) => [
          one.user_id,
          one.outcome,
          one.why,
        ]),
        [
          ['acme|preview-one', 'kept', 'primary_stays'],
          ['files|preview-two', 'moved', 'identity_conserved'],
        ],
      )
      assert.deepEqual(json.connected_accounts, [
        {
          id: account.id,
          connection: 'code',
          label: 'preview-code',
          purpose: 'agents',
          is_default: false,
          from: 'secondary',
          outcome: 'moved',
          why: 'follows_identity',
        },
      ])
      const dropped = { from: 'secondary', outcome: 'dropped', why: 'policy_keep_primary' }
      assert.deepEqual(
        json.metadata.filter((one: { outcome: string }) => one.outcome === 'dropped'),
        ['city', 'shared'].map((key) => ({ store: 'user_metadata', key, ...dropped })),
      )
      assert.deepEqual(json.stopped_agents, [
        { client_id: 'web', from: 'secondary', outcome: 'moved', why: 'stopped_stays_stopped' },
      ])
      assert.ok(json.addresses.some((one: { address: string }) => one.address === 'preview-two@example.test'))
      assert.deepEqual(await everythingOf(primary, secondary), before)
      assert.deepEqual((await history(primary.userId)).json.links, [])
    })

    test('a hash stays until something that the plan depends on changes, and then refuses', async () => {
      const { primary, secondary, account } = await couple('hash')
      const stopped = () => w.storage.transaction((tx) => tx.agentStops.put(primary.userId, 'web', w.clock()))
      const changes: readonly (() => Promise<unknown>)[] = [
        () => patch(secondary.userId, { user_metadata: { city: 'York' } }),
        () => patch(primary.userId, { name: 'Another' }),
        () => patch(primary.userId, { app_metadata: { plan: 'gold' } }),
        () => w.storage.transaction((tx) => tx.accounts.setLabel(account.id, secondary.userId, 'mine')),
        () => w.account(primary.userId, 'acme', 'hash-acme'),
        stopped,
      ]
      for (const change of changes) {
        const { plan_hash } = (await preview(primary, secondary)).json
        await w.userToken(secondary.userId)
        assert.equal((await preview(primary, secondary)).json.plan_hash, plan_hash)
        await change()
        const before = await everythingOf(primary, secondary)
        const stale = await w.management(admin, 'POST', '/links', pairOf(primary, secondary, { plan_hash }))
        refused(stale, 409, 'plan_stale')
        assert.deepEqual(await everythingOf(primary, secondary), before)
      }
      const { plan_hash } = (await preview(primary, secondary)).json
      const answer = await w.management(admin, 'POST', '/links', pairOf(primary, secondary, { plan_hash }))
      assert.equal(answer.status, 201)
    })

    test('the record says who, why, what and until when; both sides and the retired id lead to it', async () => {
      const { primary, secondary } = await couple('record')
      const link = await merge(primary, secondary)
      assert.deepEqual(
        [link.primary_user_id, link.secondary_user_id, link.by, link.rule, link.can_undo],
        [primary.userId, secondary.userId, { kind: 'client', client_id: 'm2m' }, 'management', true],
      )
      assert.match(link.explanation, /^An operator/)
      assert.ok(!JSON.stringify(link.plan).includes('@example.test') && !JSON.stringify(link).includes('Bath'))
      assert.deepEqual((await w.management(admin, 'GET', `/links/${link.id}`)).json, link)
      assert.deepEqual((await history(primary.userId)).json.links, [link])
      const retired = await history(secondary.userId)
      assert.deepEqual([retired.json.merged_into, retired.json.links], [primary.userId, [link]])
      refused(await find(secondary.userId), 404, 'inexistent_user')
      refused(await history('acme|nobody'), 404, 'inexistent_user')
      refused(await w.management(admin, 'GET', '/links/lnk_none'), 404, 'inexistent_link')
      const reader = w.machineToken(['read:users'])
      refused(
        await w.management(reader, 'POST', '/links/preview', pairOf(primary, secondary)),
        403,
        'insufficient_scope',
      )
      refused(await w.management(reader, 'POST', `/links/${link.id}/undo`, {}), 403, 'insufficient_scope')
    })

    test('every proven address of either side is told of the link and of its end', async () => {
      const { primary, secondary } = await couple('told')
      const from = w.notices.length
      const { id } = await merge(primary, secondary)
      await undo(id)
      const told = w.notices.slice(from).map(({ kind, addresses }) => [kind, addresses])
      const both = ['told-one@example.test', 'told-two@example.test']
      assert.deepEqual(told, [
        ['users_linked', both],
        ['users_parted', both],
      ])
    })

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
      const answer = await w.management(admin, 'DELETE', `${path(primary.userId)}/identities/github/9911`)
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
      assert.equal((await w.management(admin, 'DELETE', path(one.userId))).status, 204)
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
        people.flatMap((a) =>
          people.filter((b) => b !== a).map((b) => w.management(admin, 'POST', '/links', pairOf(a, b))),
        ),
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

    test('an account whose envelope does not open is not given to somebody else', async () => {
      const { primary, secondary, account } = await couple('damaged')
      const stored = await w.storage.accounts.find(account.id)
      assert.ok(stored)
      const envelope = Uint8Array.from(stored.envelope)
      envelope[envelope.length - 1] = (envelope.at(-1) ?? 0) ^ 1
      await w.storage.transaction((tx) => tx.accounts.replace({ ...stored, envelope }, stored.generation))
      await merge(primary, secondary)
      assert.equal(await w.storage.accounts.find(account.id), undefined)
    })

    test('an identity that was added alone has a record, and its undo takes it away', async () => {
      const primary = await w.person('alone')
      const { id: connectionId } = await w.connection('code')
      const given = { userId: primary.userId, connectionId, subject: 'alone-code', profileData: {}, email: undefined }
      const added = await w.storage.transaction((tx) =>
        addIdentity(tx, { ...given, grade: 0, rule: 'S7', proof: {}, at: w.clock() }),
      )
      assert.equal(added.kind, 'linked')
      const [link] = (await history(primary.userId)).json.links
      assert.deepEqual(
        [link.by, link.rule, link.identity],
        [{ kind: 'policy' }, 'S7', { connection: 'code', provider: 'github', user_id: 'alone-code' }],
      )
      assert.equal((await undo(link.id)).status, 200)
      assert.equal((await find(primary.userId)).json.identities.length, 1)
      assert.ok(await w.storage.identities.findTombstone(connectionId, 'alone-code'))
      assert.equal(w.notices.at(-1)?.kind, 'identity_unlinked')
      refused(await undo(link.id), 409, 'link_undone')
    })

    test('link_with of oneself is refused, unless the identity that proved it was added a moment ago', async () => {
      const primary = await w.person('self')
      const { id: connectionId } = await w.connection('code')
      const given = { userId: primary.userId, connectionId, subject: 'self-code', profileData: {}, email: undefined }
      const own = await w.userToken(primary.userId, {
        clientId: 'spa',
        audience: API_AUDIENCE,
        scopes: CURRENT_USER_SCOPES,
      })
      const login = (identityKey: string, sid: string) =>
        w.storage.transaction((tx) =>
          tx.artifacts.put({
            kind: 'Session',
            idHash: `${database} ${sid}`,
            uid: `${database} ${sid}`,
            grantId: undefined,
            userId: primary.userId,
            clientId: undefined,
            payload: { authorizations: { spa: { sid } } },
            createdAt: w.clock(),
            expiresAt: w.clock() + 10_000,
            consumedAt: undefined,
            successorEnvelope: undefined,
            identityKey,
          }),
        )
      const linkWith = (claims: Readonly<Record<string, string>>) =>
        w.management(own, 'POST', `${path(primary.userId)}/identities`, {
          link_with: w.idToken(primary.userId, 'spa', { nonce: `${Math.random()}`, ...claims }),
        })
      const first = await identityOf(primary)
      await login(`${first.connectionId}|${first.subject}`, 'by-first')
      assert.equal((await linkWith({})).status, 400, 'no session')
      assert.equal((await linkWith({ sid: 'by-first' })).status, 400, 'the identity that the user was made with')
      await w.storage.transaction((tx) =>
        addIdentity(tx, { ...given, grade: 0, rule: 'client', proof: {}, at: w.clock() }),
      )
      await login(`${connectionId}|self-code`, 'by-added')
      assert.equal((await linkWith({ sid: 'another' })).status, 400)
      const answer = await linkWith({ sid: 'by-added' })
      assert.equal(answer.status, 201, answer.text)
      assert.equal(answer.json.length, 2)
      w.wait(601)
      assert.equal((await linkWith({ sid: 'by-added' })).status, 400, 'too long ago')
    })

    test('the duplicates report tells proven, equal and merely alike addresses apart', async () => {
      const address = 'dupe.one@twins.test'
      const make = async (name: string, connection: string, email: string, grade: 0 | 1) => {
        const record = await w.connection(connection)
        const profileData = { name, email, email_verified: grade > 0 }
        const given = { connection: record, subject: name, profileData, email, grade }
        return w.storage.transaction((tx) =>
          createUser(tx, { ...given, source: `connection:${record.id}`, at: w.clock() }),
        )
      }
      const one = await make('dupe-a', 'acme', address, 1)
      w.wait(1)
      const two = await make('dupe-b', 'files', 'Dupe.One@Twins.test', 1)
      const three = await make('dupe-c', 'code', address, 0)
      const four = await make('dupe-d', 'acme', 'dupeone+news@twins.test', 1)
      const answer = await w.management(admin, 'GET', '/duplicates?per_page=100')
      assert.equal(answer.status, 200)
      type Found = {
        users: { user_id: string; address: string }[]
        reasons: string[]
        suggested_primary_user_id: string
      }
      const ours = (list: readonly Found[]) =>
        list.filter(({ users }) => users.some((user) => user.address === address))
      const shown = (list: readonly Found[]) =>
        ours(list).map(({ users, reasons, suggested_primary_user_id }) => [
          users.map(({ user_id }) => user_id).sort(),
          reasons,
          suggested_primary_user_id,
        ])
      const ids = (...users: readonly User[]) => users.map(({ userId }) => userId).sort()
      assert.deepEqual(shown(answer.json.proven), [
        [ids(one, two), ['same_address_proven', 'spelled_differently'], one.userId],
      ])
      assert.deepEqual(shown(answer.json.canonical), [
        [ids(one, two, three), ['same_address_unproven', 'spelled_differently'], one.userId],
      ])
      assert.deepEqual(shown(answer.json.soft), [
        [ids(one, two, three, four), ['differs_by_dots', 'differs_by_tag'], one.userId],
      ])
      const page = await w.management(admin, 'GET', '/duplicates?per_page=1&page=0')
      assert.deepEqual([page.json.length, page.json.total >= 1], [1, true])
      refused(await w.management(w.machineToken(['read:clients']), 'GET', '/duplicates'), 403, 'insufficient_scope')
    })
  })
}
