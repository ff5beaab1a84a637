// How long somebody stays signed in, and what ends it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorize, authorizeUrl, expectStatus, mgmt, signIn, silently, userPath } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { startServer } from '../support/server.ts'
import { LOGGED_OUT } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'

const server = await startServer()
const { ada, eve } = server.tenant

test('T-LINK-14 a session ends with its user being blocked, and with its identity being unlinked', async () => {
  server.person('bo', ['calendar'])
  const blocked = await signIn(server, { connection: 'calendar' })
  const api = await mgmt(server)
  expectStatus(await api.patch(userPath(blocked.sub), { blocked: true }), 200)
  assert.equal(await silently(blocked.browser, server), 'login_required')
  expectStatus(await api.patch(userPath(blocked.sub), { blocked: false }), 200)
  assert.equal(await silently(blocked.browser, server), 'login_required')

  server.person('bea', ['calendar', 'code'])
  const primary = await signIn(server, { connection: 'calendar' })
  const secondary = await signIn(server, { connection: 'code' })
  if (secondary.sub === primary.sub) return
  const [provider, userId] = [
    secondary.sub.slice(0, secondary.sub.indexOf('|')),
    secondary.sub.slice(secondary.sub.indexOf('|') + 1),
  ]
  expectStatus(await api.post(`${userPath(primary.sub)}/identities`, { provider, user_id: userId }), 201)
  const byCode = await signIn(server, { connection: 'code' })
  assert.equal(byCode.sub, primary.sub)
  assert.equal(await silently(byCode.browser, server), 'code')
  expectStatus(await api.delete(`${userPath(primary.sub)}/identities/${provider}/${encodeURIComponent(userId)}`), 200)
  assert.equal(await silently(byCode.browser, server), 'login_required')
  assert.equal(await silently(primary.browser, server), 'code')
})

test('use keeps a session from idling out, and never past its absolute end', async () => {
  const short = await startServer({
    providers: {},
    settings: { sessions: { idle_seconds: 400, absolute_seconds: 900 } },
  })
  const { browser } = await signIn(short, { user: short.tenant.ada })
  const idle = await signIn(short, { user: short.tenant.ada })
  for (const seconds of [240, 240, 200]) {
    passTime(seconds)
    assert.ok((await authorize(browser, short, { extra: { prompt: 'none' } })).page.params.has('code'))
  }
  assert.equal(await silently(idle.browser, short), 'login_required')
  passTime(270)
  assert.equal(await silently(browser, short), 'login_required')
  // Whoever signs in now has a new session, not the rest of the old one.
  const again = await signIn(short, { browser, user: short.tenant.ada })
  passTime(100)
  assert.equal(await silently(again.browser, short), 'code')
})

test('the id of a session is new after each sign-in; an older cookie opens nothing', async () => {
  const { browser } = await signIn(server, { user: ada })
  const before = browser.clone()
  await signIn(server, { browser, user: ada, extra: { prompt: 'login' } })
  assert.equal(await silently(browser, server), 'code')
  assert.equal(await silently(before, server), 'login_required')
})

test('a sign-in that was not followed up does not come back after a sign-out, nor into another session', async () => {
  for (const then of ['sign-out', 'another person'] as const) {
    const browser = new Browser()
    await browser.open(authorizeUrl(server).url)
    // The browser stops before it is sent on to the client.
    await browser.submit('login', {
      fields: { username: ada.email, password: ada.password },
      stopAt: `${server.issuer}authorize/`,
    })
    const resume = browser.page.url
    assert.match(resume, /\/authorize\//)
    if (then === 'sign-out') {
      await browser.open(`${server.url}/v2/logout?client_id=web&returnTo=${encodeURIComponent(LOGGED_OUT)}`)
      assert.equal(await silently(browser, server), 'login_required')
    } else {
      const answers = { 'link-conflict': 'continue' }
      await signIn(server, { browser, user: eve, extra: { prompt: 'login' }, answers })
    }
    const page = await browser.open(resume)
    assert.deepEqual([page.status, page.name, page.error], [400, 'error', 'interaction_expired'], then)
  }
})

test('logout goes to registered addresses, returns the state, and ends the session', async () => {
  const out = encodeURIComponent(LOGGED_OUT)
  const v2 = await signIn(server, { user: ada })
  const first = await v2.browser.open(`${server.url}/v2/logout?client_id=web`)
  assert.deepEqual([first.stopped, first.url], [true, LOGGED_OUT])
  assert.equal(await silently(v2.browser, server), 'login_required')

  const hinted = await signIn(server, { user: ada })
  const page = await hinted.browser.open(
    `${server.url}/oidc/logout?id_token_hint=${hinted.idToken}&post_logout_redirect_uri=${out}&state=s1`,
  )
  assert.equal(page.url, `${LOGGED_OUT}?state=s1`)
  assert.equal(await silently(hinted.browser, server), 'login_required')

  const bySid = await signIn(server, { user: ada })
  const sid = String(bySid.claims.sid)
  await bySid.browser.open(`${server.url}/oidc/logout?client_id=web&logout_hint=${sid}&post_logout_redirect_uri=${out}`)
  assert.equal(bySid.browser.page.url, LOGGED_OUT)

  const asked = await signIn(server, { user: ada })
  await asked.browser.open(`${server.url}/oidc/logout?client_id=web&post_logout_redirect_uri=${out}&state=s2`)
  assert.equal(asked.browser.page.name, 'logout')
  assert.equal(await silently(asked.browser, server), 'code')
  await asked.browser.submit('logout', { action: 'confirm' })
  assert.equal(asked.browser.page.url, `${LOGGED_OUT}?state=s2`)
  assert.equal(await silently(asked.browser, server), 'login_required')

  // By POST as well, and without a session nothing is asked.
  const posted = await new Browser().post(`${server.url}/oidc/logout`, {
    client_id: 'web',
    post_logout_redirect_uri: LOGGED_OUT,
  })
  assert.equal(posted.url, LOGGED_OUT)
  for (const path of ['/v2/logout?client_id=web&returnTo=', '/oidc/logout?client_id=web&post_logout_redirect_uri=']) {
    const who = await signIn(server, { user: ada })
    const refused = await who.browser.open(`${server.url}${path}${encodeURIComponent('https://evil.test/')}`)
    assert.deepEqual([refused.status, refused.name], [400, 'error'])
    assert.equal(await silently(who.browser, server), 'code')
  }
})
