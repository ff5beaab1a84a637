// SAML in a real browser, which keeps the session's cookie at home when another site posts: `localhost` to 127.0.0.1.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { authorizeUrl, mgmt, signIn, userPath } from '../support/actors.ts'
import { CALLBACKS } from '../support/browser.ts'
import { type SamlWorld, startSamlWorld } from '../support/saml-world.ts'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'

const named = ({ corp }: Pick<SamlWorld, 'corp'>) => [
  {
    ...corp.connection('posted', { protocolBinding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST' }),
    display_name: 'Acme staff',
  },
]

/** The provider's button, and where the app hears of it. */
async function throughCorp(page: Page): Promise<URL> {
  await onPage(page, 'corp')
  const back = page.waitForRequest((request) => request.url().startsWith(CALLBACKS))
  await page.locator('form[data-form=corp] button').click({ noWaitAfter: true })
  return new URL((await back).url())
}

test('J1 a SAML response posted from another site signs in, and the session then serves by itself', async (t) => {
  const { server, corp } = await startSamlWorld()
  corp.addUser('ada')
  const { page } = await openBrowser(t, { javaScript: false })
  const first = authorizeUrl(server, { connection: 'corp' })
  await page.goto(first.url)
  const back = await throughCorp(page)
  assert.ok(back.searchParams.has('code'), back.href)
  const silent = page.waitForRequest((request) => request.url().startsWith(CALLBACKS))
  await page.goto(authorizeUrl(server, { extra: { prompt: 'none' } }).url).catch(() => {})
  assert.ok(new URL((await silent).url()).searchParams.has('code'))
  assert.equal(corp.requests.length, 1)
})

test('J2 a SAML way to sign in is added on the account page, after both accounts were shown', async (t) => {
  const { server, corp } = await startSamlWorld(named)
  server.person('ada', ['calendar'], { name: 'Ada Lovelace' })
  const { nameId } = corp.addUser('ada')
  const { page } = await openBrowser(t)
  await page.goto(`${server.url}/account/connections`)
  await onPage(page, 'login')
  await page.locator('form[data-connection=calendar] button').click()
  await onPage(page, 'account-connections')
  await page.locator('form[data-form=link][data-connection=posted] button').click()
  await onPage(page, 'go-upstream')
  await looksWell(page, 'go-upstream')
  await page.locator('form[data-form=go-upstream] button').click()
  await onPage(page, 'corp')
  await page.locator('form[data-form=corp] button').click()
  await onPage(page, 'link-confirm')
  await looksWell(page, 'link-confirm-saml')
  await press(page, 'confirm')
  await onPage(page, 'account-connections')
  await looksWell(page, 'account-connections-saml')
  const { sub } = await signIn(server, { connection: 'calendar' })
  const { json } = await (await mgmt(server)).get(userPath(sub))
  assert.deepEqual(
    json.identities.map(({ provider, user_id }: Record<string, string>) => `${provider}|${user_id}`).at(-1),
    `samlp|posted|${nameId}`,
  )
})

test('T-SAML-03 a forged response ends on the error page, which says that nothing was changed', async (t) => {
  const { server, corp } = await startSamlWorld()
  corp.addUser('ada')
  corp.lies = { parts: 'none' }
  const { page } = await openBrowser(t, { javaScript: false })
  await page.goto(authorizeUrl(server, { connection: 'corp' }).url)
  await onPage(page, 'corp')
  await page.locator('form[data-form=corp] button').click()
  await onPage(page, 'error')
  assert.equal(await page.locator('body').getAttribute('data-error'), 'provider_error')
})
