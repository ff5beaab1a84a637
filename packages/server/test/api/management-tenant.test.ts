import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openApiDocument } from '../../src/api/openapi.ts'
import { sha256Hex } from '../../src/crypto/hashing.ts'
import { API_AUDIENCE, ISSUER, ME_AUDIENCE, openWorld, path, type World } from './world.ts'

let w: World
let admin: string
before(async () => {
  w = await openWorld()
  admin = w.machineToken()
})
after(() => w.close())

const call = (method: string, route: string, body?: unknown, token = admin) => w.management(token, method, route, body)
const upstream = { issuer: 'https://idp.test/', client_id: 'us', client_secret: 'very secret upstream' }

test('a connection is made, shown without its secret, changed and deleted with its users', async () => {
  const made = await call('POST', '/connections', {
    name: 'made',
    strategy: 'oidc',
    enabled_clients: ['web'],
    options: upstream,
  })
  assert.equal(made.status, 201, made.text)
  assert.match(made.json.id, /^con_[A-Za-z0-9]{16}$/)
  assert.deepEqual(made.json.enabled_clients, ['web'])
  assert.deepEqual(made.json.connected_accounts, { active: false })
  const route = `/connections/${made.json.id}`
  for (const answer of [made, await call('GET', route), await call('GET', '/connections?name=made')])
    assert.ok(!answer.text.includes('very secret upstream'))
  const row = await w.storage.connections.find(made.json.id)
  assert.ok(row && !JSON.stringify(row.document).includes('very secret upstream'))
  const opened = () => w.keyring.open(`connection:${made.json.id}`, secretOf(made.json.id))
  const secrets = new Map<string, Uint8Array>()
  const secretOf = (id: string) => secrets.get(id) ?? new Uint8Array()
  const refresh = async () => {
    const now = await w.storage.connections.find(made.json.id)
    secrets.set(made.json.id, now?.secretEnvelope ?? new Uint8Array())
  }
  await refresh()
  assert.equal(opened().toString(), 'very secret upstream')

  const { client_secret: _, ...withoutSecret } = upstream
  const changed = await call('PATCH', route, { options: { ...withoutSecret, scope: 'openid email' } })
  assert.equal(changed.status, 200, changed.text)
  assert.equal(changed.json.options.scope, 'openid email')
  await refresh()
  assert.equal(opened().toString(), 'very secret upstream', 'read, change, write keeps the secret that was not shown')
  await call('PATCH', route, { options: { ...upstream, client_secret: 'another secret' } })
  await refresh()
  assert.equal(opened().toString(), 'another secret')

  const user = await w.person('of-made', { connection: 'made' })
  const linked = await w.person('keeps-other')
  const second = await w.person('second-of-made', { connection: 'made' })
  await call('POST', `${path(linked.userId)}/identities`, { provider: 'oidc', user_id: second.userId })
  assert.equal((await call('DELETE', route)).status, 204)
  assert.equal((await call('GET', route)).status, 404)
  assert.equal((await call('GET', path(user.userId))).status, 404)
  assert.equal((await call('GET', path(linked.userId))).json.identities.length, 1)
})

test('a connection to a private address is refused, in any member and spelling', async () => {
  const base = { name: 'inside', strategy: 'oidc' }
  for (const options of [
    { ...upstream, issuer: 'https://127.0.0.1/' },
    { ...upstream, issuer: 'https://[::1]/' },
    { ...upstream, issuer: 'https://0x7f000001/' },
    { ...upstream, issuer: 'https://169.254.169.254/latest' },
    { ...upstream, issuer: 'https://localhost/' },
    { ...upstream, token_endpoint: 'http://10.0.0.1/token' },
    { ...upstream, endpoints: { userinfo: 'https://192.168.0.1/me' } },
  ]) {
    const answer = await call('POST', '/connections', { ...base, options })
    assert.equal(answer.status, 400, JSON.stringify(options))
    assert.equal(answer.json.errorCode, 'address_blocked')
  }
  const github = await call('POST', '/connections', {
    name: 'inside',
    strategy: 'github',
    options: { client_id: 'a', endpoints: { token: 'https://10.1.2.3/token' } },
  })
  assert.equal(github.json.errorCode, 'address_blocked')
  const { id } = await w.connection('acme')
  const patch = await call('PATCH', `/connections/${id}`, { options: { ...upstream, issuer: 'https://127.0.0.1/' } })
  assert.equal(patch.json.errorCode, 'address_blocked')
})

test('connections refuse what they do not know', async () => {
  const good = { name: 'good', strategy: 'oidc', options: upstream }
  for (const [body, status] of [
    [{ ...good, surprise: 1 }, 400],
    [{ ...good, strategy: 'nothing' }, 400],
    [{ ...good, options: { ...upstream, surprise: 1 } }, 400],
    [{ ...good, enabled_clients: ['nobody'] }, 400],
    [{ ...good, name: '-bad' }, 400],
    [{ ...good, name: 'acme' }, 409],
  ] as const)
    assert.equal((await call('POST', '/connections', body)).status, status, JSON.stringify(body))
  const { id } = await w.connection('acme')
  assert.equal((await call('PATCH', `/connections/${id}`, { name: 'other' })).status, 400)
  assert.equal((await call('PATCH', `/connections/${id}`, { strategy: 'github' })).status, 400)
})

test('clients of a connection are switched one by one, in step with enabled_clients', async () => {
  const { id } = await w.connection('acme')
  const clients = async () =>
    (await call('GET', `/connections/${id}/clients`)).json.clients.map((one: { client_id: string }) => one.client_id)
  assert.deepEqual(await clients(), ['spa', 'theirs', 'web'])
  const patch = (body: unknown) => call('PATCH', `/connections/${id}/clients`, body)
  assert.equal((await patch([{ client_id: 'web', status: false }])).status, 204)
  assert.deepEqual((await call('GET', `/connections/${id}`)).json.enabled_clients, ['spa', 'theirs'])
  assert.equal((await patch([{ client_id: 'web', status: true }])).status, 204)
  assert.deepEqual(await clients(), ['spa', 'theirs', 'web'])
  await call('PATCH', `/connections/${id}`, { enabled_clients: ['web'] })
  assert.deepEqual(await clients(), ['web'])
  await call('PATCH', `/connections/${id}`, { enabled_clients: ['spa', 'theirs', 'web'] })
  for (const body of [[], {}, [{ client_id: 'nobody', status: true }], [{ client_id: 'web' }]])
    assert.equal((await patch(body)).status, 400, JSON.stringify(body))
})

test('lists of connections filter by name and strategy and page in all three forms', async () => {
  const names = (list: { name: string }[]) => list.map(({ name }) => name)
  assert.deepEqual(names((await call('GET', '/connections?strategy=github')).json), ['code', 'code-two'])
  assert.deepEqual(names((await call('GET', '/connections?strategy=github&strategy=oidc')).json), [
    'acme',
    'code',
    'code-two',
    'files',
  ])
  const wrapped = (await call('GET', '/connections?include_totals=true&per_page=2')).json
  assert.equal(wrapped.connections.length, 2)
  const seen: string[] = []
  let from = ''
  for (let page = 0; page < 10; page++) {
    const { connections, next } = (await call('GET', `/connections?take=2${from}`)).json
    seen.push(...names(connections))
    if (next === undefined) break
    from = `&from=${next}`
  }
  assert.deepEqual(seen, ['Username-Password-Authentication', 'acme', 'code', 'code-two', 'files'])
  assert.equal((await call('GET', '/connections?from=rubbish')).status, 400)
})

test("a client's secret is shown by the answers that made or rotated it, and kept as a hash", async () => {
  const made = await call('POST', '/clients', { name: 'Made', callbacks: ['https://made.test/cb'] })
  assert.equal(made.status, 201, made.text)
  assert.match(made.json.client_id, /^[A-Za-z0-9]{32}$/)
  assert.ok(made.json.client_secret.length >= 43)
  assert.equal(made.json.app_type, 'regular_web')
  const route = `/clients/${made.json.client_id}`
  const record = await w.storage.clients.find(made.json.client_id)
  assert.equal(record?.secretHash, sha256Hex(made.json.client_secret))
  for (const answer of [
    await call('GET', route),
    await call('GET', '/clients'),
    await call('PATCH', route, { name: 'B' }),
  ])
    assert.ok(!answer.text.includes('"client_secret"') && !answer.text.includes(made.json.client_secret))
  const rotated = await call('POST', `${route}/rotate-secret`)
  assert.equal(rotated.status, 200)
  assert.notEqual(rotated.json.client_secret, made.json.client_secret)
  const weak = w.machineToken(['read:clients', 'update:clients'])
  assert.equal((await call('POST', `${route}/rotate-secret`, undefined, weak)).status, 403)
  assert.equal((await call('DELETE', route)).status, 204)
  assert.equal((await call('GET', route)).json.errorCode, 'inexistent_client')
})

test('a client that turns public keeps no secret, and one that turns confidential gets one', async () => {
  const { json } = await call('POST', '/clients', { name: 'Turns', app_type: 'spa' })
  assert.equal(json.client_secret, undefined)
  const route = `/clients/${json.client_id}`
  const confidential = await call('PATCH', route, { app_type: 'regular_web' })
  assert.ok(confidential.json.client_secret)
  await call('PATCH', route, { token_endpoint_auth_method: 'none' })
  assert.equal((await w.storage.clients.find(json.client_id))?.secretHash, undefined)
})

test('clients refuse unknown members, bad callbacks and changes that contradict themselves', async () => {
  for (const body of [
    { name: 'x', surprise: 1 },
    { name: 'x', client_id: 'chosen' },
    { name: 'x', client_secret: 'chosen-by-the-caller' },
    { name: 'x', callbacks: ['http://far.test/cb'] },
    { name: 'x', callbacks: ['https://*.test/cb'] },
    { callbacks: [] },
  ])
    assert.equal((await call('POST', '/clients', body)).status, 400, JSON.stringify(body))
  assert.equal((await call('PATCH', '/clients/web', { grant_types: ['nothing'] })).status, 400)
  assert.equal((await call('PATCH', '/clients/web', { resource_server_identifier: 'https://a.test/' })).status, 400)
  assert.equal((await call('PATCH', '/clients/nobody', { name: 'x' })).status, 404)
})

test('the built-in APIs stand, can be read by identifier and cannot be deleted', async () => {
  for (const audience of [API_AUDIENCE, ME_AUDIENCE]) {
    const route = `/resource-servers/${encodeURIComponent(audience)}`
    const { json } = await call('GET', route)
    assert.equal(json.is_system, true)
    assert.match(json.id, /^[0-9a-f]{24}$/)
    assert.equal((await call('DELETE', route)).status, 400)
    assert.equal((await call('GET', `/resource-servers/${json.id}`)).json.identifier, audience)
  }
})

test('an API is made, changed and deleted with what clients may ask of it', async () => {
  const identifier = 'https://api.test/'
  const made = await call('POST', '/resource-servers', { identifier, scopes: [{ value: 'read:things' }] })
  assert.equal(made.status, 201, made.text)
  assert.equal((await call('POST', '/resource-servers', { identifier })).status, 409)
  const grant = { client_id: 'm2m', audience: identifier, scope: ['read:things'] }
  const granted = await call('POST', '/client-grants', grant)
  assert.equal(granted.status, 201, granted.text)
  assert.match(granted.json.id, /^cgr_[A-Za-z0-9]{16}$/)
  assert.equal((await call('POST', '/client-grants', grant)).status, 409)
  assert.equal((await call('POST', '/client-grants', { ...grant, audience: 'https://x.test/' })).status, 400)
  assert.equal((await call('POST', '/client-grants', { ...grant, client_id: 'nobody' })).status, 400)
  const route = `/client-grants/${granted.json.id}`
  assert.deepEqual((await call('PATCH', route, { scope: [] })).json.scope, [])
  const listed = await call('GET', `/client-grants?audience=${encodeURIComponent(identifier)}`)
  assert.equal(listed.json.length, 1)
  assert.equal((await call('PATCH', `/resource-servers/${made.json.id}`, { name: 'Things' })).json.name, 'Things')
  assert.equal((await call('DELETE', `/resource-servers/${made.json.id}`)).status, 204)
  assert.equal((await call('GET', route)).status, 404)
})

test('sessions and refresh tokens of a user are listed and ended', async () => {
  const user = await w.person('busy')
  const route = path(user.userId)
  await w.storage.transaction(async (tx) => {
    for (const kind of ['Session', 'RefreshToken'] as const)
      await tx.artifacts.put({
        kind,
        idHash: sha256Hex(`${kind} of busy`),
        uid: `uid-${kind}`,
        grantId: undefined,
        userId: user.userId,
        clientId: 'web',
        payload: {},
        createdAt: w.clock(),
        expiresAt: w.clock() + 100,
        consumedAt: undefined,
        successorEnvelope: undefined,
        identityKey: undefined,
      })
  })
  assert.equal((await call('GET', `${route}/sessions`)).json.sessions[0].id, 'uid-Session')
  assert.equal((await call('GET', `${route}/refresh-tokens`)).json.tokens.length, 1)
  assert.equal((await call('DELETE', `${route}/sessions`)).status, 202)
  assert.equal((await call('DELETE', `${route}/refresh-tokens`)).status, 202)
  assert.deepEqual((await call('GET', `${route}/sessions`)).json.sessions, [])
  assert.deepEqual((await call('GET', `${route}/refresh-tokens`)).json.tokens, [])
  assert.equal((await call('POST', `${route}/revoke-access`, {})).status, 204)
  assert.equal((await call('GET', '/users/auth0%7Cnobody/sessions')).status, 404)
})

test('the OpenAPI document names every operation with its scopes', async () => {
  const { managementOperations } = await import('../../src/api/management/app.ts')
  const { meOperations } = await import('../../src/api/me/app.ts')
  // Only the descriptions are read: the dependencies are not used.
  const management = managementOperations({} as Parameters<typeof managementOperations>[0])
  const me = meOperations({} as Parameters<typeof meOperations>[0])
  const document = openApiDocument(ISSUER, { management, me })
  // The document is JSON; its paths are objects of operations.
  const paths = document.paths as Record<string, Record<string, unknown>>
  assert.ok(paths['/api/v2/users/{id}']?.patch)
  assert.ok(paths['/me/v1/connected-accounts/connect']?.post)
  const count = Object.values(paths).flatMap((item) => Object.keys(item ?? {})).length
  assert.equal(count, management.length + me.length)
  assert.ok(JSON.stringify(document).includes('create:me:connected_accounts'))
})

test('nothing that was sent here was a bug of ours', () => {
  assert.deepEqual(w.errors, [])
})
