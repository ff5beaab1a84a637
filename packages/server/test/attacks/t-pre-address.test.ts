// Pre-hijacking (T-PRE-03) by a mail that asks: whoever reads a mailbox must not be led to prove it for somebody else's account.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectStatus, mgmt, signIn, userPath } from '../support/actors.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'

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
