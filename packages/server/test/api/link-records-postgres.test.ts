import { test } from 'node:test'
import { createEmptyDatabase, postgresServer } from '../storage/postgres-database.ts'
import { linkRecords } from './link-records.ts'
import { openWorld } from './world.ts'

if (postgresServer === undefined) {
  test('links on PostgreSQL: TENON_TEST_POSTGRES names a server', {
    skip: process.env.TENON_TEST_SETUP !== '1',
  }, () => {
    throw new Error('TENON_TEST_POSTGRES is not set')
  })
} else {
  linkRecords('links on PostgreSQL', async () => openWorld({ database: await createEmptyDatabase() }))
}
