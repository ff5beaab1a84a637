import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CATALOGUE } from '../../packages/server/src/upstream/registry.ts'
import { readRuns, renderProviders } from '../generate-providers-reference.ts'
import { projectRoot } from '../lib/files.ts'

test('the list of providers is what the profiles and the last run say', () => {
  const page = readFileSync(`${projectRoot}/docs/reference/providers.md`, 'utf8')
  assert.equal(page, renderProviders(CATALOGUE, readRuns()), 'run: node tools/generate-providers-reference.ts')
})

test('a provider without a run says so in every column', () => {
  const page = renderProviders(CATALOGUE, {})
  assert.equal(page.match(/\| not run /g)?.length, CATALOGUE.length * 7)
})

test('one that was run says what passed, and what there is none of', () => {
  const rows = renderProviders(CATALOGUE, { github: ['sign_in', 'rotate'], atlassian: ['sign_in'] }).split('\n')
  assert.match(rows.find((row) => row.startsWith('| `github` ')) ?? '', /\| yes \| not run \| not run \| yes \|/)
  assert.match(rows.find((row) => row.startsWith('| `atlassian` ')) ?? '', /\| yes \| (not run \| ){3}none \|/)
})
