// SAML: what is sent to hurt the reader, or to lead the browser astray (attack catalogue, T-SAML-08 and -09).
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { signIn, silently } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { request } from '../support/http.ts'
import { makeSigner } from '../support/saml-certificates.ts'
import { metadataOf } from '../support/saml-idp.ts'
import { NAMESPACES } from '../support/saml-messages.ts'
import { RSA_SHA256, SHA256, signElement } from '../support/saml-signing.ts'
import {
  assertRefused,
  goToProvider,
  lastReason,
  postAnswer,
  randomId,
  samlSignIn,
  startSamlWorld,
} from '../support/saml-world.ts'
import { changesNothing } from '../support/state.ts'

const stranger = await makeSigner('Stranger')
const world = await startSamlWorld(({ corp, other }) => [
  {
    name: 'script',
    strategy: 'samlp',
    options: { metadataXml: corp.metadata.replaceAll(`${corp.url}/sso`, 'javascript:alert(1)') },
  },
  { name: 'elsewhere', strategy: 'samlp', options: { metadataXml: corp.metadata, entityId: 'https://another.test/' } },
  { name: 'bomb', strategy: 'samlp', options: { metadataXml: `<!DOCTYPE a [<!ENTITY b "c">]>${corp.metadata}` } },
  { name: 'published', strategy: 'samlp', options: { metadataUrl: `${other.url}/metadata` } },
  {
    name: 'weak',
    strategy: 'samlp',
    options: { metadataXml: corp.metadata, signSAMLRequest: true, signatureAlgorithm: 'rsa-sha1' },
  },
  corp.connection('by-address', {
    user_id_attribute: `http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress`,
  }),
])
const { server, corp, other } = world
corp.addUser('reader')
await samlSignIn(world, 'corp')

/** Of computing, by this process, server and all: how long an answer takes is also a matter of what else runs here. */
const MOST_MICROSECONDS = 1_000_000

test('T-SAML-08 bombs and external entities are refused by their first look, and nobody is called', async () => {
  let calls = 0
  const listener = createServer((_request, response) => {
    calls++
    response.end('SECRET')
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => listener.once('listening', resolve))
  const address = listener.address()
  const outside = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/x.dtd`
  const laughs = Array.from({ length: 9 }, (_, at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`).join('')
  const inRoot = (inner: string, attributes = '') =>
    `<samlp:Response xmlns:samlp="${NAMESPACES.samlp}" ID="_r" Version="2.0"${attributes}>${inner}</samlp:Response>`
  const bombs: Record<string, string> = {
    'billion laughs': `<!DOCTYPE a [<!ENTITY l0 "ha">${laughs}]>${inRoot('&l9;')}`,
    'an external entity': `<!DOCTYPE a [<!ENTITY x SYSTEM "${outside}">]>${inRoot('&x;')}`,
    'an external document type': `<!DOCTYPE a SYSTEM "${outside}">${inRoot('')}`,
    'a parameter entity': `<!DOCTYPE a [<!ENTITY % x SYSTEM "${outside}"> %x;]>${inRoot('')}`,
    'a stylesheet': `<?xml-stylesheet href="${outside}"?>${inRoot('')}`,
    'ten thousand levels': inRoot('<samlp:a>'.repeat(10_000) + '</samlp:a>'.repeat(10_000)),
    'many elements': inRoot('<samlp:a/>'.repeat(20_000)),
    'many attributes': inRoot('', Array.from({ length: 20_000 }, (_, at) => ` a${at}=""`).join('')),
    'many namespaces': inRoot('', Array.from({ length: 10_000 }, (_, at) => ` xmlns:a${at}="urn:a"`).join('')),
    'a long text': inRoot('x'.repeat(300_000)),
    'white space without end': `<samlp:Response${' '.repeat(250_000)}`,
    'a tag that does not end': `<samlp:Response ${'a="b" '.repeat(40_000)}`,
    'entities in a row': inRoot('&'.repeat(200_000)),
  }
  const before = process.memoryUsage().rss
  await changesNothing(server, async () => {
    for (const [what, xml] of Object.entries(bombs)) {
      const { fields, ...there } = await goToProvider(server, 'corp')
      const started = process.cpuUsage()
      assertRefused(await postAnswer(there, { ...fields, SAMLResponse: Buffer.from(xml).toString('base64') }), what)
      const { user, system } = process.cpuUsage(started)
      assert.ok(user + system < MOST_MICROSECONDS, `${what} took ${user + system} µs`)
      assert.match(lastReason(server), /^(?:saml_|invalid_request)/, what)
    }
  })
  assert.equal(calls, 0)
  assert.ok(process.memoryUsage().rss - before < 400 * 1024 * 1024)
  listener.close()
})

test('T-SAML-08 fifty megabytes are refused before they are read, and a deflate bomb is never unpacked', async () => {
  const { fields, ...there } = await goToProvider(server, 'corp')
  const huge = new URLSearchParams({ ...fields, SAMLResponse: 'A'.repeat(50 * 1024 * 1024) }).toString()
  const answer = await request(there.acs, {
    body: huge,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  }).catch((error: Error) => ({ status: 413, text: String(error) }))
  assert.equal(answer.status, 413)
  const bomb = deflateRawSync(Buffer.alloc(100 * 1024 * 1024, ' '), { level: 9 }).toString('base64')
  const query = new URLSearchParams({ SAMLResponse: bomb.slice(0, 8000), state: fields.RelayState ?? '' })
  await changesNothing(server, async () => {
    assertRefused(await there.browser.open(`${there.acs}?${query}`), 'a deflate bomb')
    assert.match(lastReason(server), /saml_response_invalid/)
  })
})

test('T-SAML-08 a response in the URL is none, although it is genuine', async () => {
  const { fields, ...there } = await goToProvider(server, 'corp')
  const query = new URLSearchParams({ SAMLResponse: fields.SAMLResponse ?? '', state: fields.RelayState ?? '' })
  await changesNothing(server, async () => assertRefused(await there.browser.open(`${there.acs}?${query}`), 'in a URL'))
  assert.equal(await silently(there.browser, server), 'login_required')
})

test('T-SAML-09 the relay state leads nowhere, whoever fills it', async () => {
  for (const RelayState of [
    'https://evil.test/',
    '//evil.test/',
    'javascript:alert(1)',
    '/u/logout',
    '\r\nlocation: x',
  ]) {
    const { fields, ...there } = await goToProvider(server, 'corp')
    const page = await postAnswer(there, { ...fields, RelayState })
    assertRefused(page, RelayState)
    assert.equal(there.browser.chain.length, 1)
    assert.equal(page.headers.location, undefined)
    assert.doesNotMatch(page.body, /evil\.test/)
  }
})

test('T-SAML-09 a logout message ends nobody’s session, whether or not it is signed', async () => {
  const person = await signIn(server, { user: server.tenant.ada })
  const logout = (kind: string) =>
    `<samlp:${kind} xmlns:samlp="${NAMESPACES.samlp}" xmlns:saml="${NAMESPACES.saml}" ID="${randomId()}" Version="2.0" IssueInstant="${new Date().toISOString()}"><saml:Issuer>${corp.entityId}</saml:Issuer><saml:NameID>x</saml:NameID></samlp:${kind}>`
  const signing = {
    signer: corp.signer,
    signature: RSA_SHA256,
    digest: SHA256,
    keyInfo: false,
    library: corp.library,
  }
  for (const kind of ['LogoutRequest', 'LogoutResponse']) {
    for (const xml of [logout(kind), await signElement(logout(kind), signing)]) {
      const encoded = Buffer.from(xml).toString('base64')
      const { fields, ...there } = await goToProvider(server, 'corp', {
        browser: person.browser.clone(),
        extra: { prompt: 'login' },
      })
      await changesNothing(server, async () => {
        assertRefused(await postAnswer(there, { ...fields, SAMLResponse: encoded }), kind)
        assert.match(lastReason(server), /saml_response_invalid root/)
        assertRefused(
          await postAnswer(there, { SAMLRequest: encoded, RelayState: fields.RelayState }),
          `${kind} as request`,
        )
      })
      for (const path of ['/logout', '/v2/logout', '/oidc/logout', '/samlp/metadata/corp']) {
        const answer = await request(`${server.url}${path}`, { form: { SAMLRequest: encoded } })
        assert.ok(answer.status >= 400 || answer.text.includes('data-page="logout"'), `${path}: ${answer.status}`)
      }
    }
  }
  assert.equal(await silently(person.browser, server), 'code')
})

test('T-SAML-09 metadata that leads a browser to a script, or speaks of another, or hides a bomb, is refused', async () => {
  for (const [connection, code] of [
    ['script', 'provider_error'],
    ['elsewhere', 'provider_error'],
    ['bomb', 'provider_error'],
    ['weak', 'connection_unavailable'],
    ['by-address', 'connection_unavailable'],
  ] as const) {
    const page = await new Browser().open(`${server.url}/authorize?${authorizeQuery(connection)}`)
    assertRefused(page, connection)
    assert.equal(page.error, code, connection)
  }
})

test('T-SAML-09 keys come from the metadata alone, not from what a response brings along', async () => {
  other.metadata = metadataOf({
    entityId: other.entityId,
    signInEndpoint: `${other.url}/sso`,
    certificates: [other.signer.certificate],
  })
  other.addUser('published')
  await samlSignIn(world, 'published')
  other.lies = { signer: stranger, keyInfo: true }
  const { fields, ...there } = await goToProvider(server, 'published')
  other.reset()
  await changesNothing(server, async () => assertRefused(await postAnswer(there, fields), 'a key of its own'))
})

function authorizeQuery(connection: string): URLSearchParams {
  return new URLSearchParams({
    client_id: 'web',
    response_type: 'code',
    redirect_uri: 'http://127.0.0.1:9/cb',
    scope: 'openid',
    connection,
  })
}
