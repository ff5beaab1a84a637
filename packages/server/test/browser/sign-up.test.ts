// Making an account, and getting back into one, with what comes by mail.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'
import { ADA, arrived, claimsOf, signInByPassword, startWorld } from './support/world.ts'

const NEW_PASSWORD = 'a lantern under the bridge'
const GRACE = 'grace@example.test'

test('a person makes an account, proves the address by the mailed code, and is signed in', async (t) => {
  const { app, mailTo } = await startWorld(t)
  const { page } = await openBrowser(t)
  await page.goto(`${app.url}/login?${new URLSearchParams({ scope: 'openid email' })}`)
  await page.getByRole('link', { name: 'Create an account' }).click()
  await onPage(page, 'signup')
  await looksWell(page, 'signup')
  await page.locator('[name=email]').fill(GRACE)
  await page.locator('[name=password]').fill('short')
  // A browser would stop this one itself; a program does not.
  await page.evaluate('document.querySelector("form[data-form=signup]").noValidate = true')
  await press(page, 'continue')
  await page.getByText('too short').waitFor()
  await looksWell(page, 'signup-short-password')
  await page.locator('[name=password]').fill(NEW_PASSWORD)
  await press(page, 'continue')
  await onPage(page, 'verify-email')
  await looksWell(page, 'verify-email')
  await page.locator('[name=code]').fill('000000')
  await press(page, 'continue')
  await page.getByText('not the code').waitFor()
  await looksWell(page, 'verify-email-wrong-code')
  const [code = ''] = /\b\d{6}\b/.exec((await mailTo(GRACE)).text) ?? []
  await page.locator('[name=code]').fill(code)
  await press(page, 'continue')
  const { answer } = await arrived(page)
  const { email, email_verified } = claimsOf(answer?.id_token)
  assert.deepEqual({ email, email_verified }, { email: GRACE, email_verified: true })
})

test('T-PRE-02 a person who lost the password chooses another by the mailed link, and earlier sessions end', async (t) => {
  const { app, tenon, mailTo } = await startWorld(t)
  const { context, page } = await openBrowser(t)
  await page.goto(`${app.url}/login`)
  await signInByPassword(page)
  await arrived(page)

  const other = await openBrowser(t)
  await other.page.goto(`${app.url}/login`)
  await other.page.getByRole('link', { name: 'I do not know my password' }).click()
  await onPage(other.page, 'reset-password')
  await looksWell(other.page, 'reset-password')
  await other.page.locator('[name=email]').fill(ADA)
  await press(other.page, 'continue')
  await other.page.getByText(ADA).waitFor()
  await looksWell(other.page, 'reset-password-sent')
  const [link = ''] = (await mailTo(ADA)).links
  await other.page.goto(link)
  await onPage(other.page, 'reset-password')
  await looksWell(other.page, 'reset-password-choose')
  await other.page.locator('[name=password]').fill(NEW_PASSWORD)
  await press(other.page, 'continue')
  await other.page.getByRole('heading').first().waitFor()
  await looksWell(other.page, 'reset-password-done')
  await other.page.goto(link)
  await onPage(other.page, 'error')
  assert.equal(await other.page.locator('body').getAttribute('data-error'), 'ticket_invalid')
  await looksWell(other.page, 'error-ticket')

  await page.goto(`${app.url}/login`)
  await onPage(page, 'login')
  assert.equal((await context.cookies(tenon.issuer)).length, 2, 'the cookie is there and opens nothing')
  await signInByPassword(page, NEW_PASSWORD)
  assert.ok((await arrived(page)).query.code)
})
