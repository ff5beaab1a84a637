// Sign in with Apple: the answer comes by POST, the name comes once, and our secret is a token that we sign.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startVendorProvider } from '@tenon/sdk/testing'
import { authorizeUrl, claimsOf, codeOf, drive, expectStatus, mgmt, redeem, userPath } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { startServer } from '../support/server.ts'

const apple = await startVendorProvider('apple', {
  users: { ada: { name: 'Ada Lovelace', email: 'x7@privaterelay.appleid.com' } },
})
const server = await startServer({ providers: { apple } })

/** Up to the provider's page that posts the answer to us. */
async function untilAnswer(browser: Browser) {
  const asked = authorizeUrl(server, { connection: 'apple' })
  await browser.open(asked.url)
  await drive(browser, { connection: 'apple' })
  assert.equal(browser.page.name, 'provider-answer', browser.page.url)
  return asked
}

async function comesIn(change: Readonly<Record<string, string>> = {}) {
  const browser = new Browser()
  const asked = await untilAnswer(browser)
  const fields = Object.fromEntries(browser.form('provider-answer').fields.map(([name, value]) => [name, value]))
  await browser.submit('provider-answer', { fields: change })
  const flow = { ...asked, page: browser.page, params: browser.page.params }
  codeOf(flow)
  const { json } = expectStatus(await redeem(server, flow), 200)
  return { claims: claimsOf(json.id_token), fields }
}

test('a person comes in by a posted answer, and keeps the name that Apple says once', async () => {
  const first = await comesIn()
  assert.ok('user' in first.fields)
  assert.match(String(first.claims.sub), /^apple\|/)
  assert.equal(first.claims.name, 'Ada Lovelace')
  assert.equal(first.claims.email, 'x7@privaterelay.appleid.com')
  const again = await comesIn()
  assert.equal('user' in again.fields, false)
  assert.deepEqual([again.claims.sub, again.claims.name], [first.claims.sub, 'Ada Lovelace'])
  const { json } = await (await mgmt(server)).get(userPath(String(first.claims.sub)))
  assert.deepEqual([json.name, json.identities.length], ['Ada Lovelace', 1])
})

test('what the browser carries beside the code is a name, and nothing else', async () => {
  const before = await comesIn()
  const lie = { name: { firstName: 'Eve' }, email: 'victim@example.test', email_verified: true, sub: 'victim' }
  const { claims } = await comesIn({ user: JSON.stringify(lie) })
  assert.deepEqual([claims.sub, claims.email], [before.claims.sub, before.claims.email])
  for (const user of ['{', '[]', '{"name":"Eve"}', '{"name":{"firstName":7}}', 'x'.repeat(10_000)])
    assert.equal((await comesIn({ user })).claims.sub, before.claims.sub, user.slice(0, 20))
})

test('the client secret is made anew for each call, and lives for minutes', async () => {
  await comesIn()
  const secrets = apple.calls('code').map(({ body }) => String(body.client_secret))
  assert.equal(new Set(secrets).size, secrets.length)
  for (const secret of secrets) {
    const { exp, iat, aud } = claimsOf(secret)
    assert.equal(Number(exp) - Number(iat), 300)
    assert.equal(aud, 'https://appleid.apple.com')
    assert.equal(server.logs().includes(secret), false)
  }
})
