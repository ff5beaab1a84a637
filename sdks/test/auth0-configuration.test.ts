// The present Management API client, for what an operator sets up.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { ManagementClient } from 'auth0'
import { mgmt } from '../../packages/server/test/support/actors.ts'
import { API } from '../../packages/server/test/support/tenant.ts'
import { Calls } from './support/calls.ts'
import { refusedWith } from './support/management.ts'
import { startWorld } from './support/world.ts'

const world = await startWorld()
const calls = new Calls(import.meta.filename, 'auth0')
const management = new ManagementClient({
  domain: world.domain,
  clientId: 'm2m',
  clientSecret: world.secretOf('m2m'),
})

calls.works('clients.list', 'pages are wrapped, and no secret is shown', async () => {
  const page = await management.clients.list({ per_page: 100 })
  assert.ok(page.data.some(({ client_id }) => client_id === 'web'))
  assert.ok(page.data.every(({ client_secret }) => client_secret === undefined))
})

calls.works('clients.create', 'a client with a secret, shown this once', async () => {
  const made = await management.clients.create({
    name: 'Made',
    app_type: 'regular_web',
    callbacks: ['https://a.test/cb'],
  })
  assert.ok(made.client_id && made.client_secret)
  const found = await management.clients.get(made.client_id)
  assert.equal(found.name, 'Made')
  assert.equal(found.client_secret, undefined)
})

calls.works('clients.update', 'what is given replaces what was', async () => {
  const made = await management.clients.create({ name: 'Before', callbacks: ['https://a.test/cb'] })
  const after = await management.clients.update(made.client_id ?? '', { name: 'After' })
  assert.deepEqual([after.name, after.callbacks], ['After', ['https://a.test/cb']])
})

calls.works('clients.rotateSecret', 'a new secret', async () => {
  const made = await management.clients.create({ name: 'Rotated', app_type: 'regular_web' })
  const rotated = await management.clients.rotateSecret(made.client_id ?? '')
  assert.ok(rotated.client_secret)
  assert.notEqual(rotated.client_secret, made.client_secret)
})

calls.works('clients.delete', 'gone', async () => {
  const made = await management.clients.create({ name: 'Gone' })
  await management.clients.delete(made.client_id ?? '')
  await assert.rejects(management.clients.get(made.client_id ?? ''), refusedWith(404, 'inexistent_client'))
})

calls.works('clients.credentials.create', 'a public key for private_key_jwt, which stands in the list', async () => {
  const client = await management.clients.create({ name: 'Signer', app_type: 'regular_web' })
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const id = client.client_id ?? ''
  const made = await management.clients.credentials.create(id, { credential_type: 'public_key', pem })
  const listed = await management.clients.credentials.list(id)
  assert.deepEqual(
    listed.map((credential) => credential.id),
    [made.id],
  )
})

calls.works('clients.credentials.list', 'a client without keys has none', async () => {
  assert.deepEqual(await management.clients.credentials.list('web'), [])
})

calls.works('connections.list', 'pages follow a cursor, and a name finds one', async () => {
  const first = await management.connections.list({ take: 2 })
  assert.equal(first.data.length, 2)
  assert.equal(first.hasNextPage(), true)
  const named = await management.connections.list({ name: 'calendar' })
  assert.deepEqual(
    named.data.map(({ name }) => name),
    ['calendar'],
  )
})

calls.works('connections.create', 'a connection that agents may keep tokens of', async () => {
  const made = await management.connections.create({
    name: 'made',
    strategy: 'github',
    options: { client_id: 'there', client_secret: 'a secret there' },
    connected_accounts: { active: true },
  })
  assert.match(made.id ?? '', /^con_/)
  const found = await management.connections.get(made.id ?? '')
  assert.deepEqual([found.name, found.connected_accounts?.active], ['made', true])
})

calls.works('connections.update', 'the options are replaced as a whole', async () => {
  const made = await management.connections.create({ name: 'changed', strategy: 'github', options: { client_id: 'a' } })
  const after = await management.connections.update(made.id ?? '', { options: { client_id: 'b' } })
  assert.equal((after.options as { client_id?: string } | undefined)?.client_id, 'b')
})

calls.works('connections.delete', 'gone', async () => {
  const made = await management.connections.create({ name: 'gone', strategy: 'github', options: { client_id: 'a' } })
  await management.connections.delete(made.id ?? '')
  await assert.rejects(management.connections.get(made.id ?? ''), refusedWith(404, 'inexistent_connection'))
})

calls.works('connections.checkStatus', 'a connection that is up', async () => {
  const [calendar] = (await management.connections.list({ name: 'calendar' })).data
  await management.connections.checkStatus(calendar?.id ?? '')
})

calls.works('connections.clients.get', 'who may use a connection', async () => {
  const [calendar] = (await management.connections.list({ name: 'calendar' })).data
  const page = await management.connections.clients.get(calendar?.id ?? '')
  assert.ok(page.data.some(({ client_id }) => client_id === 'web'))
})

calls.works('connections.clients.update', 'one client more, one less', async () => {
  const made = await management.connections.create({ name: 'enabled', strategy: 'github', options: { client_id: 'a' } })
  const id = made.id ?? ''
  const clients = async () => (await management.connections.clients.get(id)).data.map(({ client_id }) => client_id)
  await management.connections.clients.update(id, [{ client_id: 'web', status: true }])
  assert.deepEqual(await clients(), ['web'])
  await management.connections.clients.update(id, [{ client_id: 'web', status: false }])
  assert.deepEqual(await clients(), [])
})

calls.works('clientGrants.create', 'a grant, which changes and ends', async () => {
  const made = await management.clientGrants.create({ client_id: 'm2m', audience: API, scope: ['read:things'] })
  const page = await management.clientGrants.list({ client_id: 'm2m', audience: API })
  assert.deepEqual(
    page.data.map(({ id }) => id),
    [made.id],
  )
  const id = made.id ?? ''
  const after = await management.clientGrants.update(id, { scope: ['read:things', 'write:things'] })
  assert.deepEqual(after.scope, ['read:things', 'write:things'])
  await management.clientGrants.delete(id)
  assert.deepEqual((await management.clientGrants.list({ client_id: 'm2m', audience: API })).data, [])
})

calls.works('clientGrants.create', 'the same grant twice is a conflict', async () => {
  const grant = { client_id: 'm2m', audience: `${world.issuer}api/v2/`, scope: ['read:users'] }
  await assert.rejects(management.clientGrants.create(grant), refusedWith(409))
})

calls.works('resourceServers.create', 'an API, found by its identifier, changed, and gone', async () => {
  const identifier = 'https://made.acme.test/'
  const made = await management.resourceServers.create({ identifier, name: 'Made', scopes: [{ value: 'read:it' }] })
  assert.equal((await management.resourceServers.get(identifier)).id, made.id)
  const after = await management.resourceServers.update(made.id ?? '', { token_lifetime: 600 })
  assert.equal(after.token_lifetime, 600)
  await management.resourceServers.delete(made.id ?? '')
  await assert.rejects(management.resourceServers.get(identifier), refusedWith(404, 'inexistent_resource_server'))
})

calls.works('resourceServers.list', 'with the two that always are', async () => {
  const page = await management.resourceServers.list({ per_page: 50 })
  const identifiers = page.data.map(({ identifier }) => identifier)
  assert.ok([`${world.issuer}me/`, `${world.issuer}api/v2/`].every((one) => identifiers.includes(one)))
})

calls.works('logs.list', 'pages, and one entry by its id', async () => {
  await mgmt(world)
  const page = await management.logs.list({ per_page: 5 })
  const [newest] = page.data
  assert.equal((await management.logs.get(newest?.log_id ?? '')).log_id, newest?.log_id)
})

calls.works('keys.signing.list', 'the signing keys, one of them in use', async () => {
  const keys = await management.keys.signing.list()
  assert.equal(keys.filter(({ current }) => current).length, 1)
})

calls.works('keys.signing.rotate', 'another key is in use afterwards', async () => {
  const currentKid = async () => (await management.keys.signing.list()).find(({ current }) => current)?.kid
  const before = await currentKid()
  await management.keys.signing.rotate()
  assert.notEqual(await currentKid(), before)
})

calls.works('tenants.settings.get', 'the settings', async () => {
  assert.equal((await management.tenants.settings.get()).friendly_name, 'Acme')
})
