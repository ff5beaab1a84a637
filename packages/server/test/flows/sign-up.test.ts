// Making an account by address and password: nothing before the mailbox is proved, and nothing told about others.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { authorize, authorizeUrl, codeOf, drive, expectStatus, mgmt, redeem, signIn } from '../support/actors.ts'
import { Browser, type Page } from '../support/browser.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'

const server = await startServer({ providers: {} })
const { ada } = server.tenant
const digits = (text: string) => /\b\d{6}\b/.exec(text)?.[0] ?? ''
const password = () => randomBytes(12).toString('base64url')
let made = 0
const newAddress = () => `new-${++made}@example.test`

/** A browser whose page asks for the mailed code. */
async function signUp(email: string, secret = password(), browser = new Browser()) {
  const flow = authorizeUrl(server, { extra: { screen_hint: 'signup' } })
  await browser.open(flow.url)
  assert.equal(browser.page.name, 'signup')
  const page = await browser.submit('signup', { fields: { email, password: secret, name: 'New Person' } })
  return { browser, page, flow, password: secret }
}

const mailsTo = (address: string) => server.mails().filter(({ to }) => to === address)
const mailedCode = (address: string) =>
  eventually(`a code for ${address}`, () =>
    mailsTo(address)
      .map(({ text }) => digits(text))
      .find(Boolean),
  )
const usersWith = async (email: string) =>
  (await (await mgmt(server)).get(`/users-by-email?email=${encodeURIComponent(email)}`)).json

test('an account is made by the mailed code, not before, and its address is proven', async () => {
  const email = newAddress()
  const { browser, page, flow, password: secret } = await signUp(email)
  assert.equal(page.name, 'verify-email')
  assert.deepEqual(await usersWith(email), [])
  await browser.submit('verify', { fields: { code: ` ${await mailedCode(email)} ` } })
  const answer = { ...flow, page: browser.page, params: browser.page.params }
  assert.ok(codeOf(answer))
  expectStatus(await redeem(server, answer), 200)
  const [user] = await usersWith(email)
  assert.equal(user.email_verified, true)
  assert.equal(user.name, 'New Person')
  const again = await signIn(server, { user: { email, password: secret } })
  assert.equal(again.sub, user.user_id)
})

test('T-API-07 an address that has an account gets the same page, another mail, and no code that fits', async () => {
  const fresh = await signUp(newAddress())
  const taken = await signUp(ada.email)
  assert.deepEqual([taken.page.status, taken.page.name], [fresh.page.status, fresh.page.name])
  assert.equal(masked(taken.page), masked(fresh.page))
  const mail = await eventually('a mail', () => mailsTo(ada.email)[0])
  assert.equal(digits(mail.text), '')
  const wrongHere = await taken.browser.submit('verify', { fields: { code: '123456' } })
  const wrongThere = await fresh.browser.submit('verify', { fields: { code: '123456' } })
  assert.equal(masked(wrongHere), masked(wrongThere))
  // The password that was typed opens nothing.
  const attempt = await authorize(new Browser(), server, { user: { email: ada.email, password: taken.password } })
  assert.deepEqual([attempt.page.status, attempt.page.name], [403, 'login'])
})

test('T-PRE-10 a code belongs to the interaction that it was mailed for, and to the browser that began it', async () => {
  const [mine, theirs] = [newAddress(), newAddress()]
  const first = await signUp(mine)
  const second = await signUp(theirs)
  const page = await second.browser.submit('verify', { fields: { code: await mailedCode(mine) } })
  assert.deepEqual([page.status, page.name], [400, 'verify-email'])
  const elsewhere = await new Browser().open(first.browser.page.url)
  assert.equal(elsewhere.error, 'interaction_expired')
  const { action, fields } = first.browser.form('verify')
  const state = Object.fromEntries(fields).state ?? ''
  const stolen = await second.browser.open(`${server.url}/u/verify?state=${state}`)
  assert.equal(stolen.error, 'wrong_browser')
  assert.ok(action.startsWith('/u/'))
})

test('T-PRE-10 a code has five tries, however many come at once, and a new one is mailed on request', async () => {
  const email = newAddress()
  const { browser } = await signUp(email)
  const right = await mailedCode(email)
  const guesses = await Promise.all(
    Array.from({ length: 20 }, (_, at) => {
      const copy = browser.clone()
      copy.page = browser.page
      const guess = String(100_000 + at)
      return copy.submit('verify', { fields: { code: guess === right ? '999999' : guess } })
    }),
  )
  assert.equal(guesses.filter(({ text }) => text.includes('This is not the code')).length, 5)
  const late = await browser.submit('verify', { fields: { code: right } })
  assert.equal(late.status, 400)
  assert.deepEqual(await usersWith(email), [])
  await browser.submit('verify', { fields: { resend: 'yes' } })
  const fresh = await eventually('a second code', () =>
    mailsTo(email)
      .map(({ text }) => digits(text))
      .find((one) => one !== right),
  )
  await browser.submit('verify', { fields: { code: fresh } })
  assert.ok(browser.page.params.has('code'))
})

test('of two browsers that sign up with one address, the second to prove it is asked to sign in', async () => {
  const email = newAddress()
  const [first, second] = [await signUp(email), await signUp(email)]
  const codes = await eventually('two codes', () => {
    const found = mailsTo(email).map(({ text }) => digits(text))
    return found.length === 2 ? found : undefined
  })
  for (const code of codes)
    if (first.browser.page.name === 'verify-email') await first.browser.submit('verify', { fields: { code } })
  assert.ok(first.browser.page.params.has('code'))
  for (const code of codes)
    if (second.browser.page.name === 'verify-email') await second.browser.submit('verify', { fields: { code } })
  assert.equal(second.browser.page.name, 'login')
  assert.equal((await usersWith(email)).length, 1)
})

test('a form that cannot be is shown again with what was typed, except the password', async () => {
  const secret = password()
  const wrong: readonly (readonly [string, Record<string, string>])[] = [
    ['no address', { email: '', password: secret }],
    ['no such address', { email: 'ada@localhost', password: secret }],
    ['a short password', { email: newAddress(), password: 'q7#' }],
    ['the address as password', { email: 'somebody-long@example.test', password: 'somebody-long@example.test' }],
    ['a common password', { email: newAddress(), password: 'password123' }],
    ['a long name', { email: newAddress(), password: secret, name: 'x'.repeat(200) }],
  ]
  for (const [name, fields] of wrong) {
    const browser = new Browser()
    await browser.open(authorizeUrl(server, { extra: { screen_hint: 'signup' } }).url)
    const page = await browser.submit('signup', { fields: { name: 'N', ...fields } })
    assert.deepEqual([page.status, page.name], [400, 'signup'], name)
    assert.ok(!page.body.includes(fields.password ?? '?') || fields.password === fields.email, name)
  }
})

test('rate limits: an address gets five mails in a quarter of an hour, whoever asks', async () => {
  const limited = await startServer({ providers: {}, settings: { rate_limits: { enabled: true } } })
  const email = newAddress()
  for (let at = 0; at < 6; at++) {
    const browser = new Browser()
    await browser.open(authorizeUrl(limited, { extra: { screen_hint: 'signup' } }).url)
    const page = await browser.submit('signup', { fields: { email, password: password(), name: 'N' } })
    assert.equal(page.error ?? page.name, at < 5 ? 'verify-email' : 'rate_limited')
  }
})

test('who would rather not comes back to the page that the client asked for, and may sign in instead', async () => {
  const { browser } = await signUp(newAddress())
  const { action, fields } = browser.form('verify')
  const from = browser.page.url
  await browser.post(new URL(action, from).href, { ...Object.fromEntries(fields), action: 'cancel' }, { from })
  assert.equal(browser.page.name, 'signup')
  const login = browser.page.links.find((link) => link.includes('/u/login')) ?? ''
  await browser.open(new URL(login, from).href)
  assert.equal(browser.page.name, 'login')
  assert.ok((await drive(browser, { user: ada })).params.has('code'))
})

/** What a page says, without what is different each time. */
const masked = (page: Page) => page.text.replaceAll(/[\w.-]+@[\w.*-]+/g, '@').replaceAll(/req_[\w-]+/g, 'req')
