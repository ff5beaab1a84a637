// J5: a backend, or an operator, joins two users of one address; the person sees who did it, and may take it back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectStatus, mgmt, signIn, userPath } from '../support/actors.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'

test('J5 what a backend finds by address and joins is one account in the browser, with who did it', async (t) => {
  const server = await startServer()
  const person = server.person('ada', ['calendar', 'work'], { name: 'Ada Lovelace' })
  const older = await signIn(server, { connection: 'calendar' })
  const newer = await signIn(server, { connection: 'work', answers: { 'link-suggest': 'keep_separate' } })
  assert.notEqual(newer.sub, older.sub)
  const api = await mgmt(server)
  const found = expectStatus(await api.get(`/users-by-email?email=${encodeURIComponent(person.email)}`), 200).json
  assert.deepEqual(found.map(({ user_id: id }: { user_id: string }) => id).sort(), [older.sub, newer.sub].sort())
  const report = expectStatus(await api.get('/duplicates'), 200).json
  assert.match(JSON.stringify(report), /same_address_proven/)
  const pair = { primary_user_id: older.sub, secondary_user_id: newer.sub }
  const { plan_hash } = expectStatus(await api.post('/links/preview', pair), 200).json
  expectStatus(await api.post('/links', { ...pair, plan_hash }), 201)

  const { page } = await openBrowser(t)
  await page.goto(`${server.url}/account/connections`)
  await page.locator('form[data-connection=work] button').click()
  await onPage(page, 'account-connections')
  await page.getByText('Another account, which signed in with').first().waitFor()
  await page.getByText('Acme did it.').waitFor()
  await page.locator('#history ~ ul summary').first().click()
  await looksWell(page, 'account-history-merge')
  const link = await eventually('the mail', () =>
    server
      .mails()
      .filter(({ to }) => to === person.email)
      .flatMap(({ links }) => links)
      .find((one) => one.includes('/account/not-me')),
  )
  await page.goto(link)
  await onPage(page, 'not-me')
  await looksWell(page, 'not-me-joined')
  assert.equal((await api.get(userPath(newer.sub))).status, 404, 'opening it changes nothing')
  await press(page, 'not_me')
  await page.getByText('It is taken back').waitFor()
  expectStatus(await api.get(userPath(newer.sub)), 200)
  await page.goto(`${server.url}/account`)
  await onPage(page, 'login')
})
