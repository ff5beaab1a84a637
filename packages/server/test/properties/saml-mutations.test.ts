// A true SAML response with anything done to its text: it says what was signed, or nothing, and never breaks the reader.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createConnectors } from '../../src/upstream/connectors.ts'
import { UpstreamRefused } from '../../src/upstream/errors.ts'
import { makeSigner } from '../support/saml-certificates.ts'
import { honestFacts, signedResponse } from '../support/saml-messages.ts'
import { RSA_SHA256, SHA256 } from '../support/saml-signing.ts'
import { loopbackFetch } from '../upstream/app.ts'

const issuer = 'https://id.acme.test/'
const entityId = 'https://corp.test/'
const nonce = 'abcdefghijklmnop'
const expected = { redirectUri: `${issuer}login/callback/corp`, state: 's', nonce, codeVerifier: '' }
const clock = () => Math.floor(Date.now() / 1000)
const [signer, stranger, ours] = await Promise.all(['Corp', 'Stranger', 'Ours'].map((name) => makeSigner(name)))
assert.ok(signer && stranger && ours)
const connector = createConnectors({
  fetch: loopbackFetch(),
  clock,
  saml: { issuer, key: () => Promise.reject(new Error('nothing is signed here')), decryptionKey: async () => ours },
}).for({
  id: 'con_corp',
  name: 'corp',
  strategy: 'samlp',
  displayName: undefined,
  options: {
    signInEndpoint: 'https://corp.test/sso',
    signingCert: signer.certificate,
    entityId,
    encrypted_assertions: true,
  },
  authenticationActive: true,
  connectedAccountsActive: false,
})

const who = { issuer: entityId, nameId: 'person-4711', attributes: { email: 'ada@corp.test', name: 'Ada' } }
const asked = { id: `_${nonce}`, acs: expected.redirectUri, issuer: `${issuer}samlp/metadata?connection=corp` }
const signing = { signer, signature: RSA_SHA256, digest: SHA256, keyInfo: false, library: 'xmldsigjs' } as const
const facts = honestFacts(asked, who)
const genuine = await Promise.all([
  ...(['assertion', 'response', 'both'] as const).map((parts) => signedResponse(facts, { ...signing, parts })),
  signedResponse(facts, { ...signing, parts: 'both', library: 'xml-crypto' }),
  signedResponse(facts, { ...signing, parts: 'assertion', encryption: { certificate: ours.certificate } }),
])
const [forged = ''] =
  /<saml:Assertion[\s\S]*<\/saml:Assertion>/.exec(
    await signedResponse(
      { ...facts, nameId: 'evil', assertionId: '_evil' },
      { ...signing, parts: 'assertion', signer: stranger },
    ),
  ) ?? []

async function whoIs(xml: string) {
  const answer = new URLSearchParams({ SAMLResponse: Buffer.from(xml).toString('base64'), state: 's' })
  await connector.checkAnswer(answer)
  const { subject, email, profile } = await connector.redeem(answer, expected)
  return { subject, email, name: profile.name }
}

const SNIPPETS = [
  '<!---->',
  '<?x?>',
  '<![CDATA[evil]]>',
  '<!DOCTYPE a>',
  '&#101;vil',
  '&lt;',
  'evil',
  ' ',
  '\n',
  '"',
  '>',
  '<a/>',
  '</saml:NameID><saml:NameID>evil',
  '<saml:Issuer>evil</saml:Issuer>',
  ' ID="_evil"',
  ' xmlns:saml="urn:evil"',
  ' xmlns="urn:oasis:names:tc:SAML:2.0:assertion"',
  '<ds:Object xmlns:ds="http://www.w3.org/2000/09/xmldsig#">',
  '\u0000',
  '\ufeff',
  '\ud800',
  forged,
]

type Edit = (xml: string) => string
const place = fc.double({ min: 0, max: 1, noNaN: true })
const at = (xml: string, where: number) => Math.floor(where * xml.length)
/** Between two parts rather than within one, as whoever knows the language would cut. */
const atTag = (xml: string, where: number) => xml.indexOf('<', at(xml, where))
const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(place, fc.constantFrom(...SNIPPETS)).map(
    ([where, text]): Edit =>
      (xml) => {
        const cut = at(xml, where)
        return xml.slice(0, cut) + text + xml.slice(cut)
      },
  ),
  fc.tuple(place, fc.constantFrom(...SNIPPETS)).map(
    ([where, text]): Edit =>
      (xml) => {
        const cut = Math.max(atTag(xml, where), 0)
        return xml.slice(0, cut) + text + xml.slice(cut)
      },
  ),
  fc.tuple(place, fc.integer({ min: 1, max: 400 })).map(
    ([where, length]): Edit =>
      (xml) => {
        const cut = at(xml, where)
        return xml.slice(0, cut) + xml.slice(cut + length)
      },
  ),
  fc.tuple(place, place, place).map(
    ([from, to, where]): Edit =>
      (xml) => {
        const [a, b] = [atTag(xml, Math.min(from, to)), atTag(xml, Math.max(from, to))].map((one) => Math.max(one, 0))
        const cut = Math.max(atTag(xml, where), 0)
        return xml.slice(0, cut) + xml.slice(a, b) + xml.slice(cut)
      },
  ),
  fc.constantFrom(who.nameId, who.attributes.email, facts.assertionId, facts.responseId, entityId).map(
    (value): Edit =>
      (xml) =>
        xml.replace(value, 'evil'),
  ),
)

test('the responses say who it is before anything is done to them', async () => {
  const truth = { subject: who.nameId, email: who.attributes.email, name: who.attributes.name }
  for (const xml of genuine) assert.deepEqual(await whoIs(xml), truth)
})

test('T-SAML-01 T-SAML-02 a response altered anywhere says what was signed, or nothing', async () => {
  const truth = { subject: who.nameId, email: who.attributes.email, name: who.attributes.name }
  let same = 0
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...genuine), fc.array(edits, { minLength: 1, maxLength: 3 }), async (xml, all) => {
      const altered = all.reduce((text, edit) => edit(text), xml)
      try {
        assert.deepEqual(await whoIs(altered), truth)
        same++
      } catch (error) {
        assert.ok(error instanceof UpstreamRefused, String(error))
      }
    }),
    { numRuns: 1500 },
  )
  // Some alterations change nothing that counts; were there none, the property would hold of a reader that says no to all.
  assert.ok(same > 0)
})
