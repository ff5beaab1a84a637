// The catalogue as a whole: complete, well-formed, and free of what would lead a secret to the wrong host.
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Connection } from '../../src/domain/connection.ts'
import type { JsonObject } from '../../src/lib/json.ts'
import { CATALOGUE_STRATEGIES } from '../../src/protocol/strategies.ts'
import type { Endpoints, ProviderProfile } from '../../src/upstream/catalogue/profile.ts'
import { createConnectors } from '../../src/upstream/connectors.ts'
import { ConnectionUnavailable } from '../../src/upstream/errors.ts'
import { CATALOGUE } from '../../src/upstream/registry.ts'
import { readSettings } from '../../src/upstream/settings.ts'
import { loopbackFetch } from './app.ts'

const connectionFor = ({ strategy }: ProviderProfile, options: JsonObject = {}): Connection => ({
  id: 'con_1',
  name: 'one',
  strategy,
  displayName: undefined,
  options: { client_id: 'c', client_secret: 's', ...options },
  authenticationActive: true,
  connectedAccountsActive: true,
})

const urlsOf = (endpoints: Endpoints | undefined): readonly string[] =>
  Object.values(endpoints ?? {}).filter((url): url is string => url !== undefined)

test('every strategy of the catalogue has its profile, and every profile its strategy', () => {
  const profiles = CATALOGUE.map(({ strategy }) => strategy)
  assert.deepEqual([...profiles].sort(), [...CATALOGUE_STRATEGIES].sort())
  assert.equal(new Set(profiles).size, profiles.length)
})

for (const profile of CATALOGUE) {
  test(`${profile.strategy}: https endpoints, known placeholders, a subject that nobody can change, sources`, () => {
    const urls = [...urlsOf(profile.endpoints), ...urlsOf(profile.selfHosted)]
    for (const url of urls) assert.match(url, /^https:\/\/[^/{}@]*(\{domain\})?[^/{}@]*(\/|$)/, url)
    const places = new Set(urls.flatMap((url) => url.match(/\{\w+\}/g) ?? []))
    const known = ['{domain}', '{tenant}', '{tid}', '{access_token}', '{client_id}', '{token}']
    for (const place of places) assert.ok(known.includes(place), place)
    assert.equal(places.has('{domain}') && profile.placeholders.domain === undefined, false)
    assert.equal(places.has('{tenant}'), profile.placeholders.tenant !== undefined)
    for (const path of profile.identity.subject) assert.doesNotMatch(path, /(^|\.)(e?mail|login|user_?name|name)$/i)
    assert.ok(profile.identity.subject.length > 0)
    assert.ok(profile.evidence.pages.length > 0 && profile.evidence.pages.every((page) => page.startsWith('https://')))
    for (const { date, source } of profile.evidence.changes) {
      assert.match(date ?? '2026-01-01', /^\d{4}-\d\d-\d\d$/)
      assert.match(source, /^https:\/\//)
    }
    // A token in a URL is a token in logs; only where the vendor gives no other way.
    assert.ok(!(profile.endpoints.token ?? '').includes('{token}'))
  })
}

test('a host or tenant that is none is refused before anything is sent there', () => {
  const find = (strategy: string) => {
    const profile = CATALOGUE.find((one) => one.strategy === strategy)
    if (profile === undefined) throw new Error(strategy)
    return profile
  }
  for (const domain of ['', 'acme.okta.com/', 'acme@evil.test', 'evil.test#', 'a b', 'evil.test?', '[::1]', '..']) {
    const okta = find('okta')
    assert.throws(() => readSettings(connectionFor(okta, { domain }), okta), ConnectionUnavailable, domain)
  }
  for (const tenant_domain of ['', '../common', 'a/b', '{tid}', 'a?b']) {
    const waad = find('waad')
    assert.throws(
      () => readSettings(connectionFor(waad, { tenant_domain }), waad),
      ConnectionUnavailable,
      tenant_domain,
    )
  }
})

test('software on a host of its own is called there and nowhere else', async () => {
  const connectors = createConnectors({ fetch: loopbackFetch(), clock: () => 0 })
  const urlOf = async (strategy: string, options: JsonObject) => {
    const profile = CATALOGUE.find((one) => one.strategy === strategy)
    if (profile === undefined) throw new Error(strategy)
    const connector = connectors.for({
      ...connectionFor(profile, options),
      id: `${strategy} ${JSON.stringify(options)}`,
    })
    const request = { redirectUri: 'https://us.test/cb', state: 's', nonce: 'n', codeChallenge: 'c', scopes: [] }
    return { url: await connector.authorizationUrl(request), hosts: connector.traits.apiHosts }
  }
  const enterprise = await urlOf('github', { domain: 'git.acme.test' })
  assert.equal(enterprise.url.origin + enterprise.url.pathname, 'https://git.acme.test/login/oauth/authorize')
  assert.deepEqual(enterprise.hosts, ['git.acme.test'])
  assert.equal((await urlOf('github', {})).url.host, 'github.com')
  const managed = await urlOf('gitlab', { domain: 'gitlab.acme.test' })
  assert.equal(managed.url.host, 'gitlab.acme.test')
  assert.deepEqual(managed.hosts, ['gitlab.acme.test'])
  const tenant = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'
  const single = await urlOf('waad', { tenant_domain: tenant })
  assert.equal(single.url.pathname, `/${tenant}/oauth2/v2.0/authorize`)
  assert.equal((await urlOf('google-apps', { domain: 'acme.test' })).url.searchParams.get('hd'), 'acme.test')
  assert.equal((await urlOf('notion', {})).url.searchParams.get('owner'), 'user')
  const slack = (await urlOf('slack', {})).url.searchParams
  assert.deepEqual([slack.has('code_challenge'), slack.has('scope')], [false, false])
  assert.equal((await urlOf('tiktok', {})).url.searchParams.get('client_key'), 'c')
})
