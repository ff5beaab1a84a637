import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startCodeProvider } from '@tenon/sdk/testing'
import { Browser } from '../support/browser.ts'
import { startServer } from '../support/server.ts'
import { blocksIn, blockWith, programsIn } from './document.ts'

const GUIDE = 'docs/guide/agent-asks-for-an-account.md'
const CALLBACK = 'http://127.0.0.1:9/cb'
const CONNECTED = 'http://127.0.0.1:9/connected'

interface App {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
}

test("the guide's agent is refused, lets its user connect, and then holds a token that the provider takes", async (t) => {
  const { agent, app, browser, code, refreshToken } = await startGuide(t)
  const first = await agent.askFor(app, refreshToken, 'code', 'Look for pull requests')
  assert.equal(first.kind, 'connect')
  assert.deepEqual(first.connect, refusalInGuide().tenon.connect)

  const token = await agent.userToken(app, refreshToken)
  const { url, pending } = await agent.startConnect(app.issuer, token, first.connect, CONNECTED)
  await browser.open(url)
  assert.equal(browser.page.name, 'link-confirm')
  const page = await browser.submit('link-confirm', { action: 'confirm' })
  const account = await agent.finishConnect(app.issuer, token, new URL(page.url), pending)
  assert.ok(account !== 'refused')
  assert.match(account.id, /^cac_/)

  const second = await agent.askFor(app, refreshToken, 'code', 'Look for pull requests')
  assert.equal(second.kind, 'token')
  assert.ok(code.isLive(second.accessToken))
})

test("the guide's agent hears it when its user says no", async (t) => {
  const { agent, app, browser, refreshToken } = await startGuide(t)
  const token = await agent.userToken(app, refreshToken)
  const { connect } = refusalInGuide().tenon
  const { url, pending } = await agent.startConnect(app.issuer, token, connect, CONNECTED)
  await browser.open(url)
  const page = await browser.submit('link-confirm', { action: 'cancel' })
  assert.equal(await agent.finishConnect(app.issuer, token, new URL(page.url), pending), 'refused')
})

test('the refusal that the guide shows is the one that is sent', async (t) => {
  const { app, refreshToken } = await startGuide(t)
  const response = await fetch(`${app.issuer}oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token',
      client_id: app.clientId,
      client_secret: app.clientSecret,
      subject_token: refreshToken,
      subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token',
      requested_token_type: 'http://auth0.com/oauth/token-type/federated-connection-access-token',
      connection: 'code',
    }),
  })
  assert.equal(response.status, 401)
  assert.deepEqual(await response.json(), refusalInGuide())
})

type Connect = { readonly connection: string; readonly scopes: readonly string[] }

const refusalInGuide = () =>
  // The guide's own JSON; the tests compare it with what is sent.
  JSON.parse(blockWith(blocksIn(GUIDE, 'json'), '"not_connected"')) as { tenon: { connect: Connect } }

/** The guide's tenant file over the kit's code host, its programs, and somebody who is signed in. */
async function startGuide(t: TestContext) {
  const code = await startCodeProvider({ name: 'code' })
  const file = JSON.parse(blockWith(blocksIn(GUIDE, 'json'), '"clients"'))
  const written = file.connections.find(({ name }: { name: string }) => name === 'code')
  const { options } = code.connection()
  written.options = { ...options, scope: written.options.scope }
  const { issuer } = await startServer({ providers: { code }, tenant: (draft) => Object.assign(draft, file) })
  const [client] = file.clients
  const app: App = { issuer, clientId: client.client_id, clientSecret: client.client_secret }
  const browser = new Browser()
  return { agent: await programsIn<Programs>(t, GUIDE), app, browser, code, refreshToken: await signIn(app, browser) }
}

async function signIn({ issuer, clientId, clientSecret }: App, browser: Browser): Promise<string> {
  const request = { client_id: clientId, response_type: 'code', redirect_uri: CALLBACK, scope: 'openid offline_access' }
  await browser.open(`${issuer}authorize?${new URLSearchParams(request)}`)
  const fields = { username: 'ada@example.test', password: 'a lantern under the bridge' }
  const code = (await browser.submit('login', { fields })).params.get('code') ?? ''
  const response = await fetch(`${issuer}oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: clientId,
      client_secret: clientSecret,
      redirect_uri: CALLBACK,
      code,
    }),
  })
  return ((await response.json()) as { refresh_token: string }).refresh_token
}

interface Programs {
  askFor(
    app: App,
    refreshToken: string,
    connection: string,
    purpose: string,
  ): Promise<{ kind: 'token'; accessToken: string } | { kind: 'connect'; connect: Connect } | { kind: 'wait' }>
  userToken(app: App, refreshToken: string): Promise<string>
  startConnect(
    issuer: string,
    token: string,
    connect: Connect,
    redirectUri: string,
  ): Promise<{ url: string; pending: object }>
  finishConnect(issuer: string, token: string, cameBackTo: URL, pending: object): Promise<{ id: string } | 'refused'>
}
