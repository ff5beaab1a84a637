// The suite on PostgreSQL, and what only PostgreSQL is asked.
import { test } from 'node:test'
import { conformance } from './conformance.ts'
import { createPostgresDatabase, postgresServer } from './postgres-database.ts'

if (postgresServer === undefined) {
  test('storage on PostgreSQL: TENON_TEST_POSTGRES names a server', {
    skip: process.env.TENON_TEST_SETUP !== '1',
  }, () => {
    throw new Error('TENON_TEST_POSTGRES is not set')
  })
} else {
  conformance('storage on PostgreSQL', () => createPostgresDatabase())
}
