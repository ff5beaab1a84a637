// Links as records: preview, merge, history, duplicates, on whichever database.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { addIdentity } from '../../src/accounts/add-identity.ts'
import { createUser } from '../../src/accounts/users.ts'
import type { User } from '../../src/domain/user.ts'
import { CURRENT_USER_SCOPES } from '../../src/protocol/api-scopes.ts'
import { linkCalls, pairOf, refused } from './link-calls.ts'
import { API_AUDIENCE, path, type World } from './world.ts'

export function linkRecords(database: string, open: () => Promise<World>): void {
  describe(database, () => {
    let w: World
    before(async () => {
      w = await open()
    })
    after(() => w.close())
    const { call, couple, everythingOf, find, history, identityOf, merge, patch, preview, undo } = linkCalls(() => w)

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
        const stale = await call('POST', '/links', pairOf(primary, secondary, { plan_hash }))
        refused(stale, 409, 'plan_stale')
        assert.deepEqual(await everythingOf(primary, secondary), before)
      }
      const { plan_hash } = (await preview(primary, secondary)).json
      const answer = await call('POST', '/links', pairOf(primary, secondary, { plan_hash }))
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
      assert.deepEqual((await call('GET', `/links/${link.id}`)).json, link)
      assert.deepEqual((await history(primary.userId)).json.links, [link])
      const retired = await history(secondary.userId)
      assert.deepEqual([retired.json.merged_into, retired.json.links], [primary.userId, [link]])
      refused(await find(secondary.userId), 404, 'inexistent_user')
      refused(await history('acme|nobody'), 404, 'inexistent_user')
      refused(await call('GET', '/links/lnk_none'), 404, 'inexistent_link')
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
      const answer = await call('GET', '/duplicates?per_page=100')
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
      const page = await call('GET', '/duplicates?per_page=1&page=0')
      assert.deepEqual([page.json.length, page.json.total >= 1], [1, true])
      refused(await w.management(w.machineToken(['read:clients']), 'GET', '/duplicates'), 403, 'insufficient_scope')
    })
  })
}
