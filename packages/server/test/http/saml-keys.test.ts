// Keys and certificates of SAML connections as they change: encryption to us, metadata that is signed, renewed and over.
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { openStorage } from '../../src/storage/open.ts'
import { request } from '../support/http.ts'
import { makeSigner } from '../support/saml-certificates.ts'
import type { Encryption } from '../support/saml-encryption.ts'
import { encryptionCertificateIn, federationOf, metadataOf, signedMetadata } from '../support/saml-idp.ts'
import { SIGNING_LIBRARIES } from '../support/saml-signing.ts'
import { assertRefused, goToProvider, postAnswer, samlSignIn, startSamlWorld } from '../support/saml-world.ts'
import { passTime } from '../support/time.ts'

const [federation, next, curve] = await Promise.all([
  makeSigner('Federation'),
  makeSigner('Corp, next'),
  makeSigner('Corp, by curve', { curve: 'P-384' }),
])
const world = await startSamlWorld(({ corp, other }) => [
  corp.connection('sealed', { encrypted_assertions: true, signSAMLRequest: true }),
  corp.connection('curve', { signingCert: curve.certificate }),
  ...SIGNING_LIBRARIES.map((name) => ({
    name: `by-${name}`,
    strategy: 'samlp',
    options: {
      metadataUrl: `${other.url}/metadata`,
      metadata_signing_cert: federation.certificate,
      entityId: other.entityId,
    },
  })),
  { name: 'rolling', strategy: 'samlp', options: { metadataUrl: `${other.url}/metadata` } },
  { name: 'ending', strategy: 'samlp', options: { metadataUrl: `${other.url}/metadata` } },
])
const { server, corp, other } = world
const place = { entityId: other.entityId, signInEndpoint: `${other.url}/sso` }

afterEach(() => {
  corp.reset()
  other.reset()
})

test('an encrypted assertion signs in, in each form that providers send, and so does a plain one', async () => {
  const { nameId } = corp.addUser('sealed')
  const { text } = await request(`${server.url}/samlp/metadata?connection=sealed`)
  const certificate = encryptionCertificateIn(text)
  const forms: readonly (Encryption | undefined)[] = [
    undefined,
    { certificate },
    { certificate, cipher: 'aes128-gcm', transport: 'rsa-oaep' },
    { certificate, keyBeside: true },
  ]
  for (const encryption of forms) {
    for (const parts of ['assertion', 'both'] as const) {
      corp.lies = { parts, ...(encryption === undefined ? {} : { encryption }) }
      assert.equal((await samlSignIn(world, 'sealed')).sub, `samlp|sealed|${nameId}`)
    }
  }
})

test('the key for encryption is published where it was asked for, is no other, and stays', async () => {
  const read = async () => (await request(`${server.url}/samlp/metadata?connection=sealed`)).text
  const text = await read()
  assert.equal(await read(), text)
  const [signing, encryption, ...more] = [...text.matchAll(/<ds:X509Certificate>([^<]+)</g)].map(([, base64]) => base64)
  assert.deepEqual(more, [])
  assert.notEqual(signing, encryption)
  assert.deepEqual(
    [...text.matchAll(/EncryptionMethod Algorithm="[^"]*#([^"]*)"/g)].map(([, name]) => name),
    ['aes256-gcm', 'aes128-gcm', 'rsa-oaep-mgf1p', 'rsa-oaep'],
  )
  assert.doesNotMatch((await request(`${server.url}/samlp/metadata?connection=corp`)).text, /KeyDescriptor/)
  const storage = await openStorage({ url: server.databaseUrl })
  const kept = await storage.meta.find('meta:saml-decryption-key')
  await storage.close()
  assert.ok(kept !== undefined && !Buffer.from(kept, 'base64').includes('PRIVATE KEY'))
})

test('a provider that signs by ECDSA on P-384 signs in', async () => {
  const { nameId } = corp.addUser('curved')
  corp.lies = { signer: curve }
  assert.equal((await samlSignIn(world, 'curve')).sub, `samlp|curve|${nameId}`)
})

for (const library of SIGNING_LIBRARIES) {
  test(`metadata that the pinned certificate signed is taken, whole and of many providers (by ${library})`, async () => {
    other.addUser('federated')
    const mine = metadataOf({ ...place, certificates: [other.signer.certificate] })
    other.metadata = await signedMetadata(mine, federation, { library })
    const { sub } = await samlSignIn(world, `by-${library}`)
    const theirs = metadataOf({ ...place, entityId: 'urn:another', certificates: [next.certificate] })
    other.metadata = await signedMetadata(federationOf([theirs, mine], ' ID="_all"'), federation, { library })
    passTime(601)
    assert.equal((await samlSignIn(world, `by-${library}`)).sub, sub)
  })
}

test('a new certificate is taken over with the next metadata, and the old one then vouches for nobody', async () => {
  other.addUser('rolled')
  other.metadata = metadataOf({ ...place, certificates: [other.signer.certificate] })
  const { sub } = await samlSignIn(world, 'rolling')
  other.metadata = metadataOf({ ...place, certificates: [next.certificate] })
  passTime(601)
  other.lies = { signer: next }
  assert.equal((await samlSignIn(world, 'rolling')).sub, sub)
  other.reset()
  const { fields, ...there } = await goToProvider(server, 'rolling')
  assertRefused(await postAnswer(there, fields), 'the old key')
})

test('metadata serves no longer than it says itself, and on while it is renewed', async () => {
  other.addUser('ending')
  const until = (seconds: number) =>
    metadataOf({
      ...place,
      certificates: [other.signer.certificate],
      attributes: ` validUntil="${new Date(Date.now() + seconds * 1000).toISOString()}"`,
    })
  other.metadata = until(1800)
  const { sub } = await samlSignIn(world, 'ending')
  // What cannot be read now is no reason to forget what still counts.
  other.metadata = 'gone'
  passTime(700)
  assert.equal((await samlSignIn(world, 'ending')).sub, sub)
  passTime(1200)
  const browser = await goToProvider(server, 'ending').catch((error: Error) => error)
  assert.match(String(browser), /not at the provider but on error/)
  other.metadata = until(1800)
  assert.equal((await samlSignIn(world, 'ending')).sub, sub)
})
