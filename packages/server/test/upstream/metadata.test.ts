import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import test, { after } from 'node:test'
import { bombs, forgeries, type Provider, startOidcProvider } from '@tenon/sdk/testing'
import { UpstreamRefused, UpstreamUnavailable } from '../../src/upstream/errors.ts'
import { connectorOf, signIn, startLeg } from './app.ts'

async function start(): Promise<Provider> {
  const provider = await startOidcProvider({ users: { Ada: {} } })
  after(() => provider.stop())
  return provider
}

const refused = (code: string) => (error: unknown) => error instanceof UpstreamRefused && error.code === code

test('T-CONN-05: a discovery document that names another issuer is refused before anything is sent there', async () => {
  const provider = await start()
  for (const issuer of [
    'https://evil.example',
    `${provider.issuer}/`,
    `${provider.issuer}.evil.example`,
    1,
    undefined,
  ]) {
    provider.tamperDiscovery = (document) => ({ ...document, issuer })
    await assert.rejects(startLeg(connectorOf(provider)), refused('metadata_invalid'), String(issuer))
  }
  assert.equal(provider.calls('authorize').length, 0)
})

test('a discovery URL stands for its issuer, with and without a slash', async () => {
  const provider = await start()
  const discovery = { issuer: '', discovery_url: `${provider.url}/.well-known/openid-configuration` }
  assert.equal((await signIn(connectorOf(provider, discovery))).upstreamName, 'ada')
  provider.tamperDiscovery = (document) => ({ ...document, issuer: 'https://evil.example' })
  await assert.rejects(signIn(connectorOf(provider, discovery)), refused('metadata_invalid'))
})

test('metadata is fetched once for many sign-ins, and an old copy serves while the provider is down', async () => {
  const provider = await start()
  let now = Math.floor(Date.now() / 1000)
  const connector = connectorOf(provider, {}, { clock: () => now })
  await Promise.all(Array.from({ length: 5 }, () => startLeg(connector)))
  assert.equal(provider.calls('discovery').length, 1)
  now += 601
  provider.fail('discovery', { status: 503 })
  await startLeg(connector)
  assert.equal(provider.calls('discovery').length, 2)
  await startLeg(connector)
  assert.equal(provider.calls('discovery').length, 3)
})

test('T-NET-02: discovery that is junk is a mapped error', async () => {
  const provider = await start()
  const junk = [
    { status: 200, body: '<html>' },
    { status: 404, body: {} },
    { status: 302, headers: { location: 'https://evil.example' } },
    { status: 200, body: [] },
    { status: 200, body: '{', headers: { 'content-type': 'application/json' } },
    { status: 204 },
    { respond: bombs.flood() },
    { respond: bombs.invalidUtf8() },
    { status: 200, body: { issuer: provider.issuer } },
  ]
  for (const failure of junk) {
    provider.fail('discovery', failure)
    await assert.rejects(startLeg(connectorOf(provider)), UpstreamRefused, JSON.stringify(failure))
  }
  for (const name of ['token_endpoint', 'jwks_uri', 'authorization_endpoint', 'userinfo_endpoint']) {
    for (const url of ['ftp://x/', 'https://a:b@x.example/', 'no url', 7]) {
      provider.tamperDiscovery = (document) => ({ ...document, [name]: url })
      await assert.rejects(startLeg(connectorOf(provider)), refused('metadata_invalid'), `${name} ${url}`)
    }
  }
  provider.tamperDiscovery = undefined
  provider.fail('discovery', { status: 500 })
  await assert.rejects(startLeg(connectorOf(provider)), UpstreamUnavailable)
})

test('T-RP-03: a key rollover is followed at once', async () => {
  const provider = await start()
  const connector = connectorOf(provider)
  await signIn(connector)
  await provider.rotateKeys({ keepOld: false })
  assert.equal((await signIn(connector)).upstreamName, 'ada')
  assert.equal(provider.calls('jwks').length, 2)
})

test('T-RP-03: many tokens with unknown keys fetch the keys twice at most in 30 s', async () => {
  const provider = await start()
  let now = Math.floor(Date.now() / 1000)
  const connector = connectorOf(provider, {}, { clock: () => now })
  provider.tamperSignedIdToken = forgeries.unknownKid
  for (let round = 0; round < 3; round++) {
    const bad = Array.from({ length: 30 }, () => assert.rejects(signIn(connector), refused('id_token_invalid')))
    await Promise.all(bad)
  }
  assert.ok(provider.calls('jwks').length <= 2)
  now += 31
  const before = provider.calls('jwks').length
  await assert.rejects(signIn(connector), refused('id_token_invalid'))
  assert.equal(provider.calls('jwks').length, before + 1)
})

test('T-RP-03: hostile key sets are refused and cost nothing', async () => {
  const provider = await start()
  const jwk = { ...provider.keys?.current.jwk }
  const huge = { ...jwk, n: Buffer.alloc(2048, 0xff).toString('base64url') }
  const slow = { ...jwk, e: Buffer.alloc(2048, 0xff).toString('base64url') }
  const small = { ...jwk, ...generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' }) }
  const offCurve = { ...jwk, kty: 'EC', crv: 'P-256', x: 'AQ', y: 'AQ', n: undefined, e: undefined }
  const sets = {
    none: [],
    many: Array.from({ length: 10_000 }, (_, index) => ({ ...jwk, kid: `k${index}` })),
    twice: [jwk, { ...jwk }],
    huge: [huge],
    slow: [slow],
    small: [small],
    offCurve: [offCurve],
    encryption: [{ ...jwk, use: 'enc' }],
    symmetric: [{ kty: 'oct', k: 'AAAA', kid: jwk.kid, alg: 'HS256' }],
    strings: ['a', null, 1, []],
    noArray: {},
  }
  const lag = monitorEventLoopDelay({ resolution: 5 })
  for (const [name, keys] of Object.entries(sets)) {
    provider.tamperJwks = () => ({ keys })
    const leg = await startLeg(connectorOf(provider))
    lag.enable()
    const connector = connectorOf(provider)
    await assert.rejects(connector.redeem(leg.answer, leg.expected), UpstreamRefused, name)
    lag.disable()
  }
  assert.ok(lag.max / 1e6 < 500, `event loop stood still for ${lag.max / 1e6} ms`)
  provider.tamperJwks = ({ keys }) => ({ keys: [huge, offCurve, ...(Array.isArray(keys) ? keys : [])] })
  await assert.rejects(signIn(connectorOf(provider, { id_token_signed_response_algs: ['ES256'] })), UpstreamRefused)
  provider.tamperJwks = ({ keys }) => ({ keys: [{ ...huge, kid: 'other' }, ...(Array.isArray(keys) ? keys : [])] })
  assert.equal((await signIn(connectorOf(provider))).upstreamName, 'ada')
})
