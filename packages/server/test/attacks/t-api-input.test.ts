// What a client may send (T-API-04 to -06): searches, and input that is too long, too deep or oddly named.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorizeUrl, mgmt, signIn, userPath } from '../support/actors.ts'
import { Browser, CALLBACKS } from '../support/browser.ts'
import { type Answer, request } from '../support/http.ts'
import { startServer } from '../support/server.ts'
import { VAULT_GRANT } from '../support/tenant.ts'

const server = await startServer()
const { ada } = server.tenant
const api = await mgmt(server)

test('T-API-04 a search is words of ours, or 400, and never reaches the database as text', async () => {
  const queries = [
    "email:\"x' or '1'='1\"",
    'email:*',
    'password:*',
    '_exists_:password_hash',
    'email:/.*/',
    'logins_count:[0 TO 100}',
    'logins_count:[0 TO 1e99]',
    'app_metadata.a.b.c.d.e.f.g.h.i.j:x',
    'user_metadata."; drop table users; --:x',
    'app_metadata.x:(a OR "x\' or 1=1 --")',
    `name:${'*a'.repeat(100)}`,
    `${'name:a OR '.repeat(300)}name:a`,
    `${'('.repeat(10_000)}email:x`,
    'email:"\u0000"',
    'email:%',
    'secret_hash:x',
    'identities.access_token:*',
    ')(',
    '"',
    'email:a OR email:b AND NOT',
  ]
  for (const q of queries) {
    const started = performance.now()
    const { status, text } = await api.get(`/users?q=${encodeURIComponent(q)}&search_engine=v3`)
    assert.ok(status === 200 || status === 400, `${q.slice(0, 40)}: ${status}`)
    assert.doesNotMatch(text, /sqlite|syntax error|pg_|select /i)
    assert.ok(performance.now() - started < 5000, q.slice(0, 40))
    if (status === 200 && !/[*]|^logins_count:\[0 TO 100}/.test(q)) assert.doesNotMatch(text, /ada@example/, q)
  }
  for (const more of [
    'sort=email;drop',
    'sort=password:1',
    'page=1000000000',
    'page=-1',
    'per_page=100000',
    'fields=*',
    'fields=password_hash',
  ]) {
    const { status, text } = await api.get(`/users?${more}`)
    assert.ok(status === 200 || status === 400, `${more}: ${status}`)
    assert.doesNotMatch(text, /hash|argon2/)
  }
})

test('T-API-05 what is too long, too deep or too many is refused, and the server lives', async () => {
  const long = 'a'.repeat(100_000)
  const web = { client_id: 'web', client_secret: server.tenant.secrets.web ?? '' }
  const send = (path: string, options: Parameters<typeof request>[1]) => request(`${server.url}${path}`, options)
  const json = { 'content-type': 'application/json', authorization: `Bearer ${api.token}` }
  const manyKeys = JSON.stringify(Object.fromEntries(Array.from({ length: 60_000 }, (_, at) => [`k${at}`, 1])))
  const deep = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`
  const doubled = Array.from({ length: 10_000 }, () => 'scope=openid').join('&')
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const attempts: Record<string, Promise<Answer>> = {
    'a long scope': send('/oauth/token', {
      form: { ...web, grant_type: 'refresh_token', refresh_token: 'x', scope: long },
    }),
    'a long token': send('/oauth/token', { form: { ...web, grant_type: 'refresh_token', refresh_token: long } }),
    'a long subject token': send('/oauth/token', {
      form: { ...web, grant_type: VAULT_GRANT, connection: 'calendar', subject_token: long, subject_token_type: long },
    }),
    'a long client id': send('/oauth/token', {
      form: { client_id: long, client_secret: long, grant_type: 'client_credentials' },
    }),
    'a long assertion': send('/oauth/token', {
      form: {
        grant_type: 'client_credentials',
        client_assertion: `${long}.${long}.${long}`,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      },
    }),
    'a doubled parameter': send('/oauth/token', { headers: form, body: doubled }),
    'a big form': send('/oauth/token', { headers: form, body: `a=${'b'.repeat(1_100_000)}` }),
    'big JSON': send('/oauth/token', { headers: json, body: `"${'b'.repeat(1_100_000)}"` }),
    'deep JSON': send('/oauth/token', { headers: json, body: deep }),
    'deep JSON at the API': send('/api/v2/users', { headers: json, body: deep }),
    'many members at the API': send('/api/v2/users', { headers: json, body: manyKeys }),
    'a big body at the API': send('/api/v2/users', { headers: json, body: `{"a":"${'b'.repeat(1_100_000)}"}` }),
    'deep metadata': send('/api/v2/users', { headers: json, body: `{"connection":"x","user_metadata":${deep}}` }),
    'a long address': send('/api/v2/users', {
      headers: json,
      body: JSON.stringify({ connection: 'x', email: `${long}@x.test` }),
    }),
    'no JSON': send('/api/v2/users', { headers: json, body: '{"a":' }),
    'no UTF-8': send('/api/v2/users', { headers: json, body: new Uint8Array([0x22, 0xff, 0xfe, 0x22]) }),
    'broken multipart': send('/u/login', {
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: '--x\r\nbroken',
    }),
    'multipart without a boundary': send('/u/login', { headers: { 'content-type': 'multipart/form-data' }, body: 'x' }),
    'broken multipart at user-info': send('/userinfo', {
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
      body: '--x',
    }),
    'broken percent signs': send('/u/login', { headers: form, body: '%=%zz&state=%ff' }),
    'a long state': send(
      `/authorize?client_id=web&response_type=code&redirect_uri=${encodeURIComponent(`${CALLBACKS}cb`)}&state=${'s'.repeat(12_000)}`,
      {},
    ),
    'a long agent': send('/u/login?state=x', { headers: { 'user-agent': 'u'.repeat(12_000) } }),
    'too long a URL': send(`/authorize?state=${long}`, {}).catch(() => ({ status: 431 }) as Answer),
    'broken percent signs in a path': send('/', { target: '/api/v2/users/%zz', headers: json }),
    'a long path': send(`/api/v2/users/${'x'.repeat(8000)}`, { headers: json }),
    'a null in a path': send('/', { target: '/api/v2/users/%00', headers: json }),
    'a long cookie': send('/account', { headers: { cookie: `__Host-tenon_browser=${'x'.repeat(8000)}` } }),
    'a broken callback': send('/login/callback/%zz?state=x', {}).catch(() => ({ status: 400 }) as Answer),
  }
  for (const [name, attempt] of Object.entries(attempts)) {
    const { status } = await attempt
    assert.ok(status < 500, `${name}: ${status}`)
    if (!/state|agent|cookie/.test(name)) assert.ok(status >= 400, `${name}: ${status}`)
  }
  // Addresses and redirect URIs made to keep a matcher busy.
  const started = performance.now()
  for (const email of [
    `${'a'.repeat(60)}@${'a-'.repeat(90)}`,
    `${'a.'.repeat(30)}@${'x.'.repeat(95)}`,
    `"${'\\'.repeat(60)}"@x.test`,
  ]) {
    const browser = new Browser()
    await browser.open(authorizeUrl(server, { extra: { screen_hint: 'reset-password' } }).url)
    await browser.submit('reset', { fields: { email } })
  }
  assert.ok(performance.now() - started < 20_000)
  assert.equal((await send('/healthz', {})).status, 200)
  assert.doesNotMatch(server.logs(), /"level":"error"/)
})

test('T-API-06 no member named like a part of every object becomes one', async () => {
  const raw = (path: string, body: string, token = api.token) =>
    request(`${server.url}${path}`, {
      method: path.includes('users/') ? 'PATCH' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body,
    })
  const who = await signIn(server, { user: ada })
  const poison = [
    '{"__proto__":{"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}}}',
    '{"user_metadata":{"__proto__":{"polluted":true}}}',
    '{"app_metadata":{"a":{"constructor":{"prototype":{"polluted":true}}}}}',
  ]
  for (const body of poison) {
    const { status } = await raw(`/api/v2${userPath(who.sub)}`, body)
    assert.equal(status, 400, body)
  }
  await request(`${server.url}/oauth/token`, {
    headers: { 'content-type': 'application/json' },
    body: '{"__proto__":{"client_id":"web"},"grant_type":"client_credentials"}',
  })
  await request(`${server.url}/oauth/token?__proto__[x]=1`, {
    form: { '__proto__[client_id]': 'web', 'constructor.prototype.x': '1' },
  })
  await request(`${server.url}/authorize?__proto__[polluted]=1&__proto__.polluted=1&constructor[prototype][polluted]=1`)
  server.person('poisoner', ['calendar'], {
    extraClaims: JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
  })
  await signIn(server, { connection: 'calendar' })
  server.person('clean', ['calendar'])
  const clean = await signIn(server, { connection: 'calendar' })
  const user = (await api.get(userPath(clean.sub))).json
  assert.doesNotMatch(JSON.stringify(user), /polluted/)
  assert.equal(({} as { polluted?: unknown }).polluted, undefined)
})
