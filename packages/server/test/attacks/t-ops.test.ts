// Operations (T-OPS, T-API-11): what logs and the record hold, what a fresh deployment opens, clocks that go wrong.
import assert from 'node:assert/strict'
import { connect as openSocket } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import pg from 'pg'
import { openStorage } from '../../src/storage/open.ts'
import { runTenon, scratch } from '../cli/run.ts'
import {
  connect,
  currentUserSignIn,
  exchange,
  expectStatus,
  me,
  meToken,
  mgmt,
  refresh,
  signIn,
  silently,
  userPath,
} from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { request } from '../support/http.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { changesNothing, eventsOf, openDoors } from '../support/state.ts'
import { PASSWORDS } from '../support/tenant.ts'
import { passTime } from '../support/time.ts'
import { databases } from './databases.ts'

/** One request as it is written, whatever a client of ours would think of it. */
function raw(server: Pick<TestServer, 'url'>, text: string): Promise<string> {
  return new Promise((resolve) => {
    let said = ''
    const socket = openSocket(Number(new URL(server.url).port), '127.0.0.1', () => socket.write(text, 'latin1'))
    socket.setTimeout(20_000, () => socket.destroy())
    socket.on('data', (chunk) => {
      said += String(chunk)
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(said))
  })
}

test('T-OPS-01 nothing that a client sends begins a line of the log, or colours one', async () => {
  const server = await startServer({ providers: {} })
  const forged = '{"level":"error","event":"forged","msg":"root signed in"}'
  const before = server.logs().length
  const head = 'Host: x\r\nConnection: close\r\n'
  for (const text of [
    `GET /account?x=%0d%0a${encodeURIComponent(forged)} HTTP/1.1\r\n${head}\r\n`,
    `GET /nowhere HTTP/1.1\r\n${head}User-Agent: a\u001b[31m${forged}\u001b]0;x\u0007\r\n\r\n`,
    `GET /nowhere HTTP/1.1\r\n${head}X-Request-Id: a\u2028${forged}\r\n\r\n`,
    `GET /login/callback/${encodeURIComponent(`\n${forged}\u001b[2J`)}?state=x&error=%0A${encodeURIComponent(forged)} HTTP/1.1\r\n${head}\r\n`,
  ])
    await raw(server, text)
  const browser = new Browser()
  await browser.open(`${server.url}/account`)
  await browser.submit('login', {
    fields: { username: `ada@example.test\n${forged}`, password: `\r\n${forged}\u001b[31m` },
  })
  const body = { grant_type: `x\n${forged}`, client_id: `web\r\n${forged}`, client_secret: '\u001b[31m' }
  await request(`${server.url}/oauth/token`, { form: body })
  await request(`${server.url}/api/v2/users`, { headers: { authorization: `Bearer x${'y'.repeat(4000)}` } })
  // Longer than any header may be.
  await raw(server, `GET / HTTP/1.1\r\n${head}User-Agent: ${'x'.repeat(1_000_000)}\r\n\r\n`)
  const logged = server.logs().slice(before)
  const lines = logged.split('\n').filter((line) => line !== '')
  for (const line of lines) {
    const entry = JSON.parse(line)
    assert.notEqual(entry.event, 'forged')
    assert.ok(line.length < 20_000)
  }
  assert.equal(
    [...logged].filter((character) => character < ' ' && character !== '\n').length,
    0,
    'no control character',
  )
  assert.equal((await request(`${server.url}/healthz`)).status, 200)
})

/** Makes the record unwritable, until what it returns is called. */
async function breakRecord({ databaseUrl }: TestServer): Promise<() => Promise<void>> {
  if (databaseUrl.startsWith('sqlite:')) {
    const file = new DatabaseSync(databaseUrl.slice('sqlite:'.length), { timeout: 20_000 })
    file.exec("create trigger full_disk before insert on events begin select raise(abort, 'full_disk'); end")
    return async () => {
      file.exec('drop trigger full_disk')
      file.close()
    }
  }
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query(
    "create function full_disk() returns trigger language plpgsql as $$ begin raise exception 'full_disk'; end $$",
  )
  await client.query('create trigger full_disk before insert on events for each row execute function full_disk()')
  return async () => {
    await client.query('drop trigger full_disk on events')
    await client.query('drop function full_disk()')
    await client.end()
  }
}

for (const database of databases)
  test(`T-OPS-02 what cannot be recorded does not happen, and no token leaves without its record (${database})`, async () => {
    const server = await startServer({ database })
    const api = await mgmt(server)
    server.person('recorded', ['calendar', 'files', 'code'])
    const who = await signIn(server, { client: 'agent-a', connection: 'calendar' })
    const token = await meToken(server, who)
    const account = await connect(who.browser, server, { token, connection: 'files' })
    const other = await signIn(server, { user: server.tenant.ada })
    await who.browser.open(`${server.url}/account`)
    const page = who.browser.page
    const form = (name: string) => {
      const found = page.forms.find((one) => one.name === name)
      return [new URL(found?.action ?? '', server.url).href, Object.fromEntries(found?.fields ?? [])] as const
    }
    const post = async (name: string, fields: Record<string, string>) => {
      const [url, own] = form(name)
      return who.browser.clone().post(url, { ...own, ...fields }, { from: url })
    }
    const [provider = '', id = ''] = [
      other.sub.slice(0, other.sub.indexOf('|')),
      other.sub.slice(other.sub.indexOf('|') + 1),
    ]
    const attempts: Record<string, () => Promise<{ status: number; text?: string }>> = {
      exchange: () => exchange(server, { client: 'agent-a', connection: 'files', subjectToken: who.refreshToken }),
      link: () => api.post(`${userPath(who.sub)}/identities`, { provider, user_id: id }),
      merge: () => api.post('/links', { primary_user_id: who.sub, secondary_user_id: other.sub }),
      block: () => api.patch(userPath(other.sub), { blocked: true }),
      delete: () => api.delete(userPath(other.sub)),
      disconnect: () => me(server, token).delete(`/connected-accounts/accounts/${account.id}`),
      'a client': () => api.post('/clients', { name: 'New', app_type: 'regular_web' }),
      'a name': () => post('change-name', { name: 'Somebody Else' }),
    }
    const mend = await breakRecord(server)
    try {
      await changesNothing(server, async () => {
        for (const [name, attempt] of Object.entries(attempts)) {
          const { status, text = '' } = await attempt()
          assert.ok(status >= 500, `${name}: ${status}`)
          // Nobody outside is told how it is made.
          assert.doesNotMatch(text, /full_disk|sqlite|\bat .*\.ts:|node_modules|insert into/i, name)
          assert.doesNotMatch(text, /access_token/, name)
        }
        assert.notEqual((await request(server.url)).status, 0)
      })
    } finally {
      await mend()
    }
    assert.deepEqual(await openDoors(server, other), ['userinfo', 'refresh', 'session (code)'])
    const kept = await exchange(server, { client: 'agent-a', connection: 'files', subjectToken: who.refreshToken })
    assert.equal(kept.status, 200, 'the same exchange, once it can be recorded')
    expectStatus(await api.post('/links', { primary_user_id: who.sub, secondary_user_id: other.sub }), 201)
  })

test('T-OPS-02 each change names whom it concerns, who asked, and what came of it', async () => {
  const server = await startServer()
  const api = await mgmt(server)
  server.person('subject', ['calendar', 'files'])
  const who = await signIn(server, { client: 'agent-a', connection: 'calendar' })
  const token = await meToken(server, who)
  const account = await connect(who.browser, server, { token, connection: 'files' })
  await exchange(server, { client: 'agent-a', connection: 'files', subjectToken: who.refreshToken })
  await exchange(server, { client: 'agent-a', connection: 'code', subjectToken: who.refreshToken })
  const other = await signIn(server, { user: server.tenant.ada })
  const link = await api.post('/links', { primary_user_id: who.sub, secondary_user_id: other.sub })
  expectStatus(await api.post(`/links/${link.json.id}/undo`, {}), 200)
  expectStatus(await api.patch(userPath(other.sub), { blocked: true }), 200)
  const expected: Record<string, Partial<Record<'userId' | 'clientId' | 'accountId' | 'outcome', string>>> = {
    'connected_account.connected': { userId: who.sub, clientId: 'agent-a', accountId: account.id, outcome: 'ok' },
    'user.linked': { userId: who.sub, clientId: 'm2m', outcome: 'ok' },
    'user.retired': { userId: other.sub, clientId: 'm2m', outcome: 'ok' },
    'link.undone': { userId: who.sub, clientId: 'm2m', outcome: 'ok' },
    'user.restored': { userId: other.sub, clientId: 'm2m', outcome: 'ok' },
    'user.blocked': { userId: other.sub, clientId: 'm2m', outcome: 'ok' },
  }
  for (const [type, members] of Object.entries(expected)) {
    const [event] = await eventsOf(server, type)
    assert.deepEqual({ ...event, ...members }, event, type)
  }
  const exchanged = await eventsOf(server, 'vault.exchanged')
  assert.deepEqual(
    exchanged.map(({ userId, clientId, outcome }) => [userId, clientId, outcome]),
    [
      [who.sub, 'agent-a', 'ok'],
      [who.sub, 'agent-a', 'refused'],
    ],
  )
})

test('T-OPS-04 a fresh deployment lets nobody in, and shows nothing of how it is made', async () => {
  const server = await startServer({
    providers: {},
    tenant: (file) =>
      Object.assign(file, {
        clients: [],
        users: [],
        client_grants: [],
        resource_servers: [],
        connections: [{ name: PASSWORDS, strategy: 'auth0', options: {} }],
      }),
  })
  const storage = await openStorage({ url: server.databaseUrl })
  try {
    assert.equal((await storage.users.list({ offset: 0, limit: 1 })).total, 0)
    assert.equal((await storage.clients.list({ offset: 0, limit: 1 })).total, 0)
  } finally {
    await storage.close()
  }
  for (const name of ['admin', 'root', 'tenon', 'test', 'demo', 'default', 'web', 'm2m', ''])
    for (const secret of ['admin', 'secret', 'changeme', 'password', 'tenon', name]) {
      const form = {
        grant_type: 'client_credentials',
        client_id: name,
        client_secret: secret,
        audience: `${server.issuer}api/v2/`,
      }
      const { status, json } = await request(`${server.url}/oauth/token`, { form })
      assert.ok(status === 401 || status === 400, `${name}: ${status}`)
      assert.equal(json.access_token, undefined)
    }
  const browser = new Browser()
  await browser.open(`${server.url}/account`)
  for (const username of ['admin@example.test', 'admin', 'root@localhost'])
    assert.equal((await browser.submit('login', { fields: { username, password: 'admin' } })).name, 'login')
  const hidden = ['/debug', '/debug/pprof', '/playground', '/graphql', '/swagger', '/.env', '/.git/config', '/metrics']
  for (const path of [...hidden, '/interaction/x', '/admin', '/setup', '/install', '/src/app.ts', '/package.json']) {
    const { status, text } = await request(`${server.url}${path}`)
    assert.equal(status, 404, path)
    assert.doesNotMatch(text, /\bat .*\.ts:|node_modules/, path)
  }
})

test('T-OPS-05 what weakens the server is refused at start, or says so in its name and in the log', async () => {
  const dataDir = scratch()
  const refused: readonly (readonly string[])[] = [
    ['--issuer', 'http://auth.example.test/'],
    ['--issuer', 'https://auth.example.test'],
    ['--vault-key', 'plain:secret'],
    ['--dangerously-allow-upstream-network', 'everything'],
    ['--insecure'],
  ]
  for (const flags of refused) {
    const { code, stdout } = await runTenon(['serve', '--port', '0', '--data-dir', dataDir, ...flags])
    assert.equal(code, 2, flags.join(' '))
    assert.equal(stdout, '')
  }
  for (const callback of [
    'https://*.example.test/cb',
    'https://app.example.test/*',
    'javascript:alert(1)',
    'https://a.test/cb#x',
  ])
    await assert.rejects(
      startServer({
        providers: {},
        tenant: ({ clients }) => {
          for (const client of clients) if (client.client_id === 'web') client.callbacks = [callback]
        },
      }),
      /callbacks/,
      callback,
    )
  const weakened = {
    'compatibility.dangerously_accept_userinfo_query_token': {
      compatibility: { dangerously_accept_userinfo_query_token: true },
    },
    'sessions.cookie_same_site': { sessions: { cookie_same_site: 'none' } },
  }
  for (const [setting, settings] of Object.entries(weakened)) {
    const open = await startServer({ providers: {}, settings })
    const said = open
      .logs()
      .split('\n')
      .filter((line) => line.includes('"event":"dangerous"'))
    assert.deepEqual(
      said.map((line) => JSON.parse(line).setting),
      [setting],
    )
  }
  const strict = await startServer({ providers: {} })
  assert.doesNotMatch(strict.logs(), /"event":"dangerous"/)
})

test('T-OPS-07 a clock that steps back, or runs ahead, signs nobody out and lets nobody in', async () => {
  const server = await startServer({ settings: { tokens: { access_token_seconds: 3600 } } })
  server.person('punctual', ['calendar', 'code'])
  const who = await currentUserSignIn(server, { connection: 'calendar' })
  const own = await mgmt(server, { token: who.accessToken })
  const alive = async () => {
    assert.equal(await silently(who.browser, server), 'code')
    expectStatus(await own.get(userPath(who.sub)), 200)
    expectStatus(await refresh(server, 'spa', who.refreshToken), 200)
  }
  passTime(-300)
  try {
    await alive()
    // What says that it comes from the future proves nothing now.
    const other = await currentUserSignIn(server, { connection: 'code' })
    passTime(-300)
    const early = await own.post(`${userPath(who.sub)}/identities`, { link_with: other.idToken })
    assert.equal(early.status, 400)
    await alive()
  } finally {
    passTime(600)
  }
  passTime(300)
  await alive()
  // And an end is an end: no more than a minute is forgiven.
  passTime(3600 + 60)
  assert.equal((await own.get(userPath(who.sub))).status, 401)
})

test('T-API-11 pages are stable, and tell nobody of what they may not see', async () => {
  const server = await startServer()
  const api = await mgmt(server)
  const made: string[] = []
  for (let at = 0; at < 7; at++) {
    const body = {
      connection: 'Username-Password-Authentication',
      email: `page-${at}@example.test`,
      password: `a long password ${at}`,
    }
    made.push(expectStatus(await api.post('/users', { ...body, email_verified: true }), 201).json.user_id)
  }
  const walk = async (query: string) => {
    const ids: string[] = []
    for (let page = 0; ; page++) {
      const { json } = expectStatus(await api.get(`/users?per_page=2&page=${page}&include_totals=true${query}`), 200)
      ids.push(...json.users.map(({ user_id: id }: { user_id: string }) => id))
      if (json.users.length < 2) return { ids, total: json.total as number }
    }
  }
  for (const query of ['', '&sort=created_at:1', '&sort=created_at:-1', '&sort=name:1']) {
    const [first, second] = [await walk(query), await walk(query)]
    assert.deepEqual(first.ids, second.ids, query)
    assert.equal(new Set(first.ids).size, first.ids.length, `${query}: nobody twice`)
    assert.equal(first.ids.length, first.total, `${query}: nobody missing`)
    for (const id of made) assert.ok(first.ids.includes(id))
  }
  // A person's own lists count what is theirs, and a cursor opens nothing of another's.
  const people = []
  for (const name of ['one', 'two']) {
    server.person(name, ['calendar', 'files', 'code'])
    const who = await signIn(server, { client: 'agent-a', connection: 'calendar' })
    const token = await meToken(server, who)
    for (const connection of ['files', 'code']) await connect(who.browser, server, { token, connection })
    people.push({
      token,
      accounts: expectStatus(await me(server, token).get('/connected-accounts/accounts'), 200).json.accounts,
    })
  }
  const [one, two] = people
  assert.ok(one && two)
  const ids = ({ accounts }: { accounts: readonly { id: string }[] }) => accounts.map(({ id }) => id)
  const page = expectStatus(await me(server, one.token).get('/connected-accounts/accounts?take=1'), 200).json
  assert.ok(page.next)
  assert.equal(JSON.stringify(page).includes('total'), false)
  const stolen = await me(server, two.token).get(`/connected-accounts/accounts?take=20&from=${page.next}`)
  assert.ok(stolen.status === 400 || stolen.status === 200)
  for (const id of ids(one)) assert.equal(stolen.text.includes(id), false)
  const rest = expectStatus(
    await me(server, one.token).get(`/connected-accounts/accounts?take=20&from=${page.next}`),
    200,
  ).json
  assert.deepEqual([...ids(page), ...ids(rest)].toSorted(), ids(one).toSorted())
})
