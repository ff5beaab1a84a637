// A person answers an agent from the mail, and lets a device in by the code that it shows.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectStatus } from '../support/actors.ts'
import { ask, askByDevice, poll, pollByDevice, withApprovals } from '../support/approvals.ts'
import { eventually } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { API } from '../support/tenant.ts'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'
import { claimsOf, signInByPassword } from './support/world.ts'

const server = await startServer({ tenant: withApprovals })
const { ada } = server.tenant

test('a device shows a code: typed, compared, allowed; then an agent asks by mail', async (t) => {
  const { page } = await openBrowser(t)
  const device = expectStatus(
    await askByDevice(server, { scope: 'openid offline_access read:things', audience: API }),
    200,
  )
  await page.goto(device.json.verification_uri)
  await onPage(page, 'activate')
  await looksWell(page, 'activate')
  await page.locator('[name=user_code]').fill('wrong')
  await page.locator('form[data-form=activate] button').click()
  await page.getByText('No device waits with this code').waitFor()
  await looksWell(page, 'activate-wrong')
  await page.locator('[name=user_code]').fill(String(device.json.user_code).toLowerCase())
  await page.locator('form[data-form=activate] button').click()
  await onPage(page, 'login')
  await signInByPassword(page, ada.password, ada.email)
  await onPage(page, 'approve')
  await page.getByText(device.json.user_code).waitFor()
  await looksWell(page, 'approve-device')
  await press(page, 'allow')
  await page.getByText('You said yes').waitFor()
  await looksWell(page, 'approve-allowed')
  const tokens = expectStatus(await pollByDevice(server, device), 200).json
  const sub = String(claimsOf(tokens.id_token).sub)

  const fields = { scope: 'openid read:things write:things', audience: API, binding_message: 'Order 12 for Ada' }
  const asked = expectStatus(await ask(server, sub, fields), 200)
  await page.goto(`${server.url}/account/agents`)
  await page.getByText('Waiting for your answer').waitFor()
  await looksWell(page, 'account-agents-waiting')
  const mail = await eventually('the mail', () => server.mails().findLast(({ to }) => to === ada.email))
  await page.goto(mail.links.find((link) => link.includes('/approve')) ?? '')
  await onPage(page, 'approve')
  await page.getByText('Order 12 for Ada').waitFor()
  await looksWell(page, 'approve')
  await press(page, 'deny')
  await page.getByText('You said no').waitFor()
  assert.equal((await poll(server, asked)).json.error, 'access_denied')
})
