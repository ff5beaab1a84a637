// Answers that a browser posts: an ID token for a nonce, as older web SDKs ask for it, and the code.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize, claimsOf, signIn } from '../support/actors.ts'
import { startServer } from '../support/server.ts'
import { CALLBACK } from '../support/tenant.ts'

const server = await startServer({ providers: {} })
const field = (body: string, name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(body)?.[1]
const ID_TOKEN = { response_type: 'id_token', response_mode: 'form_post', code_challenge: undefined }
const UNCHALLENGED = { ...ID_TOKEN, code_challenge_method: undefined }

test('a confidential web client gets an ID token for its nonce, by a form with a button and a script known by its hash', async () => {
  const { browser, sub } = await signIn(server, { user: server.tenant.ada })
  const scope = 'openid profile email'
  const flow = await authorize(browser, server, { scope, extra: UNCHALLENGED })
  assert.equal(flow.page.status, 200)
  const claims = claimsOf(field(flow.page.body, 'id_token') ?? '')
  assert.deepEqual(
    [claims.sub, claims.aud, claims.nonce, claims.email],
    [sub, 'web', flow.nonce, server.tenant.ada.email],
  )
  assert.equal(field(flow.page.body, 'state'), flow.state)
  assert.equal(field(flow.page.body, 'access_token'), undefined)
  assert.match(flow.page.body, new RegExp(`<form method="post" action="${CALLBACK}">`))
  assert.match(flow.page.body, /<button[^>]*type="submit"/)
  const policy = flow.page.headers['content-security-policy'] ?? ''
  assert.match(policy, /script-src[^;]*'sha256-/)
  assert.doesNotMatch(policy, /unsafe-inline|form-action/)
})

test('the code comes by the same form', async () => {
  const { browser } = await signIn(server, { user: server.tenant.ada })
  const { page, state } = await authorize(browser, server, { extra: { response_mode: 'form_post' } })
  assert.ok(field(page.body, 'code'))
  assert.equal(field(page.body, 'state'), state)
})

test('an organization that nobody knows is said to the client', async () => {
  const { page } = await authorize((await signIn(server, { user: server.tenant.ada })).browser, server, {
    extra: { organization: 'org_1' },
  })
  assert.deepEqual(
    [page.params.get('error'), page.params.get('error_description')],
    ['invalid_request', 'the organization is unknown'],
  )
})
