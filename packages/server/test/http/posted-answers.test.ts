// An OAuth provider's answer that comes by POST (`form_post`): the same checks, by way of a GET of ours.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256Hex } from '../../src/crypto/hashing.ts'
import { openStorage } from '../../src/storage/open.ts'
import { authorizeUrl, redeem, signIn, silently } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { request } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { changesNothing } from '../support/state.ts'

const server = await startServer()
const FROM = 'https://provider.test/'

/** A sign-in whose answer is held back: where it goes, and what it holds. */
async function held(connection: string, browser = new Browser()) {
  const asked = authorizeUrl(server, { connection })
  const { url } = await browser.open(asked.url, { stopAt: `${server.url}/login/callback` })
  const { origin, pathname, searchParams } = new URL(url)
  return { browser, asked, callback: `${origin}${pathname}`, fields: Object.fromEntries(searchParams) }
}

test('an answer by POST signs in as one by GET does, and once', async () => {
  const { subjects } = server.person('poster', ['calendar'])
  const { browser, asked, callback, fields } = await held('calendar')
  const page = await browser.post(callback, fields, { from: FROM })
  assert.ok(page.params.has('code'), `${page.name} ${page.error}`)
  assert.deepEqual(
    browser.chain.slice(0, 2).map(({ method, status }) => `${method} ${status}`),
    ['POST 303', 'GET 303'],
  )
  const { json } = await redeem(server, { ...asked, params: page.params })
  assert.ok(json.id_token)
  assert.equal((await signIn(server, { browser })).sub, `oidc|calendar|${subjects.calendar}`)
  for (const again of [browser.clone(), new Browser()])
    assert.equal((await again.post(callback, fields, { from: FROM })).error, 'transaction_invalid')
})

test('pressed twice at the provider, the second answer counts, and the first is gone', async () => {
  server.person('twice', ['code'])
  const { browser, callback, fields } = await held('code')
  const stop = { from: FROM, stopAt: `${server.url}/login/answer` }
  const [first, second] = [await browser.post(callback, fields, stop), await browser.post(callback, fields, stop)]
  assert.notEqual(first.url, second.url)
  assert.equal((await browser.open(first.url)).error, 'transaction_invalid')
  assert.ok((await browser.open(second.url)).params.has('code'))
})

test('T-LINK-04 in another browser it is refused before it is kept, and void', async () => {
  server.person('other', ['calendar'])
  const victim = await signIn(server, { user: server.tenant.ada })
  const { browser, callback, fields } = await held('calendar')
  const calls = server.providers.calendar.calls('token').length
  await changesNothing(server, async () => {
    assert.equal((await victim.browser.clone().post(callback, fields, { from: FROM })).error, 'wrong_browser')
    assert.equal((await browser.post(callback, fields, { from: FROM })).error, 'transaction_invalid')
    assert.equal(await silently(browser, server), 'login_required')
  })
  assert.equal(server.providers.calendar.calls('token').length, calls)
})

test('T-CONN-02 at the path of another connection it is refused, and void', async () => {
  server.person('path', ['calendar'])
  const { browser, callback, fields } = await held('calendar')
  await changesNothing(server, async () => {
    for (const path of [callback.replace(/calendar$/, 'work'), callback.replace(/\/calendar$/, ''), callback])
      assert.equal((await browser.post(path, fields, { from: FROM })).error, 'transaction_invalid', path)
  })
})

test('what is kept on the way is sealed, and forgotten when it is taken', async () => {
  server.person('sealed', ['calendar'])
  const { browser, callback, fields } = await held('calendar')
  const stopped = await browser.post(callback, fields, { from: FROM, stopAt: `${server.url}/login/answer` })
  const rows = async () => {
    const storage = await openStorage({ url: server.databaseUrl })
    try {
      return await storage.artifacts.find('UpstreamAnswer', sha256Hex(fields.state ?? ''))
    } finally {
      await storage.close()
    }
  }
  const kept = await rows()
  assert.ok(kept)
  assert.ok(!JSON.stringify(kept).includes(fields.code ?? ''))
  assert.ok(kept.expiresAt - kept.createdAt <= 120)
  await browser.open(stopped.url)
  assert.equal(await rows(), undefined)
})

test('a POST that is no form, is too long, or says its state twice is refused', async () => {
  server.person('odd', ['calendar'])
  const { browser, callback, fields } = await held('calendar')
  const cookie = browser.jar.header(new URL(callback), 'POST', FROM)
  const form = new URLSearchParams(fields).toString()
  const send = (body: string, type = 'application/x-www-form-urlencoded') =>
    request(callback, { body, headers: { 'content-type': type, cookie } })
  await changesNothing(server, async () => {
    assert.equal((await send(JSON.stringify(fields), 'application/json')).status, 400)
    assert.equal((await send(`${form}&state=${fields.state}`)).status, 400)
    assert.equal((await send(`${form}&x=${'x'.repeat(600_000)}`)).status, 400)
    assert.equal((await send(`x=${'x'.repeat(1_100_000)}`)).status, 413)
    assert.equal((await send('')).status, 400)
  })
  // None of it was an answer: the true one still is.
  assert.ok((await browser.post(callback, fields, { from: FROM })).params.has('code'))
})
