import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Environment, readCommandLine } from '../../src/config/command-line.ts'
import { OPTIONS } from '../../src/config/options.ts'
import { readConfig } from '../../src/config/read-config.ts'
import { ConfigError } from '../../src/protocol/config-error.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenon-config-'))
after(() => rmSync(folder, { recursive: true }))

const config = (argv: readonly string[], environment: Environment = {}) =>
  readConfig({
    commandLine: readCommandLine({ argv, environment, options: OPTIONS }),
    environment,
    folder,
    readTenant: true,
  })

function refusal(argv: readonly string[], environment: Environment = {}): ConfigError {
  try {
    config(argv, environment)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new assert.AssertionError({ message: `accepted: ${argv.join(' ')}` })
}

test('configuration: the defaults of the contract', () => {
  assert.deepEqual(config([]), {
    port: 4000,
    host: '127.0.0.1',
    issuer: undefined,
    dataDir: join(folder, 'data'),
    database: {
      kind: 'sqlite',
      path: join(folder, 'data', 'tenon.db'),
      url: `sqlite:${join(folder, 'data', 'tenon.db')}`,
    },
    tenant: undefined,
    tls: { kind: 'none' },
    vaultKey: `file:${join(folder, 'data', 'vault.key')}`,
    trustProxy: [],
    dangerouslyAllowUpstreamNetwork: [],
    workers: 1,
    mail: { kind: 'folder', path: join(folder, 'data', 'outbox') },
    metricsPort: undefined,
  })
})

const KEY = randomBytes(32).toString('base64')

test('configuration: every flag has an environment variable', () => {
  const environment = {
    TENON_PORT: '0',
    TENON_HOST: '::1',
    TENON_ISSUER: 'https://auth.example.test/',
    TENON_DATA_DIR: 'elsewhere',
    TENON_DATABASE_URL: 'postgres://tenon:secret@db/tenon',
    TENON_TLS_SELF_SIGNED: 'true',
    TENON_VAULT_KEY: 'env:KEY',
    TENON_TRUST_PROXY: '10.0.0.0/8, 192.0.2.1',
    TENON_DANGEROUSLY_ALLOW_UPSTREAM_NETWORK: '127.0.0.0/8',
    TENON_WORKERS: '3',
    TENON_MAIL: 'smtp://mail.test:25',
    TENON_METRICS_PORT: '9100',
    KEY,
  }
  assert.deepEqual(config([], environment), {
    port: 0,
    host: '::1',
    issuer: 'https://auth.example.test/',
    dataDir: join(folder, 'elsewhere'),
    database: { kind: 'postgres', url: 'postgres://tenon:secret@db/tenon' },
    tenant: undefined,
    tls: { kind: 'self-signed', folder: join(folder, 'elsewhere', 'tls') },
    vaultKey: 'env:KEY',
    trustProxy: ['10.0.0.0/8', '192.0.2.1/32'],
    dangerouslyAllowUpstreamNetwork: ['127.0.0.0/8'],
    workers: 3,
    mail: { kind: 'smtp', url: 'smtp://mail.test:25' },
    metricsPort: 9100,
  })
})

test('configuration: a flag wins over its variable, and an empty variable says nothing', () => {
  assert.equal(config(['--port', '5000'], { TENON_PORT: 'many' }).port, 5000)
  assert.equal(config([], { TENON_PORT: '' }).port, 4000)
  assert.equal(config(['--tls-self-signed'], { TENON_TLS_SELF_SIGNED: 'false' }).tls.kind, 'self-signed')
})

test('configuration: mail goes to a folder by either of its names', () => {
  for (const target of ['file:box', './box', join(folder, 'box')])
    assert.deepEqual(config(['--mail', target]).mail, { kind: 'folder', path: join(folder, 'box') })
})

test('configuration: nobody changes it afterwards', () => {
  const { trustProxy, database } = config(['--trust-proxy', '10.0.0.0/8'])
  assert.ok(Object.isFrozen(trustProxy) && Object.isFrozen(database))
})

const REFUSALS: readonly [flags: readonly string[], pointer: string][] = [
  [['--no-such-flag'], '--no-such-flag'],
  [['--port'], '--port'],
  [['--port', 'many'], '--port'],
  [['--port', '70000'], '--port'],
  [['--port', '-1'], '--port'],
  [['--port', '4000x'], '--port'],
  [['stray'], 'arguments'],
  [['--host', 'a b'], '--host'],
  [['--host', '300.1.1.1'], '--host'],
  [['--host', '10.0.0.1'], '--issuer'],
  [['--issuer', 'http://auth.example.test/'], '--issuer'],
  [['--issuer', 'https://auth.example.test'], '--issuer'],
  [['--issuer', 'https://auth.example.test/x/'], '--issuer'],
  [['--issuer', 'https://auth.example.test/?a/'], '--issuer'],
  [['--issuer', 'https://auth.example.test:443/'], '--issuer'],
  [['--issuer', 'https://AUTH.example.test/'], '--issuer'],
  [['--issuer', 'https://a:b@auth.example.test/'], '--issuer'],
  [['--issuer', 'auth.example.test'], '--issuer'],
  [['--database-url', 'mysql://x'], '--database-url'],
  [['--database-url', 'sqlite:'], '--database-url'],
  [['--database-url', 'sqlite::memory:'], '--database-url'],
  [['--tenant', '/nowhere/tenant.json'], '--tenant'],
  [['--tls-cert', 'x.pem'], '--tls-key'],
  [['--tls-key', 'x.pem'], '--tls-cert'],
  [['--tls-cert', 'x.pem', '--tls-key', 'y.pem'], '--tls-cert'],
  [['--tls-cert', 'x.pem', '--tls-self-signed'], '--tls-cert'],
  [['--tls-self-signed=perhaps'], '--tls-self-signed'],
  [['--vault-key', 'env:ABSENT'], '--vault-key'],
  [['--vault-key', 'env:SHORT'], '--vault-key'],
  [['--vault-key', 'aws-kms:x'], '--vault-key'],
  [['--vault-key', 'x'], '--vault-key'],
  [['--trust-proxy', 'everything'], '--trust-proxy'],
  [['--trust-proxy', '127.1'], '--trust-proxy'],
  [['--dangerously-allow-upstream-network', '10.0.0.0/40'], '--dangerously-allow-upstream-network'],
  [['--workers', '0'], '--workers'],
  [['--mail', 'http://x'], '--mail'],
  [['--metrics-port', '4000'], '--metrics-port'],
]

for (const [flags, pointer] of REFUSALS) {
  test(`configuration: ${flags.join(' ')} is refused as ${pointer}`, () => {
    const error = refusal(flags, { SHORT: 'c2hvcnQ=' })
    assert.equal(error.pointer, pointer, error.message)
    assert.ok(error.found && error.expected)
  })
}

test('configuration: a variable that is wrong is named with its flag', () => {
  assert.equal(refusal([], { TENON_PORT: 'many' }).pointer, 'TENON_PORT (--port)')
})

test('configuration: all that is wrong is said at once', () => {
  const { problems } = refusal(['--port', 'x', '--issuer', 'y', '--workers', 'z'])
  assert.deepEqual(
    problems.map((one) => one.pointer),
    ['--port', '--issuer', '--workers'],
  )
})

test('configuration: messages hold no credentials', () => {
  const said = [
    refusal(['--database-url', 'mysql://u:hunter2@db']),
    refusal(['--database-url', 'postgres://u:hunter2@[bad']),
    refusal(['--issuer', 'https://u:hunter2@x.test/']),
    refusal(['--mail', 'http://u:hunter2@x.test/']),
    refusal(['--vault-key', 'env:KEY'], { KEY: 'hunter2' }),
    refusal(['--vault-key', 'hunter2']),
  ]
  for (const { message } of said) assert.doesNotMatch(message, /hunter2/)
})

const tenant = (text: string): string => {
  const file = join(folder, 'tenant.json')
  writeFileSync(file, text)
  return file
}
const WEB = '"client_id": "web", "name": "Web", "client_secret":'

test('configuration: the tenant file is read, filled in and checked', () => {
  const file = tenant(`{"clients": [{${WEB} "\${SECRET}", "callbacks": ["<issuer>cb"]}]}`)
  const source = config(['--tenant', file], { SECRET: 'a-secret-of-some-length' }).tenant
  assert.equal(source?.path, file)
  assert.match(JSON.stringify(source?.document), /a-secret-of-some-length.*<issuer>cb/)
})

test('configuration: a tenant file that is no JSON is refused with the place and without its text', () => {
  const { message } = refusal(['--tenant', tenant('{"clients": [\n{"client_secret": hunter2}]}')])
  assert.match(message, /line 2 column/)
  assert.doesNotMatch(message, /hunter2/)
  assert.match(refusal(['--tenant', tenant('{"clients": [],\n"users": [}')]).message, /line 2 column 11/)
  assert.match(refusal(['--tenant', tenant('{"clients": [], "clients": []}')]).message, /twice/)
  assert.ok(refusal(['--tenant', tenant('{"clients": [')]))
  assert.ok(refusal(['--tenant', tenant('[]')]))
})

test('configuration: what a variable held is not shown, wherever it stands', () => {
  const file = tenant(`{"clients": [{${WEB} "0123456789abcdef", "app_type": "\${KIND}"}]}`)
  const error = refusal(['--tenant', file], { KIND: 'hunter2' })
  assert.equal(error.pointer, '/clients/0/app_type')
  assert.doesNotMatch(error.message, /hunter2/)
  assert.match(error.message, /KIND/)
})
