// The person's own pages, as they see them: without scripts of ours, wide and narrow, light and dark.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { connect, exchange, meToken, signIn } from '../support/actors.ts'
import { eventually } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { passTime } from '../support/time.ts'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'

const named = {
  tenant: ({
    connections,
    clients,
  }: Parameters<NonNullable<NonNullable<Parameters<typeof startServer>[0]>['tenant']>>[0]) => {
    const names: Readonly<Record<string, string>> = {
      calendar: 'Calendar',
      work: 'Acme staff',
      code: 'Code',
      files: 'Files',
    }
    for (const connection of connections) {
      const shown = names[String(connection.name)]
      if (shown !== undefined) connection.display_name = shown
      if (connection.name === 'files') connection.authentication = { active: false }
    }
    for (const client of clients)
      if (client.client_id === 'agent-a') client.description = 'Reads your calendar and tells you what comes next.'
  },
}

/** Comes in by `calendar` on the page that stands there. */
const signInByCalendar = (page: Page) => page.locator('form[data-connection=calendar] button').click()

/** A person with one account connected for an agent, which used it some times. */
async function withAgent(server: TestServer, name: string): Promise<string> {
  const { email } = server.person(name, ['calendar', 'code', 'files', 'work'], { name: 'Ada Lovelace' })
  const visit = await signIn(server, { client: 'agent-a', connection: 'calendar' })
  const token = await meToken(server, visit)
  await connect(visit.browser, server, { token, connection: 'files' })
  for (const purpose of ['tomorrow’s meetings', 'tomorrow’s meetings', 'which files are new'])
    await exchange(server, {
      client: 'agent-a',
      connection: 'files',
      subjectToken: visit.refreshToken,
      fields: { purpose },
    })
  await exchange(server, { client: 'agent-a', connection: 'code', subjectToken: visit.refreshToken })
  return email
}

test('J2 J10 a way to sign in is added after both accounts were shown, and removed after what ends was shown', async (t) => {
  const server = await startServer(named)
  const email = await withAgent(server, 'ada')
  const { page } = await openBrowser(t, { javaScript: false })
  await page.goto(`${server.url}/account/connections`)
  await onPage(page, 'login')
  await signInByCalendar(page)
  await onPage(page, 'account-connections')
  await page.locator('form[data-form=link][data-connection=code] button').click()
  await onPage(page, 'link-confirm')
  await press(page, 'confirm')
  await onPage(page, 'account-connections')
  assert.match((await page.locator('[role=status]').textContent()) ?? '', /Code is added/)
  assert.equal(await page.locator('[role=status]:focus').count(), 1)
  await page.locator('summary', { hasText: 'Remove' }).first().click()
  await page.locator('form[data-form=unlink] button').click()
  await onPage(page, 'account-connections')
  assert.match((await page.locator('[role=status]').textContent()) ?? '', /Code is removed/)
  await eventually('the mail', () => server.mails().find(({ to, subject }) => to === email && /removed/.test(subject)))
})

test('J2 J11 every page of the account looks well, in each of its states', async (t) => {
  const server = await startServer(named)
  const email = await withAgent(server, 'ada')
  const { page } = await openBrowser(t)
  const visit = (name: string) => page.goto(`${server.url}/account/${name}`)
  await visit('connections')
  await signInByCalendar(page)
  await onPage(page, 'account-connections')
  await looksWell(page, 'account-connections-one')
  await page.locator('form[data-form=link][data-connection=code] button').click()
  await onPage(page, 'link-confirm')
  await looksWell(page, 'link-confirm-own')
  await press(page, 'confirm')
  await onPage(page, 'account-connections')
  for (const summary of await page.locator('summary').all()) await summary.click()
  await looksWell(page, 'account-connections')
  await visit('agents')
  for (const summary of await page.locator('summary').all()) await summary.click()
  await looksWell(page, 'account-agents')
  await page.locator('form[data-form=stop-agent] button').first().click()
  await onPage(page, 'account-agents')
  await looksWell(page, 'account-agents-stopped')
  await visit('activity')
  await looksWell(page, 'account-activity')
  await visit('activity?outcome=refused&who=you')
  await looksWell(page, 'account-activity-none')
  await page.goto(`${server.url}/account`)
  await looksWell(page, 'account')
  const link = await eventually(
    'the mail',
    () => server.mails().find(({ to, subject }) => to === email && /added/.test(subject))?.links[0],
  )
  await page.goto(link)
  await onPage(page, 'not-me')
  await looksWell(page, 'not-me')
  await press(page, 'not_me')
  await page.getByText('It is taken back').waitFor()
  await looksWell(page, 'not-me-done')
  await visit('agents')
  await onPage(page, 'login')
})

test('T-LINK-10 an old sign-in is proven again by password or by provider, and what was wanted goes on', async (t) => {
  const server = await startServer(named)
  server.person('ada', ['calendar', 'code', 'work'])
  const { page } = await openBrowser(t)
  const { ada } = server.tenant
  await page.goto(`${server.url}/account/connections`)
  await page.locator('[name=username]').fill(ada.email)
  await page.locator('[name=password]').fill(ada.password)
  await page.locator('form[data-form=login] button').first().click()
  await onPage(page, 'account-connections')
  await page.locator('form[data-form=link][data-connection=work] button').click()
  await onPage(page, 'link-confirm')
  await press(page, 'confirm')
  await onPage(page, 'account-connections')
  passTime(601)
  await page.locator('form[data-form=link][data-connection=code] button').click()
  await onPage(page, 'reauthenticate')
  await looksWell(page, 'reauthenticate')
  await page.locator('[name=password]').fill('something else entirely')
  await page.locator('form[data-form=login] button').click()
  await onPage(page, 'reauthenticate')
  assert.match((await page.locator('.wrong').textContent()) ?? '', /not the password/)
  await looksWell(page, 'reauthenticate-wrong')
  await page.locator('form[data-form=connection][data-connection=work] button').click()
  await onPage(page, 'link-confirm')
  await press(page, 'cancel')
  await onPage(page, 'account-connections')
})
