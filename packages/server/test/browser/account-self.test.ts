// J11: a person sees where they are signed in, changes name and address, takes a copy of everything, and leaves for good.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { connect, exchange, expectStatus, meToken, mgmt, signIn, userPath } from '../support/actors.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { passTime } from '../support/time.ts'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'

test('J11 name, address, sessions, a copy of everything, and the end', async (t) => {
  const server = await startServer()
  const { email } = server.person('ada', ['calendar', 'code', 'files'], { name: 'Ada Lovelace' })
  const visit = await signIn(server, { client: 'agent-a', connection: 'calendar' })
  const token = await meToken(server, visit)
  await connect(visit.browser, server, { token, connection: 'files' })
  await exchange(server, { client: 'agent-a', connection: 'files', subjectToken: visit.refreshToken })
  const { page } = await openBrowser(t)
  await page.goto(`${server.url}/account`)
  await page.locator('form[data-connection=calendar] button').click()
  await onPage(page, 'account')
  await looksWell(page, 'account-profile')

  await page.locator('summary', { hasText: 'Change your name' }).click()
  await page.locator('form[data-form=change-name] [name=name]').fill('Ada King')
  await page.locator('form[data-form=change-name] button').click()
  await page.getByText('Your name is saved.').waitFor()
  assert.equal(await page.locator('[role=status]:focus').count(), 1)

  await page.locator('summary', { hasText: 'Use another address' }).click()
  await looksWell(page, 'account-profile-open')
  const next = `new-${email}`
  await page.locator('form[data-form=change-address] [name=email]').fill(next)
  await page.locator('form[data-form=change-address] button').click()
  await onPage(page, 'verify-email')
  await looksWell(page, 'verify-email-change')
  const mail = await eventually('the code', () => server.mails().find(({ to }) => to === next))
  await page.locator('[name=code]').fill(/\b\d{6}\b/.exec(mail.text)?.[0] ?? '')
  await press(page, 'continue')
  await onPage(page, 'account')
  await page.getByText('Your address is').waitFor()

  assert.equal(await page.locator('form[data-form=end-session]').count(), 1)
  await page.locator('form[data-form=end-other-sessions] button').click()
  await page.getByText('Signed out there.').waitFor()
  await page.getByText('You are signed in here alone.').waitFor()

  const downloading = page.waitForEvent('download')
  await page.locator('form[data-form=download] button').click()
  const download = await downloading
  assert.equal(download.suggestedFilename(), 'account.json')
  const held = JSON.parse(readFileSync(await download.path(), 'utf8'))
  assert.deepEqual([held.profile.name, held.profile.email], ['Ada King', next])

  // Some time later the session is old: leaving asks who it is.
  passTime(601)
  await page.getByRole('link', { name: 'Delete this account' }).click()
  await onPage(page, 'account-delete')
  await page.getByText('Agent A').first().waitFor()
  await looksWell(page, 'account-delete')
  await press(page, 'confirm')
  await onPage(page, 'reauthenticate')
  await page.getByText('delete your account').waitFor()
  await page.locator('form[data-form=connection][data-connection=calendar] button').click()
  await onPage(page, 'account-deleted')
  await looksWell(page, 'account-deleted')
  const api = await mgmt(server)
  expectStatus(await api.get(userPath(visit.sub)), 404)
  for (const to of [email, next])
    await eventually(`a mail to ${to}`, () =>
      server.mails().find((one) => one.to === to && /deleted/.test(one.subject)),
    )
  await page.goto(`${server.url}/account`)
  await onPage(page, 'login')
})
