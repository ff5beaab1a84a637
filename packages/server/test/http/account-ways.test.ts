// Ways to sign in on a person's own pages: added, removed, denied; and the proof that such changes ask for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drive, expectStatus, mgmt, type SignedIn, signIn, silently, userPath } from '../support/actors.ts'
import { Browser, type Page } from '../support/browser.ts'
import { eventually } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { changesNothing, eventsOf, openDoors } from '../support/state.ts'
import { PASSWORDS } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const server = await startServer()
const { code, files } = server.providers
const SESSION = '__Host-tenon_session'

const connections = (browser: Browser, at: TestServer = server): Promise<Page> =>
  browser.open(`${at.url}/account/connections`)

const identitiesOf = async (sub: string, at: TestServer = server): Promise<string[]> => {
  const { json } = await (await mgmt(at)).get(userPath(sub))
  return (json.identities ?? []).map(({ connection }: { connection: string }) => connection)
}

/** Presses "Add" and goes on as somebody who wants it. */
async function addWay({ browser }: Pick<SignedIn, 'browser'>, connection: string): Promise<Page> {
  await connections(browser)
  await browser.submit('link', { connection })
  return drive(browser)
}

/** Signed in by `calendar`, with an account at `other` of the same address. */
async function somebody(
  name: string,
  ...others: string[]
): Promise<SignedIn & { email: string; subjects: Readonly<Record<string, string>> }> {
  // The names are those of the providers.
  const { email, subjects } = server.person(name, ['calendar', ...others] as never)
  return { ...(await signIn(server, { connection: 'calendar' })), email, subjects }
}

test('adding: both accounts are shown first, and the profile stays as it is', async () => {
  const person = await somebody('adder', 'code')
  await connections(person.browser)
  await person.browser.submit('link', { connection: 'code' })
  const { page } = person.browser
  assert.equal(page.name, 'link-confirm')
  assert.deepEqual(await identitiesOf(person.sub), ['calendar'])
  const before = (await (await mgmt(server)).get(userPath(person.sub))).json
  const end = await drive(person.browser)
  assert.equal(end.name, 'account-connections')
  assert.match(end.text, /is added/)
  const after = (await (await mgmt(server)).get(userPath(person.sub))).json
  for (const member of ['user_id', 'email', 'email_verified', 'name']) assert.equal(after[member], before[member])
  assert.deepEqual(await identitiesOf(person.sub), ['calendar', 'code'])
  assert.equal((await signIn(server, { connection: 'code' })).sub, person.sub)
})

test('T-LINK-16 a no at the provider or on the page adds nothing and gives its tokens back', async () => {
  const person = await somebody('unsure', 'code')
  await connections(person.browser)
  code.denyNext()
  await changesAccountNot(person, async () => {
    await person.browser.submit('link', { connection: 'code' })
    assert.match((await drive(person.browser)).text, /the answer was no/)
  })
  await person.browser.submit('link', { connection: 'code' })
  const given = code.calls('revoke').length
  await person.browser.submit('link-confirm', { action: 'cancel' })
  assert.match(person.browser.page.text, /was not added/)
  assert.deepEqual(await identitiesOf(person.sub), ['calendar'])
  await eventually('the revocation', () => code.calls('revoke').length > given)
})

async function changesAccountNot({ sub }: SignedIn, work: () => Promise<unknown>): Promise<void> {
  const before = await identitiesOf(sub)
  await work()
  assert.deepEqual(await identitiesOf(sub), before)
}

test('T-LINK-11 the session id changes by adding and by removing, the old one is dead, who is signed in stays', async () => {
  const person = await somebody('rotated', 'code')
  for (const step of [
    () => addWay(person, 'code'),
    async () => {
      await connections(person.browser)
      return person.browser.submit('unlink')
    },
  ]) {
    const before = person.browser.clone()
    await step()
    assert.notEqual(person.browser.cookie(SESSION)?.value, before.cookie(SESSION)?.value)
    assert.equal(await silently(before, server), 'login_required')
    assert.equal(await silently(person.browser, server), 'code')
  }
})

test('T-LINK-01 an answer begun in another browser adds nothing there, and is worth nothing afterwards', async () => {
  const attacker = await somebody('attacker', 'code')
  await connections(attacker.browser)
  await attacker.browser.submit('link', { connection: 'code', stopAt: `${server.url}/login/callback` })
  const { url } = attacker.browser.page
  const victim = await somebody('victim')
  await changesNothing(server, async () => {
    assert.equal((await victim.browser.open(url)).error, 'wrong_browser')
    assert.equal((await attacker.browser.open(url)).error, 'transaction_invalid')
  })
})

test('T-WEB-09 somebody else who signs in meanwhile in the same browser gets nothing added', async () => {
  const first = await somebody('first', 'code')
  await connections(first.browser)
  await first.browser.submit('link', { connection: 'code', stopAt: `${server.url}/login/callback` })
  const { url } = first.browser.page
  await first.browser.open(`${server.url}/v2/logout`)
  server.person('second', ['calendar'])
  await signIn(server, { connection: 'calendar', browser: first.browser })
  await changesNothing(server, async () => assert.equal((await first.browser.open(url)).error, 'wrong_user'))
})

test('T-LINK-03 two tabs add two accounts, each its own', async () => {
  const person = await somebody('tabs', 'code', 'work')
  const answers: string[] = []
  for (const connection of ['code', 'work']) {
    await connections(person.browser)
    await person.browser.submit('link', { connection, stopAt: `${server.url}/login/callback` })
    answers.push(person.browser.page.url)
  }
  for (const url of answers) {
    await person.browser.open(url)
    assert.equal((await drive(person.browser)).name, 'account-connections')
  }
  assert.deepEqual((await identitiesOf(person.sub)).sort(), ['calendar', 'code', 'work'])
})

test("T-LINK-08 another user's identity is not moved, and nothing of that user is shown", async () => {
  const owner = await somebody('owner', 'code')
  await addWay(owner, 'code')
  const taker = await somebody('taker')
  code.switchUser(owner.email.split('@')[0] ?? '')
  await changesAccountNot(taker, async () => {
    await connections(taker.browser)
    await taker.browser.submit('link', { connection: 'code' })
    assert.equal(taker.browser.page.name, 'link-conflict')
    assert.equal(taker.browser.page.body.includes(owner.email), false)
    await taker.browser.submit('link-conflict', { action: 'cancel' })
  })
  assert.deepEqual(await identitiesOf(owner.sub), ['calendar', 'code'])
})

test('T-LINK-12 the last way in stays, and so does the one that the account began with', async () => {
  const person = await somebody('last', 'code')
  const page = await connections(person.browser)
  assert.equal(
    page.forms.some(({ name }) => name === 'unlink'),
    false,
  )
  assert.match(page.text, /One way to sign in/)
  await addWay(person, 'code')
  const form = person.browser.form('unlink')
  assert.equal(form.attributes.get('data-identity'), `github|${person.subjects.code}`)
  await changesAccountNot(person, () =>
    person.browser.submit('unlink', { fields: { identity: `oidc|calendar|${person.subjects.calendar}` } }),
  )
  assert.match(person.browser.page.text, /stays/)
})

test('T-LINK-14 what is removed signs nobody in, its sessions end and its tokens are revoked upstream', async () => {
  const person = await somebody('remover', 'files')
  await addWay(person, 'files')
  const other = await signIn(server, { connection: 'files' })
  assert.equal(other.sub, person.sub)
  await connections(person.browser)
  await person.browser.submit('unlink')
  assert.match(person.browser.page.text, /is removed/)
  assert.deepEqual(await openDoors(server, other), [])
  await eventually('the revocation', () => files.calls('revoke').length > 0)
  assert.notEqual((await signIn(server, { connection: 'files' })).sub, person.sub)
})

test('what was disconnected and is not cancelled at its provider yet stays on the page until it is', async () => {
  const person = await somebody('waiting', 'files')
  await addWay(person, 'files')
  await connections(person.browser)
  files.fail('revoke', { times: 1000 })
  await person.browser.submit('disconnect', { connection: 'files' })
  assert.match(person.browser.page.text, /Being cancelled/)
  const late = await eventually('the first try', async () => {
    const { text } = await connections(person.browser)
    return text.includes('has not confirmed yet') ? text : undefined
  })
  assert.match(late, /nobody gets anything from it here any more/)
  assert.match(late, /To end it at once, sign in at files and remove/i)
  files.reset()
  passTime(60)
  await eventually('the last word of the provider', async () => {
    const { text } = await connections(person.browser)
    return !text.includes('Being cancelled')
  })
})

test('the mail about a new way in takes it back, once, and ends every session', async () => {
  const person = await somebody('told', 'code')
  await addWay(person, 'code')
  const link = await eventually(
    'the mail',
    () => server.mails().find(({ to, subject }) => to === person.email && /added/.test(subject))?.links[0],
  )
  const scanner = new Browser()
  assert.equal((await scanner.open(link)).name, 'not-me')
  assert.deepEqual(await identitiesOf(person.sub), ['calendar', 'code'])
  const [form] = scanner.page.forms
  assert.ok(form)
  await scanner.post(`${server.url}/account/not-me`, {
    ...Object.fromEntries(form.fields),
    csrf: 'wrong',
    action: 'not_me',
  })
  assert.equal(scanner.page.error, 'cross_site_request')
  await scanner.post(
    `${server.url}/account/not-me`,
    { ...Object.fromEntries(form.fields), action: 'not_me' },
    { from: link },
  )
  assert.equal(scanner.page.name, 'not-me')
  assert.deepEqual(await identitiesOf(person.sub), ['calendar'])
  assert.deepEqual(await openDoors(server, person), [])
  assert.equal((await scanner.open(link)).error, 'ticket_invalid')
  assert.equal((await eventsOf(server, 'link.denied')).length, 1)
})

test('an unproven address is proven by a mailed code before anything is added', async () => {
  const person = server.person('unproven', ['loose', 'code'])
  const visit = await signIn(server, { connection: 'loose' })
  const page = await connections(visit.browser)
  assert.match(page.text, /not proved yet/)
  assert.equal(
    page.forms.some(({ name }) => name === 'link'),
    false,
  )
  await visit.browser.open(`${server.url}/account`)
  await visit.browser.submit('verify')
  assert.equal(visit.browser.page.name, 'verify-email')
  const mail = await eventually('the code', () => server.mails().find(({ to }) => to === person.email))
  const typed = /\b\d{6}\b/.exec(mail.text)?.[0]
  await visit.browser.submit('verify', { fields: { code: typed } })
  assert.equal(visit.browser.page.name, 'account-connections')
  assert.equal((await addWay(visit, 'code')).name, 'account-connections')
  assert.deepEqual(await identitiesOf(visit.sub), ['loose', 'code'])
})

test('T-WEB-04 no form of the account area is taken from elsewhere', async () => {
  const person = await somebody('forged', 'code')
  await addWay(person, 'code')
  await connections(person.browser)
  const forms = person.browser.page.forms.filter(({ method }) => method === 'post')
  await changesNothing(server, async () => {
    for (const { action, fields, buttons } of forms) {
      const all = Object.fromEntries([...fields, ...buttons.map(({ name, value }) => [name, value])])
      const { csrf: _, ...bare } = all
      for (const [body, from] of [
        [bare, undefined],
        [all, 'https://evil.test/'],
      ] as const) {
        const page = await person.browser
          .clone()
          .post(new URL(action, server.url).href, body, from === undefined ? {} : { from })
        assert.ok(page.status === 403 || page.name === 'login', `${action}: ${page.status} ${page.name}`)
      }
    }
  })
})

test('T-LINK-10 an old session proves itself again, as the same person, before it adds or removes', async () => {
  const strict = await startServer()
  const someone = strict.person('again', ['calendar', 'code', 'work'])
  const { browser, sub } = await signIn(strict, { connection: 'calendar' })
  passTime(601)
  await connections(browser, strict)
  const before = browser.cookie(SESSION)?.value
  await browser.submit('link', { connection: 'code' })
  assert.equal(browser.page.name, 'reauthenticate')
  const asked = browser.page.url

  strict.person('impostor', ['calendar'])
  await leavesIdentities(strict, sub, () => browser.submit('connection', { connection: 'calendar' }))
  assert.equal(browser.page.error, 'wrong_user')

  someone.at('calendar')
  await browser.open(asked)
  await browser.submit('connection', { connection: 'calendar' })
  assert.equal(browser.page.name, 'link-confirm', 'what was wanted goes on by itself')
  assert.notEqual(browser.cookie(SESSION)?.value, before)
  await browser.submit('link-confirm', { action: 'confirm' })
  assert.deepEqual(await identitiesOf(sub, strict), ['calendar', 'code'])

  passTime(601)
  await connections(browser, strict)
  await browser.submit('unlink')
  assert.equal(browser.page.name, 'reauthenticate')
  await browser.submit('connection', { connection: 'calendar' })
  assert.match(browser.page.text, /is removed/)
  assert.deepEqual(await identitiesOf(sub, strict), ['calendar'])

  const { ada } = strict.tenant
  const own = await signIn(strict, { connection: PASSWORDS, user: ada })
  passTime(601)
  await connections(own.browser, strict)
  await own.browser.submit('link', { connection: 'work' })
  await own.browser.submit('login', { fields: { password: 'not the password of ada' } })
  assert.equal(own.browser.page.status, 403)
  assert.equal(own.browser.page.name, 'reauthenticate')
  await own.browser.submit('login', {
    fields: { username: strict.tenant.eve.email, password: strict.tenant.eve.password },
  })
  assert.equal(own.browser.page.status, 403)
  await own.browser.submit('login', { fields: { password: ada.password } })
  assert.equal(own.browser.page.name, 'link-confirm')
})

async function leavesIdentities(at: TestServer, sub: string, work: () => Promise<unknown>): Promise<void> {
  const before = await identitiesOf(sub, at)
  await work()
  assert.deepEqual(await identitiesOf(sub, at), before)
}

test('where there is much to connect, one looks for it by name', async () => {
  const many = await startServer({
    tenant: ({ connections: all }) => {
      const files = all.find(({ name }) => name === 'files')
      for (let at = 0; at < 20; at++) all.push({ ...files, name: `drawer-${at}`, display_name: `Drawer ${at}` })
    },
  })
  many.person('looker', ['calendar'])
  const { browser } = await signIn(many, { connection: 'calendar' })
  const offered = (page: Page) =>
    page.forms.filter(({ name }) => name === 'link').map(({ attributes }) => attributes.get('data-connection'))
  assert.equal(offered(await connections(browser, many)).length, 25)
  assert.deepEqual(offered(await browser.open(`${many.url}/account/connections?find=drawer%201`)).length, 11)
  assert.deepEqual(offered(await browser.open(`${many.url}/account/connections?find=DRAWER%2017`)), ['drawer-17'])
  const none = await browser.open(`${many.url}/account/connections?find=%22%3E%3Cscript%3E`)
  assert.match(none.text, /Nothing here is called that/)
})

test('a session that has ended meanwhile signs in first, and comes back to the page', async () => {
  const person = await somebody('ended', 'code')
  await connections(person.browser)
  const api = await mgmt(server)
  expectStatus(await api.delete(`${userPath(person.sub)}/sessions`), 202)
  await person.browser.submit('link', { connection: 'code' })
  assert.equal(person.browser.page.name, 'login')
  await person.browser.submit('connection', { connection: 'calendar' })
  assert.equal(person.browser.page.name, 'account-connections')
})
