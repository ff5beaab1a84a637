// J6: an agent's app asks in a popup, as the AI samples do: it opens a window and asks again and again whether it is closed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'
import { arrived, signInByPassword, startWorld, type World } from './support/world.ts'

async function signIn(page: Page, app: World['app']): Promise<void> {
  await page.goto(`${app.url}/login`)
  await signInByPassword(page)
  await arrived(page)
}

/** Opens the popup on the app's page. */
async function openPopup(page: Page, app: World['app']): Promise<Page> {
  const request = new URLSearchParams({
    scope: 'openid profile offline_access link_account',
    requested_connection: 'calendar',
    id_token_hint: app.idToken,
  })
  await page.goto(`${app.url}/popup?${new URLSearchParams({ open: `/login?${request}` })}`)
  const opening = page.waitForEvent('popup')
  await page.getByRole('button').click()
  return opening
}

test('J6 a client links in a popup: both accounts are shown, the popup ends by itself, the client sees that it did', async (t) => {
  const { app, tenon, calendar } = await startWorld(t)
  const { page } = await openBrowser(t)
  await signIn(page, app)
  const popup = await openPopup(page, app)
  await onPage(popup, 'provider-consent')
  await press(popup, 'allow')
  await onPage(popup, 'link-confirm')
  assert.equal(await popup.evaluate('opener !== null'), true, 'no opener policy cut it off')
  await looksWell(popup, 'link-confirm-client')
  const closed = popup.waitForEvent('close')
  await press(popup, 'confirm')
  await closed
  await page.getByText('closed').waitFor()
  assert.ok(calendar.calls('token').length > 0)
  await page.goto(`${tenon.issuer}account/connections`)
  await onPage(page, 'account-connections')
  await page.getByText('Agent app asked, and you agreed.').waitFor()
})

test('J6 a no in the popup reaches the client as access_denied, and nothing is linked', async (t) => {
  const { app, tenon } = await startWorld(t)
  const { page } = await openBrowser(t)
  await signIn(page, app)
  const popup = await openPopup(page, app)
  await press(popup, 'allow')
  await onPage(popup, 'link-confirm')
  const answer = popup.waitForRequest((request) => request.url().startsWith(`${app.url}/cb`))
  await press(popup, 'cancel')
  assert.equal(new URL((await answer).url()).searchParams.get('error'), 'access_denied')
  await page.getByText('closed').waitFor()
  await page.goto(`${tenon.issuer}account/connections`)
  await onPage(page, 'account-connections')
  await page.getByText('Nothing was added or joined yet').waitFor()
})
