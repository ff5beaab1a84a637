// Keys and passwords that a person types, and the question which of their accounts is meant, in a real browser.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { withTyped } from '../support/typed.ts'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'
import { arrived, signInByPassword, startWorld, type World } from './support/world.ts'

const KEY = 'a-key-that-a-person-typed'

test('a person types a key for an agent, is asked which account later, and replaces and disconnects it', async (t) => {
  const api = { url: 'http://127.0.0.1:9', host: 'api.crm.example' }
  const { app, tenon } = await startWorld(t, { tenant: (file) => withTyped(file, api) })
  const { page } = await openBrowser(t)
  await signIn(page, app)
  await page.goto(`${app.url}/connect?connection=crm`)
  await onPage(page, 'enter-credential')
  await page.getByLabel('API key').fill('not a key')
  await press(page, 'continue')
  await onPage(page, 'enter-credential')
  assert.equal(await page.getByLabel('API key').inputValue(), '')
  const focused = await page.evaluate('document.activeElement.name')
  assert.equal(focused, 'secret', 'what is wrong has the focus')
  await looksWell(page, 'enter-credential-wrong')
  await page.getByLabel('API key').fill(KEY)
  await press(page, 'continue')
  await onPage(page, 'link-confirm')
  await looksWell(page, 'link-confirm-typed')
  await press(page, 'confirm')
  assert.equal((await arrived(page)).answer?.connection, 'crm')

  await page.goto(`${app.url}/connect?connection=crm`)
  await onPage(page, 'which-account')
  await looksWell(page, 'which-account')
  await press(page, 'another')
  await onPage(page, 'enter-credential')
  assert.equal(await page.getByLabel('What you call this account').inputValue(), 'Customer desk 2')
  await press(page, 'cancel')
  assert.equal((await arrived(page)).query.error, 'access_denied')

  await page.goto(`${tenon.issuer}account/connections`)
  await page.locator('details summary', { hasText: 'Customer desk' }).click()
  await looksWell(page, 'account-connections-typed')
  assert.ok(!(await page.content()).includes(KEY))
  await page.locator('form[data-form=replace] button').click()
  await onPage(page, 'enter-credential')
  await page.getByLabel('API key').fill('another-key')
  await press(page, 'continue')
  await page.getByText('works again').waitFor()
  await page.locator('details summary', { hasText: 'Customer desk' }).click()
  await page.locator('form[data-form=disconnect] button').click()
  await page.getByText('delete it at the provider').waitFor()
})

async function signIn(page: Page, app: World['app']): Promise<void> {
  await page.goto(`${app.url}/login`)
  await signInByPassword(page)
  await arrived(page)
}
