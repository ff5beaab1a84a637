// Answers by message: the hidden frame of a page that asks whether its person is signed in, and the popup.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { startServer } from '../support/server.ts'
import { onPage, openBrowser } from './support/browser.ts'
import { signInByPassword } from './support/world.ts'

interface Message {
  readonly origin: string
  readonly type: string
  readonly response: Readonly<Record<string, string>>
}

test('a page on another origin learns by message who is signed in, in a hidden frame and in a popup', async (t) => {
  const app = await startApp(t)
  const server = await startServer({
    providers: {},
    tenant: (file) => {
      for (const client of file.clients.filter(({ client_id: id }) => id === 'spa')) {
        client.web_origins = [app.near, app.far]
        client.callbacks = [app.near, app.far, `${app.unlisted}/`]
      }
    },
  })
  const { page, complaints } = await openBrowser(t)
  const issuer = new URL(server.issuer).origin

  await page.goto(app.near)
  const before = await inFrame(page, authorizeUrl(server.issuer, app.near, { prompt: 'none' }))
  assert.deepEqual([before.origin, before.type], [issuer, 'authorization_response'])
  assert.deepEqual([before.response.error, before.response.state], ['login_required', 'a state'])

  const opening = page.waitForEvent('popup')
  const message = inPopup(page, authorizeUrl(server.issuer, app.near, {}))
  const popup = await opening
  await onPage(popup, 'login')
  assert.equal(await popup.evaluate('opener !== null'), true, 'no opener policy cuts it off')
  const closed = popup.waitForEvent('close')
  await signInByPassword(popup, server.tenant.ada.password, server.tenant.ada.email)
  const signedIn = await message
  assert.deepEqual([signedIn.origin, typeof signedIn.response.code], [issuer, 'string'])
  assert.equal(signedIn.response.error, undefined)
  await closed

  const after = await inFrame(page, authorizeUrl(server.issuer, app.near, { prompt: 'none' }))
  assert.deepEqual([typeof after.response.code, after.response.state], ['string', 'a state'])

  // The session's cookie stays at home: a frame on another site sees nobody, unless the operator wants it so.
  await page.goto(app.far)
  const away = await inFrame(page, authorizeUrl(server.issuer, app.far, { prompt: 'none' }))
  assert.equal(away.response.error, 'login_required')

  // A page that the client does not list may not even show the frame.
  await page.goto(`${app.unlisted}/`)
  const refused = page.waitForEvent('console', { predicate: (one) => /frame-ancestors/.test(one.text()) })
  const src = JSON.stringify(authorizeUrl(server.issuer, app.near, { prompt: 'none' }))
  await page.evaluate(`void document.body.append(Object.assign(document.createElement('iframe'), { src: ${src} }))`)
  await refused
  assert.ok(complaints.splice(0).every((one) => one.includes('frame-ancestors')))
})

/** One server under three names: on our site, on another one, and on an origin that the client does not list. */
async function startApp(t: TestContext) {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' })
    response.end('<!doctype html><html lang="en"><head><title>App</title><link rel="icon" href="data:,"></head><body>')
  })
  const other = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' })
    response.end(
      '<!doctype html><html lang="en"><head><title>Other</title><link rel="icon" href="data:,"></head><body>',
    )
  })
  const ports: number[] = []
  for (const one of [server, other]) {
    one.listen(0, '127.0.0.1')
    await once(one, 'listening')
    t.after(() => {
      one.closeAllConnections()
      one.close()
    })
    const address = one.address()
    ports.push(typeof address === 'object' && address !== null ? address.port : 0)
  }
  return {
    near: `http://127.0.0.1:${ports[0]}`,
    far: `http://localhost:${ports[0]}`,
    unlisted: `http://127.0.0.1:${ports[1]}`,
  }
}

function authorizeUrl(issuer: string, redirectUri: string, more: Readonly<Record<string, string>>): string {
  const params = {
    client_id: 'spa',
    response_type: 'code',
    response_mode: 'web_message',
    redirect_uri: redirectUri,
    scope: 'openid profile',
    state: 'a state',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    ...more,
  }
  return `${issuer}authorize?${new URLSearchParams(params)}`
}

/** As `auth0-spa-js` does it. */
const inFrame = (page: Page, url: string): Promise<Message> =>
  page.evaluate(`new Promise((resolve) => {
    const frame = Object.assign(document.createElement('iframe'), { src: ${JSON.stringify(url)}, width: 0, height: 0 })
    const hear = ({ origin, data }) => {
      if (data?.type !== 'authorization_response') return
      removeEventListener('message', hear)
      frame.remove()
      resolve({ origin, ...data })
    }
    addEventListener('message', hear)
    document.body.append(frame)
  })`)

const inPopup = (page: Page, url: string): Promise<Message> =>
  page.evaluate(`new Promise((resolve) => {
    const popup = open(${JSON.stringify(url)}, 'popup', 'width=400,height=600')
    addEventListener('message', ({ origin, data }) => {
      if (data?.type !== 'authorization_response') return
      popup.close()
      resolve({ origin, ...data })
    })
  })`)
