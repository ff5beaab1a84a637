import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../src/lib/json.ts'
import { ConfigError } from '../../src/protocol/config-error.ts'
import { GRANT_TYPES } from '../../src/protocol/grant-types.ts'
import { CREDENTIAL_STRATEGIES, STRATEGIES } from '../../src/protocol/strategies.ts'
import { fillEnvironment } from '../../src/protocol/substitution.ts'
import { parseTenantFile } from '../../src/protocol/tenant-file.ts'

const ISSUER = 'https://auth.example.test/'
const SECRET = 'a-secret-of-some-length'
const WEB = { client_id: 'web', client_secret: SECRET, name: 'Web' }
const GITHUB = { name: 'code', strategy: 'github', options: { client_id: 'x', client_secret: 'y' } }

function refusal(document: unknown): ConfigError {
  try {
    parseTenantFile(document, ISSUER)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new assert.AssertionError({ message: `accepted: ${JSON.stringify(document)}` })
}

const accepted = (document: JsonObject) => parseTenantFile(document, ISSUER)

test('tenant file: an empty one is a tenant', () => {
  const lists = ['clients', 'resource_servers', 'client_grants', 'connections', 'token_exchange_profiles', 'users']
  assert.deepEqual(accepted({}), { settings: {}, ...Object.fromEntries(lists.map((name) => [name, []])) })
})

const user = { connection: 'Username-Password-Authentication', email: 'ada@example.test', password: 'correct horse' }
const web = (more: JsonObject): JsonObject => ({ clients: [{ ...WEB, ...more }] })
const connection = (more: JsonObject): JsonObject => ({ connections: [{ ...GITHUB, ...more }] })

const webhooks = (...many: readonly JsonObject[]): JsonObject => ({
  settings: { webhooks: many.map((more) => ({ url: 'https://hooks.test/', secret: SECRET, ...more })) },
})

const REFUSALS: readonly [what: string, pointer: string, document: unknown][] = [
  ['no object', '', []],
  ['an unknown section', '/cleints', { cleints: [] }],
  ['an unknown key of a client', '/clients/0/callbakcs', web({ callbakcs: [] })],
  ['an unknown key deep inside', '/clients/0/refresh_token/rotate', web({ refresh_token: { rotate: true } })],
  ['a webhook to nowhere', '/settings/webhooks/0/url', webhooks({ url: 'file:///etc/passwd' })],
  ['a webhook with a URL that holds a password', '/settings/webhooks/0/url', webhooks({ url: 'https://a:b@x.test/' })],
  ['a short webhook secret', '/settings/webhooks/0/secret', webhooks({ secret: 'whsec_c2hvcnQ=' })],
  ['an event that is none', '/settings/webhooks/0/events/0', webhooks({ events: ['user'] })],
  ['one webhook twice', '/settings/webhooks', webhooks({}, {})],
  ['a wrong type', '/clients/0/callbacks', web({ callbacks: 'https://a.test/cb' })],
  ['an unknown grant type', '/clients/0/grant_types/0', web({ grant_types: ['magic'] })],
  ['a secret that is short', '/clients/0/client_secret', web({ client_secret: 'short' })],
  ['a secret that is missing', '/clients/0/client_secret', { clients: [{ client_id: 'web', name: 'Web' }] }],
  ['a secret of a public client', '/clients/0/client_secret', web({ app_type: 'spa' })],
  ['an API client without its API', '/clients/0/resource_server_identifier', web({ app_type: 'resource_server' })],
  [
    'a refresh audience that nobody is',
    '/clients/0/refresh_token/policies/0/audience',
    web({ refresh_token: { policies: [{ audience: 'nobody', scope: [] }] } }),
  ],
  ['a client twice', '/clients/1/client_id', { clients: [WEB, WEB] }],
  [
    'a grant of nobody',
    '/client_grants/0/client_id',
    { client_grants: [{ client_id: 'nobody', audience: '<issuer>me/' }] },
  ],
  [
    'a grant for nothing',
    '/client_grants/0/audience',
    { ...web({}), client_grants: [{ client_id: 'web', audience: 'nothing' }] },
  ],
  [
    'a scope that the API lacks',
    '/client_grants/0/scope/0',
    {
      ...web({}),
      resource_servers: [{ identifier: 'a' }],
      client_grants: [{ client_id: 'web', audience: 'a', scope: ['b'] }],
    },
  ],
  ['an unknown strategy', '/connections/0/strategy', connection({ strategy: 'telepathy' })],
  [
    'an unknown option of a generic connection',
    '/connections/0/options/tokenUrl',
    connection({
      strategy: 'oauth2',
      options: { client_id: 'x', authorizationURL: 'https://a.test', tokenURL: 'https://a.test', tokenUrl: 'x' },
    }),
  ],
  [
    'a product that is no boolean',
    '/connections/0/options/repo',
    connection({ options: { client_id: 'x', repo: 'yes' } }),
  ],
  ['an upstream without id', '/connections/0/options/client_id', connection({ options: {} })],
  ['an oidc upstream without address', '/connections/0/options/issuer', connection({ strategy: 'oidc' })],
  [
    'tokens kept from SAML',
    '/connections/0/connected_accounts/active',
    connection({
      strategy: 'samlp',
      options: { signInEndpoint: 'https://a.test/', cert: 'x', entityId: 'x' },
      connected_accounts: { active: true },
    }),
  ],
  ['a name with the separator of user ids', '/connections/0/name', connection({ name: 'a|b' })],
  ['an enabled client that is none', '/connections/0/enabled_clients/0', connection({ enabled_clients: ['nobody'] })],
  ['a connection twice', '/connections/1/name', { connections: [GITHUB, GITHUB] }],
  ['a user of no connection', '/users/0/connection', { users: [{ ...user, connection: 'nowhere' }] }],
  [
    'a user of a connection without passwords',
    '/users/0/connection',
    { connections: [GITHUB], users: [{ ...user, connection: 'code' }] },
  ],
  ['an unknown policy', '/settings/linking/policy', { settings: { linking: { policy: 'always' } } }],
  ['an unknown setting', '/settings/linking/polcy', { settings: { linking: { polcy: 'off' } } }],
  ['a key that needs escaping', '/settings/a~1b~0c', { settings: { 'a/b~c': 1 } }],
]

for (const [what, pointer, document] of REFUSALS) {
  test(`tenant file: ${what} is refused with its pointer`, () => {
    const error = refusal(document)
    assert.equal(error.pointer, pointer, error.message)
    assert.ok(error.found && error.expected && error.code)
  })
}

test('tenant file: all that is wrong is said at once', () => {
  const { problems } = refusal({ clients: [{ ...WEB, nmae: 1, callbacks: 1 }], cleints: [] })
  assert.deepEqual(problems.map((one) => one.pointer).sort(), ['/cleints', '/clients/0/callbacks', '/clients/0/nmae'])
})

test('tenant file: messages hold no secret and no address', () => {
  const documents = [
    web({ client_secret: 'hunter2' }),
    web({ client_secret: 271_828_182 }),
    { users: [{ ...user, password: 314_159_265 }] },
    { users: [{ ...user, connection: 'nowhere', email: 'eve@@example.test' }] },
    connection({ strategy: 'samlp', options: { signInEndpoint: 'https://u:hunter2@a.test', signingCert: 1 } }),
  ]
  const text = documents.map((one) => refusal(one).message).join()
  assert.doesNotMatch(text, /hunter2|271828182|314159265|eve@/)
})

test('tenant file: redirect URIs are https, http on loopback, or a private scheme of a native app', () => {
  const good = ['https://a.test/cb', 'http://127.0.0.1:9/cb', 'http://localhost/cb', 'http://[::1]:8080/cb?x=1']
  accepted(web({ callbacks: good }))
  const native = {
    client_id: 'n',
    name: 'N',
    app_type: 'native',
    callbacks: ['com.example.app:/cb', 'com.example.app.auth0://x/cb'],
  }
  accepted({ clients: [native] })
  accepted(web({ callbacks: ['http://intranet/cb'], dangerously_allow_http_redirects: true }))
  const bad = [
    'http://a.test/cb',
    'http://127.0.0.1.evil.test/',
    'https://a.test/#x',
    'https://a.test/#',
    'https://*.a.test/cb',
    'javascript:alert(1)',
    'com.example.app:/cb',
    'cb',
    '/cb',
    'https://a:b@c.test/',
    'https://a.test\\@b.test/',
  ]
  for (const uri of bad) assert.equal(refusal(web({ callbacks: [uri] })).pointer, '/clients/0/callbacks/0', uri)
  assert.ok(refusal({ clients: [{ ...native, callbacks: ['myapp:/cb'] }] }))
})

test('tenant file: every grant type and every strategy of the contract is taken', () => {
  accepted(web({ grant_types: [...GRANT_TYPES] }))
  const options: Record<string, JsonObject> = {
    auth0: {},
    email: { disable_signup: true },
    passkey: {},
    'api-key': { api_hosts: ['api.a.test'], header: 'X-Api-Key', scheme: '' },
    basic: { api_hosts: ['api.a.test'], userInfoURL: 'https://api.a.test/me', fieldsMap: { user_id: 'id' } },
    oidc: { client_id: 'x', issuer: 'https://a.test' },
    oauth2: {
      client_id: 'x',
      authorizationURL: 'https://a.test/a',
      tokenURL: 'https://a.test/t',
      scope: 'a b',
      fieldsMap: { user_id: 'id' },
    },
    samlp: {
      signInEndpoint: 'https://a.test/sso',
      signingCert: 'MII',
      entityId: 'urn:a',
      fieldsMap: { email: 'mail' },
      signatureAlgorithm: 'rsa-sha256',
    },
  }
  const catalogue = {
    client_id: 'x',
    client_secret: 'y',
    scope: ['a'],
    repo: true,
    endpoints: { token: 'http://127.0.0.1:1/t' },
    trust_email: true,
    email_domains: ['example.test'],
    shared_callback: true,
  }
  const connections = STRATEGIES.map((strategy) => ({
    name: `c-${strategy}`,
    strategy,
    options: options[strategy] ?? catalogue,
    ...(CREDENTIAL_STRATEGIES.has(strategy) ? { authentication: { active: false } } : {}),
  }))
  assert.equal(accepted({ connections }).connections.length, STRATEGIES.length)
})

test('tenant file: by a key or password that is typed nobody signs in, and it goes to hosts and in a header that may be', () => {
  const connection = { name: 'crm', strategy: 'api-key', authentication: { active: false } }
  const options = { api_hosts: ['api.a.test'] }
  const pointerOf = (changed: JsonObject) => refusal({ connections: [{ ...connection, options, ...changed }] }).pointer
  assert.equal(pointerOf({ authentication: {} }), '/connections/0/authentication/active')
  assert.equal(pointerOf({ authentication: { active: true } }), '/connections/0/authentication/active')
  const withOption = (more: JsonObject) => pointerOf({ options: { ...options, ...more } })
  assert.equal(withOption({ api_hosts: [] }), '/connections/0/options/api_hosts')
  for (const header of ['Host', 'cookie', 'Content-Length', 'X Key', 'X-Key\n'])
    assert.equal(withOption({ header }), '/connections/0/options/header', header)
  assert.equal(withOption({ scheme: 'a b' }), '/connections/0/options/scheme')
  assert.equal(withOption({ userInfoURL: 'https://a.test/me' }), '/connections/0/options/fieldsMap/user_id')
})

test('tenant file: <issuer> and <issuer-host> stand for the own address', () => {
  const file = accepted({
    ...web({ callbacks: ['<issuer>cb', 'https://<issuer-host>/x'] }),
    client_grants: [{ client_id: 'web', audience: '<issuer>api/v2/', scope: ['read:users'] }],
  })
  assert.deepEqual(file.clients[0]?.callbacks, ['https://auth.example.test/cb', 'https://auth.example.test/x'])
  assert.equal(file.client_grants[0]?.audience, 'https://auth.example.test/api/v2/')
})

/** The text that stands for an environment variable. */
const variable = (name: string) => `\${${name}}`

test('tenant file: an environment variable is filled in, deep inside too, and a doubled $ keeps the text', () => {
  const document = { a: [`x${variable('A')}y`, { b: `$${variable('A')}`, c: 1 }] }
  const filled = fillEnvironment(document, { A: variable('B') })
  assert.deepEqual(filled, { a: [`x${variable('B')}y`, { b: variable('A'), c: 1 }] })
})

test('tenant file: every environment variable that is missing is named, with its place', () => {
  assert.throws(
    () => fillEnvironment({ clients: [{ client_secret: variable('ONE'), name: variable('TWO') }] }, {}),
    (error) =>
      error instanceof ConfigError &&
      error.pointer === '/clients/0/client_secret' &&
      /ONE/.test(error.message) &&
      /TWO/.test(error.message),
  )
})
