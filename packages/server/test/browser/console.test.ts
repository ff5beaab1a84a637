// The operator's console, as they see it: without scripts of ours, wide and narrow, light and dark.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { connect, meToken, signIn } from '../support/actors.ts'
import { consoleLink, mergeUrl, OPERATED, twoUsers, userUrl } from '../support/console.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'

async function enter(page: Page, server: TestServer, path = '/console'): Promise<void> {
  const { ada } = server.tenant
  await page.goto(`${server.url}${path}`)
  await onPage(page, 'login')
  await page.locator('[name=username]').fill(ada.email)
  await page.locator('[name=password]').fill(ada.password)
  await page.locator('form[data-form=login] button').first().click()
}

/** People whose addresses are proven by two, by one, and merely alike. */
async function withDuplicates(server: TestServer) {
  const mary = await twoUsers(server, 'mary')
  server.person('charles', ['calendar'], { email: 'charles@example.test' })
  await signIn(server, { connection: 'calendar' })
  server.person('charles', ['loose'], { email: 'charles@example.test', name: 'Charles' })
  await signIn(server, { connection: 'loose' })
  for (const email of ['a.clarke@example.test', 'aclarke@example.test']) {
    server.person('clarke', ['calendar'], { email, name: 'A. Clarke' })
    await signIn(server, { connection: 'calendar' })
  }
  return mary
}

test('J5 J9 an operator finds somebody, joins two users after seeing the plan, and takes it back, without scripts', async (t) => {
  const server = await startServer({ settings: { ...OPERATED } })
  const { person, older, newer } = await twoUsers(server, 'mary')
  const { page } = await openBrowser(t, { javaScript: false })
  await enter(page, server)
  await onPage(page, 'console-home')
  await page.locator('#q').fill(person.email)
  await page.locator('form[role=search] button').click()
  await onPage(page, 'console-users')
  await page.locator('nav a', { hasText: 'Duplicates' }).click()
  await onPage(page, 'console-duplicates')
  await page.locator('a.btn', { hasText: 'Preview joining it' }).click()
  await onPage(page, 'console-merge')
  await press(page, 'confirm')
  await onPage(page, 'console-user')
  assert.equal(new URL(page.url()).pathname, new URL(userUrl(server, older)).pathname)
  assert.ok((await page.locator('[role=status]').textContent())?.includes(newer))
  assert.equal(await page.locator('[role=status]:focus').count(), 1)
  await page.locator('a.btn', { hasText: 'Undo this link' }).click()
  await onPage(page, 'console-undo')
  await press(page, 'undo')
  await onPage(page, 'console-user')
  assert.match((await page.locator('[role=status]').textContent()) ?? '', /is a user of its own again/)
})

test('every room of the console looks well, in each of its states', async (t) => {
  // Nobody is asked, so that the policies differ in what they would do.
  const server = await startServer({ settings: { ...OPERATED, linking: { policy: 'off' } } })
  const { page } = await openBrowser(t)
  const visit = (path: string) => page.goto(`${server.url}/console${path}`)
  await enter(page, server, '/console/duplicates')
  await onPage(page, 'console-duplicates')
  await looksWell(page, 'console-duplicates-none')
  const { person, older, newer } = await withDuplicates(server)
  await visit('')
  await looksWell(page, 'console-home')
  await visit('/users')
  await looksWell(page, 'console-users')
  await visit(`/users?q=${encodeURIComponent('charles@example.test')}`)
  await looksWell(page, 'console-users-found')
  await visit('/users?q=nobody')
  await looksWell(page, 'console-users-none')
  await visit('/duplicates')
  await looksWell(page, 'console-duplicates')
  await visit('/simulate?policy=auto_when_authoritative')
  await looksWell(page, 'console-simulate')
  person.at('calendar')
  const mary = await signIn(server, { connection: 'calendar' })
  await connect(mary.browser, server, { token: await meToken(server, mary), connection: 'work' })
  await page.goto(mergeUrl(server, older, newer))
  await onPage(page, 'console-merge')
  await looksWell(page, 'console-merge')
  await press(page, 'confirm')
  await onPage(page, 'console-user')
  await looksWell(page, 'console-user')
  await page.locator('a.btn', { hasText: 'Undo this link' }).click()
  await onPage(page, 'console-undo')
  await looksWell(page, 'console-undo')
  await press(page, 'undo')
  await onPage(page, 'console-user')
  await page.goBack()
  await onPage(page, 'console-undo')
  await page.reload()
  await looksWell(page, 'console-undo-refused')
  await page.goto(mergeUrl(server, older, older))
  await looksWell(page, 'console-merge-refused')
})

test('the doors of the console look well', async (t) => {
  const server = await startServer()
  const { page } = await openBrowser(t)
  await page.goto(await consoleLink(server))
  await onPage(page, 'console-enter')
  await looksWell(page, 'console-enter')
  await press(page, 'continue')
  await onPage(page, 'console-home')
  await looksWell(page, 'console-home-link')
  await page.locator('form[data-form=console-leave] button').click()
  await onPage(page, 'login')
  await page.locator('[name=username]').fill(server.tenant.eve.email)
  await page.locator('[name=password]').fill(server.tenant.eve.password)
  await page.locator('form[data-form=login] button').first().click()
  await onPage(page, 'console-closed')
  await looksWell(page, 'console-closed')
})
