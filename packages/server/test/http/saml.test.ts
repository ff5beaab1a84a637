// SAML as operators set it up and people use it: requests, metadata, what is read of a person, and who they are then.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStorage } from '../../src/storage/open.ts'
import { authorizeUrl, mgmt, signIn, userPath } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { request } from '../support/http.ts'
import { makeSigner } from '../support/saml-certificates.ts'
import { isSignedBy, metadataOf } from '../support/saml-idp.ts'
import { PERSISTENT } from '../support/saml-messages.ts'
import {
  assertRefused,
  atProvider,
  goToProvider,
  postAnswer,
  samlSignIn,
  startSamlWorld,
} from '../support/saml-world.ts'

const POST = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'
const next = await makeSigner('Corp, next')
const world = await startSamlWorld(({ corp, other }) => [
  corp.connection('signed', { signSAMLRequest: true }),
  corp.connection('posted', { protocolBinding: POST }),
  corp.connection('posted-signed', { protocolBinding: POST, signSAMLRequest: true }),
  corp.connection('shared', { shared_callback: true }),
  corp.connection('trusted', { trust_email: true, email_domains: ['corp.test'] }),
  corp.connection('mapped', { fieldsMap: { name: ['cn', 'displayName'], email: 'urn:mail', nickname: 'nick' } }),
  corp.connection('base64', { signingCert: Buffer.from(corp.signer.certificate).toString('base64') }),
  corp.connection('bare', { signingCert: corp.signer.certificate.replaceAll(/-----[A-Z ]+-----|\s/g, '') }),
  { name: 'pasted', strategy: 'samlp', options: { metadataXml: corp.metadata } },
  { name: 'published', strategy: 'samlp', options: { metadataUrl: `${other.url}/metadata` } },
])
const { server, corp, other } = world

const certificateIn = (metadata: string): string =>
  `-----BEGIN CERTIFICATE-----\n${/X509Certificate>([^<]+)</.exec(metadata)?.[1]?.trim()}\n-----END CERTIFICATE-----\n`

const profileOf = async (sub: string) => (await (await mgmt(server)).get(userPath(sub))).json

test('a request names us, the callback, a persistent name, and one transaction', async () => {
  corp.addUser('asked')
  const { fields } = await goToProvider(server, 'corp')
  const [asked] = corp.requests.slice(-1)
  assert.equal(asked?.method, 'GET')
  assert.equal(asked?.issuer, `${server.issuer}samlp/metadata?connection=corp`)
  assert.equal(asked?.acs, `${server.issuer}login/callback/corp`)
  assert.match(asked?.xml ?? '', new RegExp(`<samlp:NameIDPolicy[^>]*Format="${PERSISTENT}"`))
  assert.doesNotMatch(asked?.xml ?? '', /RequestedAuthnContext|ForceAuthn/)
  assert.equal(asked?.signed, undefined)
  assert.ok((fields.RelayState ?? '').length <= 80, 'saml-bindings §3.4.3')
})

test('a sign-in, and the same person again, at each form of setting it up', async () => {
  const { nameId } = corp.addUser('settled')
  for (const connection of ['corp', 'signed', 'shared', 'base64', 'bare', 'pasted']) {
    const { sub } = await samlSignIn(world, connection)
    assert.equal(sub, `samlp|${connection}|${nameId}`)
    assert.equal((await samlSignIn(world, connection)).sub, sub)
  }
})

test('signSAMLRequest signs by the key of our metadata, which stays', async () => {
  corp.addUser('signed')
  await goToProvider(server, 'signed')
  const metadata = await request(`${server.url}/samlp/metadata?connection=signed`)
  const certificate = certificateIn(metadata.text)
  const [asked] = corp.requests.slice(-1)
  assert.ok(asked && isSignedBy(asked, certificate))
  assert.equal(
    isSignedBy({ ...asked, signed: asked.signed && { ...asked.signed, text: `${asked.signed.text}x` } }, certificate),
    false,
  )
  assert.equal(certificateIn((await request(`${server.url}/samlp/metadata/signed`)).text), certificate)
  const storage = await openStorage({ url: server.databaseUrl })
  const kept = await storage.meta.find('meta:saml-key')
  await storage.close()
  assert.ok(kept !== undefined && !Buffer.from(kept, 'base64').includes('PRIVATE KEY'))
})

test('our metadata says where to answer; other connections have none', async () => {
  const answer = await request(`${server.url}/samlp/metadata?connection=corp`)
  assert.equal(answer.status, 200)
  assert.match(answer.headers['content-type'] ?? '', /^application\/samlmetadata\+xml/)
  assert.match(
    answer.text,
    new RegExp(`entityID="${server.issuer.replaceAll('.', '\\.')}samlp/metadata\\?connection=corp"`),
  )
  assert.match(answer.text, new RegExp(`Location="${server.issuer}login/callback/corp"`))
  assert.match(answer.text, /WantAssertionsSigned="true"/)
  assert.doesNotMatch(answer.text, /KeyDescriptor/)
  assert.equal((await request(`${server.url}/samlp/metadata/corp`)).text, answer.text)
  for (const query of ['', '?connection=calendar', '?connection=nobody', '?connection=%00'])
    assert.equal((await request(`${server.url}/samlp/metadata${query}`)).status, 404, query)
})

test('a request by POST is a form with a button, which holds nothing of ours but the question', async () => {
  const { nameId } = corp.addUser('poster')
  for (const connection of ['posted', 'posted-signed']) {
    const browser = new Browser()
    const page = await browser.open(authorizeUrl(server, { connection }).url)
    assert.equal(page.name, 'go-upstream')
    const form = browser.form('go-upstream')
    assert.equal(form.action, `${corp.url}/sso`)
    assert.deepEqual(form.fields.map(([name]) => name).sort(), ['RelayState', 'SAMLRequest'])
    const there = atProvider(browser, await browser.submit('go-upstream'))
    const [asked] = corp.requests.slice(-1)
    assert.equal(asked?.method, 'POST')
    assert.equal(asked?.xml.includes('<Signature'), connection === 'posted-signed')
    const back = await postAnswer(there, there.fields)
    assert.ok(back.params.has('code'), `${back.name} ${back.error}`)
    assert.equal((await signIn(server, { browser, connection })).sub, `samlp|${connection}|${nameId}`)
  }
})

test('attributes become the profile by fieldsMap or by their usual names; the address is nobody’s proof', async () => {
  corp.addUser('usual', {
    attributes: {
      'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress': 'Usual@Corp.test',
      'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname': 'Uma',
      displayName: 'Uma Usual',
      groups: ['a', 'b'],
      email_verified: 'true',
    },
  })
  const usual = await profileOf((await samlSignIn(world, 'corp')).sub)
  assert.deepEqual(
    [usual.email, usual.email_verified, usual.given_name, usual.name],
    ['usual@corp.test', false, 'Uma', 'Uma Usual'],
  )
  corp.addUser('mapped', {
    attributes: { 'urn:mail': 'm@corp.test', displayName: 'Second', nick: 'em', email: 'no@corp.test' },
  })
  const mapped = await profileOf((await samlSignIn(world, 'mapped')).sub)
  assert.deepEqual([mapped.email, mapped.name, mapped.nickname], ['m@corp.test', 'Second', 'em'])
})

test('trust_email takes the provider’s word for its addresses, and nothing else does', async () => {
  corp.addUser('owner', { attributes: { email: 'owner@corp.test', name: 'Owner' } })
  const trusted = await samlSignIn(world, 'trusted')
  assert.equal((await profileOf(trusted.sub)).email_verified, true)
  // The same address by a connection that is not trusted: somebody else, and nobody is told.
  const { sub } = await samlSignIn(world, 'corp')
  assert.notEqual(sub, trusted.sub)
})

test('names of attributes that are words of the language of objects change no object', async () => {
  corp.addUser('polluter', {
    attributes: { email: 'p@corp.test', __proto__x: 'x', constructor: 'y', ['__proto__']: 'polluted', toString: 'z' },
  })
  await samlSignIn(world, 'corp')
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
  assert.equal(`${{}}`, '[object Object]')
})

test('published metadata is read; a new certificate beside the old one lets people in by either', async () => {
  other.addUser('rolled')
  const describe = (...signers: { certificate: string }[]) =>
    metadataOf({
      entityId: other.entityId,
      signInEndpoint: `${other.url}/sso`,
      certificates: signers.map(({ certificate }) => certificate),
    })
  other.metadata = describe(other.signer, next)
  const { sub } = await samlSignIn(world, 'published')
  other.lies = { signer: next }
  assert.equal((await samlSignIn(world, 'published')).sub, sub)
  // What the provider takes back is not seen at once, and what it never said never counts.
  other.lies = { signer: corp.signer }
  const { fields, ...there } = await goToProvider(server, 'published')
  other.reset()
  assertRefused(await postAnswer(there, fields), 'a stranger’s key')
})
