// SAML: only what the provider signed counts, in the one shape that has one meaning (attack catalogue, T-SAML-01 to -03).
// Signed by two implementations: the one that the server verifies with, and one that has nothing to do with it.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { beforeEach, test } from 'node:test'
import { makeSigner } from '../support/saml-certificates.ts'
import type { SamlLies } from '../support/saml-idp.ts'
import { assertionOf, NAMESPACES, type SamlFacts } from '../support/saml-messages.ts'
import {
  ECDSA_SHA1,
  ECDSA_SHA256,
  HMAC_SHA1,
  RSA_SHA1,
  RSA_SHA256,
  RSA_SHA512,
  SHA1,
  SHA512,
  SIGNING_LIBRARIES,
} from '../support/saml-signing.ts'
import { goToProvider, type Lie, postAnswer, refusesAll, samlSignIn, startSamlWorld } from '../support/saml-world.ts'

const [stranger, expired, curve, otherCurve] = await Promise.all([
  makeSigner('Stranger'),
  makeSigner('Corp of old', { days: -1 }),
  makeSigner('Corp by curve', { curve: 'P-256' }),
  makeSigner('Stranger by curve', { curve: 'P-256' }),
])
const world = await startSamlWorld(({ corp }) => [
  corp.connection('old', { signingCert: expired.certificate }),
  corp.connection('curve', { signingCert: curve.certificate }),
  corp.connection('rolling', { signingCert: stranger.certificate + corp.signer.certificate }),
])
const { server, corp } = world

const victim = corp.addUser('victim')
const { sub: victimSub } = await samlSignIn(world, 'corp')
// Who attacks has an account there, and so a true response to make something of.
const attacker = corp.addUser('attacker')
const { sub: attackerSub } = await samlSignIn(world, 'corp')

beforeEach(() => {
  corp.switchUser('attacker')
  corp.library = 'xmldsigjs'
})

const ASSERTION = /<saml:Assertion[\s\S]*<\/saml:Assertion>/
const genuine = (xml: string): string => ASSERTION.exec(xml)?.[0] ?? ''
const withoutSignature = (xml: string): string => xml.replace(/<ds:Signature [\s\S]*?<\/ds:Signature>/, '')
/** The same, unsigned, about the victim; under an ID of its own unless one is given. */
const forged = (facts: SamlFacts, assertionId = '_evil', more = ''): string =>
  assertionOf({ ...facts, assertionId, nameId: victim.nameId, more })

/** Where the forged assertion stands, and where the true one. */
const WRAPPINGS: Readonly<Record<string, (xml: string, facts: SamlFacts) => string>> = {
  'before the true one': (xml, facts) => xml.replace(ASSERTION, (own) => forged(facts) + own),
  'after the true one': (xml, facts) => xml.replace(ASSERTION, (own) => own + forged(facts)),
  'under the same ID, before': (xml, facts) => xml.replace(ASSERTION, (own) => forged(facts, facts.assertionId) + own),
  'under the same ID, after': (xml, facts) => xml.replace(ASSERTION, (own) => own + forged(facts, facts.assertionId)),
  'around the true one': (xml, facts) => xml.replace(ASSERTION, (own) => forged(facts, '_evil', own)),
  'in its place, the true one in an Object of its signature': (xml, facts) =>
    xml.replace(ASSERTION, (own) => {
      const [signature = ''] = /<ds:Signature [\s\S]*?<\/ds:Signature>/.exec(own) ?? []
      const object = `<ds:Object>${withoutSignature(own)}</ds:Object></ds:Signature>`
      return forged(facts, '_evil', signature.replace('</ds:Signature>', object))
    }),
  'in its place, the true one in Extensions': (xml, facts) =>
    xml
      .replace(ASSERTION, (own) => forged(facts) + own)
      .replace('<samlp:Status>', '<samlp:Extensions></samlp:Extensions><samlp:Status>'),
  'in its place, the true one moved into Extensions': (xml, facts) =>
    xml
      .replace(ASSERTION, forged(facts))
      .replace('<samlp:Status>', `<samlp:Extensions>${genuine(xml)}</samlp:Extensions><samlp:Status>`),
  'in its place, the true one in Advice': (xml, facts) =>
    xml.replace(ASSERTION, (own) => forged(facts, '_evil', `<saml:Advice>${own}</saml:Advice>`)),
  'in its place, the true one in the detail of the status': (xml, facts) =>
    xml
      .replace(ASSERTION, forged(facts))
      .replace('</samlp:Status>', `<samlp:StatusDetail>${genuine(xml)}</samlp:StatusDetail></samlp:Status>`),
  'in its place, the true one in a value of an attribute': (xml, facts) =>
    xml.replace(ASSERTION, (own) => {
      const value = `<saml:AttributeValue>${own}</saml:AttributeValue>`
      return forged(
        facts,
        '_evil',
        `<saml:AttributeStatement><saml:Attribute Name="a">${value}</saml:Attribute></saml:AttributeStatement>`,
      )
    }),
  'in its place, with the signature of the true one': (xml, facts) =>
    xml.replace(ASSERTION, (own) => {
      const [signature = ''] = /<ds:Signature [\s\S]*?<\/ds:Signature>/.exec(own) ?? []
      return forged(facts, facts.assertionId).replace('</saml:Issuer>', `</saml:Issuer>${signature}`)
    }),
  'in a response around the true response': (xml, facts) => {
    const [open = ''] = /<samlp:Response [^>]*>/.exec(xml) ?? []
    return `${open.replace(facts.responseId, '_outer')}<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>${forged(facts)}${xml}</samlp:Response>`
  },
  'in a response whose signature holds the true response as an Object': (xml, facts) => {
    const [signature = ''] = /<ds:Signature [\s\S]*?<\/ds:Signature>/.exec(xml) ?? []
    const object = `<ds:Object>${withoutSignature(xml)}</ds:Object></ds:Signature>`
    return withoutSignature(xml)
      .replace(facts.responseId, '_outer')
      .replace(ASSERTION, forged(facts))
      .replace('<samlp:Status>', `${signature.replace('</ds:Signature>', object)}<samlp:Status>`)
  },
  'as a plain one beside an encrypted one': (xml) =>
    xml.replace(ASSERTION, (own) => `${own}<saml:EncryptedAssertion xmlns:saml="${NAMESPACES.saml}"/>`),
  'under another name for the same namespace': (xml, facts) =>
    xml.replace(ASSERTION, (own) => forged(facts).replaceAll('saml:', 's2:').replace('xmlns:saml', 'xmlns:s2') + own),
  'under the same name in another namespace': (xml, facts) =>
    xml.replace(ASSERTION, (own) => own + forged(facts).replace(NAMESPACES.saml, 'urn:evil')),
}

/** As Java's providers write it: prefixes that only a value uses, and characters that canonical XML writes in its own way. */
const TYPED = `<saml:AttributeStatement xmlns:xs="http://www.w3.org/2001/XMLSchema"><saml:Attribute NameFormat='urn:x' Name="typed"><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">a &gt; b &amp; "c" é\n\td</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>`

for (const library of SIGNING_LIBRARIES) {
  for (const parts of ['assertion', 'response', 'both'] as const) {
    test(`T-SAML-01 a forged assertion beside, in or around the true one signs nobody in (signed: ${parts}, by ${library})`, async () => {
      corp.library = library
      const lies = Object.entries(WRAPPINGS).map(([where, after]): [string, Lie] => [
        where,
        { lies: { parts, after }, by: /^saml_/ },
      ])
      await refusesAll(world, Object.fromEntries(lies))
    })
  }

  test(`T-SAML-01 an ordinary response signs in, whichever part is signed, and the attacker as themselves (by ${library})`, async () => {
    corp.library = library
    for (const parts of ['assertion', 'response', 'both'] as const) {
      corp.lies = { parts }
      assert.equal((await samlSignIn(world, 'corp').finally(() => corp.reset())).sub, attackerSub)
    }
    corp.lies = { signature: RSA_SHA512, digest: SHA512, facts: () => ({ more: TYPED }) }
    assert.equal((await samlSignIn(world, 'corp').finally(() => corp.reset())).sub, attackerSub)
  })
}

test('T-SAML-01 a prefix that only values use is covered where the signature says so', async () => {
  for (const parts of ['assertion', 'response', 'both'] as const) {
    const typed: SamlLies = { parts, prefixList: 'xs xsi', facts: () => ({ more: TYPED }) }
    corp.lies = typed
    assert.equal((await samlSignIn(world, 'corp').finally(() => corp.reset())).sub, attackerSub, parts)
    const after = replaceIn('xmlns:xs="http://www.w3.org/2001/XMLSchema"', 'xmlns:xs="urn:evil"')
    await refusesAll(world, { [`bound anew, ${parts}`]: { lies: { ...typed, after }, by: 'does not hold' } })
  }
})

test('T-SAML-02 markup in a name shortens nobody’s name: it is refused, or the true value counts', async () => {
  const pair = corp.addUser('pair', { nameId: `${victim.nameId}.evil.test` })
  const { sub: own } = await samlSignIn(world, 'corp')
  assert.ok(own.endsWith(pair.nameId))
  const cut = (between: string) => (xml: string) =>
    xml.replace(`${victim.nameId}.evil`, `${victim.nameId}${between}.evil`)
  const refused: Record<string, (xml: string) => string> = {
    'a comment': cut('<!-- -->'),
    'a processing instruction': cut('<?x y?>'),
    'a processing instruction in an attribute': (xml) => xml.replace('@corp.test<', '<?x y?>@corp.test<'),
    'a comment in an attribute': (xml) => xml.replace('@corp.test<', '<!-- -->@corp.test<'),
    'a CDATA section': (xml) => xml.replace(pair.nameId, `<![CDATA[${pair.nameId}]]>`),
    'an unknown entity': cut('&x;'),
    'a comment elsewhere': (xml) => xml.replace('<samlp:Status>', '<!-- --><samlp:Status>'),
    'a comment before the root': (xml) => `<!-- -->${xml}`,
    'an instruction after the root': (xml) => `${xml}<?x y?>`,
    'a second root': (xml) => `${xml}<a/>`,
    'an attribute twice': (xml) => xml.replace('<saml:NameID ', '<saml:NameID Format="a" '),
    'a byte order mark': (xml) => `\ufeff${xml}`,
    'another encoding named': (xml) => `<?xml version="1.0" encoding="UTF-16"?>${xml}`,
    'XML 1.1': (xml) => `<?xml version="1.1"?>${xml}`,
    'a null': cut('\0'),
    'an unclosed end': (xml) => xml.slice(0, -1),
    'tags that cross': (xml) => xml.replace('</saml:NameID>', '</saml:Nameid>'),
    'a namespace that is undeclared': (xml) =>
      xml.replace('<saml:NameID ', '<x:NameID ').replace('</saml:NameID>', '</x:NameID>'),
  }
  const lies = Object.entries(refused).map(([what, after]): [string, Lie] => [
    what,
    { lies: { after }, by: 'saml_xml_refused' },
  ])
  await refusesAll(world, Object.fromEntries(lies))
  const element: Lie = {
    lies: { after: cut('<saml:X></saml:X>') },
    by: 'saml_signature_refused',
  }
  const bound: Lie = {
    lies: { after: (xml) => xml.replace('<saml:NameID ', '<saml:NameID xmlns:saml="urn:evil" ') },
    by: 'saml_response_invalid namespace',
  }
  await refusesAll(world, { 'an element': element, 'a prefix bound anew': bound })
  // Another spelling of the same signed text: the canonical form, and so the name, is the true one.
  const same: Record<string, (xml: string) => string> = {
    'a numeric entity': (xml) => xml.replace(pair.nameId, pair.nameId.replace('c', '&#99;')),
    'white space in a tag': (xml) => xml.replace('<saml:NameID ', '<saml:NameID \n\t '),
    'quotes of the other kind': (xml) => xml.replaceAll(/ Method="([^"]*)"/g, " Method='$1'"),
    'an XML declaration': (xml) => `<?xml version="1.0" encoding="utf-8"?>\n${xml}`,
  }
  for (const [what, after] of Object.entries(same)) {
    corp.lies = { after }
    assert.equal((await samlSignIn(world, 'corp').finally(() => corp.reset())).sub, own, what)
  }
})

test('T-SAML-02 bytes that are no UTF-8, or no base64, are refused', async () => {
  const { fields: given } = await goToProvider(server, 'corp')
  const utf16 = Buffer.from(`\ufeff${Buffer.from(given.SAMLResponse ?? '', 'base64')}`, 'utf16le').toString('base64')
  for (const response of [utf16, Buffer.from([0xc3, 0x28]).toString('base64'), '%%%', '', '<samlp:Response/>']) {
    const { fields, ...here } = await goToProvider(server, 'corp')
    const page = await postAnswer(here, { ...fields, SAMLResponse: response })
    assert.equal(page.name, 'error', response.slice(0, 20))
    assert.equal(page.error, 'provider_error')
  }
})

const replaceIn = (pattern: RegExp | string, by: string) => (xml: string) => xml.replaceAll(pattern, by)

const UNSIGNED: Readonly<Record<string, SamlLies>> = {
  'no signature': { parts: 'none' },
  'another key': { signer: stranger },
  'another key that brings its certificate along': { signer: stranger, keyInfo: true },
  'another key for the assertion alone': { assertionSigner: stranger },
  'another key for the response alone': { signer: stranger, assertionSigner: corp.signer },
  'altered after signing': { after: replaceIn(attacker.nameId, victim.nameId) },
  'altered, signed by assertion': { parts: 'assertion', after: replaceIn(attacker.nameId, victim.nameId) },
  'altered, signed by response': { parts: 'response', after: replaceIn(attacker.nameId, victim.nameId) },
  'the signature taken off the assertion': { parts: 'assertion', after: withoutSignature },
  'an empty signature value': {
    after: (xml) => xml.replaceAll(/<ds:SignatureValue>[^<]*</g, '<ds:SignatureValue><'),
  },
  'SHA-1': { signature: RSA_SHA1, digest: SHA1 },
  'SHA-1 in the signature alone': { signature: RSA_SHA1 },
  'SHA-1 in the digest alone': { digest: SHA1 },
  'HMAC with the certificate for its secret': {
    signer: { ...corp.signer, privateKey: corp.signer.certificate },
    signature: HMAC_SHA1,
  },
  'two SignedInfo': {
    after: (xml) => xml.replaceAll(/<ds:SignedInfo>[\s\S]*?<\/ds:SignedInfo>/g, (info) => info + info),
  },
  'two References': {
    after: (xml) => xml.replaceAll(/<ds:Reference [\s\S]*?<\/ds:Reference>/g, (one) => one + one),
  },
  'a reference to the whole document': { after: (xml) => xml.replaceAll(/URI="#[^"]*"/g, 'URI=""') },
  'a transform by XSLT': {
    after: replaceIn(
      '</ds:Transforms>',
      '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/></ds:Transforms>',
    ),
  },
  'a transform by XPath': {
    after: replaceIn(
      'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
      'http://www.w3.org/TR/1999/REC-xpath-19991116',
    ),
  },
  'no transforms': { after: (xml) => xml.replaceAll(/<ds:Transforms>[\s\S]*?<\/ds:Transforms>/g, '') },
  'the digest of nothing, with a namespace that some canonicalize to nothing': {
    after: (xml) =>
      xml
        .replaceAll(/<ds:DigestValue>[^<]*/g, `<ds:DigestValue>${createHash('sha256').digest('base64')}`)
        .replace('<saml:Assertion ', '<saml:Assertion xmlns:ns="1" '),
  },
  'two digests': {
    after: (xml) =>
      xml.replaceAll(
        /<ds:DigestValue>[^<]*<\/ds:DigestValue>/g,
        (one) => `<ds:DigestValue>AAAA</ds:DigestValue>${one}`,
      ),
  },
  'parts of the signature in another order': {
    after: (xml) =>
      xml.replaceAll(
        /(<ds:SignedInfo>[\s\S]*?<\/ds:SignedInfo>)(<ds:SignatureValue>[^<]*<\/ds:SignatureValue>)/g,
        '$2$1',
      ),
  },
  'a second method, where it is found by its name': {
    after: (xml) =>
      xml.replaceAll(
        '<ds:SignedInfo>',
        `<ds:KeyInfo><ds:SignatureMethod Algorithm="${RSA_SHA256}"/></ds:KeyInfo><ds:SignedInfo>`,
      ),
  },
  'a comment in the digest': {
    after: (xml) => xml.replaceAll(/<ds:DigestValue>/g, '<ds:DigestValue><!--AAAA-->'),
  },
}

for (const library of SIGNING_LIBRARIES) {
  test(`T-SAML-03 no signature, a broken one, another key, a weak algorithm: nobody is signed in (by ${library})`, async () => {
    corp.library = library
    const lies = Object.entries(UNSIGNED).map(([what, one]): [string, Lie] => [
      what,
      { lies: one, by: /^saml_(signature|xml)_refused/ },
    ])
    await refusesAll(world, Object.fromEntries(lies))
  })
}

test('T-SAML-03 ECDSA with SHA-256 vouches like RSA, by its own key and in its own way alone', async () => {
  corp.lies = { signer: curve }
  const { sub } = await samlSignIn(world, 'curve').finally(() => corp.reset())
  assert.ok(sub.startsWith('samlp|curve|'))
  for (const parts of ['assertion', 'response'] as const) {
    corp.lies = { signer: curve, parts }
    assert.equal((await samlSignIn(world, 'curve').finally(() => corp.reset())).sub, sub)
  }
  const values = (by: (bytes: Buffer) => Buffer) => (xml: string) =>
    xml.replaceAll(
      /(<ds:SignatureValue>)([^<]*)/g,
      (_, tag, value) => tag + by(Buffer.from(value, 'base64')).toString('base64'),
    )
  const all: Record<string, SamlLies> = {
    'another key': { signer: otherCurve },
    'another key that brings its certificate along': { signer: otherCurve, keyInfo: true },
    'altered after signing': { signer: curve, after: replaceIn(attacker.nameId, victim.nameId) },
    'SHA-1': { signer: curve, signature: ECDSA_SHA1 },
    'the name of RSA': { signer: curve, after: replaceIn(ECDSA_SHA256, RSA_SHA256) },
    'a key of RSA': { signer: corp.signer },
    'two zeros': { signer: curve, after: values((bytes) => Buffer.alloc(bytes.length)) },
    'half of it': { signer: curve, after: values((bytes) => bytes.subarray(0, bytes.length / 2)) },
  }
  const lies = Object.entries(all).map(([what, one]): [string, Lie] => [
    what,
    { lies: one, by: /^saml_signature_refused/ },
  ])
  await refusesAll(world, Object.fromEntries(lies), 'curve')
  await refusesAll(world, { 'a curve where RSA is known': { lies: { signer: curve }, by: 'saml_signature_refused' } })
})

test('T-SAML-03 a certificate that has expired vouches for nobody; of two, one suffices', async () => {
  await refusesAll(world, { expired: { lies: { signer: expired }, by: 'certificate expired' } }, 'old')
  assert.ok((await samlSignIn(world, 'rolling')).sub.startsWith('samlp|rolling|'))
  corp.lies = { signer: stranger }
  assert.ok((await samlSignIn(world, 'rolling').finally(() => corp.reset())).sub.startsWith('samlp|rolling|'))
})

test('T-SAML-03 whoever the tricks were about is who they were', async () => {
  corp.switchUser('victim')
  assert.equal((await samlSignIn(world, 'corp')).sub, victimSub)
})
