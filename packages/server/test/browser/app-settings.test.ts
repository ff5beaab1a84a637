// J3: an app's own settings page, on another origin, adds a second account by a second sign-in.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { mgmt, userPath } from '../support/actors.ts'
import { startServer } from '../support/server.ts'
import { onPage, openBrowser, press } from './support/browser.ts'
import { startPageApp } from './support/page-app.ts'

interface Said {
  readonly turn?: string
  readonly sub?: string
  readonly status?: number
  readonly answer?: readonly { readonly connection: string }[]
}

/** What the page says once the answer of this turn is there. */
async function said(page: Page, turn: string): Promise<Said> {
  await page.locator('#said', { hasText: `"turn":"${turn}"` }).waitFor()
  return JSON.parse((await page.locator('#said').textContent()) ?? '') as Said
}

test('J3 a page of an app links a second sign-in over the Management API, across origins', async (t) => {
  const app = await startPageApp(t)
  const server = await startServer({
    tenant: ({ clients }) => {
      for (const client of clients)
        if (client.client_id === 'spa') Object.assign(client, { callbacks: [app.url], web_origins: [app.origin] })
    },
  })
  app.use(server.issuer)
  server.person('ada', ['calendar', 'code'])
  const { page } = await openBrowser(t)
  await page.goto(app.url)
  await page.locator('#first').click()
  await said(page, 'first')
  await page.locator('#second').click()
  // Somebody arrives by an unknown account while signed in: we ask before anything happens.
  await onPage(page, 'link-choose')
  await press(page, 'continue')
  const { status, sub = '', answer = [] } = await said(page, 'second')
  assert.equal(status, 201)
  assert.deepEqual(
    answer.map(({ connection }) => connection),
    ['calendar', 'code'],
  )
  const { json } = await (await mgmt(server)).get(userPath(sub))
  assert.equal(json.identities.length, 2)
  // The person sees it on their own page, and how it came.
  await page.goto(`${server.url}/account/connections`)
  await page.locator('form[data-connection=calendar] button').click()
  await onPage(page, 'account-connections')
  await page.getByText('You proved the other account to').waitFor()
})

test('J3 a page of an origin that no client has reads nothing, whatever it sends', async (t) => {
  const stranger = await startPageApp(t)
  const server = await startServer()
  stranger.use(server.issuer)
  const { page, complaints } = await openBrowser(t)
  await page.goto(stranger.url)
  for (const path of ['oauth/token', 'api/v2/users', 'me/v1/connected-accounts/accounts']) {
    const asking = `fetch(${JSON.stringify(`${server.issuer}${path}`)}, {
      method: ${path === 'oauth/token' ? "'POST', body: new URLSearchParams({ client_id: 'spa' })" : "'GET', headers: { authorization: 'Bearer x' }"}
    }).then((response) => response.status, (error) => error.name)`
    assert.equal(await page.evaluate(asking), 'TypeError', path)
  }
  assert.ok(complaints.every((text) => /CORS|net::ERR_FAILED/.test(text)))
  complaints.length = 0
})
