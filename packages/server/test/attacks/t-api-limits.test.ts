// Guessing (T-API-07, T-API-08): nobody learns who is here, and nobody guesses for long.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { authorize, authorizeUrl, signIn } from '../support/actors.ts'
import { Browser, type Page } from '../support/browser.ts'
import { startServer } from '../support/server.ts'
import type { Person } from '../support/tenant.ts'
import { databases } from './databases.ts'

const open = await startServer()
const limited = await startServer({ settings: { rate_limits: { enabled: true } } })

/** What a page tells, without what is new in every page. */
function told({ status, headers, body }: Page, typed: string) {
  const names = Object.keys(headers).filter((name) => name !== 'x-request-id')
  const text = body
    .replaceAll(/name="(?:csrf|state)" value="[^"]*"/g, '')
    .replaceAll(/state=[\w-]+/g, '')
    .replaceAll(/req_\w+/g, '')
    .replaceAll(typed, 'TYPED')
  return { status, names: names.sort(), text }
}

test('T-API-07 sign-in, sign-up and reset answer alike for an address that is known and one that is not', async () => {
  const unknown = `unknown-${randomUUID().slice(0, 8)}@example.test`
  const { ada } = open.tenant
  const forms: Record<string, (email: string) => Promise<Page>> = {
    'sign-in': async (email) => {
      const browser = new Browser()
      await browser.open(authorizeUrl(open).url)
      return browser.submit('login', { fields: { username: email, password: 'not the password' } })
    },
    'sign-up': async (email) => {
      const browser = new Browser()
      await browser.open(authorizeUrl(open, { extra: { screen_hint: 'signup' } }).url)
      return browser.submit('signup', { fields: { email, password: 'a fresh password of mine' } })
    },
    'sign-up, a wrong code': async (email) => {
      const browser = new Browser()
      await browser.open(authorizeUrl(open, { extra: { screen_hint: 'signup' } }).url)
      await browser.submit('signup', { fields: { email, password: 'a fresh password of mine' } })
      return browser.submit('verify', { fields: { code: '000000' } })
    },
    reset: async (email) => {
      const browser = new Browser()
      await browser.open(authorizeUrl(open, { extra: { screen_hint: 'reset-password' } }).url)
      return browser.submit('reset', { fields: { email } })
    },
  }
  for (const [name, send] of Object.entries(forms)) {
    assert.deepEqual(told(await send(ada.email), ada.email), told(await send(unknown), unknown), name)
  }
})

const guess = (person: Person, password: string, browser = new Browser(), headers = {}) =>
  authorize(browser, limited, { extra: { prompt: 'login' }, answers: { login: false } }).then(() =>
    browser.submit('login', { fields: { username: person.email, password }, headers }),
  )

test('T-API-08 after ten failures an account takes no more guesses, and its owner still comes in from a known browser', async () => {
  const { ada } = limited.tenant
  const { browser: known } = await signIn(limited, { user: ada })
  for (let at = 0; at < 10; at++) {
    const page = await guess(ada, `guess ${at}`, new Browser(), { 'x-forwarded-for': `203.0.113.${at}` })
    assert.equal(page.status, 403, `guess ${at}`)
  }
  const over = await guess(ada, ada.password, new Browser(), { 'x-forwarded-for': '198.51.100.7' })
  assert.equal(over.status, 429)
  assert.equal(over.error, 'rate_limited')
  assert.match(over.headers['retry-after'] ?? '', /^[1-9]\d*$/)
  const back = await guess(ada, ada.password, known)
  assert.equal(back.params.has('code'), true, back.text.slice(0, 200))
  // The browser is known for this account alone, and has its own ten.
  const thief = known.clone()
  for (let at = 0; at < 10; at++) assert.equal((await guess(ada, `guess ${at}`, thief)).status, 403)
  assert.equal((await guess(ada, ada.password, thief)).status, 429)
})

for (const database of databases) {
  test(`T-API-08 guesses that arrive together on two nodes are all counted (${database})`, async () => {
    const nodes = await startServer({ settings: { rate_limits: { enabled: true } }, nodes: 2, database })
    const { eve } = nodes.tenant
    const browsers = await Promise.all(
      Array.from({ length: 24 }, async () => {
        const browser = new Browser()
        await browser.open(authorizeUrl(nodes).url)
        return browser
      }),
    )
    const pages = await Promise.all(
      browsers.map((browser, at) => {
        const form = Object.fromEntries(browser.form('login').fields)
        const url = `${nodes.nodes[at % 2]}/u/login`
        const headers = { origin: nodes.url, 'sec-fetch-site': 'same-origin' }
        return browser.post(url, { ...form, username: eve.email, password: `guess ${at}` }, { headers })
      }),
    )
    const tried = pages.filter(({ status }) => status === 403).length
    assert.ok(tried <= 10, `${tried} guesses were tried`)
    assert.ok(pages.every(({ status }) => status === 403 || status === 429))
  })
}

test('T-API-08 one address of the network has a hundred failures, over however many accounts', async () => {
  const sprayed = await startServer({ settings: { rate_limits: { enabled: true } } })
  const browser = new Browser()
  await browser.open(authorizeUrl(sprayed).url)
  const form = Object.fromEntries(browser.form('login').fields)
  const spray = async (at: number) => {
    const fields = { ...form, username: `somebody-${at}@example.test`, password: 'Spring2026!' }
    return (await browser.clone().post(`${sprayed.url}/u/login`, fields, { from: browser.page.url })).status
  }
  const statuses = await Promise.all(Array.from({ length: 100 }, (_, at) => spray(at)))
  assert.ok(statuses.every((status) => status === 403))
  assert.equal(await spray(100), 429)
})

test('T-API-08 one mailbox gets five mails, and a code takes five tries', async () => {
  const email = `flooded-${randomUUID().slice(0, 8)}@example.test`
  const statuses: number[] = []
  for (let at = 0; at < 7; at++) {
    const browser = new Browser()
    await browser.open(authorizeUrl(limited, { extra: { screen_hint: 'signup' } }).url)
    statuses.push((await browser.submit('signup', { fields: { email, password: 'a fresh password of mine' } })).status)
  }
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429, 429])
  const browser = new Browser()
  await browser.open(authorizeUrl(open, { extra: { screen_hint: 'signup' } }).url)
  await browser.submit('signup', { fields: { email, password: 'a fresh password of mine' } })
  const words: (string | undefined)[] = []
  for (let at = 0; at < 7; at++) {
    const page = await browser.submit('verify', { fields: { code: String(100_000 + at) } })
    words.push(/expired|no longer|new code/i.test(page.text) ? 'over' : 'wrong')
  }
  assert.equal(words.at(-1), 'over')
})
