import assert from 'node:assert/strict'
import test from 'node:test'
import { createAddressPolicy, literalAddressAllowed } from '../../src/upstream/address-policy.ts'

const FORBIDDEN = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::7f00:1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:169.254.169.254',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '4000::1',
  'not an address',
  '',
]

test('T-NET-01: only public addresses may be reached, over https', () => {
  const policy = createAddressPolicy([])
  for (const address of FORBIDDEN) assert.equal(policy.allows(address, 'https:', 443), false, address)
  for (const address of ['1.1.1.1', '8.8.8.8', '100.128.0.1', '172.32.0.1', '2606:4700::1111', '::ffff:8.8.8.8']) {
    assert.equal(policy.allows(address, 'https:', 443), true, address)
    assert.equal(policy.allows(address, 'http:', 80), false, address)
  }
})

test('T-NET-01: well-known service ports are closed in public and open in an allowed network', () => {
  const policy = createAddressPolicy(['127.0.0.0/8', 'fd00::/8'])
  const open = [443, 1024, 4000, 8443, 65_535]
  for (const port of open) assert.equal(policy.allows('1.1.1.1', 'https:', port), true, String(port))
  const closed = [0, 22, 25, 80, 444, 465, 3306, 5432, 6379, 11_211, 27_017, 65_536]
  for (const port of closed) {
    assert.equal(policy.allows('1.1.1.1', 'https:', port), false, String(port))
    assert.equal(policy.allows('127.0.0.1', 'http:', port), true, String(port))
  }
})

test('an allowed network is those addresses and no others, in every spelling', () => {
  const policy = createAddressPolicy(['127.0.0.0/8'])
  for (const address of ['127.0.0.1', '127.9.9.9', '::ffff:7f00:1'])
    assert.equal(policy.allows(address, 'http:', 80), true)
  for (const address of ['10.0.0.1', '169.254.169.254', '::1']) assert.equal(policy.allows(address, 'http:', 80), false)
  assert.equal(policy.allows('127.0.0.1', 'ftp:', 21), false)
  assert.throws(() => createAddressPolicy(['127.0.0.1']), TypeError)
  assert.throws(() => createAddressPolicy(['localhost/8']), TypeError)
})

test('T-NET-01: a forbidden literal is told at save time, however it is spelt', () => {
  const forbidden = [
    'https://127.0.0.1/',
    'https://localhost/',
    'https://a.localhost./',
    'https://0/',
    'https://0.0.0.0/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://017700000001/',
    'https://0x7f.1/',
    'https://127.0.0.1./',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[fe80::1%25eth0]/',
    'https://169.254.169.254/latest/meta-data',
    'https://100.64.1.1/',
    'https://[fd00::1]/',
    'https://\uff11\uff12\uff17.0.0.1/',
    'http://example.com/',
    'https://user:pass@example.com/',
    'https://user@example.com/',
    'https://example.com:22/',
    'https://example.com:5432/',
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    'ftp://example.com/',
    'data:text/html,x',
    'javascript:alert(1)',
    '//example.com/',
    'example.com',
    '',
  ]
  for (const url of forbidden) assert.equal(literalAddressAllowed(url, []), false, url)
  for (const url of ['https://example.com/', 'https://example.com:8443/x', 'https://1.1.1.1/']) {
    assert.equal(literalAddressAllowed(url, []), true, url)
  }
  assert.equal(literalAddressAllowed('http://127.0.0.1:8080/', ['127.0.0.0/8']), true)
  assert.equal(literalAddressAllowed('http://localhost:8080/', ['127.0.0.0/8']), true)
  assert.equal(literalAddressAllowed('http://idp.internal/', ['10.0.0.0/8']), true)
  assert.equal(literalAddressAllowed('https://192.168.0.1/', ['10.0.0.0/8']), false)
})
