// Connecting an account when a client asks: the browser leg, in a popup too, and the page on which the person decides.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { eventually } from '../support/http.ts'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'
import { arrived, signInByPassword, startWorld, type World } from './support/world.ts'

test('T-WEB-08 the connect leg keeps its opener in a popup, so that the client sees when it is closed', async (t) => {
  const { app, code } = await startWorld(t)
  const { page } = await openBrowser(t)
  await signIn(page, app)
  await page.goto(`${app.url}/popup?connection=code`)
  const opening = page.waitForEvent('popup')
  await page.getByRole('button').click()
  const popup = await opening
  await onPage(popup, 'provider-consent')
  await press(popup, 'allow')
  await onPage(popup, 'link-confirm')
  assert.equal(await popup.evaluate('opener !== null'), true, 'no opener policy cut it off')
  assert.equal(await page.locator('#said').textContent(), 'open')
  const closed = popup.waitForEvent('close')
  await press(popup, 'confirm')
  await closed
  await page.getByText('closed').waitFor()
  assert.match((await page.locator('#said').textContent()) ?? '', /message from http:\/\/localhost/)
  assert.ok(code.isLive(String((await app.exchange('code')).access_token)))
})

test('T-CONN-09 the person sees both accounts and what is asked, says no, and nothing is kept', async (t) => {
  const { app, code } = await startWorld(t)
  const { page } = await openBrowser(t)
  await signIn(page, app)
  await page.goto(`${app.url}/connect?connection=code`)
  await press(page, 'allow')
  await onPage(page, 'link-confirm')
  await looksWell(page, 'link-confirm')
  await press(page, 'cancel')
  assert.equal((await arrived(page)).query.error, 'access_denied')
  await assert.rejects(app.exchange('code'), /"code":"not_connected"/)
  const calls = await eventually('what the provider gave is given back', () => code.calls('revoke').length || undefined)
  assert.equal(calls, 1)
})

test('a person who was signed in with the wrong account at the provider uses another one', async (t) => {
  const { app } = await startWorld(t)
  const { page } = await openBrowser(t)
  await signIn(page, app)
  await page.goto(`${app.url}/connect?connection=code`)
  await press(page, 'allow')
  await onPage(page, 'link-confirm')
  const first = await page.locator('section[aria-labelledby=other] b').first().textContent()
  await page.locator('button[name=prompt]').click()
  await onPage(page, 'provider-consent')
  await page.getByRole('radio').nth(1).check()
  await press(page, 'allow')
  await onPage(page, 'link-confirm')
  const second = await page.locator('section[aria-labelledby=other] b').first().textContent()
  assert.notEqual(second, first)
  await press(page, 'confirm')
  assert.equal((await arrived(page)).answer?.connection, 'code')
})

test('who is not signed in opens the ticket, signs in first, and then connects', async (t) => {
  const { app } = await startWorld(t)
  const { context, page } = await openBrowser(t)
  await signIn(page, app)
  await context.clearCookies()
  await page.goto(`${app.url}/connect?connection=code`)
  await onPage(page, 'login')
  await signInByPassword(page)
  await onPage(page, 'provider-consent')
  await press(page, 'allow')
  await press(page, 'confirm')
  assert.equal((await arrived(page)).answer?.connection, 'code')
})

test('T-LINK-01 a leg that another browser continues ends there, on a page that says so', async (t) => {
  const { app } = await startWorld(t)
  const mine = await openBrowser(t)
  await signIn(mine.page, app)
  await mine.page.goto(`${app.url}/connect?connection=code`)
  await onPage(mine.page, 'provider-consent')
  const leg = mine.page.url()

  const theirs = await openBrowser(t)
  await theirs.page.goto(leg)
  await press(theirs.page, 'allow')
  await onPage(theirs.page, 'error')
  assert.equal(await theirs.page.locator('body').getAttribute('data-error'), 'wrong_browser')
  await looksWell(theirs.page, 'error-wrong-browser')
})

async function signIn(page: Page, app: World['app']): Promise<void> {
  await page.goto(`${app.url}/login`)
  await signInByPassword(page)
  await arrived(page)
}
