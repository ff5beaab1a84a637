// Signing in by a mailed code: one decision for it as for every other way, and nothing told of who exists.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize, claimsOf, expectStatus, mgmt, redeem, signIn, userPath } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { ownWays } from '../support/factors.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { PASSWORDS } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const server = await startServer({
  tenant: (file) => {
    const [email, passkeys] = ownWays()
    file.connections.push({ ...email, enabled_clients: ['web'] }, { ...passkeys, enabled_clients: [] })
    file.connections.push({ ...email, name: 'staff', enabled_clients: ['spa'], options: { disable_signup: true } })
  },
})
const api = await mgmt(server)
const userOf = async (sub: string) => (await api.get(userPath(sub))).json
const connectionsOf = async (sub: string): Promise<string[]> =>
  (await userOf(sub)).identities.map(({ connection }: { connection: string }) => connection)

const mailTo = (to: string) => eventually(`mail to ${to}`, () => server.mails().find((mail) => mail.to === to))
const codeMailTo = (to: string, after: number) =>
  eventually(
    `code ${after + 1} to ${to}`,
    () => server.mails().filter((mail) => mail.to === to && codeIn(mail.text) !== '')[after],
  )
const codeIn = (text: string): string => /\b\d{8}\b/.exec(text)?.[0] ?? ''

async function ask(email: string, { browser = new Browser(), after = 0, ...how } = {}) {
  const flow = await authorize(browser, server, how)
  assert.equal((await browser.submit('email', { fields: { email } })).name, 'verify-email')
  const mail = await codeMailTo(email, after)
  const type = (code: string) => browser.submit('verify', { action: 'continue', fields: { code } })
  const tokens = async () => {
    assert.ok(browser.page.stopped, browser.page.text)
    const answer = await redeem(server, { ...flow, params: browser.page.params })
    return claimsOf(expectStatus(answer, 200).json.id_token)
  }
  return { browser, mail, code: codeIn(mail.text), type, tokens }
}

test('a code makes a user with a proven address at first, and leads to the same user ever after', async () => {
  const first = await ask('new@example.test')
  assert.notEqual((await first.type('00000000')).stopped, true)
  await first.type(first.code)
  const claims = await first.tokens()
  assert.match(String(claims.sub), /^email\|[0-9a-f]{24}$/)
  assert.deepEqual([claims.email, claims.email_verified, claims.amr], ['new@example.test', true, ['otp']])
  // By the link: it fills the code in, in the browser that asked alone.
  const second = await ask('new@example.test', { after: 1 })
  const link = second.mail.links[0] ?? ''
  const elsewhere = await new Browser().open(link)
  assert.equal(elsewhere.error, 'wrong_browser')
  await second.browser.open(link)
  assert.equal(second.browser.page.name, 'verify-email')
  await second.browser.submit('verify', { action: 'continue' })
  assert.equal((await second.tokens()).sub, claims.sub)
})

test('T-PRE-01 whoever only claimed the address is swept, and whoever proved it is suggested and never joined', async () => {
  const claimed = { connection: PASSWORDS, email: 'claimed@example.test', password: 'a word of the squatter' }
  const squatter = expectStatus(await api.post('/users', { ...claimed, email_verified: false }), 201).json.user_id
  const owner = await ask(claimed.email)
  await owner.type(owner.code)
  assert.notEqual((await owner.tokens()).sub, squatter)
  assert.equal((await userOf(squatter)).email, undefined)

  const proven = { email: 'proven@example.test', password: 'a word of their own' }
  expectStatus(await api.post('/users', { connection: PASSWORDS, email_verified: true, ...proven }), 201)
  const { sub } = await signIn(server, { user: proven })
  const second = await ask(proven.email)
  await second.type(second.code)
  assert.equal(second.browser.page.name, 'link-suggest')
  assert.deepEqual(await connectionsOf(sub), [PASSWORDS])
  await second.browser.submit('link-suggest', { action: 'link', fields: { method: PASSWORDS } })
  await second.browser.submit('login', { fields: { username: proven.email, password: proven.password } })
  assert.equal((await second.tokens()).sub, sub)
  assert.deepEqual(await connectionsOf(sub), [PASSWORDS, 'email'])
  // From then on it is a proof of that user, here and before a change to the account.
  const third = await ask(proven.email, { after: 1 })
  await third.type(third.code)
  assert.equal((await third.tokens()).sub, sub)
  passTime(700)
  const { browser } = third
  await browser.open(`${server.url}/account/connections`)
  await browser.submit('second-step', { action: 'add-app' })
  assert.equal((await browser.submit('mail')).name, 'verify-email')
  const mail = await eventually('the code', () =>
    server.mails().findLast(({ to, text }) => to === proven.email && /before your account is changed/.test(text)),
  )
  const code = /\b\d{6}\b/.exec(mail.text)?.[0] ?? ''
  assert.equal((await browser.submit('verify', { action: 'continue', fields: { code } })).name, 'second-step-app')
})

test('a mailbox is added to an account after its code came back, and removed as any other way', async () => {
  const user = { email: 'adds@example.test', password: 'a word of their own' }
  expectStatus(await api.post('/users', { connection: PASSWORDS, email_verified: true, ...user }), 201)
  const { browser, sub } = await signIn(server, { user })
  await browser.open(`${server.url}/account/connections`)
  assert.equal((await browser.submit('link', { connection: 'email' })).name, 'verify-email')
  const code = /\b\d{6}\b/.exec((await mailTo(user.email)).text)?.[0] ?? ''
  const asked = await browser.submit('verify', { action: 'continue', fields: { code } })
  assert.equal(asked.name, 'link-confirm', asked.text)
  const { name } = await browser.submit('link-confirm', { action: 'confirm' })
  assert.equal(name, 'account-connections')
  assert.deepEqual(await connectionsOf(sub), [PASSWORDS, 'email'])
  await browser.submit('unlink')
  assert.deepEqual(await connectionsOf(sub), [PASSWORDS])
  // Nobody comes to the page without the code.
  const forged = await browser.open(`${server.url}/account/connections/mail?proven=${'A'.repeat(80)}`)
  assert.equal(forged.error, 'interaction_expired')
})

test('T-API-07 T-API-08 a code is right once, for five tries, and where nobody may sign up nothing is told', async () => {
  const guess = await ask('guess@example.test')
  for (let at = 0; at < 5; at++) assert.equal((await guess.type('00000000')).name, 'verify-email')
  assert.match((await guess.type(guess.code)).text, /code/)
  assert.equal(guess.browser.page.stopped, false)
  const bad = new Browser()
  await authorize(bad, server, {})
  assert.equal((await bad.submit('email', { fields: { email: 'no address' } })).status, 400)
  // Of `spa`, where only those who are known get mail: the pages are alike.
  const known = { email: 'known@example.test', password: 'a word of their own' }
  expectStatus(await api.post('/users', { connection: PASSWORDS, email_verified: true, ...known }), 201)
  const pages = await Promise.all(
    [known.email, 'never@example.test'].map(async (email) => {
      const browser = new Browser()
      await authorize(browser, server, { client: 'spa' })
      return (await browser.submit('email', { fields: { email } })).text.replace(email, '')
    }),
  )
  assert.equal(pages[0], pages[1])
  await mailTo(known.email)
  assert.ok(!server.mails().some(({ to }) => to === 'never@example.test'))
})
