// A copy of what is held about a person, the end of their account, and the proof that either asks for.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openStorage } from '../../src/storage/open.ts'
import {
  completeConnect,
  connect,
  exchange,
  expectStatus,
  meToken,
  signIn,
  startConnect,
  userPath,
} from '../support/actors.ts'
import { eventually, request } from '../support/http.ts'
import { changesNothing, eventsOf, openDoors } from '../support/state.ts'
import { passTime } from '../support/time.ts'
import { openSelfWorld, SESSION } from './self-world.ts'

for (const database of ['sqlite', 'postgres'] as const)
  describe(database, async () => {
    const { server, api, at, somebody, withPassword, addWay, userOf, mailTo } = await openSelfWorld(database)

    test('a copy holds everything that is held, and no key, password or token', async () => {
      const person = server.person('copied', ['calendar', 'files', 'code'])
      const visit = await signIn(server, { client: 'agent-a', connection: 'calendar' })
      const token = await meToken(server, visit)
      const account = await connect(visit.browser, server, { token, connection: 'files' })
      expectStatus(
        await exchange(server, {
          client: 'agent-a',
          connection: 'files',
          subjectToken: visit.refreshToken,
          fields: { purpose: 'a purpose to be found again' },
        }),
        200,
      )
      await addWay(visit.browser, 'code')
      await at(visit.browser, '')
      await visit.browser.submit('download')
      const { page } = visit.browser
      assert.equal(page.status, 200)
      assert.match(page.headers['content-disposition'] ?? '', /^attachment/)
      assert.match(page.headers['cache-control'] ?? '', /no-store/)
      const held = JSON.parse(page.body)
      assert.equal(held.format, 'tenon-account-data-1')
      assert.equal(held.profile.user_id, visit.sub)
      assert.ok(held.addresses.some(({ address }: { address: string }) => address === person.email))
      assert.deepEqual(
        held.identities.map(({ connection }: { connection: string }) => connection),
        ['calendar', 'code'],
      )
      assert.ok(held.connected_accounts.some(({ id }: { id: string }) => id === account.id))
      assert.ok(held.agents.some(({ client_id: id }: { client_id: string }) => id === 'agent-a'))
      assert.equal(held.sessions.length, 1)
      assert.equal(held.links.length, 1)
      const types = held.events.map(({ type }: { type: string }) => type)
      for (const type of ['user.created', 'user.signed_in', 'vault.exchanged', 'identity.linked'])
        assert.ok(types.includes(type), type)
      assert.ok(page.body.includes('a purpose to be found again'))
      const secrets = [
        ...Object.values(server.providers).flatMap(({ secrets: some }) => [...some]),
        visit.refreshToken ?? '-',
        visit.accessToken,
        visit.browser.cookie(SESSION)?.value ?? '-',
      ]
      for (const secret of secrets) assert.equal(page.body.includes(secret), false)
      assert.equal(
        (await eventsOf(server, 'user.data_downloaded')).filter(({ userId }) => userId === visit.sub).length,
        1,
      )
      // The way to the file is for this session, and for a moment.
      const { url } = page
      const thief = await somebody('thief')
      assert.equal((await thief.browser.open(url)).error, 'interaction_expired')
      assert.equal((await request(url)).status >= 400, true)
      passTime(121)
      assert.equal((await visit.browser.open(url)).error, 'interaction_expired')
      assert.equal((await visit.browser.open(`${server.url}/account/download`)).error, 'interaction_expired')
    })

    test('a copy holds nothing of anybody else, nor a hash of a password', async () => {
      const [one, two] = [await withPassword('one'), await withPassword('two')]
      await at(one.browser, '')
      await one.browser.submit('download')
      assert.equal(one.browser.page.body.includes(two.sub), false)
      assert.equal(one.browser.page.body.includes(two.user.email), false)
      assert.equal(/argon2|\$v=19/.test(one.browser.page.body), false)
      assert.ok(JSON.parse(one.browser.page.body).identities[0].password.changed_at)
    })

    test('deleting names what ends, ends it at once, tells every address, and gives nothing back', async () => {
      const person = server.person('leaver', ['calendar', 'files'])
      const visit = await signIn(server, { client: 'agent-a', connection: 'calendar' })
      const token = await meToken(server, visit)
      await connect(visit.browser, server, { token, connection: 'files' })
      const taken = expectStatus(
        await exchange(server, { client: 'agent-a', connection: 'files', subjectToken: visit.refreshToken }),
        200,
      ).json.access_token
      const page = await at(visit.browser, '/delete')
      assert.equal(page.name, 'account-delete')
      for (const words of [/calendar/, /files \(/, /Agent A/, /1 session/]) assert.match(page.text, words)
      expectStatus(await api.get(userPath(visit.sub)), 200)
      await visit.browser.submit('delete-account', { action: 'confirm' })
      assert.equal(visit.browser.page.name, 'account-deleted')
      assert.equal(visit.browser.cookie(SESSION), undefined)
      expectStatus(await api.get(userPath(visit.sub)), 404)
      assert.deepEqual(await openDoors(server, visit, { connection: 'files', meToken: token }), [])
      await eventually('the revocation', () => !server.providers.files.isLive(taken))
      await mailTo(person.email, /is deleted/)
      const [event] = (await eventsOf(server, 'user.deleted')).filter(({ userId }) => userId === visit.sub)
      assert.equal(event?.actor, visit.sub)
      const storage = await openStorage({ url: server.databaseUrl })
      try {
        assert.equal(await storage.userKeys.find(visit.sub), undefined, 'the data key is destroyed')
      } finally {
        await storage.close()
      }
      person.at('calendar')
      assert.notEqual((await signIn(server, { connection: 'calendar' })).sub, visit.sub)
    })

    test('T-LINK-10 an old session proves itself before it changes an address, undoes, copies or deletes', async () => {
      const visit = await somebody('stale', 'code')
      await addWay(visit.browser, 'code')
      passTime(601)
      const wishes: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
        ['', 'change-address', { email: `other-${visit.email}` }],
        ['/connections', 'undo-link', {}],
        ['', 'download', {}],
        ['/delete', 'delete-account', {}],
      ]
      const before = await userOf(visit.sub)
      for (const [page, form, fields] of wishes) {
        await at(visit.browser, page)
        await visit.browser.submit(form, { fields })
        assert.equal(visit.browser.page.name, 'reauthenticate', form)
        server.person('impostor', ['calendar'])
        const asked = visit.browser.page.url
        await visit.browser.submit('connection', { connection: 'calendar' })
        assert.equal(visit.browser.page.error, 'wrong_user', form)
        visit.person.at('calendar')
        await visit.browser.open(asked)
        assert.deepEqual(await userOf(visit.sub), before, form)
      }
      await visit.browser.submit('connection', { connection: 'calendar' })
      assert.equal(visit.browser.page.name, 'account-deleted')
      expectStatus(await api.get(userPath(visit.sub)), 404)
    })

    test('T-LINK-10 a ticket that is opened in an old session connects nothing before the person proves themselves', async () => {
      const person = server.person('connecting', ['calendar', 'files'])
      const visit = await signIn(server, { client: 'agent-a', connection: 'calendar' })
      passTime(601)
      const token = await meToken(server, visit)
      const flow = await startConnect(server, { token, connection: 'files' })
      const before = await userOf(visit.sub)
      await visit.browser.open(flow.url)
      assert.equal(visit.browser.page.name, 'reauthenticate')
      const asked = visit.browser.page.url
      server.person('impostor', ['calendar'])
      await visit.browser.submit('connection', { connection: 'calendar' })
      assert.equal(visit.browser.page.error, 'wrong_user')
      assert.deepEqual(await userOf(visit.sub), before)
      person.at('calendar')
      await visit.browser.open(asked)
      await visit.browser.submit('connection', { connection: 'calendar' })
      assert.equal(visit.browser.page.name, 'link-confirm', 'what was wanted goes on by itself')
      await visit.browser.submit('link-confirm', { action: 'confirm' })
      expectStatus(await completeConnect(server, flow, visit.browser.page.params), 201)
      // Who would rather not goes back to the client.
      passTime(601)
      const other = await startConnect(server, { token, connection: 'files' })
      await visit.browser.open(other.url)
      const { forms, url } = visit.browser.page
      const no = forms.find(({ buttons }) => buttons.some(({ value }) => value === 'cancel'))
      const answer = { ...Object.fromEntries(no?.fields ?? []), action: 'cancel' }
      const end = await visit.browser.post(new URL(no?.action ?? '', url).href, answer, { from: url })
      assert.deepEqual([end.stopped, end.params.get('error')], [true, 'access_denied'])
    })

    test('T-LINK-10 after the proof a download waits for one more press, so that a page stands there', async () => {
      const visit = await withPassword('copier')
      passTime(601)
      await at(visit.browser, '')
      await visit.browser.submit('download')
      await visit.browser.submit('login', { fields: { password: visit.user.password } })
      assert.equal(visit.browser.page.name, 'account')
      assert.match(visit.browser.page.text, /once more/)
      await visit.browser.submit('download')
      assert.equal(JSON.parse(visit.browser.page.body).profile.user_id, visit.sub)
    })

    test('T-WEB-04 T-LINK-16 none of it happens by GET, or by a form from elsewhere', async () => {
      const visit = await somebody('guarded', 'code')
      await addWay(visit.browser, 'code')
      await changesNothing(server, async () => {
        for (const page of ['', '/connections', '/delete']) {
          await at(visit.browser, page)
          for (const { action, method, fields, buttons } of visit.browser.page.forms) {
            if (method !== 'post') continue
            const url = new URL(action, server.url).href
            const all = Object.fromEntries([...fields, ...buttons.map(({ name, value }) => [name, value])])
            const { csrf: _, ...bare } = all
            const tab = visit.browser.clone()
            const got = await tab.open(`${url}?${new URLSearchParams(all)}`)
            assert.ok(got.status === 404 || got.status === 400 || got.name?.startsWith('account'), `GET ${action}`)
            assert.equal((await tab.post(url, bare)).error, 'cross_site_request', action)
            assert.equal(
              (await tab.post(url, all, { from: 'https://evil.test/' })).status >= 400 || tab.page.name === 'login',
              true,
              action,
            )
          }
        }
      })
    })
  })
