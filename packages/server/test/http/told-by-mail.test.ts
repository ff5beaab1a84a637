// What a person is told by mail: of each change, at every address that is proven theirs, with a way to say that it was
// not them.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { expectStatus, signIn, userPath } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/http.ts'
import { changesNothing, eventsOf, openDoors } from '../support/state.ts'
import { openSelfWorld } from './self-world.ts'

for (const database of ['sqlite', 'postgres'] as const)
  describe(database, async () => {
    const { server, api, at, askFor, withPassword, addWay, userOf, connectionsOf, mailTo, codeTo, resetPassword } =
      await openSelfWorld(database)

    const linkIn = (to: string, path: string) =>
      eventually(`a mail to ${to} with ${path}`, () =>
        server
          .mails()
          .filter((mail) => mail.to === to)
          .flatMap(({ links }) => links)
          .findLast((link) => link.includes(path)),
      )

    /** Somebody with a password at one address, and a way to sign in that vouches for another. */
    async function twoAddresses(name: string) {
      const visit = await withPassword(name)
      const second = `second-of-${visit.user.email}`
      server.person(name, ['work'], { email: second })
      await addWay(visit.browser, 'work')
      return { ...visit, addresses: [visit.user.email, second] }
    }

    test('a way to sign in that was added, and one that was removed, are told to every proven address', async () => {
      const visit = await twoAddresses('added')
      for (const to of visit.addresses) await mailTo(to, /was added/)
      await at(visit.browser, '/connections')
      await visit.browser.submit('unlink')
      for (const to of visit.addresses) await mailTo(to, /was removed/)
    })

    test('a deletion that an app makes is told to every proven address, and only if there was somebody', async () => {
      const visit = await twoAddresses('deleted')
      expectStatus(await api.delete(userPath(visit.sub)), 204)
      for (const to of visit.addresses) await mailTo(to, /is deleted/)
      expectStatus(await api.delete(userPath(visit.sub)), 204)
      assert.equal(
        server.mails().filter(({ subject, to }) => to === visit.user.email && /is deleted/.test(subject)).length,
        1,
      )
    })

    test('a new password is told to every proven address', async () => {
      const visit = await twoAddresses('reset')
      await resetPassword(visit.user.email, 'a password of the owner')
      for (const to of visit.addresses) await mailTo(to, /password .* was changed/)
    })

    test('an address that is proven is told of', async () => {
      const person = server.person('newly-proven', ['loose'])
      const visit = await signIn(server, { connection: 'loose' })
      await at(visit.browser, '')
      await visit.browser.submit('verify')
      await visit.browser.submit('verify', { fields: { code: await codeTo(person.email) } })
      await mailTo(person.email, /address was proved/)
    })

    test('a merge is told to both sides; the mailed link changes nothing by GET, and by its button parts them and ends every session', async () => {
      const [one, two] = [await withPassword('joined-one'), await withPassword('joined-two')]
      expectStatus(await api.post('/links', { primary_user_id: one.sub, secondary_user_id: two.sub }), 201)
      for (const { user } of [one, two]) await mailTo(user.email, /became one/)
      const link = await linkIn(two.user.email, '/account/not-me')
      const reader = new Browser()
      await changesNothing(server, async () => {
        for (let turn = 0; turn < 2; turn++) assert.equal((await reader.open(link)).name, 'not-me')
      })
      assert.notDeepEqual(await openDoors(server, one), [], 'reading a mail ends nothing')
      const [form] = reader.page.forms
      const url = new URL(form?.action ?? '', server.url).href
      await reader.post(url, { ...Object.fromEntries(form?.fields ?? []), action: 'not_me' }, { from: url })
      assert.equal(reader.page.name, 'not-me')
      expectStatus(await api.get(userPath(two.sub)), 200)
      assert.equal((await connectionsOf(one.sub)).length, 1)
      assert.deepEqual(await openDoors(server, one), [])
      assert.equal((await signIn(server, { user: two.user })).sub, two.sub)
      for (const { user } of [one, two]) await mailTo(user.email, /parted/)
      const denied = (await eventsOf(server, 'link.denied')).filter(({ userId }) => userId === one.sub)
      assert.equal(denied.length, 1)
      // Every other link about the same merge is over, too.
      assert.equal((await reader.open(await linkIn(one.user.email, '/account/not-me'))).error, 'ticket_invalid')
    })

    test('the former address takes a change of it back, also after a second one: nothing by GET, once, and every session ends', async () => {
      const visit = await withPassword('address-denied')
      const [former, second, third] = [
        visit.user.email,
        `second-of-${visit.user.email}`,
        `third-of-${visit.user.email}`,
      ]
      for (const next of [second, third]) {
        await askFor(visit.browser, next)
        await visit.browser.submit('verify', { fields: { code: await codeTo(next) } })
        assert.equal((await userOf(visit.sub)).email, next)
      }
      const [link, ofSecond] = [await linkIn(former, '/account/not-me'), await linkIn(second, '/account/not-me')]
      assert.ok(!server.mails().some(({ to, links }) => to === third && links.some((one) => one.includes('not-me'))))
      const reader = new Browser()
      await changesNothing(server, async () => {
        for (let turn = 0; turn < 2; turn++) assert.equal((await reader.open(link)).name, 'not-me')
        assert.ok(!reader.page.body.includes(former), 'the address is masked')
        const [form] = reader.page.forms
        const url = new URL(form?.action ?? '', server.url).href
        const { csrf: _, ...bare } = Object.fromEntries(form?.fields ?? [])
        const forged = await reader.clone().post(url, { ...bare, action: 'not_me' }, { from: 'https://evil.test/' })
        assert.equal(forged.status, 403)
      })
      assert.notDeepEqual(await openDoors(server, visit), [])
      const [form] = reader.page.forms
      const url = new URL(form?.action ?? '', server.url).href
      await reader.post(url, { ...Object.fromEntries(form?.fields ?? []), action: 'not_me' }, { from: url })
      assert.equal(reader.page.name, 'not-me')
      const user = await userOf(visit.sub)
      assert.deepEqual([user.email, user.email_verified], [former, true])
      assert.deepEqual(await openDoors(server, visit), [])
      assert.equal((await signIn(server, { user: visit.user })).sub, visit.sub)
      const [restored] = (await eventsOf(server, 'user.address_restored')).filter(({ userId }) => userId === visit.sub)
      assert.deepEqual(restored?.data, { proof: 'mail' })
      for (const used of [link, ofSecond]) assert.equal((await reader.open(used)).error, 'ticket_invalid')
    })
  })
