// The browser surface (T-WEB): cookies, headers, markup, and forms that other sites send.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authorize,
  authorizeUrl,
  claimsOf,
  completeConnect,
  drive,
  meToken,
  redeem,
  type SignedIn,
  signIn,
  silently,
  startConnect,
} from '../support/actors.ts'
import { Browser, type Page } from '../support/browser.ts'
import { mergeUrl, operated, operator, twoUsers, userUrl } from '../support/console.ts'
import { eventually, request } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { changesNothing } from '../support/state.ts'
import { LOGGED_OUT } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const server = await startServer(operated())
const { ada, eve } = server.tenant

/** Every page and redirect of a life with us: sign-up, sign-in, consent, connect, account, logout, errors. */
async function walkEverywhere(): Promise<readonly Page[]> {
  const person = server.person('walker', ['calendar', 'code'])
  const browser = new Browser()
  for (const hint of ['signup', 'reset-password']) {
    await browser.open(authorizeUrl(server, { extra: { screen_hint: hint } }).url)
  }
  await browser.submit('reset', { fields: { email: ada.email } })
  await browser.open(authorizeUrl(server, { extra: { screen_hint: 'signup' } }).url)
  await browser.submit('signup', { fields: { email: `new-${person.email}`, password: 'a password that is long' } })
  await browser.submit('verify', { fields: { code: '000000' } })
  await authorize(browser, server)
  await browser.submit('login', { fields: { username: ada.email, password: 'wrong' } })
  await signIn(server, { browser, connection: 'calendar' })
  const who = await signIn(server, { browser })
  await authorize(browser, server, { client: 'theirs' })
  await authorize(browser, server, { extra: { response_mode: 'form_post' } })
  const flow = await startConnect(server, { token: await meToken(server, who), connection: 'code' })
  await browser.open(flow.url)
  await drive(browser)
  for (const page of ['', '/connections', '/agents', '/activity', '/delete', '/deleted', '/not-me?ticket=x'])
    await browser.open(`${server.url}/account${page}`)
  for (const path of ['/nowhere', '/u/login?state=x', '/login/callback/calendar?state=x', '/oidc/logout']) {
    await browser.open(`${server.url}${path}`)
  }
  await browser.open(`${server.url}/connected-accounts/connect?ticket=x`)
  await browser.open(authorizeUrl(server, { client: 'nobody' }).url)
  const links = await eventually('a reset link', () =>
    server
      .mails()
      .flatMap((mail) => mail.links)
      .find((link) => link.includes('ticket=')),
  )
  await browser.open(links)
  await browser.open(`${server.url}/oidc/logout`)
  await browser.submit('logout', { action: 'confirm' })
  return [...browser.seen, ...(await walkLinks()), ...(await walkConsole())]
}

/** Pages on which accounts are joined: suggested, chosen, in conflict, merged, and proven again. */
async function walkLinks(): Promise<readonly Page[]> {
  const { person } = await twoUsers(server, 'walking-twice')
  const browser = new Browser()
  await signIn(server, { browser, connection: 'calendar' })
  for (const name of ['link', 'merge'] as const) {
    await browser.open(`${server.url}/account/connections`)
    await browser.submit('link', { connection: name === 'link' ? 'files' : 'work' })
    if (name === 'merge') await browser.submit('link-conflict', { action: 'link' })
  }
  server.person('walking-in', ['files'])
  await authorize(browser, server, {
    connection: 'files',
    answers: { 'link-choose': false },
    extra: { prompt: 'login' },
  })
  const arriving = new Browser()
  server.person('suggested', ['calendar', 'work'])
  await signIn(server, { connection: 'calendar' })
  await authorize(arriving, server, { connection: 'work', answers: { 'link-suggest': false } })
  person.at('calendar')
  const later = (await signIn(server, { connection: 'calendar' })).browser
  await later.open(`${server.url}/account/connections`)
  passTime(601)
  await later.submit('link', { connection: 'files' })
  return [browser, arriving, later].flatMap((one) => one.seen)
}

async function walkConsole(): Promise<readonly Page[]> {
  const { older, newer } = await twoUsers(server, 'watched')
  const browser = await operator(server)
  for (const path of [
    '',
    '/users',
    '/duplicates',
    '/agents',
    '/agents/web',
    '/endings',
    '/simulate?policy=suggest',
    '/nowhere',
  ])
    await browser.open(`${server.url}/console${path}`)
  await browser.open(userUrl(server, older))
  await browser.open(mergeUrl(server, older, newer))
  await browser.submit('merge-preview', { action: 'confirm' })
  const stranger = (await signIn(server, { user: eve })).browser
  await stranger.open(`${server.url}/console`)
  return [...browser.seen, ...stranger.seen]
}
const seen = (await walkEverywhere()).filter(({ url }) => url.startsWith(server.url))
const pages = seen.filter(({ headers }) => /html/.test(headers['content-type'] ?? ''))

test('T-WEB-01 every cookie is a host cookie that scripts and other hosts cannot reach', async () => {
  const lines = seen.flatMap(({ setCookies }) => setCookies)
  assert.ok(lines.length > 3)
  for (const line of lines) {
    assert.match(line, /^__Host-[\w]+=/)
    assert.match(line, /; Path=\/(;|$)/i)
    assert.match(line, /; Secure(;|$)/i)
    assert.match(line, /; HttpOnly(;|$)/i)
    assert.match(
      line,
      line.startsWith('__Host-tenon_session=') ? /; SameSite=Lax(;|$)/i : /; SameSite=(None|Lax)(;|$)/i,
    )
    assert.doesNotMatch(line, /; Domain=/i)
    assert.ok(line.length < 4096)
  }
  // What a sibling host can set has no prefix, and is not looked at.
  const { browser } = await signIn(server, { user: ada })
  const session = browser.cookie('__Host-tenon_session')
  const tossed = new Browser({ headers: { cookie: `tenon_session=${session?.value}; _session=${session?.value}` } })
  assert.equal(await silently(tossed, server), 'login_required')
})

test('T-WEB-02 every page forbids frames, inline scripts and foreign bases', () => {
  const names = new Set(pages.map(({ name }) => name))
  for (const name of [
    'login',
    'signup',
    'verify-email',
    'reset-password',
    'consent',
    'link-confirm',
    'account',
    'account-connections',
    'account-agents',
    'account-activity',
    'account-delete',
    'account-deleted',
    'error',
    'logout',
    'link-suggest',
    'link-choose',
    'link-conflict',
    'merge-preview',
    'reauthenticate',
    'console-home',
    'console-users',
    'console-user',
    'console-duplicates',
    'console-merge',
    'console-simulate',
    'console-agents',
    'console-agent',
    'console-endings',
  ])
    assert.ok(names.has(name), `${name} was not seen`)
  for (const { headers, url, name, body } of pages) {
    const policy = headers['content-security-policy'] ?? ''
    assert.match(policy, /default-src 'none'/, url)
    assert.match(policy, /frame-ancestors 'none'/, url)
    assert.match(policy, /base-uri 'none'/, url)
    assert.doesNotMatch(policy, /unsafe|\*/, url)
    assert.equal(headers['x-content-type-options'], 'nosniff', url)
    const ownArea = /^(account|console)/.test(name ?? '')
    assert.equal(headers['cross-origin-opener-policy'], ownArea ? 'same-origin' : undefined, url)
    // It also governs where a form leads on to, and these lead to providers and apps.
    const leadsAway = !ownArea || name === 'account-connections'
    assert.equal(policy.includes("form-action 'self'"), !leadsAway, `${name} ${url}`)
    if (name !== undefined) assert.doesNotMatch(body, /<script|\son\w+=|javascript:/i, url)
  }
})

test('T-WEB-03 what a provider says of a person is text on our pages, and nothing is fetched from elsewhere', async () => {
  const hostile = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
  const person = server.person('scripted', ['calendar', 'code'], {
    name: hostile,
    login: hostile,
    picture: 'javascript:alert(3)',
    extraClaims: { nickname: hostile, given_name: hostile, picture: 'https://tracker.test/p.png' },
  })
  const who = await signIn(server, { connection: 'calendar' })
  const flow = await startConnect(server, { token: await meToken(server, who), connection: 'code' })
  const confirm = await who.browser.open(flow.url)
  assert.equal(confirm.name, 'link-confirm')
  await drive(who.browser)
  const account = await who.browser.open(`${server.url}/account`)
  const ask = await who.browser.open(`${server.url}/oidc/logout`)
  await authorize(who.browser, server, { client: 'theirs', answers: { consent: false } })
  const consent = who.browser.page
  const pagesOf = (browser: Browser, paths: readonly string[]) =>
    paths.reduce<Promise<readonly Page[]>>(
      async (before, path) => [...(await before), await browser.open(new URL(path, server.url).href)],
      Promise.resolve([]),
    )
  const own = await pagesOf(who.browser, ['/account/connections', '/account/agents', '/account/activity'])
  const label = own[0]?.forms.find(({ name }) => name === 'label')
  assert.ok(label)
  await who.browser.open(`${server.url}/account/connections`)
  await who.browser.submit('label', { fields: { label: hostile.slice(0, 60) } })
  const renamed = await who.browser.open(`${server.url}/account/connections`)
  const boss = await operator(server)
  const watched = await pagesOf(boss, [
    '/console/users',
    userUrl(server, who.sub),
    `/console/users?q=${encodeURIComponent(hostile)}`,
  ])
  assert.ok(watched.every(({ name }) => name?.startsWith('console-')))
  const shown = [confirm, account, ask, consent, ...own, renamed, ...watched]
  for (const { body, url } of shown) {
    assert.doesNotMatch(body, /<script|<img|onerror=alert\(2\)>(?!&)|javascript:alert/i, url)
    assert.doesNotMatch(body, /tracker\.test/, url)
  }
  assert.ok(account.text.includes('<script>alert(1)</script>'), 'the name is shown as it is')
  assert.ok(person.subjects.calendar)
})

test('T-WEB-04 a form that another site sends, or that holds the token of another session, changes nothing', async () => {
  const victim = await signIn(server, { user: ada })
  const attacker = await signIn(server, { user: eve })
  server.person('forged', ['code'])
  const flow = await startConnect(server, { token: await meToken(server, victim), connection: 'code' })
  await victim.browser.open(flow.url)
  const confirm = formOf(victim.browser.page)
  await victim.browser.open(`${server.url}/oidc/logout`)
  const logout = formOf(victim.browser.page)
  await attacker.browser.open(`${server.url}/oidc/logout`)
  const foreign = formOf(attacker.browser.page)
  await authorize(victim.browser, server, { client: 'theirs', answers: { consent: false } })
  const consent = formOf(victim.browser.page)
  const posts: readonly [string, Record<string, string>][] = [
    ['/u/confirm', { ...confirm, action: 'confirm' }],
    ['/u/logout', { ...logout, action: 'confirm' }],
    ['/u/consent', { ...consent, action: 'allow' }],
    ['/u/login', { ...consent, username: eve.email, password: eve.password }],
    ['/u/signup', { ...consent, email: 'x@example.test', password: 'a password that is long' }],
    ['/reset-password', { state: 'x', password: 'a password that is long' }],
  ]
  const from = `${server.url}/u/login`
  await changesNothing(server, async () => {
    for (const [path, fields] of posts) {
      const url = `${server.url}${path}`
      const send = (sent: Record<string, string>, how: Parameters<Browser['post']>[2]) =>
        victim.browser.clone().post(url, sent, how)
      const { csrf: _, ...without } = fields
      const attempts: Record<string, Promise<Page>> = {
        'from another site': send(fields, { from: 'https://evil.test/' }),
        'from a sandboxed frame': send(fields, { from, headers: { origin: 'null', 'sec-fetch-site': 'cross-site' } }),
        'from a sibling': send(fields, {
          from,
          headers: { 'sec-fetch-site': 'same-site', origin: 'https://other.acme.test' },
        }),
        'without Fetch Metadata, from another origin': send(fields, {
          from,
          headers: { 'sec-fetch-site': undefined, origin: 'https://evil.test' },
        }),
        'without a token': send(without, { from }),
        "with another's token": send({ ...fields, csrf: foreign.csrf ?? '' }, { from }),
        'as text': send(fields, { from, headers: { 'content-type': 'text/plain' } }),
      }
      for (const [name, attempt] of Object.entries(attempts)) {
        const page = await attempt
        const [status, code] = name === 'as text' ? [400, 'invalid_request'] : [403, 'cross_site_request']
        assert.deepEqual([page.status, page.error], [status, code], `${path} ${name}: ${page.name}`)
      }
      const read = await victim.browser.clone().open(`${url}?${new URLSearchParams(fields)}`)
      assert.ok(!read.params.has('code') && !read.params.has('connect_code'), `${path} by GET`)
    }
  })
  assert.equal(await silently(victim.browser, server), 'code')
  assert.equal(await silently(victim.browser, server, { client: 'theirs' }), 'consent_required')
  assert.equal((await completeConnect(server, flow, new URLSearchParams())).status, 400)
})

const formOf = ({ forms }: Page): Record<string, string> =>
  Object.fromEntries(forms.find(({ fields }) => fields.some(([name]) => name === 'csrf'))?.fields ?? [])

test('T-WEB-05 no page or redirect is kept or told to others, and none loads from elsewhere', () => {
  for (const { headers, url, body, name, status } of seen) {
    assert.match(headers['cache-control'] ?? '', /no-store/, `${status} ${url}`)
    if (name === undefined) continue
    assert.match(headers['referrer-policy'] ?? '', /^(same-origin|no-referrer)$/, url)
    for (const [, target = ''] of body.matchAll(/(?:src|srcset|action|<link[^>]* href)="([^"]*)"/g))
      assert.equal(new URL(target, server.url).origin, server.url, url)
  }
})

test('T-WEB-07 too many cookies, doubled ones and huge ones end in a clean answer, and sessions do not mix', async () => {
  const victim = await signIn(server, { user: ada })
  const attacker = await signIn(server, { user: eve })
  const many = Array.from({ length: 200 }, (_, at) => `c${at}=${'x'.repeat(20)}`).join('; ')
  const own = victim.browser.jar.header(new URL(server.url), 'GET', undefined) ?? ''
  const huge = `${own}; big=${'x'.repeat(60_000)}`
  const odd = `${own}; =; ;;; a; %00=%00; __Host-tenon_session ; "=""; __proto__=x; constructor=y`
  for (const cookie of [`${many}; ${own}`, huge, odd, ''.padEnd(4000, ';')]) {
    for (const path of ['/account', '/authorize', '/u/login?state=x']) {
      const { status } = await request(`${server.url}${path}`, { headers: { cookie, accept: 'text/html' } })
      assert.ok(status < 500, `${path}: ${status}`)
    }
  }
  const [mine, theirs] = [victim, attacker].map(({ browser }) => browser.cookie('__Host-tenon_session')?.value)
  for (const pair of [
    [mine, theirs],
    [theirs, mine],
  ]) {
    const browserCookie = `__Host-tenon_browser=${victim.browser.cookie('__Host-tenon_browser')?.value}`
    const headers = { cookie: `${pair.map((value) => `__Host-tenon_session=${value}`).join('; ')}; ${browserCookie}` }
    const account = await new Browser({ headers }).open(`${server.url}/account`)
    const onPage = account.name === 'account' ? /Ada Lovelace|Eve Adams/.exec(account.text)?.[0] : undefined
    const flow = await authorize(new Browser({ headers }), server, { extra: { prompt: 'none' } })
    const atApp = flow.params.has('code') ? claimsOf((await redeem(server, flow)).json.id_token).name : undefined
    assert.equal(atApp, onPage, 'the pages and the protocol see two people')
  }
})

test('T-WEB-09 what one tab began does not outlive a sign-out or a switch in another', async () => {
  server.person('shared', ['code', 'calendar'])
  const begin = async (): Promise<{
    who: SignedIn
    flow: Awaited<ReturnType<typeof startConnect>>
    answer: string
  }> => {
    const who = await signIn(server, { user: ada })
    const flow = await startConnect(server, { token: await meToken(server, who), connection: 'code' })
    const page = await who.browser.open(flow.url, { stopAt: `${server.url}/login/callback/` })
    return { who, flow, answer: page.url }
  }
  const ends = {
    'signed out': (who: SignedIn) =>
      who.browser.open(`${server.url}/v2/logout?client_id=web&returnTo=${encodeURIComponent(LOGGED_OUT)}`),
    'somebody else': (who: SignedIn) => signIn(server, { browser: who.browser, user: eve, extra: { prompt: 'login' } }),
  }
  for (const [name, end] of Object.entries(ends)) {
    const { who, flow, answer } = await begin()
    await end(who)
    await changesNothing(server, async () => {
      const page = await who.browser.open(answer)
      assert.equal(page.name, 'error', name)
      assert.equal((await completeConnect(server, flow, page.params)).status, 400, name)
    })
    const later = await begin()
    await later.who.browser.open(later.answer)
    const confirm = later.who.browser.page
    assert.equal(confirm.name, 'link-confirm')
    const tab = later.who.browser
    await end(later.who)
    await changesNothing(server, async () => {
      const page = await tab.post(
        `${server.url}/u/confirm`,
        { ...formOf(confirm), action: 'confirm' },
        { from: confirm.url },
      )
      assert.ok(!page.params.has('connect_code'), name)
    })
  }
})
