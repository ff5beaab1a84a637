import { test } from 'node:test'
import { mergeUndoRules } from '../properties/merge-undo-rules.ts'
import { createEmptyDatabase, postgresServer } from '../storage/postgres-database.ts'

const RUNS = process.env.TENON_TEST_LONG === '1' ? 100 : 15

if (postgresServer === undefined) {
  test('merging and undoing on PostgreSQL: TENON_TEST_POSTGRES names a server', {
    skip: process.env.TENON_TEST_SETUP !== '1',
  }, () => {
    throw new Error('TENON_TEST_POSTGRES is not set')
  })
} else {
  mergeUndoRules('merging and undoing on PostgreSQL', { open: createEmptyDatabase, runs: RUNS })
}
