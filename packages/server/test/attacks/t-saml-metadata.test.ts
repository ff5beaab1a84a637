// SAML: metadata says whom to believe, and so must be believed itself (attack catalogue, T-SAML-09).
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { authorizeUrl } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import { makeSigner } from '../support/saml-certificates.ts'
import { federationOf, metadataOf, signedMetadata } from '../support/saml-idp.ts'
import { RSA_SHA1, SHA1 } from '../support/saml-signing.ts'
import {
  assertRefused,
  goToProvider,
  lastReason,
  postAnswer,
  samlSignIn,
  startSamlWorld,
} from '../support/saml-world.ts'
import { changesNothing } from '../support/state.ts'
import { passTime } from '../support/time.ts'

const [federation, stranger, expired] = await Promise.all([
  makeSigner('Federation'),
  makeSigner('Stranger'),
  makeSigner('Federation of old', { days: -1 }),
])
const world = await startSamlWorld(({ corp, other }) => [
  {
    name: 'pinned',
    strategy: 'samlp',
    options: { metadataUrl: `${other.url}/metadata`, metadata_signing_cert: federation.certificate },
  },
  {
    name: 'pasted',
    strategy: 'samlp',
    options: { metadataXml: corp.metadata, metadata_signing_cert: federation.certificate },
  },
  {
    name: 'pinned-of-old',
    strategy: 'samlp',
    options: { metadataUrl: `${other.url}/metadata`, metadata_signing_cert: expired.certificate },
  },
  { name: 'over', strategy: 'samlp', options: { metadataUrl: `${other.url}/metadata` } },
])
const { server, other } = world
other.addUser('federated')
const place = { entityId: other.entityId, signInEndpoint: `${other.url}/sso` }
const honest = metadataOf({ ...place, certificates: [other.signer.certificate] })
/** What an attacker would have us believe. */
const evil = metadataOf({ ...place, certificates: [stranger.certificate] })

beforeEach(() => {
  other.reset()
  other.metadata = honest
})

async function refusesMetadata(connection: string, documents: Readonly<Record<string, [string, string | RegExp]>>) {
  for (const [what, [metadata, by]] of Object.entries(documents)) {
    other.metadata = metadata
    await changesNothing(server, async () => {
      assertRefused(await new Browser().open(authorizeUrl(server, { connection }).url), what)
    })
    assert.match(lastReason(server), typeof by === 'string' ? new RegExp(`metadata_invalid ${by}`) : by, what)
  }
}

test('T-SAML-09 where a certificate is pinned, metadata that it did not sign is refused, and asked for again', async () => {
  const signed = await signedMetadata(honest, federation)
  await refusesMetadata('pinned', {
    unsigned: [honest, 'unsigned'],
    'signed by another': [await signedMetadata(evil, stranger), 'signature: does not hold'],
    'signed by another who brings the certificate along': [
      await signedMetadata(evil, stranger, { keyInfo: true }),
      'signature: does not hold',
    ],
    "signed by the provider's own key": [await signedMetadata(honest, other.signer), 'signature: does not hold'],
    'altered after signing': [
      signed.replace(`${other.url}/sso"`, 'https://evil.test/sso"'),
      'signature: does not hold',
    ],
    'the signature of another document': [
      evil.replace(/(<md:EntityDescriptor[^>]*)>/, (_, tag) => `${tag} ID="_metadata">${signatureOf(signed)}`),
      'signature: does not hold',
    ],
    'the true one inside a forged one': [federationOf([evil, signed], ' ID="_outer"'), 'unsigned'],
    'the true one inside a forged one under its signature': [
      evil.replace(
        /(<md:EntityDescriptor[^>]*)>/,
        (_, tag) => `${tag} ID="_evil">${signatureOf(signed)}<md:Extensions>${bodyOf(signed)}</md:Extensions>`,
      ),
      'signature',
    ],
    'SHA-1': [
      await signedMetadata(honest, federation, { signature: RSA_SHA1, digest: SHA1 }),
      'signature: (?:algorithm|digest)',
    ],
    'a document type': [signed.replace('<md:EntityDescriptor', '<!DOCTYPE a><md:EntityDescriptor'), 'xml'],
  })
  await refusesMetadata('pinned-of-old', {
    'by a certificate that has expired': [await signedMetadata(honest, expired), 'signature: certificate expired'],
  })
  await refusesMetadata('pasted', { 'pasted without a signature': [honest, 'unsigned'] })
  other.metadata = signed
  assert.ok((await samlSignIn(world, 'pinned')).sub.startsWith('samlp|pinned|'))
})

test('T-SAML-09 forged metadata later on replaces nothing: the keys that were signed for stay', async () => {
  other.metadata = await signedMetadata(honest, federation)
  const { sub } = await samlSignIn(world, 'pinned')
  for (const metadata of [evil, await signedMetadata(evil, stranger)]) {
    other.metadata = metadata
    passTime(601)
    assert.equal((await samlSignIn(world, 'pinned')).sub, sub)
    other.lies = { signer: stranger }
    const { fields, ...there } = await goToProvider(server, 'pinned').finally(() => other.reset())
    await changesNothing(server, async () => assertRefused(await postAnswer(there, fields), 'the forged key'))
  }
})

test('T-SAML-09 metadata that is over, or does not say when in words that we know, is refused', async () => {
  const at = (time: number) => new Date(Date.now() + time * 1000).toISOString()
  const until = (time: string) => honest.replace('entityID=', `validUntil="${time}" entityID=`)
  await refusesMetadata('over', {
    'the provider': [until(at(-1)), 'validUntil'],
    'all of it': [federationOf([honest], ` validUntil="${at(-1)}"`), 'validUntil'],
    'its role': [honest.replace('<md:IDPSSODescriptor', `<md:IDPSSODescriptor validUntil="${at(-1)}"`), 'validUntil'],
    'no time': [until('tomorrow'), 'validUntil'],
    'a time of no zone': [until('2199-01-01T00:00:00'), 'validUntil'],
  })
  other.metadata = until(at(3600))
  assert.ok((await samlSignIn(world, 'over')).sub.startsWith('samlp|over|'))
})

const signatureOf = (xml: string): string => /<ds:Signature [\s\S]*?<\/ds:Signature>/.exec(xml)?.[0] ?? ''
const bodyOf = (xml: string): string => xml.slice(xml.indexOf('<md:EntityDescriptor')).replace(signatureOf(xml), '')
