// What an operator finds, sees and does in the console, on both databases.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createUser } from '../../src/accounts/users.ts'
import { databases } from '../attacks/databases.ts'
import { connect, expectStatus, me, meToken, mgmt, signIn, userPath } from '../support/actors.ts'
import type { Browser } from '../support/browser.ts'
import {
  byPassword,
  enteredByLink,
  identitiesOf,
  inDatabase,
  mergeUrl,
  OPERATED,
  operator,
  twoUsers,
  userUrl,
} from '../support/console.ts'
import { eventually, sleep } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { changesNothing, eventsOf, openDoors, snapshot } from '../support/state.ts'
import { passTime } from '../support/time.ts'

for (const database of databases) {
  const server = await startServer({ database, settings: { ...OPERATED } })

  suite(database, () => {
    const find = (browser: Browser, text: string) =>
      browser.open(`${server.url}/console/users?${new URLSearchParams({ q: text })}`)

    test('a user is found by address in any spelling, id, old id, subject and name, and the page says by which', async () => {
      const browser = await operator(server)
      const { person, older, newer } = await twoUsers(server, 'sought')
      const subject = person.subjects.calendar ?? ''
      for (const [text, words] of [
        [person.email.toUpperCase(), /the address: G2/],
        [older, /the user id/],
        [subject, /the subject at calendar/],
        [`calendar|${subject}`, /the subject at calendar/],
        [person.key, /the name/],
        [person.key.slice(0, 6).toUpperCase(), /the name/],
      ] as const) {
        const page = await find(browser, text)
        assert.equal(page.status, 200, text)
        assert.match(page.text, words)
        assert.ok(page.links.includes(`/console/users/${encodeURIComponent(older)}`), text)
      }
      await merge(server, browser, older, newer)
      const page = await find(browser, newer)
      assert.match(page.text, /the id of a user who was joined into this one/)
      assert.ok(page.links.includes(`/console/users/${encodeURIComponent(older)}`))
      await browser.open(userUrl(server, newer))
      assert.equal(browser.page.name, 'console-user')
      assert.match(browser.page.text, new RegExp(`Also answers to\\s*${newer.replaceAll('|', '\\|')}`))
    })

    test('T-API-04 what nobody has, or no database could hold, finds nobody and breaks nothing', async () => {
      const browser = await operator(server)
      for (const text of [
        'nobody@example.test',
        "' or 1=1 --",
        '%',
        'a\0b',
        '\ud800',
        '|',
        'oidc|',
        'x'.repeat(5000),
      ]) {
        const page = await find(browser, text)
        assert.equal(page.status, 404, text.slice(0, 40))
        assert.match(page.text, /Nobody here has that/)
      }
      for (const path of [
        'users/oidc%7Ccalendar%7Cnobody',
        'links/lnk_nothing/undo',
        'merge?primary=a&secondary=b',
        'x/y',
      ])
        assert.equal((await browser.open(`${server.url}/console/${path}`)).status, 404, path)
    })

    test('a search keeps no trace of what was typed, and a look at a user says who looked', async () => {
      const browser = await operator(server)
      const { person, older } = await twoUsers(server, 'looked')
      await find(browser, person.email)
      await browser.open(userUrl(server, older))
      const [searched] = (await eventsOf(server, 'console.users_searched')).slice(-1)
      const [viewed] = (await eventsOf(server, 'console.user_viewed')).slice(-1)
      assert.deepEqual([searched?.data, viewed?.userId], [{ found: 2 }, older])
      assert.equal(viewed?.actor, searched?.actor)
      assert.match(viewed?.actor ?? '', /^auth0\|/)
    })

    test('the page of a user shows identities, evidence, decisions, connected accounts and sessions', async () => {
      const browser = await operator(server)
      const person = server.person('shown', ['calendar', 'files'], { name: 'Ada <b>Lovelace</b>' })
      const visit = await signIn(server, { connection: 'calendar' })
      const account = await connect(visit.browser, server, { token: await meToken(server, visit), connection: 'files' })
      const { text, body } = await browser.open(userUrl(server, visit.sub))
      for (const words of [
        'Ada <b>Lovelace</b>',
        person.email,
        person.subjects.calendar ?? '?',
        'the user began with it',
        'G2 its owner says so',
        'made a user',
        'S6',
        'Nobody has this account of the provider, nor its address.',
        account.id,
        'Ends, unless used',
      ])
        assert.ok(text.includes(words), words)
      assert.ok(!body.includes('<b>Lovelace'), 'T-WEB-03 a name is text')
    })

    test('J9 duplicates lead to a plan, the plan to a merge that the history explains, and back again', async () => {
      const browser = await operator(server)
      const { person, older, newer } = await twoUsers(server, 'twice')
      const before = await snapshot(server)
      await browser.open(`${server.url}/console/duplicates`)
      assert.match(browser.page.text, new RegExp(person.email))
      const offered = browser.page.links.find((link) => link.includes(encodeURIComponent(newer)) && /merge/.test(link))
      assert.ok(offered)
      await browser.open(`${server.url}${offered}`)
      assert.equal(browser.page.name, 'console-merge')
      assert.deepEqual(await snapshot(server), before)
      await browser.submit('merge-preview', { action: 'confirm' })
      assert.equal(browser.page.name, 'console-user')
      assert.match(browser.page.text, /is joined into this user/)
      assert.match(browser.page.text, /An operator saw in the console what would change/)
      assert.match(browser.page.text, /Best address: G2 on the side that remained, G2 on the other/)
      assert.deepEqual(await identitiesOf(server, older), ['calendar', 'work'])
      const [linked] = (await eventsOf(server, 'user.linked')).slice(-1)
      assert.match(linked?.actor ?? '', /^auth0\|/)
      assert.equal(linked?.data?.rule, 'console')
      const { json } = await (await mgmt(server)).get(`${userPath(older)}/links`)
      assert.deepEqual(json.links[0].by, { kind: 'operator', user_id: linked?.actor })
      await eventually('the mail about it', () =>
        server.mails().some(({ to, text }) => to === person.email && /not-me/.test(text)),
      )

      const undo = browser.page.links.find((link) => link.endsWith('/undo'))
      assert.ok(undo)
      await browser.open(`${server.url}${undo}`)
      assert.equal(browser.page.name, 'console-undo')
      assert.ok(browser.page.text.includes(`Goes back to ${newer}`))
      assert.deepEqual(await identitiesOf(server, older), ['calendar', 'work'])
      await browser.submit('undo-link', { action: 'undo' })
      assert.match(browser.page.text, /is a user of its own again/)
      assert.deepEqual(await snapshot(server), before)
      const [undone] = (await eventsOf(server, 'link.undone')).slice(-1)
      assert.equal(undone?.actor, linked?.actor)
      const again = await browser.open(`${server.url}${undo}`)
      assert.deepEqual([again.status, again.name], [409, 'console-undo'])
      assert.match(again.text, /was undone before/)
    })

    test('two who are kept separate are listed no more, here and over the API, until that is taken back', async () => {
      const browser = await operator(server)
      const { older, newer } = await twoUsers(server, 'separate')
      const { json: user } = await (await mgmt(server)).get(userPath(older))
      const before = await snapshot(server)
      const listed = async (query = '') => {
        const { json } = await (await mgmt(server)).get(`/duplicates?per_page=100${query}`)
        const users = [...json.proven, ...json.soft].flatMap((one: { users: { user_id: string }[] }) => one.users)
        return users.filter(({ user_id: id }: { user_id: string }) => id === older || id === newer).length
      }
      const keep = async (page: string, action: 'keep_separate' | 'undo') => {
        await browser.open(`${server.url}${page}`)
        const form = browser.page.forms.find(({ fields }) => fields.some(([, value]) => value === newer))
        assert.ok(form, 'offered')
        const fields = { ...Object.fromEntries(form.fields), action }
        return browser.post(`${server.url}/console/duplicates`, fields, { from: browser.page.url })
      }
      assert.equal(await listed(), 2)
      const kept = await keep('/console/duplicates', 'keep_separate')
      assert.equal(kept.name, 'console-duplicates')
      assert.match(kept.text, /are kept separate/)
      assert.ok(!kept.text.includes(user.email))
      assert.match(kept.text, /1 pair is kept separate/)
      assert.equal(await listed(), 0)
      assert.equal(await listed('&include_kept_separate=true'), 2)
      const api = await mgmt(server)
      const { json } = await api.get('/duplicates?per_page=100&include_kept_separate=true')
      assert.deepEqual(json.kept_separate, [[older, newer].sort()])
      assert.equal((await api.get('/duplicates?include_kept_separate=maybe')).status, 400)
      const shown = await browser.open(`${server.url}/console/duplicates?kept=1`)
      assert.ok(shown.text.includes(older) && shown.text.includes(newer))
      const again = await keep('/console/duplicates?kept=1', 'undo')
      assert.match(again.text, /No two users are kept separate|listed again/)
      assert.equal(await listed(), 2)
      assert.deepEqual(await snapshot(server), before)
      const named = async (type: string) => (await eventsOf(server, type)).map((one) => [one.userId, one.data])
      assert.deepEqual(await named('console.users_kept_separate'), [[older, { other_user_id: newer }]])
      assert.equal((await named('console.users_listed_again')).length, 1)
      // Nobody, oneself and half a pair are kept apart from nobody; who is gone is forgotten.
      await browser.open(`${server.url}/console/duplicates`)
      const csrf = browser.page.forms.flatMap(({ fields }) => fields).find(([name]) => name === 'csrf')?.[1] ?? ''
      const send = (fields: Record<string, string>) =>
        browser.post(
          `${server.url}/console/duplicates`,
          { csrf, action: 'keep_separate', ...fields },
          { from: browser.page.url },
        )
      assert.equal((await send({ user: older })).status, 400)
      for (const other of [older, 'auth0|nobody']) assert.equal((await send({ user: older, other })).status, 200)
      await send({ user: older, other: newer })
      expectStatus(await api.delete(userPath(newer)), 204)
      assert.deepEqual(await inDatabase(server, (storage) => storage.apart.listAmong([older, newer])), [])
    })

    test('a plan that does not hold any more joins nobody, and is shown anew', async () => {
      const browser = await operator(server)
      const { older, newer } = await twoUsers(server, 'stale')
      await browser.open(mergeUrl(server, older, newer))
      expectStatus(await (await mgmt(server)).patch(userPath(newer), { user_metadata: { since: 1 } }), 200)
      await browser.submit('merge-preview', { action: 'confirm' })
      assert.equal(browser.page.name, 'console-merge')
      assert.match(browser.page.text, /Something changed since you looked/)
      assert.match(browser.page.text, /user_metadata\.since/)
      assert.deepEqual(await identitiesOf(server, newer), ['work'])
      await browser.submit('merge-preview', { action: 'confirm', fields: { plan_hash: undefined } })
      assert.match(browser.page.text, /Something changed since you looked/)
      await browser.submit('merge-preview', { action: 'confirm' })
      assert.equal(browser.page.name, 'console-user')
    })

    test('the other one may remain; whose address is unproven may not, and who is blocked is not joined', async () => {
      const browser = await operator(server)
      const { older, newer } = await twoUsers(server, 'turned')
      await browser.open(mergeUrl(server, older, newer))
      await browser.submit('merge-preview', { action: 'continue', fields: { primary: 'other' } })
      assert.equal(new URL(browser.page.url).searchParams.get('primary'), newer)
      await browser.submit('merge-preview', { action: 'cancel' })
      assert.equal(browser.page.name, 'console-duplicates')
      server.person('claims', ['loose'])
      const { sub: unproven } = await signIn(server, { connection: 'loose' })
      const refused = await browser.open(mergeUrl(server, unproven, older))
      assert.equal(refused.status, 409)
      assert.match(refused.text, /own address is not proven/)
      assert.equal((await browser.open(mergeUrl(server, older, older))).status, 409)
      expectStatus(await (await mgmt(server)).patch(userPath(newer), { blocked: true }), 200)
      assert.match((await browser.open(mergeUrl(server, older, newer))).text, /is blocked/)
    })

    test('an undo that something stands in the way of shows it, asks, and keeps it', async () => {
      const browser = await operator(server)
      const { older, newer } = await twoUsers(server, 'changed')
      const again = await signIn(server, { connection: 'work' })
      const account = await connect(again.browser, server, { token: await meToken(server, again), connection: 'work' })
      await merge(server, browser, older, newer)
      const undo = `${server.url}${browser.page.links.find((link) => link.endsWith('/undo'))}`
      await browser.open(undo)
      const innocent = browser.clone()
      await innocent.open(undo)
      const token = await meToken(server, await signIn(server, { connection: 'calendar' }))
      const calls = me(server, token)
      expectStatus(await calls.delete(`/connected-accounts/accounts/${account.id}`), 204)
      await innocent.submit('undo-link', { action: 'undo' })
      assert.equal(innocent.page.name, 'console-undo')
      assert.match(innocent.page.text, /Something changed since you looked/)
      assert.ok(innocent.page.text.includes(account.id))
      assert.deepEqual(await identitiesOf(server, older), ['calendar', 'work'])
      await innocent.submit('undo-link', { action: 'undo' })
      assert.match(innocent.page.text, /is a user of its own again/)
      assert.deepEqual(await identitiesOf(server, newer), ['work'])
    })

    test('an identity that was added is taken away again, and its sessions end', async () => {
      const browser = await operator(server)
      const person = server.person('adder', ['calendar', 'code'])
      const visit = await signIn(server, { connection: 'calendar' })
      await visit.browser.open(`${server.url}/account/connections`)
      await visit.browser.submit('link', { connection: 'code' })
      await visit.browser.submit('link-confirm', { action: 'confirm' })
      const other = await signIn(server, { connection: 'code' })
      assert.equal(other.sub, visit.sub)
      await browser.open(userUrl(server, visit.sub))
      assert.ok(browser.page.text.includes(`code ${person.subjects.code} was added`))
      await browser.open(`${server.url}${browser.page.links.find((link) => link.endsWith('/undo'))}`)
      await browser.submit('undo-link', { action: 'undo' })
      assert.match(browser.page.text, /is removed from this user/)
      assert.deepEqual(await identitiesOf(server, visit.sub), ['calendar'])
      assert.deepEqual(await openDoors(server, other), [])
    })

    test('whoever entered by a link does the same, under that name, for as long as a proof is fresh', async () => {
      const browser = await enteredByLink(server)
      const { older, newer } = await twoUsers(server, 'linked')
      await merge(server, browser, older, newer)
      const [linked] = (await eventsOf(server, 'user.linked')).slice(-1)
      assert.deepEqual([linked?.userId, linked?.actor], [older, 'console link'])
      const { json } = await (await mgmt(server)).get(`${userPath(older)}/links`)
      assert.deepEqual(json.links[0].by, { kind: 'operator' })
      const seen = await signIn(server, { connection: 'calendar' })
      const { text } = await seen.browser.open(`${server.url}/account/activity`)
      assert.match(text, /Acme joined two accounts into this one/)
    })

    test('somebody outside who knocks again and again is recorded once in a while', async () => {
      const { browser, sub } = await byPassword(server)
      for (let time = 0; time < 3; time++) assert.equal((await browser.open(`${server.url}/console/users`)).status, 403)
      const knocks = async () =>
        (await eventsOf(server, 'console.refused')).filter(({ userId }) => userId === sub).length
      assert.equal(await knocks(), 1)
      passTime(901)
      await browser.open(`${server.url}/console`)
      assert.equal(await knocks(), 2)
    })

    test('the simulation says what a policy would do, and writes nothing but that it was asked', async () => {
      // Nobody was asked, so that nobody said to keep the two apart.
      const own = await startServer({ database, settings: { ...OPERATED, linking: { policy: 'off' } } })
      const browser = await operator(own)
      const { older, newer } = await twoUsers(own, 'simulated')
      const simulate = (policy: string) => browser.open(`${own.url}/console/simulate?policy=${policy}`)
      const page = await changesNothing(own, () => simulate('auto_when_authoritative'))
      assert.equal(page.name, 'console-simulate')
      assert.match(page.text, /1 identity was looked at/)
      assert.match(page.text, /joined\s*1\s*S7/)
      for (const userId of [older, newer]) assert.ok(page.text.includes(userId))
      assert.match((await simulate('suggest')).text, /suggested to link\s*1\s*S8/)
      const off = await simulate('off')
      assert.ok(!off.text.includes(newer))
      assert.match(off.text, /The policy suggests nothing/)
      const simulated = await eventsOf(own, 'console.policy_simulated')
      assert.deepEqual(
        simulated.map(({ data }) => [data?.policy, data?.examined]),
        [
          ['auto_when_authoritative', 1],
          ['suggest', 1],
          ['off', 1],
        ],
      )
      // More than a page has room for: in parts, each saying which it is, and nobody twice.
      const pairs = 101
      await inDatabase(own, (storage) =>
        storage.transaction(async (tx) => {
          const connection = await tx.connections.findByName('calendar')
          assert.ok(connection)
          for (let at = 0; at < 2 * pairs; at++) {
            const email = `many-${at >> 1}@example.test`
            const profileData = { email, email_verified: true }
            const given = { connection, subject: `many-${at}`, profileData, email, grade: 2 } as const
            await createUser(tx, { ...given, source: `connection:${connection.id}`, at: at % 2 })
          }
        }),
      )
      const first = await simulate('suggest')
      assert.match(first.text, /groups 1 to 100 of 102/)
      const next = first.links.find((link) => link.includes('from=100'))
      assert.ok(next)
      const second = await browser.open(`${own.url}${next.replaceAll('&amp;', '&')}`)
      assert.match(second.text, /groups 101 to 102 of 102/)
      const newcomers = [first, second].flatMap(({ text }) => [
        ...text.matchAll(/oidc\|calendar\|many-\d*[13579](?!\d)/g),
      ])
      assert.deepEqual([newcomers.length, new Set(newcomers.map(String)).size], [pairs, pairs])
      assert.match((await simulate('suggest&from=999999')).text, /0 identities were looked at/)
      assert.equal((await simulate('suggest&from=-1')).status, 200)
      await own.close()
    })
  })
}

test('T-LINK-10 an old sign-in proves itself again, as the same operator, and then what was wanted is done', async () => {
  const strict = await startServer({ settings: { ...OPERATED, linking: { reauthentication_seconds: 2 } } })
  const { older, newer } = await twoUsers(strict, 'waits')
  const { ada, eve } = strict.tenant
  const browser = await operator(strict)
  const entered = await enteredByLink(strict)
  await sleep(3100)
  await browser.open(mergeUrl(strict, older, newer))
  await changesNothing(strict, async () => {
    await browser.submit('merge-preview', { action: 'confirm' })
    assert.equal(browser.page.name, 'reauthenticate')
    assert.match(browser.page.text, /change an account as an operator/)
    await browser.submit('login', { fields: { username: eve.email, password: eve.password } })
    assert.equal(browser.page.status, 403)
    await entered.open(mergeUrl(strict, older, newer))
    await entered.submit('merge-preview', { action: 'confirm' })
    assert.deepEqual([entered.page.status, entered.page.name], [403, 'console-closed'])
    assert.match(entered.page.text, /too long ago/)
  })
  await browser.submit('login', { fields: { username: ada.email, password: ada.password } })
  assert.equal(browser.page.name, 'console-user')
  assert.deepEqual(await identitiesOf(strict, older), ['calendar', 'work'])
})

/** Through the page, as it is shown. */
async function merge(server: TestServer, browser: Browser, primary: string, secondary: string): Promise<void> {
  await browser.open(mergeUrl(server, primary, secondary))
  assert.equal(browser.page.name, 'console-merge')
  await browser.submit('merge-preview', { action: 'confirm' })
  assert.equal(browser.page.name, 'console-user', browser.page.text)
}
