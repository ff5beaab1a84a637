// Pre-hijacking (T-PRE-03) by a mail that asks: whoever reads a mailbox must not be led to prove it for somebody else's account.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize, expectStatus, mgmt, signIn, userPath } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { PASSWORDS } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const TOMBSTONE_SECONDS = 90 * 86_400

test('T-PRE-03 an address that only a sloppy provider vouched for is not handed back by "this was not me"', async () => {
  const server = await startServer()
  const mine = 'mine@attacker.test'
  // Trusted, and not authoritative for the domain: it says that the attacker reads the victim's mail.
  const { email: victim } = server.person('borrowed', ['calendar'], { email: 'victim@elsewhere.test' })
  const attacker = await signIn(server, { connection: 'calendar' })
  const { browser } = attacker
  await browser.open(`${server.url}/account`)
  await browser.submit('change-address', { fields: { email: mine } })
  const code = await eventually('the code', () => server.mails().find(({ to }) => to === mine))
  await browser.submit('verify', { fields: { code: /\b\d{6}\b/.exec(code.text)?.[0] } })
  const told = await eventually('what the victim is told', () => server.mails().find(({ to }) => to === victim))
  assert.doesNotMatch(told.text, /not-me\?ticket=/)
  const { json: user } = expectStatus(await (await mgmt(server)).get(userPath(attacker.sub)), 200)
  assert.deepEqual([user.email, user.email_verified], [mine, true])
})

test('T-PRE-03 the address of who prepared an account leads nobody into it once its owner has a new password', async () => {
  // The policy that joins the most: whoever has a proven address of a user comes in.
  const server = await startServer({ settings: { linking: { policy: 'auto_when_authoritative' } } })
  const owners = 'owner@example.test'
  const api = await mgmt(server)
  const sitter = server.person('sitter', ['work'])
  const user = { email: sitter.email, password: 'the password of a sitter' }
  const made = expectStatus(
    await api.post('/users', { connection: PASSWORDS, ...user, email_verified: true }),
    201,
  ).json
  assert.equal((await signIn(server, { connection: 'work' })).sub, made.user_id, 'joined by its address')
  expectStatus(await api.patch(userPath(made.user_id), { email: owners }), 200)

  const browser = new Browser()
  await authorize(browser, server, { extra: { screen_hint: 'reset-password' } })
  await browser.submit('reset', { fields: { email: owners } })
  const link = await eventually('a reset link', () =>
    server
      .mails()
      .find(({ to }) => to === owners)
      ?.links.at(-1),
  )
  await browser.open(link)
  await browser.submit('reset', { fields: { password: 'the password of the owner' } })

  // "Unlink means unlink" holds for a while; what the address says must not come back after it.
  await passTime(TOMBSTONE_SECONDS + 1)
  assert.notEqual((await signIn(server, { connection: 'work' })).sub, made.user_id)
})
