import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findFloorProblems, type SourceFile } from '../check-floors.ts'

const SERVER = 'packages/server/src'

/** The problems of `text` at `path`, in a tree that has one file in each of the rooms that the tests name. */
function problemsOf(path: string, text: string): string[] {
  const rooms = ['lib', 'domain', 'protocol', 'storage', 'crypto', 'vault', 'web', 'config'].map(
    (room): SourceFile => ({ path: `${SERVER}/${room}/thing.ts`, text: '' }),
  )
  return findFloorProblems([...rooms, { path: `${SERVER}/app.ts`, text: '' }, { path, text }])
}

test('a file may import from its own folder and from every floor below', () => {
  const text = `import { thing } from './thing.ts'\nimport type { Thing } from '../domain/thing.ts'\nexport * from '../lib/thing.ts'`
  assert.deepEqual(
    problemsOf(
      `${SERVER}/storage/deep/other.ts`,
      text.replace('./thing.ts', '../thing.ts').replaceAll("'../d", "'../../d").replaceAll("'../l", "'../../l"),
    ),
    [],
  )
})

test('an import of a floor above is refused, in each form that an import can take', () => {
  const forms = [
    `import { thing } from '../vault/thing.ts'`,
    `import type { Thing } from '../vault/thing.ts'`,
    `import {\n  thing,\n} from '../vault/thing.ts'`,
    `import '../vault/thing.ts'`,
    `export { thing } from '../vault/thing.ts'`,
    `const { thing } = await import('../vault/thing.ts')`,
  ]
  for (const form of forms) {
    assert.deepEqual(problemsOf(`${SERVER}/storage/other.ts`, form), [
      `${SERVER}/storage/other.ts: ../vault/thing.ts: storage is below vault`,
    ])
  }
})

test('neighbours on one floor do not know each other', () => {
  assert.deepEqual(problemsOf(`${SERVER}/crypto/other.ts`, `import { thing } from '../storage/thing.ts'`), [
    `${SERVER}/crypto/other.ts: ../storage/thing.ts: crypto and storage are neighbours`,
  ])
})

test('nobody imports what wires the server, and what wires it imports anything', () => {
  assert.equal(problemsOf(`${SERVER}/web/other.ts`, `import { app } from '../app.ts'`).length, 1)
  assert.equal(problemsOf(`${SERVER}/web/other.ts`, `import { thing } from '../config/thing.ts'`).length, 1)
  assert.deepEqual(problemsOf(`${SERVER}/cli/main.ts`, `import { thing } from '../web/thing.ts'`), [])
})

test('a folder that stands on no floor is refused', () => {
  assert.equal(problemsOf(`${SERVER}/utils/other.ts`, `import { thing } from '../lib/thing.ts'`).length, 1)
})

test('the two packages do not know each other, except in tests', () => {
  const server = `import { kit } from '@tenon/sdk/testing'`
  assert.equal(problemsOf(`${SERVER}/web/other.ts`, server).length, 1)
  assert.deepEqual(problemsOf('packages/server/test/http/one.test.ts', server), [])
  const sdk = `import { thing } from '../../server/src/lib/thing.ts'`
  assert.equal(problemsOf('packages/sdk/src/client.ts', sdk).length, 1)
  assert.equal(problemsOf('packages/sdk/src/client.ts', `import '@tenon/server'`).length, 1)
})

test('pure folders have no I/O, no clock and no dice', () => {
  assert.equal(problemsOf(`${SERVER}/domain/other.ts`, `import { readFileSync } from 'node:fs'`).length, 1)
  assert.equal(problemsOf(`${SERVER}/domain/other.ts`, 'const now = Date.now()').length, 1)
  assert.deepEqual(problemsOf(`${SERVER}/domain/other.ts`, '// Date.now() would be impure'), [])
})

test('an import of a file that does not exist is refused', () => {
  assert.equal(problemsOf(`${SERVER}/web/other.ts`, `import { gone } from './gone.ts'`).length, 1)
})

test('an import in a comment is none', () => {
  assert.deepEqual(problemsOf(`${SERVER}/lib/other.ts`, `// import { thing } from '../web/thing.ts'`), [])
})
