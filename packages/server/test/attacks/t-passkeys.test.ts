// Passkeys over HTTP with a device in software: made, shown, and everything about them that can be wrong.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize, claimsOf, drive, expectStatus, mgmt, redeem, signIn, userPath } from '../support/actors.ts'
import { Authenticator, type Lie } from '../support/authenticator.ts'
import { Browser, type Page } from '../support/browser.ts'
import { App, addPasskey, enrolApp, optionsOn, ownWays, toNewPasskey, typeCode } from '../support/factors.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { PASSWORDS, type Person } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const server = await startServer({
  hostName: 'localhost',
  tenant: (file) => void file.connections.push(...ownWays()),
})
const api = await mgmt(server)
let people = 0

async function somebody(name: string, verified = true) {
  const user = { email: `${name}-${++people}@example.test`, password: `of ${name} ${Math.random()}` }
  expectStatus(await api.post('/users', { connection: PASSWORDS, email_verified: verified, ...user }), 201)
  return { ...(await signIn(server, { user })), user }
}

const show = (browser: Browser, device: Authenticator, lie: Lie = {}): Promise<Page> =>
  browser.submit('passkey', { fields: { passkey: device.show(optionsOn(browser), lie) } })

async function toSignIn(browser = new Browser()) {
  const flow = await authorize(browser, server, {})
  assert.equal(browser.page.name, 'login')
  return { browser, flow }
}

const device = () => new Authenticator(server.url)
const connectionsOf = async (sub: string): Promise<string[]> =>
  (await api.get(userPath(sub))).json.identities.map(({ connection }: { connection: string }) => connection)

test('a passkey is added by a recent proof, told by mail, signs in without a name, and is proof enough for two', async () => {
  const who = await somebody('ada')
  const mine = device()
  const added = await addPasskey(who.browser, server, mine)
  assert.match(added.text, /My device is added/)
  assert.match(added.headers['content-security-policy'] ?? '', /^default-src 'none'; style-src/)
  const mail = await eventually('the mail', () => server.mails().find(({ to }) => to === who.user.email))
  assert.match(mail.text, /Passkey/)
  const { browser, flow } = await toSignIn()
  assert.match(browser.page.headers['content-security-policy'] ?? '', /; script-src 'self';|script-src 'self'/)
  const page = await show(browser, mine)
  const tokens = expectStatus(await redeem(server, { ...flow, params: page.params }), 200).json
  const claims = claimsOf(tokens.id_token)
  assert.equal(claims.sub, who.sub)
  assert.deepEqual(claims.amr, ['pop', 'user', 'mfa'])
  // Named anew, then made the second step of every other way.
  await browser.open(`${server.url}/account/connections`)
  assert.match((await browser.submit('passkey-label', { fields: { label: 'Old phone' } })).text, /Old phone/)
  await browser.submit('second-step', { action: 'ask-passkey' })
  assert.equal(browser.page.name, 'recovery-codes')
  const other = new Browser()
  await authorize(other, server, { user: who.user })
  assert.equal(other.page.name, 'mfa')
  assert.equal((await show(other, mine)).stopped, true)
  // A change asks for it alone.
  passTime(700)
  await other.open(`${server.url}/account/connections`)
  await other.submit('unlink')
  assert.equal(other.page.name, 'reauthenticate')
  // It is removed, and with it the session that it proved.
  assert.equal((await show(other, mine)).name, 'login')
  assert.deepEqual(await connectionsOf(who.sub), [PASSWORDS])
  // Without a passkey none is asked for, and its device opens nothing.
  assert.equal((await authorize(new Browser(), server, { user: who.user })).page.stopped, true)
  assert.equal((await show((await toSignIn()).browser, mine)).status, 403)
})

test('T-PRE-03 nobody adds a passkey to an account whose address is unproven', async () => {
  const who = await somebody('squatter', false)
  await who.browser.open(`${server.url}/account/connections`)
  const csrf = who.browser.page.forms.flatMap(({ fields }) => fields).find(([name]) => name === 'csrf')?.[1]
  const fields = { csrf: csrf ?? '', connection: 'passkeys', action: 'link' }
  const page = await who.browser.post(`${server.url}/account/connections/link`, fields)
  assert.equal(page.name, 'verify-email')
  const direct = await who.browser.open(`${server.url}/account/passkeys/new?connection=passkeys`)
  assert.equal(direct.error, 'address_unproven')
})

test('T-LINK-05 a passkey answers the question that was asked, where it was asked, and once', async () => {
  const who = await somebody('bea')
  const mine = device()
  await addPasskey(who.browser, server, mine)
  const wrong: Record<string, Lie> = {
    'another site asked': { origin: 'https://evil.test' },
    'for another site': { rpId: 'evil.test' },
    'nobody was verified': { unverified: true },
    'a challenge of its own': { challenge: Buffer.from('mine').toString('base64url') },
    'another person': { userHandle: 'c29tZWJvZHk' },
  }
  const { browser } = await toSignIn()
  const before = optionsOn(browser).challenge
  for (const [why, lie] of Object.entries(wrong)) assert.equal((await show(browser, mine, lie)).status, 403, why)
  // Each page asks anew; what one of them asked for is no answer to another in which it counted.
  const { browser: first } = await toSignIn()
  const answer = mine.show(optionsOn(first))
  const kept = first.clone()
  kept.page = first.page
  assert.equal((await first.submit('passkey', { fields: { passkey: answer } })).stopped, true)
  assert.notEqual((await kept.submit('passkey', { fields: { passkey: answer } })).stopped, true)
  const { browser: second } = await toSignIn(kept)
  assert.equal((await second.submit('passkey', { fields: { passkey: answer } })).status, 403)
  assert.equal((await show(second, mine, { challenge: before })).status, 403)
  // Too late.
  passTime(301)
  assert.equal((await show(second, mine)).status, 403)
  assert.equal((await show(second, mine)).stopped, true)
  // A device whose counter goes back is a copy.
  const { browser: third } = await toSignIn()
  assert.equal((await show(third, mine, { counter: 1 })).status, 403)
})

test('T-LINK-10 another person’s passkey is no second step and no proof, and making one needs a recent proof', async () => {
  const [victim, thief] = [await somebody('cid'), await somebody('dee')]
  const theirs = device()
  await addPasskey(thief.browser, server, theirs)
  const mine = device()
  await addPasskey(victim.browser, server, mine)
  const { app } = await enrolApp(victim.browser, server)
  assert.ok(app instanceof App)
  const browser = new Browser()
  await authorize(browser, server, { user: victim.user })
  assert.equal(browser.page.name, 'mfa')
  assert.equal((await show(browser, theirs)).status, 403)
  // Nor is a credential that is somebody's taken in by somebody else.
  const again = await addPasskey(thief.browser, server, mine)
  assert.equal(again.error, 'identity_conflict')
  assert.deepEqual(await connectionsOf(thief.sub), [PASSWORDS, 'passkeys'])
  // What was asked for a sign-in makes none, and what was asked in another session neither.
  await toNewPasskey(victim.browser, server)
  const asked = optionsOn(victim.browser)
  await toNewPasskey(thief.browser, server)
  const foreign = { fields: { passkey: device().make(asked), label: 'x' } }
  assert.match((await thief.browser.submit('passkey', foreign)).text, /was not accepted/)
  passTime(700)
  assert.equal((await toNewPasskey(thief.browser, server)).name, 'reauthenticate')
  const old = await thief.browser.open(`${server.url}/account/passkeys/new?connection=passkeys`)
  assert.equal(old.error, 'interaction_expired')
  assert.ok((await typeCode(await secondStep(victim.user), app.code())).stopped)
})

async function secondStep(user: Person): Promise<Browser> {
  const browser = new Browser()
  await authorize(browser, server, { user })
  return browser
}

test('T-LINK-15 a passkey goes with its identity when users are joined and parted, and proves what is suggested', async () => {
  const one = await somebody('eli')
  const mine = device()
  await addPasskey(one.browser, server, mine)
  const two = await somebody('fil')
  const link = { primary_user_id: two.sub, secondary_user_id: one.sub }
  const made = expectStatus(await api.post('/links', link), 201).json
  const subOf = async () => {
    const { browser, flow } = await toSignIn()
    const { params } = await show(browser, mine)
    return claimsOf(expectStatus(await redeem(server, { ...flow, params }), 200).json.id_token).sub
  }
  assert.equal(await subOf(), two.sub)
  expectStatus(await api.post(`/links/${made.id}/undo`, {}), 200)
  assert.equal(await subOf(), one.sub)
  server.person('eli-there', ['calendar'], { email: one.user.email })
  const browser = new Browser()
  await authorize(browser, server, { connection: 'calendar', answers: { 'link-suggest': false } })
  assert.equal(browser.page.name, 'link-suggest')
  await browser.submit('link-suggest', { action: 'link', fields: { method: 'passkeys' } })
  assert.equal((await show(browser, mine)).stopped, true)
  assert.equal((await connectionsOf(one.sub)).length, 3)
  await drive(browser)
})
