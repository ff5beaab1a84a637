// SAML: what is sent to hurt the reader, or to lead the browser astray (attack catalogue, T-SAML-08 and -09).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { signIn, silently } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { request } from '../support/http.ts'
import { readBombs } from '../support/saml-bombs.ts'
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

test('T-SAML-08 bombs and external entities are refused by their first look, and change nothing', async () => {
  await changesNothing(server, async () => {
    for (const [what, xml] of Object.entries(readBombs('http://127.0.0.1:9/x.dtd'))) {
      const { fields, ...there } = await goToProvider(server, 'corp')
      assertRefused(await postAnswer(there, { ...fields, SAMLResponse: Buffer.from(xml).toString('base64') }), what)
      assert.match(lastReason(server), /^saml_/, what)
    }
  })
})

test('T-SAML-08 a deflate bomb is never unpacked', async () => {
  const { fields, ...there } = await goToProvider(server, 'corp')
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
