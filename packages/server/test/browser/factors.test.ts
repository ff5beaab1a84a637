// Second steps, passkeys and codes by mail in a real browser, with a virtual authenticator that does what a device does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { expectStatus, mgmt, userPath } from '../support/actors.ts'
import { App, ownWays } from '../support/factors.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { passTime } from '../support/time.ts'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'

async function addAuthenticator(context: BrowserContext, page: Page): Promise<void> {
  const session = await context.newCDPSession(page)
  await session.send('WebAuthn.enable')
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
}

test('an app, a passkey and a code by mail: set up, asked for, and given up', async (t) => {
  const server = await startServer({
    hostName: 'localhost',
    tenant: (file) => void file.connections.push(...ownWays()),
  })
  const { ada } = server.tenant
  const { context, page } = await openBrowser(t)
  await addAuthenticator(context, page)
  const signOut = () => context.clearCookies()
  const withPassword = async () => {
    await page.goto(`${server.url}/account/connections`)
    await onPage(page, 'login')
    await page.locator('form[data-form=login] [name=username]').fill(ada.email)
    await page.locator('form[data-form=login] [name=password]').fill(ada.password)
    await page.locator('form[data-form=login] button').click()
  }
  await page.goto(`${server.url}/account/connections`)
  await page.locator('form[data-form=passkey] button').waitFor()
  await looksWell(page, 'login-all-ways')

  await withPassword()
  await onPage(page, 'account-connections')
  await press(page, 'add-app')
  await onPage(page, 'second-step-app')
  await looksWell(page, 'second-step-app')
  const app = new App(((await page.locator('code.key').textContent()) ?? '').replaceAll(' ', ''))
  await page.locator('[name=code]').fill(app.code())
  await press(page, 'confirm')
  await onPage(page, 'recovery-codes')
  assert.equal(await page.locator('.codes code').count(), 10)
  await looksWell(page, 'recovery-codes')
  await page.getByRole('link', { name: 'I have kept them' }).click()
  await onPage(page, 'account-connections')

  await page.locator('form[data-form=link][data-connection=passkeys] button').click()
  await onPage(page, 'account-passkey')
  await page.locator('form[data-form=passkey] [name=label]').fill('Work laptop')
  await looksWell(page, 'account-passkey')
  await press(page, 'confirm')
  await page.getByText('Work laptop is added.').waitFor()
  await looksWell(page, 'account-connections-factors')

  passTime(60)
  await signOut()
  await withPassword()
  await onPage(page, 'mfa')
  await page.locator('form[data-form=passkey] button').waitFor()
  await page.locator('[name=code]').fill('000000')
  await page.locator('form[data-form=mfa-code] button').click()
  await page.getByText('This code does not fit').waitFor()
  await looksWell(page, 'mfa-wrong')
  await page.locator('[name=code]').fill(app.code())
  await page.locator('form[data-form=mfa-code] button').click()
  await onPage(page, 'account-connections')

  // The passkey alone, without a name or a second step.
  await signOut()
  await page.goto(`${server.url}/account/connections`)
  await page.locator('form[data-form=passkey] button').click()
  await onPage(page, 'account-connections')
  await page.locator('summary', { hasText: 'Change' }).last().click()
  passTime(700)
  await press(page, 'new-codes')
  await onPage(page, 'reauthenticate')
  await page.locator('form[data-form=passkey] button').waitFor()
  await looksWell(page, 'reauthenticate-passkey')
  await page.locator('form[data-form=passkey] button').click()
  await onPage(page, 'recovery-codes')

  await signOut()
  await page.goto(`${server.url}/account`)
  await page.locator('form[data-form=email] [name=email]').fill('somebody@example.test')
  await page.locator('form[data-form=email] button').click()
  await onPage(page, 'verify-email')
  await looksWell(page, 'verify-email-sign-in')
  const mail = await eventually('the mail', () => server.mails().find(({ to }) => to === 'somebody@example.test'))
  await page.goto(mail.links[0] ?? '')
  await press(page, 'continue')
  await onPage(page, 'account')
  await page.getByText('somebody@example.test').first().waitFor()
  const api = await mgmt(server)
  const users = expectStatus(await api.get('/users-by-email?email=somebody%40example.test'), 200).json
  expectStatus(await api.get(userPath(users[0].user_id)), 200)
})

test('without scripts no page speaks of a passkey that could be used, and everything else works', async (t) => {
  const server = await startServer({
    hostName: 'localhost',
    tenant: (file) => void file.connections.push(...ownWays()),
  })
  const { page } = await openBrowser(t, { javaScript: false })
  await page.goto(`${server.url}/account`)
  await onPage(page, 'login')
  assert.equal(await page.locator('form[data-form=passkey]').isVisible(), false)
  assert.equal(await page.locator('form[data-form=email]').isVisible(), true)
})
