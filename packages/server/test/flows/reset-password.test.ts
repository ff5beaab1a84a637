// Choosing a new password by a mailed link.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { authorizeUrl, expectStatus, mgmt, signIn, silently, userPath } from '../support/actors.ts'
import { Browser, type Page } from '../support/browser.ts'
import { eventually, request, sleep } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { openDoors } from '../support/state.ts'
import { PASSWORDS } from '../support/tenant.ts'

const server = await startServer({ providers: {} })
const newPassword = () => randomBytes(12).toString('base64url')
let made = 0

async function person() {
  const email = `person-${++made}@example.test`
  const password = newPassword()
  const api = await mgmt(server)
  const { json } = expectStatus(
    await api.post('/users', { connection: PASSWORDS, email, password, email_verified: true }),
    201,
  )
  return { email, password, userId: String(json.user_id), api }
}

async function askReset(email: string): Promise<Page> {
  const browser = new Browser()
  await browser.open(authorizeUrl(server, { extra: { screen_hint: 'reset-password' } }).url)
  assert.equal(browser.page.name, 'reset-password')
  return browser.submit('reset', { fields: { email } })
}

const linksTo = (address: string) =>
  server
    .mails()
    .filter(({ to }) => to === address)
    .flatMap(({ links }) => links.filter((link) => link.includes('ticket=')))
const linkTo = (address: string) => eventually(`a link for ${address}`, () => linksTo(address)[0])

test('the link chooses a new password once; opening it changes nothing', async () => {
  const { email, password } = await person()
  await askReset(email)
  const link = await linkTo(email)
  for (let at = 0; at < 3; at++) assert.equal((await request(link, { headers: { accept: 'text/html' } })).status, 200)
  expectAlive(await signIn(server, { user: { email, password } }))
  const browser = new Browser()
  await browser.open(link)
  const weak = await browser.submit('reset', { fields: { password: 'short' } })
  assert.deepEqual([weak.status, weak.name], [400, 'reset-password'])
  const next = newPassword()
  const done = await browser.submit('reset', { fields: { password: next } })
  assert.equal(done.status, 200)
  assert.equal((await new Browser().open(link)).error, 'ticket_invalid')
  expectAlive(await signIn(server, { user: { email, password: next } }))
  await assert.rejects(signIn(server, { user: { email, password } }))
})

test('T-PRE-02 a new password ends every session, token and grant of before, and every other link', async () => {
  const { email, password } = await person()
  const before = await signIn(server, { user: { email, password } })
  await askReset(email)
  const first = await linkTo(email)
  await askReset(email)
  const second = await eventually('a second link', () => linksTo(email).find((link) => link !== first))
  const browser = new Browser()
  assert.equal((await browser.open(first)).error, 'ticket_invalid')
  await browser.open(second)
  await browser.submit('reset', { fields: { password: newPassword() } })
  assert.deepEqual(await openDoors(server, before), [])
  assert.equal(await silently(before.browser, server), 'login_required')
})

test('T-API-07 an address without an account gets the same answer, and no mail', async () => {
  const { email } = await person()
  const [known, unknown] = [await askReset(email), await askReset('nobody@example.test')]
  assert.deepEqual([known.status, known.name, masked(known)], [unknown.status, unknown.name, masked(unknown)])
  await linkTo(email)
  await sleep(200)
  assert.deepEqual(linksTo('nobody@example.test'), [])
})

test('a link is worth nothing after its end, for a blocked user, or once its address is another user’s', async () => {
  const blocked = await person()
  await askReset(blocked.email)
  const link = await linkTo(blocked.email)
  expectStatus(await blocked.api.patch(userPath(blocked.userId), { blocked: true }), 200)
  const browser = new Browser()
  await browser.open(link)
  if (browser.page.name === 'reset-password') await browser.submit('reset', { fields: { password: newPassword() } })
  assert.ok(['user_blocked', 'ticket_invalid'].includes(browser.page.error ?? ''))

  const first = await person()
  await askReset(first.email)
  const old = await linkTo(first.email)
  const open = new Browser()
  await open.open(old)
  expectStatus(
    await first.api.patch(userPath(first.userId), { email: `moved-${first.email}`, email_verified: true }),
    200,
  )
  const heirPassword = newPassword()
  const heir = { connection: PASSWORDS, email: first.email, password: heirPassword, email_verified: true }
  expectStatus(await first.api.post('/users', heir), 201)
  await open.submit('reset', { fields: { password: newPassword() } })
  assert.equal(open.page.error, 'ticket_invalid')
  expectAlive(await signIn(server, { user: { email: first.email, password: heirPassword } }))
})

test('a form of ours that another site sends, or that another browser got, is refused', async () => {
  const { email } = await person()
  await askReset(email)
  const browser = new Browser()
  await browser.open(await linkTo(email))
  const { action, fields } = browser.form('reset')
  const url = new URL(action, server.url).href
  const sent = { ...Object.fromEntries(fields), password: newPassword() }
  assert.equal((await browser.post(url, sent, { from: 'https://evil.test/' })).error, 'cross_site_request')
  assert.equal((await new Browser().post(url, sent, { from: server.url })).error, 'cross_site_request')
  const { csrf: _, ...without } = Object.fromEntries(fields) as Record<string, string>
  assert.equal(
    (await browser.post(url, { ...without, password: newPassword() }, { from: server.url })).error,
    'cross_site_request',
  )
  const odd = await request(url, {
    body: '--x',
    headers: { 'content-type': 'multipart/form-data; boundary=x', accept: 'text/html' },
  })
  assert.equal(odd.status, 400)
})

const expectAlive = ({ sub }: { sub: string }) => assert.ok(sub)

const masked = (page: Page) => page.text.replaceAll(/[\w.-]+@[\w.*-]+/g, '@')
