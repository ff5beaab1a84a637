import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { projectRoot } from '../../tools/lib/files.ts'
import { writeBlocks } from './support/guides.ts'

test('what is written against the SDKs, in the guides too, fits their declarations', () => {
  writeBlocks('types')
  const tsc = join(projectRoot, 'node_modules/.bin/tsc')
  const { status, stdout } = spawnSync(tsc, ['-p', 'sdks/tsconfig.json'], { cwd: projectRoot, encoding: 'utf8' })
  assert.equal(stdout.trim(), '')
  assert.equal(status, 0)
})
