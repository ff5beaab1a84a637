import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  findRowProblems,
  mergeRows,
  readPage,
  readRows,
  readVersions,
  renderRows,
  type SdkCall,
} from '../generate-compatibility-table.ts'
import { projectRoot } from '../lib/files.ts'

const row: SdkCall = {
  sdk: 'auth0',
  version: '7.1.0',
  call: 'users.get',
  rule: 'the user',
  result: 'works',
  file: 'sdks/test/auth0-management.test.ts',
}

const textOf = (file: string) => {
  const path = join(projectRoot, file)
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

test('the table of SDK calls says what the list, the installed versions and the tests say', () => {
  const rows = readRows()
  assert.deepEqual(findRowProblems(rows, readVersions(), textOf), [])
  assert.equal(readPage(), renderRows(rows), 'run: node tools/run.mjs tools/generate-compatibility-table.ts')
})

test('a row is listed once, of an SDK that is installed, and of a test that makes the call', () => {
  const rows: SdkCall[] = [
    row,
    row,
    { ...row, version: '1.0.0' },
    { ...row, call: 'users.fly' },
    { ...row, rule: 'gone', file: 'sdks/test/gone.test.ts' },
  ]
  assert.deepEqual(
    findRowProblems(rows, new Map([['auth0', ['7.1.0']]]), textOf).map((problem) => problem.replace(/^.*json: /, '')),
    [
      '"auth0 7.1.0, users.get: the user" is listed twice',
      'sdks/package.json has no auth0 1.0.0',
      'sdks/test/auth0-management.test.ts makes no call users.fly',
      'sdks/test/gone.test.ts is gone',
    ],
  )
})

test('a run replaces the rows of its own file; those of a new release replace those of the one before', () => {
  const other = { ...row, sdk: 'auth0-js', file: 'sdks/test/spa-js.test.ts' }
  assert.deepEqual(mergeRows([row, other], [{ ...row, rule: 'another' }]), [{ ...row, rule: 'another' }, other])
  assert.deepEqual(mergeRows([row], [{ ...row, version: '8.0.0' }]), [{ ...row, version: '8.0.0' }])
})
