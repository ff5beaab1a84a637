// Requests as they come in: bodies, who sent them, and whether a form is ours.
import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import fc from 'fast-check'
import { sha256Hex } from '../../src/crypto/hashing.ts'
import { csrfToken, requireOwnForm } from '../../src/web/csrf.ts'
import { BadRequest, clientAddress, parseFlatBody } from '../../src/web/http.ts'

const FORM = 'application/x-www-form-urlencoded'
const parse = (type: string | undefined, text: string | Uint8Array) => ({ ...parseFlatBody(type, Buffer.from(text)) })

test('a form and the JSON object of the same members are the same parameters', () => {
  const names = fc.stringMatching(/^[a-z_][a-z0-9_]{0,20}$/)
  const values = fc.string({ unit: 'grapheme' }).filter((text) => text !== 'undefined' && text.isWellFormed())
  fc.assert(
    fc.property(fc.dictionary(names, values), (members) => {
      const form = parse(FORM, new URLSearchParams(members).toString())
      const json = parse('application/json; charset=utf-8', JSON.stringify(members))
      assert.deepEqual(form, json)
      assert.deepEqual(form, { ...members })
    }),
  )
})

test('what is repeated in a form stays a list, for the endpoint to refuse', () => {
  assert.deepEqual(parse(FORM, 'a=1&b=2&a=3&a=1'), { a: ['1', '3', '1'], b: '2' })
})

test('the word undefined and null count as absent; numbers and truth values are text', () => {
  assert.deepEqual(parse(FORM, 'a=undefined&b=undefined+&c='), { b: 'undefined ', c: '' })
  assert.deepEqual(parse('application/json', '{"a":"undefined","b":null,"c":1,"d":true}'), { c: '1', d: 'true' })
})

test('members named like parts of an object are members', () => {
  const body = parseFlatBody('application/json', Buffer.from('{"__proto__":"x","constructor":"y"}'))
  assert.equal(Object.getPrototypeOf(Object.assign({}, body)), Object.prototype)
  assert.equal(body.constructor, 'y')
  const form = parseFlatBody(FORM, Buffer.from('__proto__=x&toString=y'))
  assert.equal(form.toString, 'y')
  assert.equal(({} as Record<string, unknown>).x, undefined)
})

test('anything that is not flat, not whole, not UTF-8 or neither form nor JSON is refused as 400', () => {
  const wrong: readonly (readonly [string | undefined, string | Uint8Array])[] = [
    ['application/json', '{"a":{}}'],
    ['application/json', '{"a":[]}'],
    ['application/json', '[]'],
    ['application/json', '"a"'],
    ['application/json', ''],
    ['application/json', '{"a":1'],
    ['application/json', '{"a":1,"a":2}'],
    ['application/json', Uint8Array.of(0x7b, 0xff, 0x7d)],
    [FORM, Uint8Array.of(0x61, 0x3d, 0xff)],
    ['text/plain', 'a=b'],
    ['multipart/form-data; boundary=x', '--x'],
    [undefined, 'a=b'],
  ]
  for (const [type, body] of wrong)
    assert.throws(
      () => parse(type, body),
      (error) => error instanceof BadRequest && error.status === 400,
      String(body),
    )
  assert.deepEqual(parse(undefined, ''), {})
})

test('T-API-08 what a proxy says of the client counts from proxies that the operator named, and from the right', () => {
  const from = (peer: string, forwarded: string | undefined, trusted: readonly string[]) =>
    clientAddress(
      // The two members that are read.
      { socket: { remoteAddress: peer }, headers: { 'x-forwarded-for': forwarded } } as unknown as IncomingMessage,
      trusted,
    )
  assert.equal(from('192.0.2.1', '203.0.113.9', []), '192.0.2.1')
  assert.equal(from('192.0.2.1', '203.0.113.9', ['198.51.100.1']), '192.0.2.1')
  assert.equal(from('198.51.100.1', '203.0.113.9', ['198.51.100.1']), '203.0.113.9')
  assert.equal(from('198.51.100.7', '6.6.6.6, 203.0.113.9, 198.51.100.2', ['198.51.100.0/24']), '203.0.113.9')
  assert.equal(from('::ffff:198.51.100.7', '203.0.113.9', ['198.51.100.0/24']), '203.0.113.9')
  assert.equal(from('198.51.100.7', '198.51.100.8', ['198.51.100.0/24']), '198.51.100.7')
  assert.equal(from('198.51.100.7', undefined, ['198.51.100.0/24']), '198.51.100.7')
  assert.equal(from('2001:db8::1', '203.0.113.9', ['2001:db8::/32']), '203.0.113.9')
})

test('T-WEB-04 a form is ours by its token, for this browser and this state, and by where the browser says it is from', () => {
  const browser = { secret: 'a'.repeat(43), hash: sha256Hex('a'), setCookie: undefined }
  const issuer = 'https://id.acme.test/'
  const form = {
    csrf: csrfToken(browser, 's'),
    state: 's',
    origin: 'https://id.acme.test',
    secFetchSite: 'same-origin',
  }
  requireOwnForm(browser, form, issuer)
  requireOwnForm(browser, { ...form, origin: undefined, secFetchSite: undefined }, issuer)
  requireOwnForm(browser, { ...form, origin: 'null', secFetchSite: 'none' }, issuer)
  const wrong = [
    { ...form, csrf: undefined },
    { ...form, csrf: csrfToken(browser, 'other') },
    { ...form, csrf: csrfToken({ ...browser, secret: 'b'.repeat(43) }, 's') },
    { ...form, secFetchSite: 'cross-site' },
    { ...form, secFetchSite: 'same-site' },
    { ...form, secFetchSite: undefined, origin: 'https://evil.test' },
    { ...form, secFetchSite: undefined, origin: 'null' },
  ]
  for (const one of wrong) assert.throws(() => requireOwnForm(browser, one, issuer), { code: 'cross_site_request' })
  // A browser that was only named with this answer cannot have seen a page of ours.
  assert.throws(() => requireOwnForm({ ...browser, setCookie: 'x' }, form, issuer), { code: 'cross_site_request' })
})
