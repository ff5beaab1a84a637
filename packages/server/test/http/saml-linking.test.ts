// SAML identities in the journeys of linking: they have no tokens, arrive by POST, and are identities like any other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorizeUrl, drive, exchange, mgmt, signIn, userPath } from '../support/actors.ts'
import { Browser, type Page } from '../support/browser.ts'
import { atProvider, goToProvider, postAnswer, samlSignIn, startSamlWorld } from '../support/saml-world.ts'
import { changesNothing } from '../support/state.ts'

const world = await startSamlWorld(({ corp }) => [
  corp.connection('staff', { trust_email: true, email_domains: ['example.test'] }),
])
const { server, corp } = world

const identitiesOf = async (sub: string): Promise<string[]> => {
  const { json } = await (await mgmt(server)).get(userPath(sub))
  return (json.identities ?? []).map(({ connection }: { connection: string }) => connection)
}

/** Presses the provider's button. */
const answered = ({ browser, page }: { browser: Browser; page: Page }): Promise<Page> => {
  const { fields, ...there } = atProvider(browser, page)
  return postAnswer(there, fields)
}

test('J6 a client links a SAML account: shown first, no scopes, the same sub, and no tokens to exchange', async () => {
  server.person('linker', ['calendar'])
  corp.addUser('linker')
  const person = await signIn(server, { connection: 'calendar' })
  const { browser } = person
  const asked = authorizeUrl(server, {
    scope: 'openid link_account',
    extra: { requested_connection: 'corp', id_token_hint: person.idToken },
  })
  const page = await answered({ browser, page: await browser.open(asked.url) })
  assert.equal(page.name, 'link-confirm')
  assert.deepEqual(await identitiesOf(person.sub), ['calendar'])
  assert.ok((await drive(browser)).params.has('code'))
  assert.deepEqual(await identitiesOf(person.sub), ['calendar', 'corp'])
  assert.equal((await samlSignIn(world, 'corp')).sub, person.sub)
  const answer = await exchange(server, { connection: 'corp', subjectToken: person.refreshToken })
  assert.ok(answer.status >= 400 && answer.status < 500, answer.text)
})

test('J4 an address of a trusted provider is suggested, and proven by the account that exists', async () => {
  const { email } = server.person('suggested', ['calendar'])
  const older = await signIn(server, { connection: 'calendar' })
  corp.addUser('suggested', { attributes: { email, name: 'Sue' } })
  const browser = new Browser()
  const page = await answered(await goToProvider(server, 'staff', { browser }))
  assert.equal(page.name, 'link-suggest')
  await browser.submit('link-suggest', { action: 'link' })
  assert.ok((await drive(browser, { connection: 'calendar' })).params.has('code'), browser.page.text)
  assert.deepEqual(await identitiesOf(older.sub), ['calendar', 'staff'])
})

test('J4 the account that exists is proven by SAML; somebody else there proves nothing', async () => {
  const { email } = server.person('prover', ['calendar'])
  const own = corp.addUser('prover', { attributes: { email, name: 'Pru' } })
  const older = await samlSignIn(world, 'staff')
  const browser = new Browser()
  const page = await browser.open(authorizeUrl(server, { connection: 'calendar' }).url)
  assert.equal(page.name, 'link-suggest')
  corp.addUser('another')
  await browser.submit('link-suggest', { action: 'link' })
  await changesNothing(server, async () => {
    const wrong = await answered({ browser, page: await toProvider(browser) })
    assert.ok(!wrong.params.has('code'), wrong.url)
  })
  corp.switchUser('prover')
  await browser.submit('link-suggest', { action: 'link' })
  const done = await answered({ browser, page: await toProvider(browser) })
  assert.ok(done.params.has('code'), done.text)
  assert.deepEqual(await identitiesOf(older.sub), ['staff', 'calendar'])
  assert.ok(older.sub.endsWith(own.nameId))
})

/** From the page of ways to prove an account, when there is a choice. */
const toProvider = async (browser: Browser): Promise<Page> =>
  browser.page.name === 'login' ? browser.submit('connection', { connection: 'staff' }) : browser.page

test('a client that asks for a new sign-in gets one from the provider too', async () => {
  corp.addUser('fresh')
  const { browser } = await samlSignIn(world, 'corp')
  const page = await browser.open(authorizeUrl(server, { connection: 'corp', extra: { max_age: '0' } }).url)
  assert.match(corp.requests.at(-1)?.xml ?? '', / ForceAuthn="true"/)
  const done = await answered({ browser, page })
  assert.ok(done.params.has('code'), `${done.name} ${done.error}`)
})
