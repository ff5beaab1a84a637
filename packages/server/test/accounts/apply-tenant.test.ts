import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { applyTenant } from '../../src/accounts/apply-tenant.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { parseTenantFile } from '../../src/protocol/tenant-file.ts'
import { API_AUDIENCE, ISSUER, ME_AUDIENCE, openWorld, TENANT, type World } from '../api/world.ts'

const PASSWORDS = 'Username-Password-Authentication'
const tenant: JsonObject = {
  ...TENANT,
  settings: { friendly_name: 'Acme', linking: { policy: 'off' } },
  resource_servers: [{ identifier: 'https://api.acme.test/', scopes: [{ value: 'read:things' }] }],
  client_grants: [
    { client_id: 'm2m', audience: '<issuer>api/v2/', scope: ['read:users'] },
    { client_id: 'web', audience: '<issuer>me/', scope: ['read:me:connected_accounts'], subject_type: 'user' },
  ],
  token_exchange_profiles: [
    { name: 'Acme', subject_token_type: 'urn:acme:id-token', type: 'custom_authentication', action_id: 'acme' },
  ],
  users: [
    { connection: PASSWORDS, email: 'Ada@example.test', email_verified: true, password: 'first password', name: 'Ada' },
    { connection: PASSWORDS, email: 'eve@example.test', password: 'second password', user_id: 'eve' },
  ],
}

let w: World
before(async () => {
  w = await openWorld({ tenant })
})
after(() => w.close())

const apply = (document: JsonObject) => applyTenant(w.tenantDeps, parseTenantFile(document, ISSUER))

/** Every row that a tenant file may write. */
async function rows() {
  const all = { offset: 0, limit: 1000 }
  const users = (await w.storage.users.list(all)).items
  const connections = (await w.storage.connections.list(all)).items
  return {
    settings: await w.storage.meta.find('settings'),
    clients: await w.storage.clients.list(all),
    connections,
    enabled: await Promise.all(connections.map(({ id }) => w.storage.connections.clientsOf(id))),
    servers: await w.storage.resourceServers.list(all),
    grants: await w.storage.clientGrants.list(all),
    profiles: await w.storage.exchangeProfiles.list(all),
    users,
    identities: await w.storage.identities.listOfUsers(users.map(({ userId }) => userId)),
    events: await w.storage.events.list({ limit: 1000 }),
  }
}

test('everything that the file names is there, and what exists in every tenant', async () => {
  const { users, grants } = await rows()
  assert.deepEqual(users.map(({ email }) => email).sort(), ['ada@example.test', 'eve@example.test'])
  assert.equal(users.find(({ email }) => email === 'ada@example.test')?.emailVerified, true)
  assert.equal((await w.storage.users.find('auth0|eve'))?.emailVerified, false)
  assert.equal(grants.items.length, 2)
  assert.ok(grants.items.some(({ audience, subjectType }) => audience === ME_AUDIENCE && subjectType === 'user'))
  for (const audience of [API_AUDIENCE, ME_AUDIENCE])
    assert.equal((await w.storage.resourceServers.findByIdentifier(audience))?.document.is_system, true)
  const { id } = await w.connection(PASSWORDS)
  assert.deepEqual(await w.storage.connections.clientsOf(id), ['spa', 'theirs', 'web'])
})

test('secrets are hashed or sealed', async () => {
  const told = JSON.stringify(await rows())
  for (const secret of ['web-secret-web-secret', 'upstream-secret', 'first password']) assert.ok(!told.includes(secret))
  const acme = await w.connection('acme')
  assert.ok(acme.secretEnvelope)
  assert.equal(w.keyring.open(`connection:${acme.id}`, acme.secretEnvelope).toString(), 'upstream-secret')
})

test('applying the same file again writes nothing', async () => {
  const before = await rows()
  w.wait(100)
  await apply(tenant)
  assert.deepEqual(await rows(), before)
})

test('what the file says differently is changed; ids, users and what it does not name stay', async () => {
  const before = await rows()
  await w.storage.transaction((tx) =>
    tx.meta.put('settings', JSON.stringify({ ...JSON.parse(before.settings ?? '{}'), support_url: 'https://a.test/' })),
  )
  await apply({
    ...tenant,
    settings: { friendly_name: 'New' },
    client_grants: [{ client_id: 'm2m', audience: '<issuer>api/v2/', scope: ['read:users', 'read:logs'] }],
    connections: [
      { ...TENANT.connections[0], options: { ...TENANT.connections[0]?.options, client_secret: 'rotated-secret' } },
    ],
    users: [{ connection: PASSWORDS, email: 'ada@example.test', password: 'another password' }],
  })
  const after = await rows()
  const settings = JSON.parse(after.settings ?? '{}')
  assert.deepEqual([settings.friendly_name, settings.support_url], ['New', 'https://a.test/'])
  const acme = await w.connection('acme')
  assert.equal(acme.id, before.connections.find(({ name }) => name === 'acme')?.id)
  assert.equal(
    w.keyring.open(`connection:${acme.id}`, acme.secretEnvelope ?? new Uint8Array()).toString(),
    'rotated-secret',
  )
  assert.equal(after.connections.length, before.connections.length)
  const grant = await w.storage.clientGrants.findFor('m2m', API_AUDIENCE, 'client')
  assert.deepEqual(grant?.scopes, ['read:users', 'read:logs'])
  assert.deepEqual(after.users, before.users)
  const { id } = await w.connection(PASSWORDS)
  assert.equal((await w.storage.passwords.findByAddress(id, 'ada@example.test'))?.hash, 'hash of first password')
})

test('several nodes that start at once agree', async () => {
  const other = await openWorld({ tenant: {} })
  try {
    const file = parseTenantFile(tenant, ISSUER)
    await Promise.all([1, 2, 3].map(() => applyTenant(other.tenantDeps, file)))
    assert.equal((await other.storage.users.list({ offset: 0, limit: 10 })).total, 2)
    assert.equal((await other.storage.connections.list({ offset: 0, limit: 10 })).total, 5)
  } finally {
    await other.close()
  }
})

test('a strategy never changes under a name that has users', async () => {
  const connections = [{ name: 'acme', strategy: 'github', options: { client_id: 'x' } }]
  await assert.rejects(apply({ ...tenant, connections }), { name: 'ConfigError', code: 'immutable' })
})

test('a token-exchange profile names its connection, changes with the file, and stays when the file leaves it out', async () => {
  const [made] = (await rows()).profiles.items
  const { id } = await w.connection('acme')
  assert.deepEqual([made?.name, made?.connectionId, made?.audiences], ['Acme', id, []])
  const profile = { name: 'Acme', subject_token_type: 'urn:acme:id-token', type: 'custom_authentication' }
  const audiences = { subject_token_audiences: ['phone-app'] }
  await apply({ ...TENANT, token_exchange_profiles: [{ ...profile, ...audiences, action_id: 'files' }] })
  const { profiles } = await rows()
  assert.deepEqual(
    profiles.items.map((one) => [one.connectionId, one.audiences]),
    [[(await w.connection('files')).id, ['phone-app']]],
  )
  await apply({ ...TENANT })
  assert.equal((await rows()).profiles.items.length, 1)
  // No ID tokens come from the first; there is no other.
  for (const action_id of ['code', 'nowhere'])
    await assert.rejects(
      async () => apply({ ...TENANT, token_exchange_profiles: [{ ...profile, action_id }] }),
      /action_id/,
    )
})
