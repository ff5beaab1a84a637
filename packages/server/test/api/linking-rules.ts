// Link and unlink over the compatible API, on whichever database.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { User } from '../../src/domain/user.ts'
import { CURRENT_USER_SCOPES } from '../../src/protocol/api-scopes.ts'
import { API_AUDIENCE, path, START, type World } from './world.ts'

export function linkingRules(database: string, open: () => Promise<World>): void {
  describe(database, () => {
    let w: World
    let admin: string
    before(async () => {
      w = await open()
      admin = w.machineToken()
    })
    after(() => w.close())

    const link = (primary: string, body: unknown, token = admin) =>
      w.management(token, 'POST', `${path(primary)}/identities`, body)
    const unlink = (userId: string, provider: string, identity: string, token = admin) =>
      w.management(
        token,
        'DELETE',
        `${path(userId)}/identities/${encodeURIComponent(provider)}/${encodeURIComponent(identity)}`,
      )
    const find = (userId: string) => w.management(admin, 'GET', path(userId))
    const named = (user: User) => {
      const cut = user.userId.indexOf('|')
      return { provider: user.userId.slice(0, cut), user_id: user.userId.slice(cut + 1) }
    }
    /** Everything about people that is stored, for "nothing changed". */
    async function people() {
      const { items } = await w.storage.users.list({ offset: 0, limit: 1000 })
      const identities = await w.storage.identities.listOfUsers(items.map(({ userId }) => userId))
      return { items, identities }
    }
    async function nothingChanges<T>(act: () => Promise<T>): Promise<T> {
      const before = await people()
      const result = await act()
      assert.deepEqual(await people(), before)
      return result
    }
    const ownToken = (userId: string) =>
      w.userToken(userId, { clientId: 'spa', audience: API_AUDIENCE, scopes: CURRENT_USER_SCOPES })

    test('link answers 201 with all identities; the secondary is gone, the primary as it was', async () => {
      const primary = await w.person('first')
      const secondary = await w.person('second', { connection: 'code', subject: '4711', grade: 0 })
      await w.management(admin, 'PATCH', path(primary.userId), { user_metadata: { colour: 'red' } })
      await w.management(admin, 'PATCH', path(secondary.userId), { user_metadata: { colour: 'blue', shoe: 43 } })
      const before = (await find(primary.userId)).json
      const answer = await link(primary.userId, named(secondary))
      assert.equal(answer.status, 201, answer.text)
      assert.equal(answer.json.length, 2)
      assert.deepEqual(
        { ...answer.json[1], profileData: undefined },
        { connection: 'code', provider: 'github', user_id: '4711', isSocial: true, profileData: undefined },
      )
      assert.equal(answer.json[1].profileData.name, 'second')
      const after = (await find(primary.userId)).json
      for (const field of ['user_id', 'email', 'email_verified', 'name', 'user_metadata', 'app_metadata', 'created_at'])
        assert.deepEqual(after[field], before[field], field)
      const gone = await find(secondary.userId)
      assert.equal(gone.status, 404)
      assert.equal(gone.json.errorCode, 'inexistent_user')
      assert.equal(await w.storage.users.findAlias(secondary.userId), primary.userId)
    })

    test('user_id may be the whole user id, a number, or come as a form', async () => {
      const primary = await w.person('forms')
      const whole = await w.person('whole', { connection: 'files' })
      assert.equal((await link(primary.userId, { provider: 'oidc', user_id: whole.userId })).status, 201)
      await w.person('number', { connection: 'code', subject: '9007' })
      assert.equal((await link(primary.userId, { provider: 'github', user_id: 9007 })).status, 201)
      await w.person('form', { connection: 'code', subject: '9008' })
      const form = await w.management(
        admin,
        'POST',
        `${path(primary.userId)}/identities`,
        'provider=github&user_id=9008',
        {
          'content-type': 'application/x-www-form-urlencoded',
        },
      )
      assert.equal(form.status, 201, form.text)
      assert.equal(form.json.length, 4)
    })

    test('refusals change nothing and carry the known codes', async () => {
      const primary = await w.person('refuser')
      const secondary = await w.person('refused', { connection: 'files' })
      const unproven = await w.person('unproven', { grade: 0 })
      const cases: readonly (readonly [string, unknown, number, string])[] = [
        ['auth0|nobody', named(secondary), 404, 'inexistent_user'],
        [primary.userId, { provider: 'oidc', user_id: 'files|nobody' }, 404, 'inexistent_user'],
        [primary.userId, { provider: 'no-such-provider', user_id: 'x' }, 400, 'invalid_body'],
        [primary.userId, { provider: 'oidc' }, 400, 'invalid_body'],
        [primary.userId, {}, 400, 'invalid_body'],
        [primary.userId, { ...named(secondary), surprise: true }, 400, 'invalid_body'],
        [primary.userId, { ...named(secondary), link_with: 'x' }, 400, 'invalid_body'],
        [primary.userId, named(primary), 400, 'invalid_body'],
        [primary.userId, { link_with: 'rubbish' }, 400, 'invalid_body'],
        [unproven.userId, named(secondary), 403, 'address_unproven'],
      ]
      await nothingChanges(async () => {
        for (const [userId, body, status, code] of cases) {
          const answer = await link(userId, body)
          assert.equal(answer.status, status, `${JSON.stringify(body)}: ${answer.text}`)
          assert.equal(answer.json.errorCode, code)
        }
        const weak = await link(primary.userId, named(secondary), w.machineToken(['read:users']))
        assert.equal(weak.status, 403)
        assert.equal(weak.json.errorCode, 'insufficient_scope')
      })
    })

    test('an identity that is linked already cannot be linked again, here or elsewhere', async () => {
      const primary = await w.person('again')
      const secondary = await w.person('again-second', { connection: 'files' })
      const third = await w.person('again-third')
      assert.equal((await link(primary.userId, named(secondary))).status, 201)
      await nothingChanges(async () => {
        for (const userId of [primary.userId, third.userId]) {
          const answer = await link(userId, named(secondary))
          assert.equal(answer.status, 409)
          assert.equal(answer.json.errorCode, 'identity_conflict')
        }
      })
    })

    test('twenty equal links at once: one wins, and opposite links lose no identity', async () => {
      const [one, two] = [await w.person('race-one'), await w.person('race-two', { connection: 'files' })]
      const answers = await Promise.all(Array.from({ length: 20 }, () => link(one.userId, named(two))))
      assert.equal(answers.filter(({ status }) => status === 201).length, 1)
      assert.ok(answers.every(({ status }) => status < 500))
      const [three, four] = [await w.person('race-three'), await w.person('race-four', { connection: 'files' })]
      const opposite = await Promise.all([link(three.userId, named(four)), link(four.userId, named(three))])
      assert.equal(opposite.filter(({ status }) => status === 201).length, 1)
      const survivor = opposite[0]?.status === 201 ? three : four
      assert.equal((await find(survivor.userId)).json.identities.length, 2)
    })

    test('linking ends what the secondary had under way and carries connected accounts over, tokens readable', async () => {
      const primary = await w.person('carrier')
      const secondary = await w.person('carried', { connection: 'files' })
      const account = await w.account(secondary.userId, 'code', 'carried-code')
      const token = await w.userToken(secondary.userId)
      assert.equal((await link(primary.userId, named(secondary))).status, 201)
      assert.equal((await w.me(token, 'GET', '/connected-accounts/accounts')).status, 401)
      assert.deepEqual(await w.storage.artifacts.listOfUser('Grant', secondary.userId), [])
      const moved = await w.management(admin, 'GET', `${path(primary.userId)}/connected-accounts`)
      assert.deepEqual(
        moved.json.connected_accounts.map((one: { id: string }) => one.id),
        [account.id],
      )
      assert.equal(await w.accessToken(account.id), 'access of carried-code at code')
    })

    test('of the same upstream account on both sides the newer tokenset stays, the other is revoked', async () => {
      const primary = await w.person('both')
      const secondary = await w.person('both-second', { connection: 'files' })
      const older = await w.account(primary.userId, 'code', 'same')
      w.wait(10)
      const newer = await w.account(secondary.userId, 'code', 'same')
      assert.equal((await link(primary.userId, named(secondary))).status, 201)
      const accounts = await w.storage.accounts.listOfUser(primary.userId)
      assert.deepEqual(
        accounts.map(({ id }) => id),
        [newer.id],
      )
      assert.ok((await w.storage.revocations.countOfAccount(older.id)) > 0)
    })

    test('link_with is a fresh ID token of ours for the calling client, used once, for oneself', async () => {
      const primary = await w.person('with')
      const secondary = await w.person('with-second', { connection: 'files' })
      const own = await ownToken(primary.userId)
      const proof = w.idToken(secondary.userId)
      await nothingChanges(async () => {
        const cases: readonly (readonly [string, string, unknown, number])[] = [
          ['the named form', primary.userId, named(secondary), 403],
          ["another's record", secondary.userId, { link_with: w.idToken(primary.userId) }, 403],
          ["another client's token", primary.userId, { link_with: w.idToken(secondary.userId, 'web') }, 403],
          [
            'an old token',
            primary.userId,
            { link_with: w.idToken(secondary.userId, 'spa', { iat: START - 700 }) },
            400,
          ],
          [
            'a token of tomorrow',
            primary.userId,
            { link_with: w.idToken(secondary.userId, 'spa', { iat: START + 9999 }) },
            400,
          ],
          [
            'an expired token',
            primary.userId,
            { link_with: w.idToken(secondary.userId, 'spa', { exp: START - 1 }) },
            400,
          ],
          [
            'another issuer',
            primary.userId,
            { link_with: w.idToken(secondary.userId, 'spa', { iss: 'https://x.test/' }) },
            400,
          ],
          [
            'an array of audiences',
            primary.userId,
            { link_with: w.idToken(secondary.userId, 'spa', { aud: ['spa', 'x'] }) },
            400,
          ],
          ['an access token', primary.userId, { link_with: await ownToken(secondary.userId) }, 400],
          ['oneself', primary.userId, { link_with: w.idToken(primary.userId) }, 400],
          ['no algorithm', primary.userId, { link_with: `${btoa('{"alg":"none"}')}.${proof.split('.')[1]}.` }, 400],
          ['no signature', primary.userId, { link_with: proof.replace(/\.[^.]*$/, '.') }, 400],
        ]
        for (const [what, userId, body, status] of cases)
          assert.equal((await link(userId, body, own)).status, status, what)
      })
      const answer = await link(primary.userId, { link_with: proof }, own)
      assert.equal(answer.status, 201, answer.text)
      assert.ok([404, 409].includes((await link(primary.userId, { link_with: proof }, own)).status))
    })

    test('a blocked user is not linked in', async () => {
      const primary = await w.person('unblocked')
      const secondary = await w.person('blocked-second', { connection: 'files' })
      await w.management(admin, 'PATCH', path(secondary.userId), { blocked: true })
      const answer = await nothingChanges(() => link(primary.userId, named(secondary)))
      assert.equal(answer.status, 403)
      assert.equal(answer.json.errorCode, 'user_blocked')
    })

    test('unlink answers what remains; the identity is a user of its own with its plain id and empty metadata', async () => {
      const primary = await w.person('splitter')
      const secondary = await w.person('split', { connection: 'code', subject: '815' })
      await w.management(admin, 'PATCH', path(secondary.userId), { user_metadata: { a: 1 } })
      await link(primary.userId, named(secondary))
      const answer = await unlink(primary.userId, 'github', '815')
      assert.equal(answer.status, 200, answer.text)
      assert.equal(answer.json.length, 1)
      const standalone = (await find(secondary.userId)).json
      assert.equal(standalone.user_id, 'github|815')
      assert.equal(standalone.name, 'split')
      assert.deepEqual(standalone.user_metadata, {})
      assert.equal(standalone.email_verified, true, 'what the connection said goes with its identity')
      // And once more: the id was this identity's own all the time.
      assert.equal((await link(primary.userId, named(secondary))).status, 201)
      assert.equal((await unlink(primary.userId, 'github', 'code|815')).status, 200, 'with the connection in front')
      assert.equal((await find('github|815')).status, 200)
    })

    test('identities and users whose ids hold slashes, spaces, percent signs and pipes are reached', async () => {
      const primary = await w.person('odd')
      for (const subject of ['a/b c', '50%41', 'x|y', '..%2f..', 'ü?#']) {
        const user = await w.person('odd-second', { connection: 'code', subject })
        assert.equal((await find(user.userId)).json?.user_id, user.userId)
        assert.equal((await link(primary.userId, { provider: 'github', user_id: subject })).status, 201, subject)
        assert.equal((await unlink(primary.userId, 'github', subject)).status, 200, subject)
      }
    })

    test('an id that somebody else had is not given back', async () => {
      const primary = await w.person('not-back')
      const holder = await w.person('holder', { connection: 'code', subject: '616' })
      assert.equal(holder.userId, 'github|616')
      await w.management(admin, 'DELETE', path(holder.userId))
      const later = await w.person('later', { connection: 'code', subject: '616' })
      assert.match(later.userId, /^github\|616~/)
      assert.equal((await link(primary.userId, named(later))).status, 201)
      await unlink(primary.userId, 'github', '616')
      assert.equal((await find('github|616')).status, 404)
      const identity = await w.storage.identities.find((await w.connection('code')).id, '616')
      assert.match(identity?.userId ?? '', /^github\|616~/)
    })

    test('two connections of one strategy with one subject: ambiguous unless told apart, and no id passes between them', async () => {
      const primary = await w.person('ambiguous')
      const one = await w.person('amb-one', { connection: 'code', subject: '77' })
      const two = await w.person('amb-two', { connection: 'code-two', subject: '77' })
      assert.equal(one.userId, 'github|77')
      const vague = await link(primary.userId, { provider: 'github', user_id: '77' })
      assert.equal(vague.status, 400)
      const { id } = await w.connection('code-two')
      assert.equal((await link(primary.userId, { provider: 'github', user_id: '77', connection_id: id })).status, 201)
      assert.equal((await find(two.userId)).status, 404)
      assert.equal((await link(primary.userId, { provider: 'github', user_id: '77' })).status, 400, 'still two of them')
      const first = await w.connection('code')
      assert.equal(
        (await link(primary.userId, { provider: 'github', user_id: '77', connection_id: first.id })).status,
        201,
      )
      assert.equal((await unlink(primary.userId, 'github', '77')).status, 400, 'ambiguous')
      assert.equal((await unlink(primary.userId, 'github', 'code-two|77')).status, 200)
      assert.equal((await find('github|77')).status, 404, "the first connection's id is not the second's")
      assert.equal((await unlink(primary.userId, 'github', '77')).status, 200)
      assert.equal((await find('github|77')).status, 200)
    })

    test('the first identity and an unknown one cannot be unlinked', async () => {
      const user = await w.person('keeper')
      await nothingChanges(async () => {
        const first = await unlink(user.userId, 'oidc', 'acme|keeper')
        assert.equal(first.status, 400)
        assert.equal(first.json.errorCode, 'operation_not_supported')
        assert.equal((await unlink(user.userId, 'github', '1')).json.errorCode, 'inexistent_identity')
        assert.equal((await unlink('auth0|nobody', 'github', '1')).status, 404)
      })
    })

    test('the last usable way in stays: a disabled connection does not count', async () => {
      const primary = await w.person('last-way', { connection: 'code-two', subject: '31' })
      const secondary = await w.person('last-way-second', { connection: 'files' })
      await link(primary.userId, named(secondary))
      const { id } = await w.connection('code-two')
      await w.management(admin, 'PATCH', `/connections/${id}`, { authentication: { active: false } })
      assert.equal((await unlink(primary.userId, 'oidc', 'files|last-way-second')).status, 400)
      await w.management(admin, 'PATCH', `/connections/${id}`, { authentication: { active: true } })
      assert.equal((await unlink(primary.userId, 'oidc', 'files|last-way-second')).status, 200)
    })

    test("unlinking drops the identity's own tokenset, keeps connected accounts, and leaves a tombstone", async () => {
      const primary = await w.person('tokens')
      const secondary = await w.person('tokens-second', { connection: 'files', subject: 'tok' })
      await link(primary.userId, named(secondary))
      const signIn = await w.account(primary.userId, 'files', 'tok', { purpose: 'sign_in' })
      const agents = await w.account(primary.userId, 'files', 'tok')
      assert.equal((await unlink(primary.userId, 'oidc', 'files|tok')).status, 200)
      assert.equal(await w.storage.accounts.find(signIn.id), undefined)
      assert.ok((await w.storage.revocations.countOfAccount(signIn.id)) > 0)
      assert.equal((await w.storage.accounts.find(agents.id))?.userId, primary.userId)
      const { id } = await w.connection('files')
      assert.equal((await w.storage.identities.findTombstone(id, 'tok'))?.userId, primary.userId)
    })

    test('a password goes with its identity, linked and unlinked', async () => {
      const primary = await w.person('pw-primary')
      const made = await w.management(admin, 'POST', '/users', {
        connection: 'Username-Password-Authentication',
        email: 'pw@example.test',
        email_verified: true,
        password: 'Long-enough-1',
      })
      const subject = made.json.user_id.slice('auth0|'.length)
      const { id } = await w.connection('Username-Password-Authentication')
      const password = () => w.storage.passwords.find(id, subject)
      assert.equal((await link(primary.userId, { provider: 'auth0', user_id: subject })).status, 201)
      assert.ok(await password())
      assert.equal((await unlink(primary.userId, 'auth0', subject)).status, 200)
      assert.equal((await password())?.hash, 'hash of Long-enough-1')
      assert.equal((await find(`auth0|${subject}`)).json.email_verified, true)
    })

    test("a user's own token unlinks from its own record", async () => {
      const primary = await w.person('own-unlink')
      const secondary = await w.person('own-unlink-second', { connection: 'files' })
      const token = await ownToken(primary.userId)
      await link(primary.userId, { link_with: w.idToken(secondary.userId) }, token)
      const other = await ownToken((await w.person('stranger')).userId)
      const name = 'files|own-unlink-second'
      assert.equal((await unlink(primary.userId, 'oidc', name, other)).status, 403)
      assert.equal((await unlink(primary.userId, 'oidc', name, token)).status, 200)
    })

    test('nothing that was sent here was a bug of ours', () => {
      assert.deepEqual(w.errors, [])
    })
  })
}
