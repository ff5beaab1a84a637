// Lifecycle (T-LIFE): who is blocked or gone is so everywhere, and nobody inherits from them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  authorize,
  authorizeUrl,
  completeConnect,
  connect,
  currentUserSignIn,
  drive,
  exchange,
  expectStatus,
  me,
  meToken,
  mgmt,
  redeem,
  refresh,
  type SignedIn,
  signIn,
  startConnect,
  userPath,
} from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { eventually, request } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { eventsOf, openDoors } from '../support/state.ts'
import { PASSWORDS } from '../support/tenant.ts'
import { databases } from './databases.ts'

/** Everything that may be outstanding when a person's account ends. */
async function collect(server: TestServer) {
  const person = server.person('leaver', ['calendar', 'code'])
  const who = await signIn(server, { connection: 'calendar' })
  const token = await meToken(server, who)
  const account = await connect(who.browser, server, { token, connection: 'code' })
  const agent = await signIn(server, { browser: who.browser, client: 'agent-b' })
  const current = await currentUserSignIn(server, { browser: who.browser })
  const unredeemed = await authorize(who.browser, server)
  assert.ok(unredeemed.params.has('code'))
  const ticket = await startConnect(server, { token, connection: 'code' })
  const opened = await startConnect(server, { token, connection: 'code' })
  const tab = who.browser.clone()
  const upstream = await tab.open(opened.url, { stopAt: `${server.url}/login/callback/` })
  const confirmed = await startConnect(server, { token, connection: 'code' })
  const confirming = who.browser.clone()
  await confirming.open(confirmed.url)
  await drive(confirming)
  assert.ok(confirming.page.params.has('connect_code'))
  const signingIn = new Browser()
  const login = await signingIn.open(authorizeUrl(server, { connection: 'calendar', client: 'spa' }).url, {
    stopAt: `${server.url}/login/callback/`,
  })
  return {
    person,
    who,
    token,
    account,
    agent,
    current,
    unredeemed,
    ticket,
    upstream: { browser: tab, url: upstream.url },
    confirmed: { flow: confirmed, params: confirming.page.params },
    login: { browser: signingIn, url: login.url },
  }
}

type Artefacts = Awaited<ReturnType<typeof collect>>

/** What still opens something, at a node. */
async function alive(server: TestServer, url: string, kept: Artefacts): Promise<readonly string[]> {
  const { who, token, agent, current } = kept
  const found = [...(await openDoors(server, who, { connection: 'calendar', meToken: token, url }))]
  const doors: Record<string, boolean> = {
    'exchange of the connected account':
      (await exchange(server, { connection: 'code', subjectToken: who.refreshToken, url })).status === 200,
    "the agent's refresh": (await refresh(server, 'agent-b', agent.refreshToken, {}, url)).status === 200,
    'own profile':
      (await (await mgmt(server, { token: current.accessToken, url })).get(userPath(who.sub))).status === 200,
    'user-info by JWT':
      (await request(`${url}/userinfo`, { headers: { authorization: `Bearer ${current.accessToken}` } })).status ===
      200,
    code: (await redeem(server, kept.unredeemed, { url })).status === 200,
    complete: (await completeConnect(server, kept.confirmed.flow, kept.confirmed.params)).status === 201,
    'a new connect': (await startConnect({ ...server, url }, { token, connection: 'code' })).answer.status === 201,
    ticket: (await opens(kept.who.browser.clone(), kept.ticket.url)) === 'link-confirm',
    'the answer of a connect': (await opens(kept.upstream.browser, kept.upstream.url)) === 'link-confirm',
    'the account page': (await opens(kept.who.browser.clone(), `${server.url}/account`)) === 'account',
    accounts: (await me({ url }, token).get('/connected-accounts/accounts')).status === 200,
  }
  return [...found, ...Object.keys(doors).filter((door) => doors[door])]
}

const opens = async (browser: Browser, url: string): Promise<string | undefined> =>
  (await browser.open(url, { stopAt: 'http://127.0.0.1:9/' })).name

for (const database of databases) {
  for (const end of ['blocked', 'deleted'] as const) {
    test(`T-LIFE-01 whoever is ${end} at one node is dead at the other, with all that was outstanding (${database})`, async () => {
      const server = await startServer({ nodes: 2, database })
      const kept = await collect(server)
      const api = await mgmt(server)
      const path = userPath(kept.who.sub)
      if (end === 'blocked') expectStatus(await api.patch(path, { blocked: true }), 200)
      else expectStatus(await api.delete(path), 204)
      const other = server.nodes[1] ?? ''
      assert.deepEqual(await alive(server, other, kept), [])
      // A sign-in that was under way: nobody comes in as who was blocked, and who was deleted comes as somebody new.
      const page = await kept.login.browser.open(kept.login.url)
      if (end === 'blocked') assert.equal(page.params.has('code'), false)
      const again = await authorize(new Browser(), server, { connection: 'calendar' })
      if (end === 'blocked') {
        assert.equal(again.params.has('code'), false)
        expectStatus(await api.patch(path, { blocked: false }), 200)
        assert.deepEqual(await alive(server, other, kept), [], 'the old ones stay dead after unblocking')
      }
    })
  }
}

test('T-LIFE-02 who signs in again after being deleted is somebody new, with nothing of before', async () => {
  const server = await startServer()
  const { who, token, account } = await collect(server)
  const api = await mgmt(server)
  const path = userPath(who.sub)
  expectStatus(await api.patch(path, { user_metadata: { plan: 'gold' }, app_metadata: { role: 'admin' } }), 200)
  expectStatus(await api.delete(path), 204)
  const again: SignedIn = await signIn(server, { connection: 'calendar' })
  assert.notEqual(again.sub, who.sub)
  const user = (await api.get(userPath(again.sub))).json
  assert.deepEqual([user.user_metadata, user.app_metadata], [{}, {}])
  assert.equal(user.logins_count, 1)
  assert.equal((await api.get(path)).status, 404)
  const fresh = await meToken(server, again)
  const accounts = (await me(server, fresh).get('/connected-accounts/accounts')).json.accounts
  assert.ok(accounts.every(({ id }: { id: string }) => id !== account.id))
  assert.equal(
    (await exchange(server, { connection: 'code', subjectToken: again.refreshToken })).json.tenon.code,
    'not_connected',
  )
  assert.equal((await me(server, token).get('/connected-accounts/accounts')).status, 401)
  // A password that is made anew has a new id as well.
  const { ada } = server.tenant
  const before = await signIn(server, { user: ada })
  expectStatus(await api.delete(userPath(before.sub)), 204)
  assert.equal((await authorize(new Browser(), server, { user: ada })).params.has('code'), false)
  expectStatus(await api.post('/users', { connection: PASSWORDS, ...ada, email_verified: true }), 201)
  assert.notEqual((await signIn(server, { user: ada })).sub, before.sub)
  // Asked for by name, an id that somebody had is not given again.
  const named = {
    connection: PASSWORDS,
    email: 'heir@example.test',
    password: ada.password,
    user_id: before.sub.slice(6),
  }
  const heir = expectStatus(await api.post('/users', named), 201).json
  assert.notEqual(heir.user_id, before.sub)
})

test('T-LIFE-04 a token of somebody who is gone opens nothing of whoever came after', async () => {
  const server = await startServer()
  server.person('gone', ['code'])
  const old = await currentUserSignIn(server, { connection: 'code' })
  const api = await mgmt(server)
  expectStatus(await api.delete(userPath(old.sub)), 204)
  const heir = await currentUserSignIn(server, { connection: 'code' })
  assert.notEqual(heir.sub, old.sub)
  const own = await mgmt(server, { token: old.accessToken })
  for (const sub of [old.sub, heir.sub]) assert.equal((await own.get(userPath(sub))).status, 401)
  const headers = { authorization: `Bearer ${old.accessToken}` }
  assert.equal((await request(`${server.url}/userinfo`, { headers })).status, 401)
  assert.equal((await refresh(server, 'spa', old.refreshToken)).json.error, 'invalid_grant')
})

test('T-XCH-03 a session that was revoked takes its subject tokens along, on every node; another of the same person stays', async () => {
  const server = await startServer({ nodes: 2 })
  server.person('leaver', ['calendar'])
  const ended = await signIn(server, { connection: 'calendar' })
  const api = await mgmt(server)
  const [session] = expectStatus(await api.get(`${userPath(ended.sub)}/sessions`), 200).json.sessions
  const kept = await signIn(server, { connection: 'calendar' })
  const ask = (url: string, { refreshToken }: SignedIn) =>
    exchange(server, { connection: 'calendar', subjectToken: refreshToken, url })
  for (const url of server.nodes) expectStatus(await ask(url, ended), 200)
  expectStatus(await api.post(`/sessions/${session.id}/revoke`), 202)
  for (const url of server.nodes) {
    assert.equal((await ask(url, ended)).json.tenon?.code, 'subject_token_invalid')
    assert.equal((await refresh(server, 'web', ended.refreshToken, {}, url)).json.error, 'invalid_grant')
    expectStatus(await ask(url, kept), 200)
  }
})

for (const database of databases) {
  test(`T-LIFE-06 ${database}: a deleted connection's tokens end at the provider, which knows its secret still`, async () => {
    const server = await startServer({ database })
    const { calendar } = server.providers
    const person = server.person('outlived', ['calendar'])
    const who = await signIn(server, { connection: PASSWORDS, user: server.tenant.eve })
    await connect(who.browser, server, { token: await meToken(server, who), connection: 'calendar' })
    assert.ok(calendar.hasLiveRefreshToken(person.key))
    const api = await mgmt(server)
    const { id } = expectStatus(await api.get('/connections?name=calendar'), 200).json[0]
    // The first try for each fails, so that it has to be kept in mind for some seconds.
    calendar.fail('revoke', { status: 503, times: 2 })
    expectStatus(await api.delete(`/connections/${id}`), 204)
    await eventually('no token lives', () => !calendar.hasLiveRefreshToken(person.key))
    const results = (await eventsOf(server, 'vault.token_revoked')).map(({ data }) => data?.result)
    assert.deepEqual([...new Set(results)], ['revoked'])
  })
}
