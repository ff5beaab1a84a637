import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyTenant } from '../../src/accounts/apply-tenant.ts'
import { parseTenantFile } from '../../src/protocol/tenant-file.ts'
import { ISSUER, openWorld, TENANT } from '../api/world.ts'
import { createEmptyDatabase, postgresServer } from '../storage/postgres-database.ts'

const tenant = {
  ...TENANT,
  settings: { friendly_name: 'Acme' },
  client_grants: [{ client_id: 'm2m', audience: '<issuer>api/v2/', scope: ['read:users'] }],
  users: [
    { connection: 'Username-Password-Authentication', email: 'ada@example.test', password: 'first password' },
    { connection: 'Username-Password-Authentication', email: 'eve@example.test', password: 'other', user_id: 'eve' },
  ],
}

if (postgresServer === undefined) {
  test('tenant file on PostgreSQL: TENON_TEST_POSTGRES names a server', {
    skip: process.env.TENON_TEST_SETUP !== '1',
  }, () => {
    throw new Error('TENON_TEST_POSTGRES is not set')
  })
} else {
  test('several nodes that apply a tenant file at once agree, on PostgreSQL', async () => {
    const world = await openWorld({ tenant: {}, database: await createEmptyDatabase() })
    try {
      const file = parseTenantFile(tenant, ISSUER)
      await Promise.all(Array.from({ length: 6 }, () => applyTenant(world.tenantDeps, file)))
      assert.equal((await world.storage.users.list({ offset: 0, limit: 10 })).total, 2)
      assert.equal((await world.storage.connections.list({ offset: 0, limit: 10 })).total, 5)
      assert.equal((await world.storage.clientGrants.list({ offset: 0, limit: 10 })).total, 1)
    } finally {
      await world.close()
    }
  })
}
