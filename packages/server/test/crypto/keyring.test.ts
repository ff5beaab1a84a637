import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { EnvelopeError } from '../../src/crypto/envelope.ts'
import { KeyringError } from '../../src/crypto/key-file.ts'
import { openKeyring } from '../../src/crypto/keyring.ts'
import { eventually } from '../support/http.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenon-keyring-'))
after(() => rmSync(folder, { recursive: true }))
const plain = Buffer.from('secret')
let files = 0
const newPath = () => join(folder, `data-${files++}`, 'vault.key')

test('the first start makes the key file 0600 in a folder 0700; the next one reads it', () => {
  const path = newPath()
  const first = openKeyring({ source: `file:${path}`, create: true, pollMs: 0 })
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(join(path, '..')).mode & 0o777, 0o700)
  assert.deepEqual(readdirSync(join(path, '..')), ['vault.key'])
  const second = openKeyring({ source: `file:${path}`, create: true, pollMs: 0 })
  assert.equal(second.activeKeyId, first.activeKeyId)
  assert.deepEqual(second.open('mail:1', first.seal('mail:1', plain)), plain)
})

test('without leave to create, an absent key file is refused', () => {
  assert.throws(() => openKeyring({ source: `file:${newPath()}` }), KeyringError)
})

test('T-VAULT-07 cookie/state secret reuse: what is sealed for one context opens in no other', () => {
  const ring = openKeyring({ source: `file:${newPath()}`, create: true, pollMs: 0 })
  assert.throws(() => ring.open('mail:2', ring.seal('mail:1', plain)), EnvelopeError)
  assert.throws(() => ring.unwrap('mail:1', ring.seal('mail:1', plain)), EnvelopeError)
  const { wrapped } = ring.wrap('ada', randomBytes(32))
  assert.throws(() => ring.unwrap('eve', wrapped), EnvelopeError)
})

test('a rotation by another process is noticed by itself, and at once where its key is needed', async () => {
  const path = newPath()
  const server = openKeyring({ source: `file:${path}`, create: true, pollMs: 20 })
  const quiet = openKeyring({ source: `file:${path}`, pollMs: 0 })
  const command = openKeyring({ source: `file:${path}`, pollMs: 0 })
  const [before] = server.ids()
  const old = server.seal('mail:1', plain)
  const id = command.rotate()
  assert.deepEqual(quiet.open('mail:1', command.seal('mail:1', plain)), plain)
  await eventually('the rotation is noticed', () => server.activeKeyId === id)
  assert.deepEqual(server.ids(), [id, before])
  assert.deepEqual(server.open('mail:1', old), plain)
  server.close()
})

test('two rotations at different servers keep both keys', () => {
  const path = newPath()
  const one = openKeyring({ source: `file:${path}`, create: true, pollMs: 0 })
  const two = openKeyring({ source: `file:${path}`, pollMs: 0 })
  const keys = [one.activeKeyId, one.rotate(), two.rotate()]
  assert.deepEqual(new Set(two.ids()), new Set(keys))
})

test('the active key cannot be removed, others can', () => {
  const ring = openKeyring({ source: `file:${newPath()}`, create: true, pollMs: 0 })
  const old = ring.activeKeyId
  const sealed = ring.seal('mail:1', plain)
  const active = ring.rotate()
  assert.deepEqual(ring.remove([old, active, 'kek_unknown']), [old])
  assert.deepEqual(ring.ids(), [active])
  assert.throws(() => ring.open('mail:1', sealed), EnvelopeError)
})

test('a damaged key file is refused without showing it, and does not displace keys in use', async () => {
  const path = newPath()
  const errors: unknown[] = []
  const ring = openKeyring({
    source: `file:${path}`,
    create: true,
    pollMs: 20,
    onReloadError: (error) => errors.push(error),
  })
  const text = readFileSync(path, 'utf8')
  const secret: string = JSON.parse(text).keys[0].key
  for (const damaged of [text.slice(0, -10), text.replace(secret, randomBytes(32).toString('base64')), secret, '{}']) {
    writeFileSync(path, damaged)
    assert.throws(
      () => openKeyring({ source: `file:${path}` }),
      (error: unknown) => error instanceof KeyringError && !error.message.includes(secret.slice(0, 10)) && !error.cause,
    )
  }
  await eventually('the damage is noticed', () => errors.length > 0)
  assert.deepEqual(ring.open('mail:1', ring.seal('mail:1', plain)), plain)
  ring.close()
})

test('a key from the environment seals, and says how it is rotated', () => {
  const [first, second] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')]
  const ring = openKeyring({ source: 'env:VAULT', environment: { VAULT: first } })
  const sealed = ring.seal('mail:1', plain)
  assert.throws(() => ring.rotate(), /in front of the present one in VAULT/)
  const both = openKeyring({ source: 'env:VAULT', environment: { VAULT: `${second}, ${first}` } })
  assert.deepEqual(both.open('mail:1', sealed), plain)
  assert.equal(both.ids()[1], ring.activeKeyId)
  assert.notEqual(both.activeKeyId, ring.activeKeyId)
})

test('an unusable source is refused with what was expected', () => {
  const short = randomBytes(16).toString('base64')
  for (const source of ['', 'vault.key', 'file:', 'env:', 'kms:arn', 'env:ABSENT', 'env:SHORT', 'env:TEXT'])
    assert.throws(() => openKeyring({ source, environment: { SHORT: short, TEXT: 'not base64 at all' } }), KeyringError)
})
