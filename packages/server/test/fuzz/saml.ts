// SAML answers, signed by a provider that we trust and then meddled with (threats T-SAML-01 to -03, -08).
import assert from 'node:assert/strict'
import type { Connection } from '../../src/domain/connection.ts'
import { UpstreamRefused } from '../../src/upstream/errors.ts'
import { createSamlConnector, SAML_RESPONSE } from '../../src/upstream/saml.ts'
import { makeSigner } from '../support/saml-certificates.ts'
import { encryptAssertion } from '../support/saml-encryption.ts'
import { honestFacts, type Signing, signedResponse } from '../support/saml-messages.ts'
import { RSA_SHA256, SHA256 } from '../support/saml-signing.ts'
import { mutated, randomFrom } from './mutate.ts'
import type { Target } from './target.ts'

const ISSUER = 'https://id.example.test/'
const ACS = `${ISSUER}login/callback/corp`
const PROVIDER = 'https://idp.example.test/metadata'
const NONCE = 'n0123456789abcdef'

const PIECES = [
  '<saml:Assertion ID="_x" Version="2.0">',
  '</saml:Assertion>',
  '<saml:NameID>victim</saml:NameID>',
  '<saml:AttributeValue>victim@corp.test</saml:AttributeValue>',
  '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">',
  '<ds:Object>',
  '<saml:EncryptedAssertion>',
  '<xenc:EncryptedKey xmlns:xenc="http://www.w3.org/2001/04/xmlenc#">',
  '<xenc:CipherValue>AAAA</xenc:CipherValue>',
  'http://www.w3.org/2001/04/xmlenc#aes128-cbc',
  'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256',
  '<!-- -->',
  '<![CDATA[x]]>',
  '<?pi?>',
  '<!DOCTYPE a [<!ENTITY b "c">]>',
  '&#x0;',
  '&amp;',
  '&#60;',
  ' ID="_x"',
  ' xmlns="urn:oasis:names:tc:SAML:2.0:assertion"',
  ' URI=""',
  'urn:oasis:names:tc:SAML:2.0:status:Success',
  '9'.repeat(400),
  '\u2028',
]

const ASSERTION = /<saml:Assertion[\s\S]*<\/saml:Assertion>/

/** Whatever is taken must be the person whom the provider vouched for, in every word. */
export async function samlTarget(): Promise<Target> {
  const [signer, ours] = await Promise.all([makeSigner('Fuzz'), makeSigner('Ours')])
  const connection: Connection = {
    id: 'con_corp',
    name: 'corp',
    strategy: 'samlp',
    displayName: undefined,
    options: {
      signInEndpoint: 'https://idp.example.test/sso',
      signingCert: signer.certificate,
      entityId: PROVIDER,
      encrypted_assertions: true,
    },
    authenticationActive: true,
    connectedAccountsActive: false,
  }
  const connector = createSamlConnector(connection, {
    fetch: Object.assign(() => Promise.reject(new Error('an answer made somebody call')), { close: async () => {} }),
    clock: () => Math.floor(Date.now() / 1000),
    saml: {
      issuer: ISSUER,
      key: () => Promise.reject(new Error('an answer made us sign')),
      decryptionKey: async () => ours,
    },
  })
  const asked = { id: `_${NONCE}`, acs: ACS, issuer: `${ISSUER}samlp/metadata?connection=corp` }
  const encrypt = (xml: string) => encryptAssertion(xml, { certificate: ours.certificate })
  const answerOf = (nameId: string, id: string, parts: Signing['parts'], more: Partial<Signing> = {}) =>
    signedResponse(
      honestFacts({ ...asked, id }, { issuer: PROVIDER, nameId, attributes: { email: `${nameId}@corp.test` } }),
      { parts, signer, signature: RSA_SHA256, digest: SHA256, keyInfo: false, library: 'xmldsigjs', ...more },
    )
  const take = (xml: string) =>
    connector.redeem(new URLSearchParams({ state: 's', [SAML_RESPONSE]: Buffer.from(xml).toString('base64') }), {
      redirectUri: ACS,
      state: 's',
      nonce: NONCE,
      codeVerifier: 'v',
    })
  const encryption = { certificate: ours.certificate }
  const honest = await Promise.all([
    ...(['both', 'assertion', 'response'] as const).map((parts) => answerOf('ada', asked.id, parts)),
    ...(['both', 'assertion'] as const).map((parts) => answerOf('ada', asked.id, parts, { encryption })),
  ])
  const [known] = await Promise.all(honest.map(take))
  // The provider vouched for these as well, and not to us now: material for whoever builds a forgery.
  const others = await Promise.all([
    ...(['both', 'assertion'] as const).map((parts) => answerOf('victim', '_another', parts)),
    answerOf('victim', '_another', 'both', { encryption }),
  ])
  const stock = { samples: [...honest, ...honest, ...others], pieces: PIECES, parts: /<[^<>]*>/g, wholeAt: elementAt }
  return {
    async run(number) {
      const meddled = mutated(stock, randomFrom(number))
      // Anybody can encrypt to us: what was meddled with comes sealed as well.
      const xml = number % 3 === 0 ? meddled.replace(ASSERTION, encrypt) : meddled
      try {
        const { subject, email, claims } = await take(xml)
        assert.deepEqual(
          { subject, email, claims },
          { subject: known?.subject, email: known?.email, claims: known?.claims },
        )
        return 'taken'
      } catch (error) {
        if (!(error instanceof UpstreamRefused)) throw new Error(`number ${number}: ${xml}`, { cause: error })
        return error.code
      }
    },
  }
}

/** The element that begins here, with all that is in it. */
function elementAt(text: string, index: number): string | undefined {
  const tags = /<(\/?)[^<>]*?(\/?)>/g
  tags.lastIndex = index
  let depth = 0
  for (let tag = tags.exec(text); tag !== null; tag = tags.exec(text)) {
    if (tag[2] !== '/') depth += tag[1] === '/' ? -1 : 1
    if (depth <= 0) return tag[1] === '/' && tag.index === index ? undefined : text.slice(index, tags.lastIndex)
  }
  return undefined
}
