import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { canonicalAddress, canonicalDomain, gradeOf, maskAddress } from '../../src/domain/address.ts'
import type { JsonObject } from '../../src/lib/json.ts'

test('T-PRE-07: addresses that are one mailbox have one canonical form', () => {
  const vectors: [string, string][] = [
    ['victim@x.com', 'victim@x.com'],
    ['Victim@X.com', 'victim@x.com'],
    ['VICTIM@X.COM', 'victim@x.com'],
    ['a.b+tag@x.com', 'a.b+tag@x.com'],
    ["o'hara_!#$%&*/=?^`{|}~-@x.com", "o'hara_!#$%&*/=?^`{|}~-@x.com"],
    ['jose\u0301@x.com', 'jos\u00e9@x.com'],
    ['v@b\u00fccher.example', 'v@xn--bcher-kva.example'],
    ['v@xn--bcher-kva.example', 'v@xn--bcher-kva.example'],
    ['v@stra\u00dfe.example', 'v@xn--strae-oqa.example'],
  ]
  for (const [text, canonical] of vectors) assert.equal(canonicalAddress(text), canonical, text)
})

test('T-PRE-07: look-alikes and other spellings are refused or another mailbox, never the victim', () => {
  const refused = [
    '',
    '@',
    'victim',
    'victim@',
    '@x.com',
    ' victim@x.com',
    'victim@x.com ',
    'vic tim@x.com',
    'victim@x.com\n',
    'victim@x.com\0',
    'victim@x\u00ad.com',
    'vic\u00adtim@x.com',
    'vic\u200btim@x.com',
    'vic\u202etim@x.com',
    'victim@x.com.',
    'victim@.x.com',
    'victim@x..com',
    'victim@x',
    'victim@localhost',
    'victim@\uff58.com',
    'victim@x\u3002com',
    'victim@X\u0308.com',
    'victim@[127.0.0.1]',
    'victim@127.0.0.1',
    'victim@127.1',
    'victim@x.123',
    '"victim"@x.com',
    '"victim@evil"@x.com',
    'victim@evil@x.com',
    'Victim <victim@x.com>',
    '<victim@x.com>',
    'a@x.com,victim@x.com',
    'a@x.com;victim@x.com',
    'victim(comment)@x.com',
    '.victim@x.com',
    'victim.@x.com',
    'vic..tim@x.com',
    'victim@-x.com',
    'victim@xn--a.com',
    `${'v'.repeat(65)}@x.com`,
    `v@${'x'.repeat(63)}.${'x'.repeat(63)}.${'x'.repeat(63)}.${'x'.repeat(63)}.com`,
  ]
  for (const text of refused) assert.equal(canonicalAddress(text), undefined, JSON.stringify(text))
  const others = [
    'v.ictim@x.com',
    'victim+tag@x.com',
    '\u0475ictim@x.com',
    '\uff56ictim@x.com',
    'v\u0131ctim@x.com',
    'v\u0130ctim@x.com',
    'victim@\u0445.com',
    'victim@x.co',
  ]
  for (const text of others) assert.notEqual(canonicalAddress(text), 'victim@x.com', JSON.stringify(text))
})

test('T-PRE-07: sharp s and ss, dotted and dotless i are different domains', () => {
  assert.notEqual(canonicalDomain('stra\u00dfe.example'), canonicalDomain('strasse.example'))
  assert.notEqual(canonicalDomain('\u0131.example'), canonicalDomain('i.example'))
  assert.equal(canonicalDomain('\u0130.example'), undefined)
})

test('the canonical form of a canonical form is itself', () => {
  const part = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 })
  const domain = fc.oneof(fc.domain(), part)
  fc.assert(
    fc.property(part, domain, (local, host) => {
      const canonical = canonicalAddress(`${local}@${host}`)
      if (canonical !== undefined) assert.equal(canonicalAddress(canonical), canonical)
    }),
    { numRuns: 2000 },
  )
})

test('a canonical address has one @, no white space, no upper-case ASCII and an ASCII domain with a dot', () => {
  fc.assert(
    fc.property(fc.oneof(fc.emailAddress(), fc.string({ unit: 'grapheme' })), (text) => {
      const canonical = canonicalAddress(text)
      if (canonical === undefined) return
      assert.match(canonical, /^[^@\s\p{Cc}\p{Cf}A-Z]+@[a-z0-9-]+(\.[a-z0-9-]+)+$/u)
    }),
    { numRuns: 2000 },
  )
})

test('a masked address names neither its mailbox nor its domain', () => {
  assert.equal(maskAddress('ada.l@mail.example.test'), 'a•••l@mail.example.test')
  assert.equal(maskAddress('\u{1f600}x@e.test'), '\u{1f600}•••@e.test')
})

const connection = (options: JsonObject) => ({ options })

test('T-PRE-05: a connection is believed only when its options say so, and only JSON true is verified', () => {
  const trusting = connection({ trust_email: true, email_domains: ['corp.example'] })
  const grades = (emailVerified: unknown, email = 'v@corp.example') =>
    gradeOf({ email, emailVerified, connection: trusting })
  assert.equal(grades(true), 2)
  assert.equal(grades(true, 'v@else.example'), 1)
  assert.equal(grades(true, 'v@sub.corp.example'), 1)
  assert.equal(grades(true, 'v@corp.example.evil.test'), 1)
  assert.equal(grades(true, 'not an address'), 0)
  for (const lie of [false, 'true', 1, '1', null, undefined, [], {}, [true]]) assert.equal(grades(lie), 0, String(lie))
  const distrusted = [{}, { trust_email: false }, { trust_email: 'true' }, { trust_email: 1 }]
  for (const options of distrusted) {
    const claim = { email: 'v@corp.example', emailVerified: true }
    assert.equal(gradeOf({ ...claim, connection: connection({ ...options, email_domains: ['corp.example'] }) }), 0)
  }
})

test('a provider is authoritative for the mailboxes that it gives out, without any option', () => {
  const claim = { emailVerified: true, connection: connection({}), authoritativeDomains: ['gmail.com'] }
  assert.equal(gradeOf({ ...claim, email: 'v@gmail.com' }), 2)
  assert.equal(gradeOf({ ...claim, email: 'v@corp.example' }), 0)
  assert.equal(gradeOf({ ...claim, email: 'v@gmail.com', emailVerified: 'true' }), 0)
})

test('no claim of a connection reaches G3, and an unverified one is always G0', () => {
  const options = fc.record({ trust_email: fc.boolean(), email_domains: fc.array(fc.domain(), { maxLength: 3 }) })
  fc.assert(
    fc.property(fc.emailAddress(), fc.jsonValue(), options, (email, emailVerified, given) => {
      const grade = gradeOf({ email, emailVerified, connection: connection(given) })
      assert.ok(grade <= 2)
      if (emailVerified !== true) assert.equal(grade, 0)
    }),
  )
})
