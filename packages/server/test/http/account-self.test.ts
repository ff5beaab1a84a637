// What a person changes of themselves on their own pages: name, address, sessions, history.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { authorize, expectStatus, type SignedIn, signIn, silently, userPath } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { changesNothing, eventsOf, openDoors } from '../support/state.ts'
import { PASSWORDS, type Person } from '../support/tenant.ts'
import { openSelfWorld, SESSION } from './self-world.ts'

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1'

for (const database of ['sqlite', 'postgres'] as const)
  describe(database, async () => {
    const {
      server,
      api,
      at,
      somebody,
      withPassword,
      addWay,
      userOf,
      connectionsOf,
      mailTo,
      codeTo,
      askFor,
      resetPassword,
    } = await openSelfWorld(database)

    test('a name is saved, told to apps, and stays when the provider says nothing new', async () => {
      const visit = await somebody('named')
      await at(visit.browser, '')
      await visit.browser.submit('change-name', { fields: { name: '  Ada   King ' } })
      assert.match(visit.browser.page.text, /Your name is saved/)
      assert.equal((await userOf(visit.sub)).name, 'Ada King')
      assert.equal((await signIn(server, { connection: 'calendar', scope: 'openid profile' })).claims.name, 'Ada King')
      for (const name of ['', 'x'.repeat(151), 'two\u202elines']) {
        await visit.browser.submit('change-name', { fields: { name } })
        assert.match(visit.browser.page.text, /A name is one line/)
      }
      assert.equal((await userOf(visit.sub)).name, 'Ada King')
      const [event] = (await eventsOf(server, 'user.updated')).filter(({ userId }) => userId === visit.sub)
      assert.deepEqual([event?.actor, event?.data], [visit.sub, { changed: ['name'] }])
    })

    test('an address changes only once its mailbox is proven; a password follows it, and both addresses are told', async () => {
      const visit = await withPassword('mover')
      const next = `moved-${visit.user.email}`
      const page = await askFor(visit.browser, next)
      assert.equal(page.name, 'verify-email')
      assert.equal((await userOf(visit.sub)).email, visit.user.email)
      const before = visit.browser.clone()
      await visit.browser.submit('verify', { fields: { code: '000000' } })
      assert.equal(visit.browser.page.status, 400)
      await visit.browser.submit('verify', { fields: { code: await codeTo(next) } })
      assert.equal(visit.browser.page.name, 'account')
      assert.match(visit.browser.page.text, /Your address is .* now/)
      const user = await userOf(visit.sub)
      assert.deepEqual([user.email, user.email_verified], [next, true])
      assert.equal(await silently(before, server), 'login_required', 'the session has a new id')
      for (const to of [visit.user.email, next]) await mailTo(to, /another address/)
      const again = await signIn(server, { user: { ...visit.user, email: next } })
      assert.equal(again.sub, visit.sub)
      assert.equal((await authorize(new Browser(), server, { user: visit.user })).params.has('code'), false)
      assert.equal(
        (await eventsOf(server, 'user.address_changed')).filter(({ userId }) => userId === visit.sub).length,
        1,
      )
    })

    test('an address that another account goes by is not taken, and only its reader hears of it', async () => {
      const [taker, owner] = [await withPassword('taker'), await withPassword('holder')]
      await changesNothing(server, async () => {
        const page = await askFor(taker.browser, owner.user.email)
        assert.equal(page.name, 'verify-email', 'the same page as for a free one')
        await taker.browser.submit('verify', { fields: { code: await codeTo(owner.user.email) } })
      })
      assert.match(taker.browser.page.text, /Another account here goes by/)
      assert.equal((await signIn(server, { user: owner.user })).sub, owner.sub)
    })

    test('whoever only claimed an address loses it to the one who proves it', async () => {
      const claimed = 'claimed-by-two@example.test'
      const sitter = { email: claimed, password: 'the password of a sitter' }
      expectStatus(await api.post('/users', { connection: PASSWORDS, email_verified: false, ...sitter }), 201)
      const sat = await signIn(server, { user: sitter })
      const visit = await withPassword('claimant')
      await askFor(visit.browser, claimed)
      await visit.browser.submit('verify', { fields: { code: await codeTo(claimed) } })
      assert.equal((await userOf(visit.sub)).email, claimed)
      assert.deepEqual(await openDoors(server, sat), [])
      assert.equal((await userOf(sat.sub)).email, undefined)
    })

    test('what is no address, or is theirs already, is said on the page', async () => {
      const visit = await withPassword('typist')
      for (const email of ['', 'ada', 'a@b', `${visit.user.email},x@y.test`]) {
        const page = await askFor(visit.browser, email)
        assert.equal(page.name, 'account')
        assert.match(page.text, /does not look like an e-mail address/)
      }
      assert.match((await askFor(visit.browser, visit.user.email.toUpperCase())).text, /is your address already/)
    })

    test('T-PRE-04 a change of address that waits ends with a reset, a link, an unlink, a block, and a newer one', async () => {
      const endings: Record<string, (visit: SignedIn & { user: Person }) => Promise<unknown>> = {
        reset: ({ user }) => resetPassword(user.email, 'a password of the owner'),
        link: async (visit) => {
          server.person('linker', ['code'])
          await addWay(visit.browser, 'code')
        },
        block: async ({ sub }) => expectStatus(await api.patch(userPath(sub), { blocked: true }), 200),
        newer: async ({ browser, user }) => askFor(browser.clone(), `newer-${user.email}`),
      }
      for (const [name, end] of Object.entries(endings)) {
        const visit = await withPassword(name)
        const next = `attacker-${visit.user.email}`
        await askFor(visit.browser, next)
        const [form] = visit.browser.page.forms
        const code = await codeTo(next)
        await end(visit)
        const url = new URL(form?.action ?? '', server.url).href
        const page = await visit.browser.post(url, { ...Object.fromEntries(form?.fields ?? []), code }, { from: url })
        assert.equal(page.name === 'error' || page.name === 'login', true, `${name}: ${page.name}`)
        assert.equal((await userOf(visit.sub)).email, visit.user.email, name)
      }
      const visit = await somebody('unlinker', 'code')
      await addWay(visit.browser, 'code')
      const next = `attacker-${visit.email}`
      await askFor(visit.browser, next)
      const code = await codeTo(next)
      const waiting = visit.browser.page
      const tab = visit.browser.clone()
      await at(tab, '/connections')
      await tab.submit('unlink')
      visit.browser.jar.cookies = tab.jar.cookies
      visit.browser.page = waiting
      assert.equal((await visit.browser.submit('verify', { fields: { code } })).error, 'interaction_expired')
      assert.equal((await userOf(visit.sub)).email, visit.email)
    })

    test('T-PRE-04 the code works only where its user is signed in', async () => {
      const visit = await withPassword('roamer')
      const next = `roamed-${visit.user.email}`
      await askFor(visit.browser, next)
      const code = await codeTo(next)
      visit.browser.jar.cookies = visit.browser.jar.cookies.filter(({ name }) => name !== SESSION)
      assert.equal((await visit.browser.submit('verify', { fields: { code } })).error, 'wrong_user')
      assert.equal((await userOf(visit.sub)).email, visit.user.email)
    })

    test('sessions are listed with what they began in; one is ended, then all others', async () => {
      const visit = await withPassword('browsing')
      const here = new Browser({ headers: { 'user-agent': FIREFOX } })
      const [, phone, third] = [
        await signIn(server, { user: visit.user, browser: here }),
        await signIn(server, { user: visit.user, browser: new Browser({ headers: { 'user-agent': IPHONE } }) }),
        visit,
      ]
      const page = await at(here, '')
      assert.match(page.text, /Firefox on Linux.*This one/s)
      assert.match(page.text, /Safari on iPhone/)
      assert.match(page.text, /did not say what it is/)
      const forms = page.forms.filter(({ name }) => name === 'end-session')
      assert.equal(forms.length, 2)
      assert.equal(page.body.includes(IPHONE), false, 'nothing of what the browser said is kept but its name')
      const stranger = await withPassword('stranger')
      const [foreign] = forms
      await changesNothing(server, async () => {
        await at(stranger.browser, '')
        const csrf = stranger.browser.form('change-name').fields.find(([name]) => name === 'csrf')?.[1] ?? ''
        const uid = Object.fromEntries(foreign?.fields ?? []).session ?? ''
        await stranger.browser.post(`${server.url}/account/sessions/end`, { csrf, session: uid }, { from: server.url })
        assert.match(stranger.browser.page.text, /no longer here/)
      })
      assert.equal(await silently(phone.browser, server), 'code')

      await here.submit('end-session')
      assert.match(here.page.text, /Signed out there/)
      const live = [await silently(phone.browser, server), await silently(third.browser, server)]
      assert.deepEqual(live.toSorted(), ['code', 'login_required'])
      await at(here, '')
      await here.submit('end-other-sessions')
      assert.equal(await silently(phone.browser, server), 'login_required')
      assert.equal(await silently(third.browser, server), 'login_required')
      assert.match((await at(here, '')).text, /signed in here alone/)
      const ended = (await eventsOf(server, 'user.sessions_ended')).filter(({ userId }) => userId === visit.sub)
      assert.deepEqual(
        ended.map(({ actor, data }) => [actor, data?.sessions]),
        [
          [visit.sub, 1],
          [visit.sub, 1],
        ],
      )
    })

    test('history says what was added and how, and takes it back; the addresses are told', async () => {
      const visit = await somebody('historian', 'code')
      assert.match((await at(visit.browser, '/connections')).text, /Nothing was added or joined yet/)
      await addWay(visit.browser, 'code')
      const page = await at(visit.browser, '/connections')
      assert.match(page.text, /code was added as a way to sign in/)
      assert.match(page.text, /You added it on this page/)
      const before = visit.browser.clone()
      await visit.browser.submit('undo-link', { action: 'undo' })
      assert.match(visit.browser.page.text, /It is taken back/)
      assert.deepEqual(await connectionsOf(visit.sub), ['calendar'])
      assert.equal(visit.browser.findForm('undo-link'), undefined)
      assert.match(visit.browser.page.text, /Taken back on/)
      assert.equal(await silently(before, server), 'login_required', 'the session has a new id')
      await mailTo(visit.email, /removed/)
      assert.equal((await eventsOf(server, 'link.undone')).filter(({ userId }) => userId === visit.sub).length, 1)
      // The same form again, and somebody else's link.
      const other = await somebody('other-historian', 'work')
      await addWay(other.browser, 'work')
      const link = Object.fromEntries(other.browser.form('undo-link').fields).link ?? ''
      await changesNothing(server, async () => {
        const { fields } = visit.browser.form('link', 'code')
        const csrf = Object.fromEntries(fields).csrf ?? ''
        const url = `${server.url}/account/connections/undo`
        await visit.browser.post(url, { csrf, link }, { from: url })
        assert.match(visit.browser.page.text, /no longer here/)
        await visit.browser.open(`${server.url}/account/undo?link=${link}`)
        assert.equal(visit.browser.page.name, 'account-connections')
      })
    })

    test('undoing a merge shows what has changed since, leaves that, and takes back the rest', async () => {
      const person = server.person('merger', ['calendar'])
      const primary = await signIn(server, { connection: 'calendar' })
      server.person('merged', ['code'])
      const secondary = await signIn(server, { connection: 'code' })
      expectStatus(await api.patch(userPath(secondary.sub), { user_metadata: { city: 'London' } }), 200)
      expectStatus(await api.post('/links', { primary_user_id: primary.sub, secondary_user_id: secondary.sub }), 201)
      expectStatus(await api.patch(userPath(primary.sub), { user_metadata: { city: 'Paris' } }), 200)
      const page = await at(primary.browser, '/connections')
      assert.match(page.text, /Another account, which signed in with code, was joined to this one/)
      await primary.browser.submit('undo-link', { action: 'undo' })
      assert.equal(primary.browser.page.name, 'account-undo')
      assert.match(primary.browser.page.text, /user_metadata\.city/)
      assert.deepEqual(await connectionsOf(primary.sub), ['calendar', 'code'], 'nothing is undone before the choice')
      await primary.browser.submit('undo-link', { action: 'undo' })
      assert.match(primary.browser.page.text, /accounts are two again/)
      assert.deepEqual(await connectionsOf(primary.sub), ['calendar'])
      assert.equal((await signIn(server, { connection: 'code' })).sub, secondary.sub)
      assert.equal((await userOf(primary.sub)).user_metadata.city, 'Paris')
      await mailTo(person.email, /parted/)
    })
  })
