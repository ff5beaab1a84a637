import assert from 'node:assert/strict'
import { test } from 'node:test'
import { equalSecrets, newId, randomHex, randomToken } from '../../src/crypto/hashing.ts'
import { createPasswords, passwordProblem } from '../../src/crypto/passwords.ts'
import { parseStrictJson } from '../../src/lib/strict-json.ts'

test('a password verifies against its hash, however its letters are composed', async () => {
  const passwords = createPasswords()
  const hash = await passwords.hash('Zo\u00eb likes tea')
  assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  assert.equal(await passwords.verify(hash, 'Zoe\u0308 likes tea'), true)
  assert.equal(await passwords.verify(hash, 'Zoe likes tea'), false)
})

test('an unknown name never verifies, and costs what a wrong password costs', async () => {
  const passwords = createPasswords()
  const hash = await passwords.hash('correct horse')
  const timed = async (stored: string | undefined) => {
    const start = performance.now()
    assert.equal(await passwords.verify(stored, 'battery staple'), false)
    return performance.now() - start
  }
  await timed(undefined)
  // The quickest of some: what a busy machine adds is not counted.
  const quickest = async (stored: string | undefined) => {
    const times: number[] = []
    for (let turn = 0; turn < 5; turn++) times.push(await timed(stored))
    return Math.min(...times)
  }
  assert.ok((await quickest(undefined)) > (await quickest(hash)) / 10)
})

test('many at once are all answered', async () => {
  const passwords = createPasswords({ maxConcurrent: 2 })
  const hash = await passwords.hash('correct horse')
  const answers = await Promise.all(
    Array.from({ length: 9 }, (_, i) => passwords.verify(hash, i % 3 ? 'wrong' : 'correct horse')),
  )
  assert.equal(answers.filter(Boolean).length, 3)
})

test('the rules for a new password', () => {
  assert.equal(passwordProblem('seven77'), 'too_short')
  assert.equal(passwordProblem('x'.repeat(256)), 'too_common')
  assert.equal(passwordProblem('xy'.repeat(128)), undefined)
  assert.equal(passwordProblem(`${'xy'.repeat(128)}z`), 'too_long')
  assert.equal(passwordProblem(`${'e\u0301'.repeat(4)}abc`), 'too_short')
  assert.equal(passwordProblem('Ada@Example.test', 'ada@example.test'), 'is_address')
  assert.equal(passwordProblem('Password123'), 'too_common')
  assert.equal(passwordProblem('abc\ud800defgh'), 'malformed')
  assert.equal(passwordProblem('correct horse battery', 'ada@example.test'), undefined)
})

test('secrets compare by content alone', () => {
  assert.equal(equalSecrets('abc', 'abc'), true)
  for (const other of ['abd', 'ab', 'abcd', '']) assert.equal(equalSecrets('abc', other), false)
})

test('ids have their prefix, length and alphabet', () => {
  assert.match(newId('con_', 16), /^con_[A-Za-z0-9]{16}$/)
  assert.match(randomHex(24), /^[0-9a-f]{24}$/)
  assert.equal(Buffer.from(randomToken(), 'base64url').length, 32)
})

test('JSON in which an object names a member twice is refused, wherever it is', () => {
  const good = [
    '{}',
    '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
    '{"a":"a","b":"a,\\"a\\":"}',
    '["a","a"]',
    '{"a":["a","a"],"b":1}',
    ' "x" ',
  ]
  for (const text of good) assert.deepEqual(parseStrictJson(text), JSON.parse(text))
  const twice = [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '[{"b":{"c":1,"d":[],"c":2}}]',
    '{"__proto__":1,"__proto__":2}',
  ]
  for (const text of [...twice, '{', '']) assert.throws(() => parseStrictJson(text), SyntaxError)
})
