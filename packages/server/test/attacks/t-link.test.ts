// Linking: nobody's identity or tokens land in somebody else's account (T-LINK-01 to -05), in sign-ins and connects.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authorizeUrl,
  completeConnect,
  drive,
  meToken,
  type SignedIn,
  signIn,
  silently,
  startConnect,
} from '../support/actors.ts'
import { Browser, type Page } from '../support/browser.ts'
import { startServer } from '../support/server.ts'
import { changesNothing } from '../support/state.ts'
import type { Person } from '../support/tenant.ts'

const server = await startServer()
const { ada, eve } = server.tenant
const SESSION = '__Host-tenon_session'
const UPSTREAM_ANSWER = `${server.url}/login/callback/`

interface Someone extends SignedIn {
  readonly token: string
}

async function comesIn(user: Person): Promise<Someone> {
  const who = await signIn(server, { user })
  return { ...who, token: await meToken(server, who) }
}

/** Starts a connect, agrees at the provider, and holds the answer back. */
async function heldConnect(who: Someone, connection: string) {
  const flow = await startConnect(server, { token: who.token, connection })
  const page = await who.browser.open(flow.url, { stopAt: UPSTREAM_ANSWER })
  assert.ok(page.stopped)
  return { flow, answer: page.url }
}

/** The same for a sign-in in a browser of its own. */
async function heldSignIn(connection: string, browser = new Browser()) {
  const asked = authorizeUrl(server, { connection, client: 'spa' })
  const page = await browser.open(asked.url, { stopAt: UPSTREAM_ANSWER })
  assert.ok(page.stopped)
  return { browser, asked, answer: page.url }
}

function assertRefused(page: Page): void {
  assert.equal(page.name, 'error', page.url)
  assert.ok(page.status >= 400 && page.status < 500, `${page.status}`)
}

const whoIsIn = async (browser: Browser): Promise<string> => (await signIn(server, { browser: browser.clone() })).sub

test("T-LINK-01 an attacker's answer in a victim's browser links nothing, and is void afterwards", async () => {
  server.person('attacker', ['code', 'calendar'])
  const [victim, attacker] = [await comesIn(ada), await comesIn(eve)]
  for (const connection of ['code', 'calendar']) {
    const { flow, answer } = await heldConnect(attacker, connection)
    await changesNothing(server, async () => {
      assertRefused(await victim.browser.clone().open(answer, { from: 'https://evil.test/' }))
      assertRefused(await attacker.browser.clone().open(answer))
      assert.equal((await completeConnect(server, flow, new URL(answer).searchParams)).status, 400)
    })
    assert.equal(await whoIsIn(victim.browser), victim.sub)
  }
})

test("T-LINK-02 a victim who finishes an attacker's connect gives the attacker nothing", async () => {
  server.person('victim', ['code'])
  const [victim, attacker] = [await comesIn(ada), await comesIn(eve)]
  // The attacker's ticket in the victim's browser: signed in, and not.
  await changesNothing(server, async () => {
    const sent = await startConnect(server, { token: attacker.token, connection: 'code' })
    const page = await victim.browser.clone().open(sent.url, { from: 'https://evil.test/' })
    assert.equal(page.params.get('error'), 'access_denied')
    const fresh = await startConnect(server, { token: attacker.token, connection: 'code' })
    const other = new Browser()
    await other.open(fresh.url)
    const came = await drive(other, { user: ada })
    assert.equal(came.params.get('error'), 'access_denied')
    assert.equal(came.params.get('connect_code'), null)
    assert.equal((await completeConnect(server, fresh, came.params)).status, 400)
  })
  // The upstream URL of the attacker's flow: the victim agrees there, and the answer arrives in the victim's browser.
  const flow = await startConnect(server, { token: attacker.token, connection: 'code' })
  const upstream = await attacker.browser.open(flow.url, { stopAt: server.providers.code.url })
  await changesNothing(server, async () => {
    assertRefused(await victim.browser.clone().open(upstream.url, { from: 'https://evil.test/' }))
    assertRefused(await new Browser().open(upstream.url))
  })
})

test('T-LINK-02 after the provider answered, only the person who began can say yes', async () => {
  server.person('someone', ['code'])
  const [victim, attacker] = [await comesIn(ada), await comesIn(eve)]
  const flow = await startConnect(server, { token: attacker.token, connection: 'code' })
  await attacker.browser.open(flow.url)
  assert.equal(attacker.browser.page.name, 'link-confirm')
  await changesNothing(server, async () => {
    assertRefused(await victim.browser.clone().open(attacker.browser.page.url))
    // The browser is the same and somebody else has signed in to it since.
    const shared = attacker.browser.clone()
    const answers = { 'link-conflict': 'continue' }
    await signIn(server, { browser: shared, user: ada, extra: { prompt: 'login' }, answers })
    assertRefused(await shared.open(attacker.browser.page.url))
  })
})

test('T-LINK-03 a cookie of one browser planted in another finishes nothing, and two tabs do not disturb each other', async () => {
  server.person('planter', ['calendar', 'code'])
  const [victim, attacker] = [await comesIn(ada), await comesIn(eve)]
  const held = await heldConnect(attacker, 'calendar')
  const planted = victim.browser.clone()
  const theirs = attacker.browser.jar.cookies.filter(({ name }) => name.includes('browser'))
  assert.equal(theirs.length, 1)
  planted.jar.cookies = [...planted.jar.cookies.filter(({ name }) => !name.includes('browser')), ...theirs]
  await changesNothing(server, async () => assertRefused(await planted.open(held.answer)))
  // A sibling host cannot plant it: the prefix forbids a domain.
  for (const { name, line } of attacker.browser.jar.cookies) {
    assert.match(name, /^__Host-/)
    assert.doesNotMatch(line, /domain=/i)
  }
  const one = await heldConnect(attacker, 'calendar')
  const two = await heldConnect(attacker, 'code')
  for (const { flow, answer } of [one, two]) {
    await attacker.browser.open(answer)
    const page = await drive(attacker.browser)
    const done = await completeConnect(server, flow, page.params)
    assert.equal(done.status, 201, done.text)
    assert.equal(done.json.connection, flow === one.flow ? 'calendar' : 'code')
  }
})

test("T-LINK-04 nobody is signed in to an attacker's account by an answer that the attacker sends", async () => {
  server.person('attacker', ['calendar', 'code'])
  const victim = await comesIn(ada)
  for (const connection of ['calendar', 'code']) {
    const { answer } = await heldSignIn(connection)
    assertRefused(await victim.browser.clone().open(answer, { from: 'https://evil.test/' }))
    const fresh = await heldSignIn(connection)
    const stranger = new Browser()
    assertRefused(await stranger.open(fresh.answer, { from: 'https://evil.test/' }))
    assert.equal(await silently(stranger, server), 'login_required')
    // An answer to nothing, with the attacker's code.
    const { code, iss } = Object.fromEntries(new URL(fresh.answer).searchParams)
    for (const state of [undefined, '', 'made-up', 'null']) {
      const query = new URLSearchParams({
        code: code ?? '',
        ...(iss && { iss }),
        ...(state !== undefined && { state }),
      })
      assertRefused(await new Browser().open(`${UPSTREAM_ANSWER}${connection}?${query}`))
    }
  }
  // A POST from the attacker's page, as SAML and form_post arrive, opens nothing either.
  const { answer } = await heldSignIn('calendar')
  const posted = await victim.browser
    .clone()
    .post(answer.split('?')[0] ?? '', new URL(answer).searchParams, { from: 'https://evil.test/' })
  assert.ok(posted.status >= 400 && posted.status < 500)
  assert.equal(await whoIsIn(victim.browser), victim.sub)
})

test('T-LINK-04 a sign-in that ends in somebody else’s session never switches it silently', async () => {
  server.person('other', ['calendar'])
  const first = await signIn(server, { connection: 'calendar' })
  const victim = await comesIn(ada)
  const { answer, browser } = await heldSignIn('calendar', victim.browser.clone())
  const page = await browser.open(answer)
  assert.ok(!page.params.has('code'), 'went on as the other')
  assert.equal(await whoIsIn(victim.browser), victim.sub)
  assert.notEqual(first.sub, victim.sub)
})

test('T-LINK-04 a session that came about during a sign-in agrees to no link and no merge before its user is proven', async () => {
  // Somebody begins to sign in; before they come back, somebody else signs in in that browser.
  const swapped = async (): Promise<Browser> => {
    const { browser, answer } = await heldSignIn('calendar')
    await signIn(server, { browser, user: eve })
    await browser.open(answer)
    return browser
  }
  server.person('unknown-to-us', ['calendar'])
  const chooser = await swapped()
  assert.equal(chooser.page.name, 'link-choose')
  server.person('known-to-us', ['calendar'])
  await signIn(server, { connection: 'calendar' })
  const merger = await swapped()
  assert.equal(merger.page.name, 'link-conflict')
  await changesNothing(server, async () => {
    for (const browser of [chooser, merger]) {
      await browser.submit(browser.page.name ?? '', { action: 'link' })
      assert.equal(new URL(browser.page.url).pathname, '/u/prove')
      await browser.submit('login', { fields: { username: ada.email, password: ada.password } })
      assert.ok(['link-choose', 'link-conflict'].includes(browser.page.name ?? ''), 'another proof proves nothing')
    }
  })
  // Whose session it is may go on.
  await chooser.submit('link-choose', { action: 'link' })
  await chooser.submit('login', { fields: { username: eve.email, password: eve.password } })
  assert.ok((await drive(chooser)).params.has('code'))
  await merger.submit('link-conflict', { action: 'link' })
  await merger.submit('login', { fields: { username: eve.email, password: eve.password } })
  assert.equal(merger.page.name, 'merge-preview')
})

test('T-LINK-05 what an answer is for stands in our row: a sign-in never ends as a connect, nor the reverse', async () => {
  server.person('mixer', ['calendar', 'code'])
  const who = await comesIn(eve)
  const held = await heldConnect(who, 'code')
  const signing = await heldSignIn('code')
  // Words in the query decide nothing.
  const asLogin = new Browser()
  assertRefused(await asLogin.open(`${held.answer}&mode=login&kind=login`))
  const asConnect = await signing.browser.open(`${signing.answer}&mode=link&kind=connect`)
  assert.ok(asConnect.params.has('code'), 'the sign-in ends as what it was')
  const again = await heldConnect(who, 'code')
  // The connect's confirmation answered by the form of a sign-in, and the other way round.
  await who.browser.open(again.answer)
  const confirm = who.browser.page
  assert.equal(confirm.name, 'link-confirm')
  const fields = Object.fromEntries(
    confirm.forms.find(({ name }) => name === 'link-confirm')?.fields ?? confirm.forms[0]?.fields ?? [],
  )
  const from = confirm.url
  await changesNothing(server, async () => {
    for (const path of ['/u/login', '/u/consent', '/u/signup', '/u/verify', '/u/reset-password']) {
      const page = await who.browser.clone().post(
        `${server.url}${path}`,
        {
          ...fields,
          username: ada.email,
          password: ada.password,
          action: 'allow',
          email: 'new@example.test',
          code: '000000',
        },
        { from },
      )
      assert.ok(page.status >= 400 && !page.stopped, `${path}: ${page.name} ${page.status} ${page.url}`)
    }
    const login = await new Browser().open(authorizeUrl(server).url)
    const state = Object.fromEntries(login.forms[0]?.fields ?? [])
    for (const path of ['/u/confirm', '/u/consent']) {
      const page = await new Browser().post(
        `${server.url}${path}`,
        { ...state, action: 'confirm' },
        { from: login.url },
      )
      assert.ok(page.status >= 400 && !page.stopped, `${path}: ${page.name} ${page.status}`)
    }
  })
  assert.equal(await whoIsIn(who.browser), who.sub)
})

test('T-LINK-05 a sign-in that waits for its person is not finished by the form of another step', async () => {
  const { browser } = await comesIn(ada)
  const login = await browser.open(authorizeUrl(server, { extra: { prompt: 'login' } }).url)
  const fields = Object.fromEntries(login.forms.find(({ name }) => name === 'login')?.fields ?? [])
  for (const path of ['/u/confirm', '/u/consent', '/u/verify']) {
    const page = await browser
      .clone()
      .post(
        `${server.url}${path}`,
        { ...fields, action: path === '/u/consent' ? 'allow' : 'confirm' },
        { from: login.url },
      )
    assert.ok(!page.params.has('code'), `${path} signed in without the person`)
    assert.ok(page.status >= 400, `${path}: ${page.name} ${page.status} ${page.url}`)
  }
})

test('T-LINK-11 joining two accounts changes the id of the session, and the old one is dead', async () => {
  server.person('two-of-one', ['calendar', 'work'])
  const older = await signIn(server, { connection: 'calendar' })
  const newer = await signIn(server, { connection: 'work' })
  assert.notEqual(older.sub, newer.sub)
  await older.browser.open(`${server.url}/account/connections`)
  const before = older.browser.clone()
  await older.browser.submit('link', { connection: 'work' })
  await older.browser.submit('link-conflict', { action: 'link' })
  const page = await drive(older.browser)
  assert.equal(page.name, 'account-connections', page.text)
  assert.notEqual(older.browser.cookie(SESSION)?.value, before.cookie(SESSION)?.value)
  assert.equal(await silently(before, server), 'login_required')
  assert.equal(await silently(newer.browser, server), 'login_required')
  assert.equal(await whoIsIn(older.browser), older.sub)
})
