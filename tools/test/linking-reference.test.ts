import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { renderLinkingReference } from '../generate-linking-reference.ts'
import { projectRoot } from '../lib/files.ts'

test('the linking reference is what the tables of reasons say', () => {
  const page = readFileSync(`${projectRoot}/docs/reference/linking.md`, 'utf8')
  assert.equal(page, renderLinkingReference(), 'run: node tools/generate-linking-reference.ts')
})

test('every code of the linking reference has a sentence', () => {
  const rows = renderLinkingReference().matchAll(/^\| `([^`]+)` \| (.*) \|$/gm)
  for (const [row, code, meaning] of rows) assert.match(meaning ?? '', /^[A-Z`].*\.$/, `${code}: ${row}`)
})
