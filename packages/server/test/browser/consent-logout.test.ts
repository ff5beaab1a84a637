// Consent for apps of others, signing out in both forms, and the person's own page.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../support/http.ts'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'
import { arrived, signInByPassword, startWorld } from './support/world.ts'

test("another maker's app is asked about, and gets a code or access_denied on its own origin", async (t) => {
  const { theirs } = await startWorld(t)
  const { page } = await openBrowser(t)
  await page.goto(`${theirs.url}/login`)
  await signInByPassword(page)
  await onPage(page, 'consent')
  await looksWell(page, 'consent')
  await press(page, 'deny')
  assert.equal((await arrived(page)).query.error, 'access_denied')

  await page.goto(`${theirs.url}/login`)
  await onPage(page, 'consent')
  await press(page, 'allow')
  assert.ok((await arrived(page)).answer?.access_token)

  await page.goto(`${theirs.url}/login`)
  assert.ok((await arrived(page)).query.code, 'what was allowed is not asked again')
})

test('/v2/logout ends the session and comes back to the client', async (t) => {
  const { app, tenon } = await startWorld(t)
  const { context, page } = await openBrowser(t)
  await page.goto(`${app.url}/login`)
  await signInByPassword(page)
  await arrived(page)
  const query = new URLSearchParams({ client_id: 'agent', returnTo: `${app.url}/signed-out` })
  await page.goto(`${tenon.issuer}v2/logout?${query}`)
  assert.equal((await arrived(page)).path, '/signed-out')
  assert.deepEqual(
    (await context.cookies(tenon.issuer)).map(({ name }) => name),
    ['__Host-tenon_browser'],
  )
  await page.goto(`${app.url}/login`)
  await onPage(page, 'login')
})

test('/oidc/logout asks who came without a hint, and goes on at once with one', async (t) => {
  const { app, tenon } = await startWorld(t)
  const { page } = await openBrowser(t)
  const target = { client_id: 'agent', post_logout_redirect_uri: `${app.url}/signed-out`, state: 'kept' }
  await page.goto(`${app.url}/login`)
  await signInByPassword(page)
  await arrived(page)
  await page.goto(`${tenon.issuer}oidc/logout?${new URLSearchParams(target)}`)
  await onPage(page, 'logout')
  await looksWell(page, 'logout')
  await press(page, 'confirm')
  assert.deepEqual(await arrived(page), { path: '/signed-out', query: { state: 'kept' } })

  await page.goto(`${app.url}/login`)
  await signInByPassword(page)
  await arrived(page)
  await page.goto(`${tenon.issuer}oidc/logout?${new URLSearchParams({ ...target, id_token_hint: app.idToken })}`)
  assert.equal((await arrived(page)).path, '/signed-out')

  await page.goto(`${tenon.issuer}oidc/logout`)
  await onPage(page, 'logout')
  await looksWell(page, 'logout-done')
})

test('who stays signed in on the logout page of no client comes to the account page', async (t) => {
  const { tenon } = await startWorld(t)
  const { page } = await openBrowser(t)
  await page.goto(`${tenon.issuer}account`)
  await signInByPassword(page)
  await onPage(page, 'account')
  await looksWell(page, 'account')
  await page.goto(`${tenon.issuer}oidc/logout`)
  await onPage(page, 'logout')
  await press(page, 'cancel')
  await onPage(page, 'account')
})

test('T-WEB-02 the sign-in page cannot be framed', async (t) => {
  const { app, tenon } = await startWorld(t)
  const { page, complaints } = await openBrowser(t)
  const login = `${tenon.issuer}authorize?${new URLSearchParams({
    client_id: 'agent',
    response_type: 'code',
    redirect_uri: `${app.url}/cb`,
    scope: 'openid',
  })}`
  const answer = page.waitForResponse((response) => response.url().includes('/u/login'))
  // Another origin of the same site: cookies come along, so that the page itself is what is refused.
  const attacker = app.url.replace('localhost', '127.0.0.1')
  await page.goto(`${attacker}/frame?${new URLSearchParams({ url: login })}`)
  assert.equal((await answer).status(), 200)
  const refused = () => complaints.some((text) => text.includes('frame-ancestors'))
  await eventually('the browser says that it was refused', refused)
  assert.equal(await page.frameLocator('iframe').locator('body[data-page=login]').count(), 0)
  complaints.length = 0
})

test('a way to sign in that does not work leads back to the others', async (t) => {
  const { app, calendar } = await startWorld(t)
  const { page } = await openBrowser(t)
  calendar.fail('token', { status: 503 })
  await page.goto(`${app.url}/login`)
  await page.locator('form[data-connection=calendar] button').click()
  await press(page, 'allow')
  await onPage(page, 'error')
  assert.equal(await page.locator('body').getAttribute('data-error'), 'provider_unavailable')
  await looksWell(page, 'error-provider')
  await page.getByRole('link', { name: 'Go to signing in' }).click()
  await onPage(page, 'login')
  await signInByPassword(page)
  assert.ok((await arrived(page)).query.code)
})

test('pages that lead nowhere say so, with a code', async (t) => {
  const { app, tenon } = await startWorld(t)
  const { page } = await openBrowser(t)
  await page.goto(`${tenon.issuer}nothing-here`)
  await onPage(page, 'error')
  await looksWell(page, 'error-not-found')
  const request = { client_id: 'agent', response_type: 'code', redirect_uri: `${app.url}/elsewhere` }
  await page.goto(`${tenon.issuer}authorize?${new URLSearchParams(request)}`)
  await onPage(page, 'error')
  await looksWell(page, 'error-redirect-uri')
  assert.equal(await page.locator('body').getAttribute('data-error'), 'invalid_redirect_uri')
})
