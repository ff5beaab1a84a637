// Signing in from the hosted pages, to a client on another origin: what a policy of the page, or a header that only a
// browser sends, would stop.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'
import { arrived, claimsOf, PASSWORD, signInByPassword, startWorld } from './support/world.ts'

test('T-WEB-01 signing in by password ends at a client on another origin, with host cookies kept on http loopback', async (t) => {
  const { app, tenon } = await startWorld(t)
  const { context, page } = await openBrowser(t)
  await page.goto(`${app.url}/login`)
  await onPage(page, 'login')
  await looksWell(page, 'login')
  await signInByPassword(page)
  const { answer } = await arrived(page)
  assert.match(String(claimsOf(answer?.id_token).sub), /^auth0\|[0-9a-f]{24}$/)
  assert.equal(claimsOf(answer?.id_token).iss, tenon.issuer)
  const cookies = await context.cookies(tenon.issuer)
  assert.deepEqual(cookies.map(({ name }) => name).sort(), ['__Host-tenon_browser', '__Host-tenon_session'])
  assert.equal(cookies.find(({ name }) => name.endsWith('session'))?.sameSite, 'Lax')
  assert.equal(cookies.find(({ name }) => name.endsWith('browser'))?.sameSite, 'None', 'for answers that are posted')
  for (const { httpOnly, secure, path } of cookies) {
    assert.deepEqual({ httpOnly, secure, path }, { httpOnly: true, secure: true, path: '/' })
  }

  await page.goto(`${app.url}/login`)
  assert.ok((await arrived(page)).query.code, 'the session came along from another site: nothing is asked again')
})

test('signing in by a provider, from the page, goes over its consent page to a client on another origin', async (t) => {
  const { app, calendar } = await startWorld(t)
  const { page } = await openBrowser(t)
  await page.goto(`${app.url}/login`)
  await page.locator('form[data-connection=calendar] button').click()
  await onPage(page, 'provider-consent')
  await looksWell(page, 'provider-consent')
  await press(page, 'allow')
  const { answer } = await arrived(page)
  assert.match(String(claimsOf(answer?.id_token).sub), /^oidc\|calendar\|/)
  assert.equal(calendar.calls('token').length, 1)
})

test('a person who says no at the provider comes back to the client with access_denied', async (t) => {
  const { app } = await startWorld(t)
  const { page } = await openBrowser(t)
  await page.goto(`${app.url}/login?connection=calendar`)
  await onPage(page, 'provider-consent')
  await press(page, 'deny')
  assert.equal((await arrived(page)).query.error, 'access_denied')
})

test('a wrong password is said beside the field, and the right one goes on', async (t) => {
  const { app } = await startWorld(t)
  const { page } = await openBrowser(t)
  await page.goto(`${app.url}/login`)
  await signInByPassword(page, 'not the password')
  await page.getByText('do not belong together').waitFor()
  await looksWell(page, 'login-wrong-password')
  await page.locator('[name=password]').fill(PASSWORD)
  await page.locator('form[data-form=login] button').first().click()
  assert.ok((await arrived(page)).query.code)
})

test('T-WEB-01 over https with the self-signed certificate everything is the same', async (t) => {
  const { app, tenon } = await startWorld(t, { https: true })
  const { context, page } = await openBrowser(t, { anyCertificate: true })
  assert.match(tenon.issuer, /^https:/)
  await page.goto(`${app.url}/login`)
  await signInByPassword(page)
  assert.ok((await arrived(page)).query.code)
  const names = (await context.cookies(tenon.issuer)).map(({ name }) => name).sort()
  assert.deepEqual(names, ['__Host-tenon_browser', '__Host-tenon_session'])
})

test('without scripts a person signs in by a provider and by password', async (t) => {
  const { app } = await startWorld(t)
  const { page } = await openBrowser(t, { javaScript: false })
  await page.goto(`${app.url}/login`)
  await page.locator('form[data-connection=calendar] button').click()
  await press(page, 'allow')
  assert.ok((await arrived(page)).query.code)
  await page.goto(`${app.url}/login?prompt=login`)
  await signInByPassword(page)
  // The calendar account and the password are two users: nobody is switched without a word (linking.md §2, S2).
  await onPage(page, 'link-conflict')
  await press(page, 'continue')
  assert.ok((await arrived(page)).query.code)
})
