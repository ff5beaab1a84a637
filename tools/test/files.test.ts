import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findFileProblems } from '../check-files.ts'

test("a machine's path is refused, a path in a URL is not", () => {
  for (const folder of ['home/ada', 'root', 'Users/ada']) {
    assert.deepEqual(findFileProblems('a.md', `fine\nsee /${folder}/tenon`), [`a.md:2: a machine's path`])
  }
  assert.deepEqual(findFileProblems('a.md', 'https://example.test/home/ada/page and ./root/x'), [])
})

test('a source file of more than 400 lines is refused', () => {
  assert.deepEqual(findFileProblems('packages/a.ts', 'x\n'.repeat(400)), [])
  assert.equal(findFileProblems('packages/a.ts', 'x\n'.repeat(401)).length, 1)
})

test('a tool says in its first line what it holds', () => {
  assert.equal(findFileProblems('tools/check-a.ts', "import 'node:fs'\n").length, 1)
  assert.deepEqual(findFileProblems('tools/check-a.ts', '// A rule.\n'), [])
})
