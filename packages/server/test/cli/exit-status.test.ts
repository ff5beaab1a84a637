import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runTenon } from './run.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenon-exit-'))
after(() => rmSync(folder, { recursive: true }))

test('command line: bad flags end with status 2 and a JSON line that names the flag', async () => {
  const ended = await runTenon(['serve', '--data-dir', join(folder, 'data'), '--port', 'many'])
  assert.equal(ended.code, 2)
  assert.equal(ended.stdout, '')
  const { level, event, pointer, found, expected } = JSON.parse(ended.stderr)
  assert.deepEqual([level, event, pointer, found], ['fatal', 'refused', '--port', '"many"'])
  assert.match(expected, /0 to 65535/)
})

test('command line: a bad tenant file ends with status 2 and the pointer, before anything is written', async () => {
  const file = join(folder, 'tenant.json')
  writeFileSync(file, JSON.stringify({ clients: [{ client_id: 'web', name: 'Web', callbakcs: [] }] }))
  const dataDir = join(folder, 'never')
  const ended = await runTenon(['serve', '--port', '0', '--data-dir', dataDir, '--tenant', file])
  assert.equal(ended.code, 2)
  assert.equal(JSON.parse(ended.stderr.split('\n')[0] ?? '').pointer, '/clients/0/callbakcs')
  assert.throws(() => rmSync(dataDir), /ENOENT/)
})

test('command line: a data folder that cannot be made ends with status 2 and names its flag', async () => {
  const file = join(folder, 'in-the-way')
  writeFileSync(file, '')
  // Linux has a folder that is there and takes none.
  const bad = [file, join(file, 'data'), ...(process.platform === 'linux' ? ['/proc/tenon', '/proc/tenon/data'] : [])]
  for (const dataDir of bad) {
    const ended = await runTenon(['serve', '--port', '0', '--data-dir', dataDir])
    assert.equal(ended.code, 2)
    assert.equal(JSON.parse(ended.stderr.split('\n')[0] ?? '').pointer, '--data-dir')
  }
})

test('command line: unknown commands end with status 2 and the help', async () => {
  const ended = await runTenon(['seve'])
  assert.equal(ended.code, 2)
  assert.match(ended.stderr, /the command \\"seve\\"/)
  assert.match(ended.stderr, /Commands:/)
})

test('command line: --help ends with status 0 and names each flag with its variable', async () => {
  for (const args of [['--help'], ['serve', '--help']]) {
    const ended = await runTenon(args)
    assert.equal(ended.code, 0)
    assert.equal(ended.stderr, '')
    assert.match(ended.stdout, /--data-dir FOLDER\s+TENON_DATA_DIR/)
  }
})
