import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { renderConfigurationReference } from '../generate-configuration-reference.ts'
import { projectRoot } from '../lib/files.ts'

test('the configuration reference is what the tables and schemas say', () => {
  const page = readFileSync(`${projectRoot}/docs/reference/configuration.md`, 'utf8')
  assert.equal(page, renderConfigurationReference(), 'run: node tools/generate-configuration-reference.ts')
})

test('every key of the configuration reference has a meaning', () => {
  const rows = renderConfigurationReference().matchAll(/^\| `([^`]+)`.*\| (.*) \|$/gm)
  for (const [row, key, meaning] of rows) assert.ok(meaning, `${key}: ${row}`)
})
