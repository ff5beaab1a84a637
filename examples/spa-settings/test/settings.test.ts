import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { onPage, openBrowser, press } from '../../../packages/server/test/browser/support/browser.ts'
import { startForTest } from '../../local/test-browser.ts'

const { url, scene } = await startForTest('spa-settings')
scene.code.interactive = false

const LISTED = '[...document.querySelectorAll("#identities li")].map((item) => item.dataset.connection)'
const identities = (page: Page): Promise<unknown> => page.evaluate(LISTED)

test('a person adds Code on the settings page of an app, and takes it away again', async (t) => {
  for (const provider of [scene.calendar, scene.code]) provider.switchUser('ada')
  const { page } = await openBrowser(t, { anyCertificate: true })
  await page.goto(url)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('#identities li').waitFor()
  assert.deepEqual(await identities(page), ['calendar'])

  const opening = page.waitForEvent('popup')
  await page.getByRole('button', { name: 'Add Code' }).click()
  const popup = await opening
  await onPage(popup, 'link-choose')
  await press(popup, 'continue')
  await page.locator('#identities li[data-connection=code]').waitFor()
  assert.deepEqual(await identities(page), ['calendar', 'code'])

  await page.getByRole('button', { name: 'Remove' }).click()
  await page.locator('#identities li[data-connection=code]').waitFor({ state: 'detached' })
  assert.deepEqual(await identities(page), ['calendar'])
})
