import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { chromium, type Page } from 'playwright-core'
import { QUESTION } from '../agent/pages.ts'
import { startWorld, type World } from '../world.ts'

const WAIT_MS = 15_000

test('in Chromium a person signs in, asks, connects Code when asked, and reads both answers', async (t) => {
  const { page, world } = await openDemo(t)
  await signIn(page, world)
  await page.getByRole('button', { name: QUESTION }).click()
  await page.getByText('Design review').waitFor()
  await page.getByRole('button', { name: 'Connect Code' }).click()
  await page.locator('body[data-page=provider-consent]').waitFor()
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.locator('body[data-page=link-confirm]').waitFor()
  await page.locator('button[name=action][value=confirm]').click()
  await page.locator('body[data-page=demo-agent]').waitFor()
  await page.getByText('Two pull requests wait for you:').waitFor()
  await page.getByText('Check punched cards before they are fed').waitFor()
  assert.equal(await page.getByText('Design review').count(), 2, 'asked once, answered again with both')
})

test('in Chromium a person says no at Tenon, and the agent goes on without', async (t) => {
  const { page, world } = await openDemo(t)
  await signIn(page, world)
  await ask(page, 'Which pull requests wait for me?')
  await page.getByRole('button', { name: 'Connect Code' }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.locator('button[name=action][value=cancel]').click()
  await page.getByText('Then without.').waitFor()
  assert.equal(world.code.calls('api').length, 0)
})

test('in Chromium a person goes on without, asks about something else, and signs out', async (t) => {
  const { page, world } = await openDemo(t)
  await signIn(page, world)
  await ask(page, 'Which pull requests wait for me?')
  await page.getByRole('button', { name: 'Go on without' }).click()
  await page.getByText('Then without.').waitFor()
  await ask(page, 'Shall I take an umbrella?')
  await page.getByText('I am a small program with a few rules.').waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.locator('body[data-page=demo-welcome]').waitFor()
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.locator('body[data-page=login]').waitFor()
})

async function signIn(page: Page, world: World): Promise<void> {
  await page.goto(`${world.agentUrl}/`)
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.locator('form[data-connection=calendar] button').click()
  await page.getByRole('radio', { name: 'Ada Lovelace' }).check()
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.locator('body[data-page=demo-agent]').waitFor()
}

async function ask(page: Page, text: string): Promise<void> {
  await page.getByLabel('Ask something').fill(text)
  await page.getByRole('button', { name: 'Send' }).click()
}

/** The whole demo, and a browser in which no script runs and every refusal of a policy is a failure. */
async function openDemo(t: TestContext): Promise<{ readonly page: Page; readonly world: World }> {
  const errors: unknown[] = []
  const world = await startWorld({ port: 0, onAgentError: (error) => errors.push(error) })
  t.after(() => world.stop())
  const browser = await chromium.launch({
    executablePath: process.env.TENON_TEST_CHROMIUM ?? '',
    args: ['--no-sandbox'],
  })
  t.after(() => browser.close())
  const page = await browser.newPage({ javaScriptEnabled: false })
  page.setDefaultTimeout(WAIT_MS)
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  t.after(() => assert.deepEqual(errors, []))
  return { page, world }
}
