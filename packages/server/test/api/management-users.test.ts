import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { CURRENT_USER_SCOPES } from '../../src/protocol/api-scopes.ts'
import { API_AUDIENCE, openWorld, path, type World } from './world.ts'

let w: World
let admin: string
before(async () => {
  w = await openWorld()
  admin = w.machineToken()
})
after(() => w.close())

const get = (route: string, token = admin) => w.management(token, 'GET', route)

function refused(answer: { status: number; json: Record<string, unknown> }, status: number, errorCode?: string): void {
  assert.equal(answer.status, status, JSON.stringify(answer.json))
  assert.equal(answer.json.statusCode, status)
  assert.equal(typeof answer.json.error, 'string')
  assert.equal(typeof answer.json.message, 'string')
  if (errorCode !== undefined) assert.equal(answer.json.errorCode, errorCode)
}

test('a user is shown with its identities, the first without profileData', async () => {
  const user = await w.person('ada')
  const { status, json } = await get(path(user.userId))
  assert.equal(status, 200)
  assert.equal(json.user_id, 'oidc|acme|ada')
  assert.equal(json.email, 'ada@example.test')
  assert.equal(json.email_verified, true)
  assert.deepEqual(json.identities, [{ connection: 'acme', provider: 'oidc', user_id: 'acme|ada', isSocial: false }])
  assert.equal(json.logins_count, 1)
  assert.match(json.created_at, /^\d{4}-\d\d-\d\dT/)
})

test('a raw pipe in the path works as an encoded one does', async () => {
  await w.person('pipes')
  assert.equal((await get('/users/oidc|acme|pipes')).status, 200)
  assert.equal((await get('/users/oidc%7Cacme%7Cpipes')).status, 200)
})

test('without a token, with rubbish, with an ID token or for another audience the answer is 401 in our shape', async () => {
  const user = await w.person('door')
  for (const token of [undefined, 'rubbish', w.idToken(user.userId), await w.userToken(user.userId)]) {
    const answer = await w.management(token, 'GET', '/users')
    refused(answer, 401)
    assert.equal(answer.json.errorCode, undefined)
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/)
  }
})

test('a token without the scope is refused with the scopes that would do', async () => {
  const answer = await get('/users', w.machineToken(['read:clients']))
  refused(answer, 403, 'insufficient_scope')
  assert.match(answer.json.message, /expected any of: read:users/)
})

test('every operation refuses a token without any scope', async () => {
  const { managementOperations } = await import('../../src/api/management/app.ts')
  const weak = w.machineToken(['nothing:at_all'])
  // Only the descriptions are read: the dependencies are not used.
  for (const { spec } of managementOperations({} as Parameters<typeof managementOperations>[0])) {
    const route = spec.path.replaceAll(/\{\w+\}/g, 'x')
    const answer = await w.management(weak, spec.method.toUpperCase(), route)
    refused(answer, 403, 'insufficient_scope')
  }
})

test('lists page as bare arrays, wrapped with include_totals, and refuse what is out of bounds', async () => {
  for (const name of ['list-a', 'list-b', 'list-c']) await w.person(name)
  const first = await get('/users?per_page=2&page=0&sort=created_at:1')
  assert.equal(first.json.length, 2)
  const wrapped = await get('/users?per_page=2&page=1&include_totals=true')
  assert.equal(wrapped.json.start, 2)
  assert.equal(wrapped.json.limit, 2)
  assert.equal(wrapped.json.length, wrapped.json.users.length)
  assert.ok(wrapped.json.total >= 3)
  for (const query of ['per_page=101', 'page=-1', 'page=1000000000', 'page=x', 'include_totals=maybe', 'page=1&page=2'])
    refused(await get(`/users?${query}`), 400, 'invalid_query_string')
})

test('search finds by field and refuses everything that it does not understand', async () => {
  const user = await w.person('searched')
  const find = async (q: string) => (await get(`/users?q=${encodeURIComponent(q)}`)).json
  for (const q of [
    'email:searched@example.test',
    'email:"SEARCHED@example.test"',
    'user_id:"oidc|acme|searched"',
    'identities.user_id:"acme|searched" AND identities.provider:oidc',
    'identities.connection:acme AND name:searched',
    'name:SEARCHED',
    'name:sear*ed AND NOT email:nobody@example.test',
    'user_id:("oidc|acme|searched" OR "oidc|acme|nobody")',
    '-name:x AND name:"searched" email.domain:example.test',
    'email:*arched@example.test',
    'name:searched AND created_at:[2027 TO *] AND logins_count:{0 TO 1]',
    'email_verified:true AND user_id:oidc\\|acme\\|searched',
  ])
    assert.deepEqual(
      (await find(q)).map((one: { user_id: string }) => one.user_id),
      [user.userId],
      q,
    )
  for (const q of [
    'created_at:[a TO b]',
    'created_at:2027-02-31',
    'secret_hash:x',
    'app_metadata:x',
    'app_metadata..x:x',
    'user_metadata.plan:go*',
    'name:*ab',
    'name:a*b*c*d*e',
    'name:a?',
    'logins_count:1.5',
    'identities.access_token:x',
    'name:a AND',
    `${'('.repeat(10_000)}`,
    `${'('.repeat(30)}name:a${')'.repeat(30)}`,
    `${'NOT '.repeat(30)}name:a`,
    Array.from({ length: 51 }, () => 'name:a').join(' OR '),
    'searched',
    "name:' OR 1=1 --",
    'name:"open',
    '__proto__:x',
    'name:a  AND  AND name:b',
  ])
    refused(await get(`/users?q=${encodeURIComponent(q)}`), 400, 'invalid_query_string')
  refused(await get('/users?sort=email;drop:1'), 400, 'invalid_query_string')
  refused(await get('/users?q=name:%00'), 400, 'invalid_query_string')
  refused(await get('/users?page=10&per_page=100'), 400, 'invalid_query_string')
  refused(await get('/users?search_engine=v2'), 400, 'invalid_query_string')
})

test('fields picks members, include_fields=false leaves them out', async () => {
  const user = await w.person('fields')
  assert.deepEqual(Object.keys((await get(`${path(user.userId)}?fields=user_id,email`)).json).sort(), [
    'email',
    'user_id',
  ])
  const without = (await get(`${path(user.userId)}?fields=identities&include_fields=false`)).json
  assert.equal(without.identities, undefined)
  assert.equal(without.user_id, user.userId)
})

test('users-by-email finds by the canonical address', async () => {
  const user = await w.person('mailed')
  const { json } = await get('/users-by-email?email=MAILED%40example.test')
  assert.deepEqual(
    json.map((one: { user_id: string }) => one.user_id),
    [user.userId],
  )
  refused(await get('/users-by-email?email=nobody'), 400, 'invalid_query_string')
  refused(await get('/users-by-email'), 400, 'invalid_query_string')
})

test('a user is made with a password once, and refused when anything is unknown, weak or taken', async () => {
  const good = {
    connection: 'Username-Password-Authentication',
    email: 'Made@example.test',
    email_verified: true,
    password: 'Long-enough-1',
    user_metadata: { colour: 'red' },
  }
  const made = await w.management(admin, 'POST', '/users', good)
  assert.equal(made.status, 201, made.text)
  assert.match(made.json.user_id, /^auth0\|[0-9a-f]{24}$/)
  assert.equal(made.json.email, 'made@example.test')
  assert.equal(made.json.email_verified, true)
  assert.deepEqual(made.json.user_metadata, { colour: 'red' })
  assert.ok(!made.text.includes('Long-enough-1') && !made.text.includes('hash of'))
  refused(await w.management(admin, 'POST', '/users', good), 409, 'auth0_idp_error')
  const other = { ...good, email: 'other@example.test' }
  refused(await w.management(admin, 'POST', '/users', { ...other, logins_count: 7 }), 400, 'invalid_body')
  refused(await w.management(admin, 'POST', '/users', { ...other, identities: [] }), 400, 'invalid_body')
  refused(await w.management(admin, 'POST', '/users', { ...other, password: 'short' }), 400, 'invalid_password')
  refused(
    await w.management(admin, 'POST', '/users', { ...other, connection: 'nowhere' }),
    400,
    'inexistent_connection',
  )
  refused(await w.management(admin, 'POST', '/users', { ...other, connection: 'acme' }), 400, 'invalid_body')
  refused(await w.management(admin, 'POST', '/users', '{"email":'), 400, 'invalid_body')
  refused(await w.management(admin, 'POST', '/users', '{"connection":"a","connection":"b"}'), 400, 'invalid_body')
  const text = await w.management(admin, 'POST', '/users', 'x', { 'content-type': 'text/plain' })
  refused(text, 415)
  refused(await w.management(admin, 'POST', '/users', JSON.stringify({ name: 'x'.repeat(1_100_000) })), 413)
})

test('metadata merges at the top, null removes a key, an empty object clears', async () => {
  const user = await w.person('metadata')
  const patch = (body: unknown) => w.management(admin, 'PATCH', path(user.userId), body)
  await patch({ user_metadata: { a: 1, b: { c: 1 } } })
  const merged = await patch({ user_metadata: { a: null, b: { d: 2 }, e: 3 }, app_metadata: { plan: 'gold' } })
  assert.deepEqual(merged.json.user_metadata, { b: { d: 2 }, e: 3 })
  const cleared = await patch({ user_metadata: {} })
  assert.deepEqual(cleared.json.user_metadata, {})
  assert.deepEqual(cleared.json.app_metadata, { plan: 'gold' })
})

test('no member outside of the schema changes, and no prototype', async () => {
  const user = await w.person('assigned')
  for (const body of [
    { user_id: 'x' },
    { identities: [] },
    { created_at: '2020-01-01' },
    { logins_count: 9 },
    { 'user_metadata.x': 1 },
    '{"user_metadata":{"__proto__":{"polluted":1}}}',
    '{"user_metadata":{"constructor":{"prototype":{"polluted":1}}}}',
    `{"user_metadata":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`,
    { name: 'nul\u0000' },
  ])
    refused(await w.management(admin, 'PATCH', path(user.userId), body), 400, 'invalid_body')
  assert.equal(Reflect.get({}, 'polluted'), undefined)
  assert.equal((await get(path(user.userId))).json.name, 'assigned')
})

test('a new address is unproven until somebody says otherwise, and the old proof is gone', async () => {
  const user = await w.person('moving')
  const patch = (body: unknown) => w.management(admin, 'PATCH', path(user.userId), body)
  const moved = await patch({ email: 'moved@example.test' })
  assert.equal(moved.json.email, 'moved@example.test')
  assert.equal(moved.json.email_verified, false)
  assert.equal((await patch({ email_verified: true })).json.email_verified, true)
  assert.equal((await patch({ email_verified: false })).json.email_verified, false)
  refused(await patch({ email: 'no address' }), 400, 'invalid_body')
  refused(await patch({ email: 'a@b\u200b.test' }), 400, 'invalid_body')
})

test('blocking ends sessions, grants and tokens in the same moment', async () => {
  const user = await w.person('blocked')
  const account = await w.account(user.userId, 'files', 'blocked-files')
  const token = await w.userToken(user.userId)
  assert.equal((await w.me(token, 'GET', '/connected-accounts/accounts')).status, 200)
  assert.equal((await w.management(admin, 'PATCH', path(user.userId), { blocked: true })).json.blocked, true)
  assert.equal((await w.me(token, 'GET', '/connected-accounts/accounts')).status, 401)
  assert.deepEqual(await w.storage.artifacts.listOfUser('Grant', user.userId), [])
  const after = await w.storage.accounts.find(account.id)
  assert.ok(after && after.generation > account.generation)
  await w.management(admin, 'PATCH', path(user.userId), { blocked: false })
  assert.equal((await w.me(token, 'GET', '/connected-accounts/accounts')).status, 401, 'what ended stays ended')
})

test('deleting is 204 again and again, takes the accounts along and queues their revocation', async () => {
  const user = await w.person('deleted')
  const account = await w.account(user.userId, 'files', 'deleted-files')
  for (const _ of [1, 2]) assert.equal((await w.management(admin, 'DELETE', path(user.userId))).status, 204)
  refused(await get(path(user.userId)), 404, 'inexistent_user')
  assert.equal(await w.storage.accounts.find(account.id), undefined)
  assert.ok((await w.storage.revocations.countOfAccount(account.id)) > 0)
  const again = await w.person('deleted')
  assert.notEqual(again.userId, user.userId, 'a given id is never given again')
  assert.deepEqual((await get(path(again.userId))).json.user_metadata, {})
})

test("a user's own token reaches its own record only, and of it what its scopes say", async () => {
  const user = await w.person('own')
  const other = await w.person('not-own')
  const scopes = [...CURRENT_USER_SCOPES, 'read:users', 'update:users']
  const token = await w.userToken(user.userId, { clientId: 'spa', audience: API_AUDIENCE, scopes })
  assert.equal((await get(path(user.userId), token)).status, 200)
  refused(await get(path(other.userId), token), 403, 'unowned_resource')
  refused(await get('/users', token), 403, 'insufficient_scope')
  const patch = (userId: string, body: unknown) => w.management(token, 'PATCH', path(userId), body)
  assert.deepEqual((await patch(user.userId, { user_metadata: { a: 1 } })).json.user_metadata, { a: 1 })
  refused(await patch(user.userId, { app_metadata: { a: 1 } }), 403, 'insufficient_scope')
  refused(await patch(user.userId, { blocked: false }), 403, 'insufficient_scope')
  refused(await patch(other.userId, { user_metadata: { a: 1 } }), 403, 'unowned_resource')
})

test('a wrong method is 405, an unknown path 404, in our shape', async () => {
  const answer = await w.management(admin, 'PUT', '/users')
  refused(answer, 405)
  assert.match(answer.headers.get('allow') ?? '', /GET/)
  refused(await get('/nothing-here'), 404)
})

test('pages of the client may read the answer, others may not', async () => {
  const user = await w.person('cors')
  const token = await w.userToken(user.userId, { clientId: 'spa', audience: API_AUDIENCE, scopes: CURRENT_USER_SCOPES })
  const from = (origin: string) => w.management(token, 'GET', path(user.userId), undefined, { origin })
  const own = await from('https://spa.test')
  assert.equal(own.headers.get('access-control-allow-origin'), 'https://spa.test')
  assert.match(own.headers.get('access-control-expose-headers') ?? '', /dpop-nonce/)
  for (const origin of ['https://evil.test', 'null', 'https://app.test'])
    assert.equal((await from(origin)).headers.get('access-control-allow-origin'), null, origin)
  const preflight = await w.apps.management.request(`${API_AUDIENCE}users`, {
    method: 'OPTIONS',
    headers: { origin: 'https://spa.test', 'access-control-request-method': 'GET' },
  })
  assert.equal(preflight.status, 204)
  assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /dpop/)
})

test('the log shows what happened under the codes that tools know', async () => {
  await w.person('logged')
  const entries = (await get('/logs?per_page=100&sort=date%3A-1')).json
  assert.ok(entries.some((entry: { type: string }) => entry.type === 's'))
  assert.ok(!JSON.stringify(entries).includes('@example.test'), 'no address in the log')
  const one = await get(`/logs/${entries[0].log_id}`)
  assert.deepEqual(one.json, entries[0])
  const next = await get(`/logs?from=${entries[1].log_id}&take=5`)
  assert.deepEqual(next.json, [entries[0]])
})

test('nothing that was sent here was a bug of ours', () => {
  assert.deepEqual(w.errors, [])
})
