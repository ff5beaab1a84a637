// An account arrives: the questions that a person is asked, as they see them.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import { type AuthorizeOptions, authorizeUrl, signIn } from '../support/actors.ts'
import { CALLBACKS } from '../support/browser.ts'
import { startServer } from '../support/server.ts'
import { CALLBACK } from '../support/tenant.ts'
import { onPage, openBrowser, press } from './support/browser.ts'
import { looksWell } from './support/looks.ts'

test('J4 a suggestion is proven by a way of the account that exists, and the sign-in goes on', async (t) => {
  const server = await startServer()
  server.person('grace', ['calendar', 'work'])
  await signIn(server, { connection: 'calendar' })
  const { page } = await openBrowser(t, { javaScript: false })
  await page.goto(authorizeUrl(server, { connection: 'work' }).url)
  await onPage(page, 'link-suggest')
  const back = page.waitForRequest((request) => request.url().startsWith(CALLBACKS))
  await page.locator('button[value=link]').first().click({ noWaitAfter: true })
  assert.ok(new URL((await back).url()).searchParams.has('code'))
})

/** A client's callback where something listens, for what comes after it in the same browser. */
async function startCallback(t: TestContext): Promise<string> {
  const listener = createServer((_request, response) => response.end('back')).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  t.after(() => listener.close())
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}/cb`
}

test('J4 J6 every question about an arriving account looks well', async (t) => {
  const redirectUri = await startCallback(t)
  const server = await startServer({
    tenant: ({ clients }) => {
      for (const client of clients) if (client.client_id === 'web') client.callbacks = [redirectUri, CALLBACK]
    },
  })
  const { page } = await openBrowser(t)
  const arrive = (how: AuthorizeOptions) => page.goto(authorizeUrl(server, { ...how, redirectUri }).url)
  const ada = server.person('ada', ['calendar', 'work'], { name: 'Ada Lovelace' })
  await signIn(server, { connection: 'calendar' })
  await arrive({ connection: 'work' })
  await onPage(page, 'link-suggest')
  await looksWell(page, 'link-suggest')
  // Into the session of another: first a stranger, then somebody known.
  server.person('eve', ['calendar', 'code'], { name: 'Eve Adams' })
  await arrive({ connection: 'calendar' })
  await arrive({ connection: 'code', extra: { prompt: 'login' } })
  await onPage(page, 'link-choose')
  await looksWell(page, 'link-choose')
  ada.at('calendar')
  await arrive({ connection: 'calendar', extra: { prompt: 'login' } })
  await onPage(page, 'link-conflict')
  await looksWell(page, 'link-conflict')
  await press(page, 'link')
  await onPage(page, 'merge-preview')
  await looksWell(page, 'merge-preview')
})
