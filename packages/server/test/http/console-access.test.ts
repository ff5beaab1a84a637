// Who may enter the console, how, and what everybody else learns of it: nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectStatus, mgmt, signIn, userPath } from '../support/actors.ts'
import { Browser, type Page } from '../support/browser.ts'
import {
  byPassword,
  CONSOLE,
  consoleLink,
  enteredByLink,
  inDatabase,
  mergeUrl,
  operated,
  operator,
  twoUsers,
  userUrl,
} from '../support/console.ts'
import { request } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { changesNothing, eventsOf } from '../support/state.ts'

const server = await startServer(
  operated({ operators: ['ADA@Example.TEST', 'boss@other.test', 'sloppy@example.test'] }),
)
const pair = await twoUsers(server, 'somebody')

/** Every page there is, about people who exist and about nobody. */
const paths = (userId: string): readonly string[] => [
  '/console',
  '/console/users',
  `/console/users?q=${encodeURIComponent(pair.person.email)}`,
  `/console/users/${encodeURIComponent(userId)}`,
  '/console/duplicates',
  mergeUrl(server, pair.older, userId).slice(server.url.length),
  '/console/links/lnk_000000000000000000000000/undo',
  '/console/simulate?policy=auto_when_authoritative',
  '/console/nothing/here',
]

const shapeOf = ({ status, body, headers, name }: Page) => ({
  status,
  name,
  headers: Object.keys(headers).sort(),
  body: body.replaceAll(/req_[\w-]+/g, 'req'),
})

test('an operator is asked to sign in, comes back to the page that was asked for, and is named on it', async () => {
  const browser = await operator(server, '/console/users?q=ada%40example.test')
  assert.equal(browser.page.name, 'console-users')
  assert.equal(new URL(browser.page.url).search, '?q=ada%40example.test')
  assert.match(browser.page.text, /Ada Lovelace, operator/)
})

test('every page of the console is cut from its opener and posts to the server alone', async () => {
  const browser = await operator(server)
  for (const path of paths(pair.newer)) {
    const page = await browser.open(`${server.url}${path}`)
    assert.match(page.name ?? '', /^console-/, path)
    assert.equal(page.headers['cross-origin-opener-policy'], 'same-origin', path)
    assert.match(page.headers['content-security-policy'] ?? '', /form-action 'self'.*frame-ancestors 'none'/, path)
    assert.equal(page.headers['cache-control'], 'no-store', path)
  }
})

test('an address opens it only at G2 and above: a trusted or a sloppy provider makes no operator', async () => {
  for (const [name, connection, email, grade] of [
    ['boss', 'calendar', 'boss@other.test', 1],
    ['sloppy', 'loose', 'sloppy@example.test', 0],
  ] as const) {
    server.person(name, [connection], { email, emailVerified: true } as never)
    const { browser, sub } = await signIn(server, { connection })
    const evidence = await inDatabase(server, (storage) => storage.evidence.listOfUser(sub))
    assert.deepEqual(
      evidence.map((one) => [one.address, one.grade]),
      [[email, grade]],
    )
    assert.equal((await browser.open(`${server.url}/console`)).name, 'console-closed', name)
  }
})

test('an operator may be named by user id, and is out at once when blocked', async () => {
  const own = await startServer({ settings: { operators: ['github|4711'] } })
  own.person('grace', ['code'], { sub: '4711' })
  const { browser, sub } = await signIn(own, { connection: 'code' })
  assert.equal(sub, 'github|4711')
  assert.equal((await browser.open(`${own.url}/console`)).name, 'console-home')
  expectStatus(await (await mgmt(own)).patch(userPath(sub), { blocked: true }), 200)
  assert.equal((await browser.open(`${own.url}/console`)).name, 'login')
})

test('T-API-02 a plain user learns nothing: each page answers alike for who exists and who does not', async () => {
  const { browser, sub } = await byPassword(server)
  const before = (await eventsOf(server, 'console.refused')).length
  const shapes = new Set<string>()
  for (const path of [...paths(pair.newer), ...paths('oidc|calendar|nobody-at-all')]) {
    const page = await browser.open(`${server.url}${path}`)
    assert.equal(page.status, 403)
    shapes.add(JSON.stringify(shapeOf(page)))
  }
  assert.equal(shapes.size, 1)
  assert.equal(browser.page.name, 'console-closed')
  assert.doesNotMatch(browser.page.body, /example\.test/)
  const refused = (await eventsOf(server, 'console.refused')).slice(before)
  // Somebody who knocks at every door fills no log.
  assert.deepEqual(
    refused.map(({ userId, outcome }) => [userId, outcome]),
    [[sub, 'refused']],
  )
})

test('T-API-02 a plain user and a stranger change nothing by posting what an operator posts', async () => {
  const admin = await operator(server)
  await admin.open(mergeUrl(server, pair.older, pair.newer))
  const fields = Object.fromEntries(admin.form('merge-preview').fields)
  const { browser: plain } = await byPassword(server)
  const stranger = new Browser()
  await changesNothing(server, async () => {
    for (const [path, more] of [
      ['/console/merge', { ...fields, action: 'confirm' }],
      ['/console/links/lnk_000000000000000000000000/undo', { action: 'undo' }],
    ] as const) {
      for (const [browser, answer] of [
        [plain, /^403 console-closed$/],
        // Nobody gave them a form: their token is good for nothing.
        [stranger, /^403 error$/],
      ] as const) {
        const { csrf } = Object.fromEntries(await ownForm(browser))
        const page = await browser.clone().post(`${server.url}${path}`, { ...more, csrf: csrf ?? '' })
        assert.match(`${page.status} ${page.name}`, answer)
      }
    }
  })
})

/** The fields of any form without a state, as this browser was given it. */
async function ownForm(browser: Browser): Promise<readonly (readonly [string, string])[]> {
  const page = await browser.open(`${server.url}/account/connections`)
  return (
    page.forms.find(({ method, fields }) => method === 'post' && fields.some(([name]) => name === 'csrf'))?.fields ?? []
  )
}

test('T-WEB-04 no form of the console is taken from elsewhere, nor with the token of another browser', async () => {
  const browser = await operator(server)
  const foreign = Object.fromEntries(await ownForm((await byPassword(server)).browser)).csrf
  await browser.open(mergeUrl(server, pair.older, pair.newer))
  const own = { ...Object.fromEntries(browser.form('merge-preview').fields), action: 'confirm' } as Record<
    string,
    string
  >
  await changesNothing(server, async () => {
    for (const [fields, how] of [
      [{ ...own, csrf: '' }, {}],
      [{ ...own, csrf: foreign ?? '' }, {}],
      [own, { from: 'https://evil.test/' }],
      [own, { from: server.url, headers: { 'sec-fetch-site': 'same-site' } }],
    ] as const) {
      const page = await browser.clone().post(`${server.url}/console/merge`, fields, how)
      assert.ok(page.status === 403 || page.name === 'login', `${page.status} ${page.name}`)
    }
  })
})

test('a printed link changes nothing when it is looked at, and opens the console once', async () => {
  const link = await consoleLink(server)
  const [scanner, first, second] = [new Browser(), new Browser(), new Browser()]
  for (const browser of [scanner, first, second]) {
    const page = await browser.open(link)
    assert.equal(page.name, 'console-enter')
    assert.equal(page.headers['cross-origin-opener-policy'], 'same-origin')
  }
  await first.submit('console-enter', { action: 'continue' })
  assert.equal(first.page.name, 'console-home')
  assert.match(first.page.text, /Entered by link/)
  await second.submit('console-enter', { action: 'continue' })
  assert.equal(second.page.error, 'ticket_invalid')
  assert.equal((await scanner.open(link)).error, 'ticket_invalid')
  assert.equal((await second.open(`${server.url}/console`)).name, 'login')
})

test('of copies of a printed link that are used at once, one enters', async () => {
  const link = await consoleLink(server)
  const browsers = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const browser = new Browser()
      await browser.open(link)
      return browser
    }),
  )
  const pages = await Promise.all(browsers.map((browser) => browser.submit('console-enter', { action: 'continue' })))
  assert.equal(pages.filter(({ name }) => name === 'console-home').length, 1)
  assert.equal(pages.filter(({ error }) => error === 'ticket_invalid').length, 5)
})

test('a printed link that is too old, or was never printed, opens nothing', async () => {
  const tooOld = await consoleLink(server, 301)
  for (const link of [tooOld, `${server.issuer}console/enter?ticket=x`, `${server.issuer}console/enter`]) {
    const browser = new Browser()
    assert.equal((await browser.open(link)).error, 'ticket_invalid')
  }
  const young = new Browser()
  await young.open(await consoleLink(server))
  const ticket = new URL(tooOld).searchParams.get('ticket') ?? ''
  await young.submit('console-enter', { fields: { state: ticket } })
  // The token of the form belongs to its own link.
  assert.equal(young.page.error, 'cross_site_request')
})

test('T-WEB-01 the session of a link is a cookie of its own, holds in its browser alone, and ends by leaving', async () => {
  const browser = await enteredByLink(server)
  const line = browser.seen.flatMap(({ setCookies }) => setCookies).find((one) => one.startsWith(CONSOLE))
  assert.match(line ?? '', /^__Host-tenon_console=[\w-]{43}; Max-Age=3600; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  const cookie = browser.cookie(CONSOLE)
  const thief = await request(`${server.url}/console`, {
    headers: { accept: 'text/html', cookie: `${CONSOLE}=${cookie?.value}; __Host-tenon_browser=${'x'.repeat(43)}` },
  })
  assert.equal(thief.status, 303)
  const before = browser.clone()
  await browser.submit('console-leave')
  assert.equal(browser.page.name, 'login')
  assert.equal((await before.open(`${server.url}/console`)).name, 'login')
  for (const type of ['console.link_made', 'console.entered', 'console.left'])
    assert.ok((await eventsOf(server, type)).length > 0, type)
  assert.doesNotMatch(JSON.stringify(await eventsOf(server, 'console.link_made')), new RegExp(cookie?.value ?? 'none'))
})

test('whoever entered by a link is no user: their pages and an authorization ask for a sign-in', async () => {
  const browser = await enteredByLink(server)
  assert.equal((await browser.open(`${server.url}/account`)).name, 'login')
})

test('an operator whose proof of the address is withdrawn is out at the next click', async () => {
  const browser = await operator(server)
  const { json } = await (await mgmt(server)).get(
    `/users-by-email?email=${encodeURIComponent(server.tenant.ada.email)}`,
  )
  const userId = json[0].user_id
  const api = await mgmt(server)
  expectStatus(await api.patch(userPath(userId), { email_verified: false }), 200)
  assert.equal((await browser.open(userUrl(server, pair.older))).name, 'console-closed')
  expectStatus(await api.patch(userPath(userId), { email_verified: true }), 200)
  assert.equal((await browser.open(userUrl(server, pair.older))).name, 'console-user')
})
