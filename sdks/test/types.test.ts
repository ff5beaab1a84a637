import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { projectRoot } from '../../tools/lib/files.ts'

test('what is written against the SDKs fits their declarations', () => {
  const tsc = join(projectRoot, 'node_modules/.bin/tsc')
  const { status, stdout } = spawnSync(tsc, ['-p', 'sdks/tsconfig.json'], { cwd: projectRoot, encoding: 'utf8' })
  assert.equal(stdout.trim(), '')
  assert.equal(status, 0)
})
