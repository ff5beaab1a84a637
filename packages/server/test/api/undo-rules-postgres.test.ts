import { test } from 'node:test'
import { createEmptyDatabase, postgresServer } from '../storage/postgres-database.ts'
import { undoRules } from './undo-rules.ts'
import { openWorld } from './world.ts'

if (postgresServer === undefined) {
  test('undoing links on PostgreSQL: TENON_TEST_POSTGRES names a server', {
    skip: process.env.TENON_TEST_SETUP !== '1',
  }, () => {
    throw new Error('TENON_TEST_POSTGRES is not set')
  })
} else {
  undoRules('undoing links on PostgreSQL', async (options) =>
    openWorld({ ...options, database: await createEmptyDatabase() }),
  )
}
