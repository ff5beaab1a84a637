import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { findTests, findThreatProblems, readThreats, renderThreats } from '../generate-threats-table.ts'
import { projectRoot } from '../lib/files.ts'

test('the table of attacks says what the list and the names of the tests say', () => {
  const { threats, tests } = readThreats()
  assert.deepEqual(findThreatProblems(threats, tests), [])
  const page = readFileSync(`${projectRoot}/docs/reference/threats.md`, 'utf8')
  assert.equal(page, renderThreats(threats, tests), 'run: node tools/generate-threats-table.ts')
})

test('a test is found by the ids in its name', () => {
  const text = [
    "test('T-AS-01 a rule', () => {})",
    'test(`a page: T-AS-02 is text`, () => {})',
    "test('T-AS-03: another', () => {})",
    "test('T-AS-04 and T-AS-05: both', () => {})",
    '// test of T-AS-07',
  ].join('\n')
  const tests = findTests([{ path: 'packages/server/test/a.test.ts', text }])
  assert.deepEqual([...tests.keys()], ['T-AS-01', 'T-AS-02', 'T-AS-03', 'T-AS-04', 'T-AS-05'])
})

test('an entry is listed once, is covered by a test or says why not', () => {
  const tests = new Map([
    ['T-AS-01', ['a']],
    ['T-AS-09', ['a']],
  ])
  const problems = findThreatProblems(
    [
      { id: 'T-AS-01', title: 'x', status: 'covered' },
      { id: 'T-AS-01', title: 'x', status: 'covered' },
      { id: 'T-AS-02', title: 'x', status: 'covered' },
      { id: 'T-AS-03', title: 'x', status: 'not yet' },
      { id: 'T-AS-04', title: 'x', status: 'argued', note: 'nobody can' },
    ],
    tests,
  )
  assert.deepEqual(
    problems.map((problem) => problem.replace('docs/reference/threats.json: ', '')),
    [
      'T-AS-01 is listed twice',
      'T-AS-09 is tested, not listed',
      'T-AS-02 is called covered; no test has its id in its name',
      'T-AS-03 is not yet and says not why',
    ],
  )
})
