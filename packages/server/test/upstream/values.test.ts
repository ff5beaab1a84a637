import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { UpstreamRefused } from '../../src/upstream/errors.ts'
import { NumberText, parseLossless, parseLosslessObject, toJson, valueAt } from '../../src/upstream/lossless-json.ts'
import { createScopeRules, type ScopeFacts, splitScopes } from '../../src/upstream/scopes.ts'
import { readSubject } from '../../src/upstream/subject.ts'

test('numbers keep the text in which they were written', () => {
  const value = parseLosslessObject('{"id":90071992547409931234,"small":7,"float":1.50}')
  assert.deepEqual(value.id, new NumberText('90071992547409931234'))
  assert.deepEqual(toJson(value), { id: '90071992547409931234', small: 7, float: 1.5 })
})

test('JSON without large numbers comes through as it was', () => {
  const isKept = (value: unknown) => !/"__proto__"/.test(JSON.stringify(value))
  fc.assert(
    fc.property(fc.jsonValue().filter(isKept), (value) => {
      const text = JSON.stringify(value)
      const isExact = !/[-\d]\d{15,}|e[+]/.test(text)
      if (isExact) assert.deepEqual(toJson(parseLossless(text)), JSON.parse(text))
    }),
  )
})

test('every whole number is read as itself, whatever its size', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 39n }), (id) => {
      assert.equal(readSubject(parseLossless(String(id)), 'integer'), String(id))
    }),
  )
})

test('junk, depth and other types are refused without quoting them', () => {
  for (const text of ['', '{', '{"secret":', 'undefined', '['.repeat(500_000), '<html>']) {
    assert.throws(
      () => parseLosslessObject(text),
      (error: unknown) =>
        error instanceof UpstreamRefused && error.cause === undefined && !error.message.includes('secret'),
    )
  }
  for (const text of ['[]', '"a"', '1', 'null', 'true']) assert.throws(() => parseLosslessObject(text), UpstreamRefused)
})

test('a path finds own members alone', () => {
  const root = parseLosslessObject('{"a":{"b":[{"c":"x"}]},"d":null}')
  assert.equal(valueAt(root, 'a.b.0.c'), 'x')
  assert.equal(valueAt(root, 'a.b[0].c'), 'x')
  for (const path of ['a.b.1.c', 'a.b.length', 'constructor', '__proto__', 'a.toString', 'd.e', '', 'a.b.-1']) {
    assert.equal(valueAt(root, path), undefined, path)
  }
})

const facts: ScopeFacts = {
  configured: ['openid', 'profile', 'offline_access'],
  requestReplaces: false,
  always: ['openid'],
  aliases: [['email', 'https://example.com/email']],
  contains: { repo: ['public_repo'], admin: ['repo'], loop: ['pool'], pool: ['loop'] },
}

test('auth0-wire §2.1: a sign-in adds to the configured scopes, a kept connection replaces them', () => {
  const adding = createScopeRules(facts)
  assert.deepEqual(adding.ask([]), ['openid', 'profile', 'offline_access'])
  assert.deepEqual(adding.ask(['files', 'profile']), ['openid', 'profile', 'offline_access', 'files'])
  const replacing = createScopeRules({ ...facts, requestReplaces: true })
  assert.deepEqual(replacing.ask([]), ['openid', 'profile', 'offline_access'])
  assert.deepEqual(replacing.ask(['files']), ['openid', 'files', 'offline_access'])
  const offlineNotConfigured = createScopeRules({ ...facts, requestReplaces: true, configured: ['profile'] })
  assert.deepEqual(offlineNotConfigured.ask(['files']), ['openid', 'files'])
})

test('granted scopes cover their aliases and what they contain', () => {
  const rules = createScopeRules(facts)
  assert.deepEqual(rules.missing(['public_repo', 'email'], ['admin', 'https://example.com/email']), [])
  assert.deepEqual(rules.missing(['repo', 'x', 'x'], ['public_repo']), ['repo', 'x'])
  assert.deepEqual(rules.missing(['pool'], ['loop']), [])
  assert.deepEqual(rules.missing(['toString', 'constructor'], ['admin']), ['toString', 'constructor'])
  assert.deepEqual(rules.spellings(['email', 'repo']), ['email', 'https://example.com/email', 'repo'])
})

test('what is granted is never missing, and what is missing is never granted', () => {
  const scope = fc.constantFrom<string>(
    'openid',
    'email',
    'https://example.com/email',
    'repo',
    'public_repo',
    'admin',
    'x',
  )
  const rules = createScopeRules(facts)
  fc.assert(
    fc.property(fc.array(scope), fc.array(scope), (wanted, granted) => {
      const missing = rules.missing(wanted, granted)
      assert.ok(missing.every((one) => wanted.includes(one) && !granted.includes(one)))
      assert.deepEqual(rules.missing(wanted, [...granted, ...missing]), [])
    }),
  )
})

test('scopes are split at blanks and commas', () => {
  assert.deepEqual(splitScopes(' a,b  c,,a\n'), ['a', 'b', 'c'])
  assert.deepEqual(splitScopes(''), [])
})
