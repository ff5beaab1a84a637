import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { exportHash } from '../../src/crypto/exported-hash.ts'
import { type ImportedHash, parseBcryptHash, parseCustomHash } from '../../src/crypto/imported-hash.ts'
import { createPasswords, isOurHash, NO_PASSWORD } from '../../src/crypto/passwords.ts'
import type { JsonObject } from '../../src/lib/json.ts'

const passwords = createPasswords()

const utf8 = (value: string) => ({ value, encoding: 'utf8' })
const hex = (value: string) => ({ value, encoding: 'hex' })
const digest = (algorithm: string, ...parts: (string | Buffer)[]) =>
  createHash(algorithm)
    .update(Buffer.concat(parts.map((part) => Buffer.from(part))))
    .digest()
const scryptOf = (more: JsonObject = {}): JsonObject => ({
  algorithm: 'scrypt',
  hash: hex(
    'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162' +
      '2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
  ),
  salt: utf8('NaCl'),
  keylen: 64,
  cost: 1024,
  blockSize: 8,
  parallelization: 16,
  ...more,
})
const PBKDF2 = '$pbkdf2-sha1$i=4096,l=20$c2FsdA$SwB5AbdlSJq+rUnZJvch0GWkKcE'
const ARGON2 = '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA'
const BCRYPT = '$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi'
const salted = digest('sha1', 'password', 'salt')

/** By who published them: jBCrypt, the reference of argon2, RFC 6070, RFC 7914; the digests by node itself. */
const KNOWN: Readonly<Record<string, readonly [password: string, hash: JsonObject]>> = {
  bcrypt: ['abc', { algorithm: 'bcrypt', hash: utf8(BCRYPT) }],
  argon2: ['password', { algorithm: 'argon2', hash: utf8(ARGON2) }],
  pbkdf2: ['password', { algorithm: 'pbkdf2', hash: utf8(PBKDF2) }],
  scrypt: ['password', scryptOf()],
  md5: ['password', { algorithm: 'md5', hash: hex('5f4dcc3b5aa765d61d8327deb882cf99') }],
  'sha256, salt in front': [
    'password',
    {
      algorithm: 'sha256',
      hash: { value: digest('sha256', 'salt', 'password').toString('base64'), encoding: 'base64' },
      salt: { value: '73616c74', encoding: 'hex', position: 'prefix' },
    },
  ],
  'sha512, salt behind, two bytes a letter': [
    'pässword',
    {
      algorithm: 'sha512',
      hash: hex(digest('sha512', Buffer.from('pässword', 'utf16le'), 'salt').toString('hex')),
      salt: { value: 'salt', position: 'suffix' },
      password: { encoding: 'utf16le' },
    },
  ],
  ldap: ['password', { algorithm: 'ldap', hash: utf8(`{SHA}${digest('sha1', 'password').toString('base64')}`) }],
  'ldap, salted': [
    'password',
    { algorithm: 'ldap', hash: utf8(`{SSHA}${Buffer.concat([salted, Buffer.from('salt')]).toString('base64')}`) },
  ],
}

const usable = (hash: ImportedHash) => {
  assert.notEqual(hash.kind, 'fault', JSON.stringify(hash))
  return hash as Exclude<ImportedHash, { kind: 'fault' }>
}

for (const [name, [password, hash]] of Object.entries(KNOWN))
  test(`a hash from elsewhere lets in whoever knows its password: ${name}`, async () => {
    const stored = await passwords.adopt(usable(parseCustomHash(hash)))
    assert.equal(isOurHash(stored), false)
    assert.equal(await passwords.verify(stored, password), true)
    assert.equal(await passwords.verify(stored, `${password} `), false)
    assert.equal(await passwords.verify(stored, ''), false)
  })

test('what is quick to try is stored inside of something slow, and leaves for nowhere', async () => {
  const quick = '5f4dcc3b5aa765d61d8327deb882cf99'
  const stored = await passwords.adopt(usable(parseCustomHash({ algorithm: 'md5', hash: hex(quick) })))
  assert.match(stored, /\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  for (const shape of [quick, Buffer.from(quick, 'hex').toString('base64').slice(0, 20)])
    assert.ok(!stored.includes(shape))
  assert.equal(exportHash(stored), undefined)
})

test('what is exported is taken back, and stored as it was', async () => {
  for (const name of ['bcrypt', 'argon2', 'pbkdf2', 'scrypt']) {
    const stored = await passwords.adopt(usable(parseCustomHash(KNOWN[name]?.[1] ?? {})))
    assert.equal(await passwords.adopt(usable(parseCustomHash(exportHash(stored) ?? {}))), stored)
  }
  const own = await passwords.hash('correct horse')
  assert.equal(await passwords.adopt(usable(parseCustomHash(exportHash(own) ?? {}))), own)
  assert.equal(exportHash(NO_PASSWORD), undefined)
})

test('nobody comes in where there is no password yet', async () => {
  for (const typed of ['', '!', 'undefined', NO_PASSWORD])
    assert.equal(await passwords.verify(NO_PASSWORD, typed), false)
})

test('a hash that is not what it claims to be, or that costs too much to compare, is refused', () => {
  const refused: readonly (readonly [JsonObject, string])[] = [
    [{ algorithm: 'bcrypt', hash: utf8(ARGON2) }, 'hash_malformed'],
    [{ algorithm: 'argon2', hash: utf8(BCRYPT) }, 'hash_malformed'],
    [{ algorithm: 'pbkdf2', hash: utf8(ARGON2) }, 'hash_malformed'],
    [{ algorithm: 'md5', hash: utf8(BCRYPT) }, 'hash_malformed'],
    [{ algorithm: 'sha256', hash: hex('5f4dcc3b5aa765d61d8327deb882cf99') }, 'hash_malformed'],
    [{ algorithm: 'sha1', hash: hex('zz') }, 'hash_malformed'],
    [{ algorithm: 'sha1', hash: { value: 'AAAA' } }, 'hash_malformed'],
    [{ algorithm: 'ldap', hash: utf8('{SHA}AAAA') }, 'hash_malformed'],
    [{ algorithm: 'ldap', hash: utf8('{CRYPT}$1$x') }, 'hash_unsupported'],
    [{ algorithm: 'ldap', hash: utf8('password') }, 'hash_malformed'],
    [{ algorithm: 'md4', hash: hex('00') }, 'hash_unsupported'],
    [{ algorithm: 'hmac', hash: { ...hex('00'), digest: 'sha256', key: utf8('pepper') } }, 'hash_unsupported'],
    [{ algorithm: '__proto__', hash: hex('00') }, 'hash_unsupported'],
    [{ hash: hex('00') }, 'hash_malformed'],
    [{ algorithm: 'bcrypt' }, 'hash_malformed'],
    [{ algorithm: 'bcrypt', hash: utf8(BCRYPT.replace('$10$', '$31$')) }, 'hash_too_costly'],
    [{ algorithm: 'argon2', hash: utf8(ARGON2.replace('m=65536', 'm=4194304')) }, 'hash_too_costly'],
    [{ algorithm: 'argon2', hash: utf8(ARGON2.replace('t=2', 't=4000000000')) }, 'hash_too_costly'],
    [{ algorithm: 'pbkdf2', hash: utf8(PBKDF2.replace('4096', '4000000000')) }, 'hash_too_costly'],
    [{ algorithm: 'pbkdf2', hash: utf8('$pbkdf2-sha1$i=1,l=1$c2FsdA$Sw') }, 'hash_malformed'],
    [scryptOf({ cost: 1 << 30 }), 'hash_too_costly'],
    [scryptOf({ cost: 1000 }), 'hash_malformed'],
    [scryptOf({ parallelization: 100_000 }), 'hash_too_costly'],
    [scryptOf({ blockSize: -1 }), 'hash_malformed'],
    [scryptOf({ keylen: 32 }), 'hash_malformed'],
    [scryptOf({ salt: { value: 'x', encoding: 'rot13' } }), 'hash_malformed'],
  ]
  for (const [hash, code] of refused) {
    const parsed = parseCustomHash(hash)
    assert.equal(parsed.kind === 'fault' && parsed.fault.code, code, JSON.stringify(hash))
  }
  for (const text of ['', 'password', '$1$x', BCRYPT.slice(0, -1), `${BCRYPT}x`])
    assert.equal(parseBcryptHash(text).kind, 'fault')
})
