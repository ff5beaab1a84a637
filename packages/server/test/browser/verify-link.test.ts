// Showing that an address is one's own by a mailed link: sign in, say so, go on to the app.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectStatus, mgmt, userPath } from '../support/actors.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { PASSWORDS } from '../support/tenant.ts'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'
import { signInByPassword } from './support/world.ts'

const GRACE = { email: 'grace@example.test', password: 'a lantern under the bridge' }

test('a person who was mailed a link signs in, says that the address is theirs, and it is proven', async (t) => {
  const server = await startServer({ providers: {} })
  const api = await mgmt(server)
  const made = expectStatus(await api.post('/users', { connection: PASSWORDS, verify_email: true, ...GRACE }), 201).json
  const link = await eventually('the mail', () => server.mails().find(({ to }) => to === GRACE.email)?.links[0])
  const { page } = await openBrowser(t)
  await page.goto(link)
  await onPage(page, 'login')
  await signInByPassword(page, GRACE.password, GRACE.email)
  await onPage(page, 'verify-email')
  await looksWell(page, 'verify-link')
  await press(page, 'continue')
  await page.getByRole('link', { name: 'To your account' }).waitFor()
  await looksWell(page, 'verify-link-done')
  assert.equal(expectStatus(await api.get(userPath(made.user_id)), 200).json.email_verified, true)
})
