import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  accountBinding,
  associatedData,
  EnvelopeError,
  keyIdOf,
  open,
  seal,
  sealingKey,
} from '../../src/crypto/envelope.ts'

interface Vector {
  readonly name: string
  readonly key: string
  readonly key_id: string
  readonly binding: readonly string[]
  readonly envelope: string
}
interface Opening extends Vector {
  readonly associated_data: string
  readonly plain: string
}

const vectorsFile = new URL('../../../../docs/formats/envelope-vectors.json', import.meta.url)
// The published file is ours and has this shape; a member that lacks fails the test that needs it.
const vectors = JSON.parse(readFileSync(vectorsFile, 'utf8')) as {
  envelopes: readonly Opening[]
  must_fail: readonly Vector[]
}
const bytes = (hex: string) => Buffer.from(hex, 'hex')
const prefixOf = (id: string) => (id.startsWith('kek_') ? 'kek_' : 'dk_')
const place = { userId: 'acme|ada', accountId: 'cac_1', field: 'tokenset', generation: 7 }

describe('envelope vectors', () => {
  for (const vector of vectors.envelopes) {
    test(`opens: ${vector.name}`, () => {
      const key = sealingKey(prefixOf(vector.key_id), bytes(vector.key))
      assert.equal(key.id, vector.key_id)
      assert.equal(associatedData(key.id, vector.binding).toString('hex'), vector.associated_data)
      assert.equal(open(key, vector.binding, bytes(vector.envelope)).toString('hex'), vector.plain)
    })
  }
  for (const vector of vectors.must_fail) {
    test(`does not open: ${vector.name}`, () => {
      const { key } = sealingKey('dk_', bytes(vector.key))
      assert.throws(() => open({ id: vector.key_id, key }, vector.binding, bytes(vector.envelope)), EnvelopeError)
    })
  }
})

test('an envelope opens to what was sealed, with the layout of the format', () => {
  const key = sealingKey('dk_', randomBytes(32))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.string(), { maxLength: 6 }), (plain, binding) => {
      const envelope = seal(key, binding, plain)
      assert.equal(envelope.length, 2 + key.id.length + 12 + plain.length + 16)
      assert.equal(keyIdOf(envelope), key.id)
      assert.deepEqual(new Uint8Array(open(key, binding, envelope)), plain)
    }),
  )
})

test('T-VAULT-02 downgrade and malleability: an envelope with any bit flipped does not open', () => {
  const key = sealingKey('dk_', randomBytes(32))
  const binding = accountBinding(place)
  const envelope = seal(key, binding, Buffer.from('{"access_token":"secret"}'))
  for (let at = 0; at < envelope.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const changed = Buffer.from(envelope)
      changed.writeUInt8(changed.readUInt8(at) ^ (1 << bit), at)
      assert.throws(() => open(key, binding, changed), EnvelopeError, `byte ${at}, bit ${bit}`)
    }
  }
})

test('T-VAULT-02 downgrade and malleability: an envelope cut at any length, or extended, does not open', () => {
  const key = sealingKey('dk_', randomBytes(32))
  const binding = accountBinding(place)
  const envelope = seal(key, binding, Buffer.from('{"access_token":"secret"}'))
  for (let length = 0; length < envelope.length; length++)
    assert.throws(() => open(key, binding, envelope.subarray(0, length)), EnvelopeError, `${length} bytes`)
  assert.throws(() => open(key, binding, Buffer.concat([envelope, Buffer.alloc(1)])), EnvelopeError)
})

test('T-VAULT-01 ciphertext swap: an envelope opens nowhere but at its own place', () => {
  const key = sealingKey('dk_', randomBytes(32))
  const other = sealingKey('dk_', randomBytes(32))
  const text = fc.string({ maxLength: 12 })
  const anyPlace = fc.record({ userId: text, accountId: text, field: text, generation: fc.nat() })
  fc.assert(
    fc.property(anyPlace, anyPlace, (here, there) => {
      fc.pre(JSON.stringify(Object.values(here)) !== JSON.stringify(Object.values(there)))
      const envelope = seal(key, accountBinding(here), Buffer.from('secret'))
      assert.throws(() => open(key, accountBinding(there), envelope), EnvelopeError)
      assert.throws(() => open(other, accountBinding(here), envelope), EnvelopeError)
    }),
  )
})

test('two envelopes of one content share no byte run: each has its own nonce', () => {
  const key = sealingKey('dk_', randomBytes(32))
  const seen = new Set(Array.from({ length: 1000 }, () => Buffer.from(seal(key, [], Buffer.alloc(0))).toString('hex')))
  assert.equal(seen.size, 1000)
})
