// SAML: anybody can encrypt to us, so that what was encrypted proves nothing, and what we say of it must teach nothing
// (attack catalogue, T-SAML-01 to -03).
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { request } from '../support/http.ts'
import { makeSigner } from '../support/saml-certificates.ts'
import { type Encryption, encryptAssertion } from '../support/saml-encryption.ts'
import { encryptionCertificateIn } from '../support/saml-idp.ts'
import { assertionOf, type SamlFacts } from '../support/saml-messages.ts'
import { goToProvider, type Lie, postAnswer, refusesAll, samlSignIn, startSamlWorld } from '../support/saml-world.ts'

const stranger = await makeSigner('Stranger')
const world = await startSamlWorld(({ corp }) => [corp.connection('sealed', { encrypted_assertions: true })])
const { server, corp } = world
const { text: metadata } = await request(`${server.url}/samlp/metadata?connection=sealed`)
const certificate = encryptionCertificateIn(metadata)
const encryption: Encryption = { certificate }

const victim = corp.addUser('victim')
corp.addUser('attacker')
await samlSignIn(world, 'sealed')
beforeEach(() => corp.switchUser('attacker'))

const SECOND_MICROSECONDS = 1_000_000
const ASSERTION = /<saml:Assertion[\s\S]*<\/saml:Assertion>/
const ENCRYPTED = /<saml:EncryptedAssertion[\s\S]*<\/saml:EncryptedAssertion>/
const forged = (facts: SamlFacts, more = ''): string =>
  assertionOf({ ...facts, assertionId: '_evil', nameId: victim.nameId, more })
const sealedForgery = (facts: SamlFacts): string => encryptAssertion(forged(facts), encryption)

const all = (lies: Readonly<Record<string, Lie>>) => refusesAll(world, lies, 'sealed')

test('T-SAML-03 what was encrypted must be signed itself, by the provider, whatever is signed around it', async () => {
  const by = 'saml_signature_refused'
  await all({
    'nothing is signed': { lies: { encryption, parts: 'none' }, by },
    'the response alone is signed': { lies: { encryption, parts: 'response' }, by: `${by} none on what was encrypted` },
    'another key': { lies: { encryption, parts: 'assertion', signer: stranger }, by },
    'another key inside, the right one outside': { lies: { encryption, assertionSigner: stranger }, by },
    'the right key inside, another one outside': {
      lies: { encryption, signer: stranger, assertionSigner: corp.signer },
      by,
    },
    'altered before it was encrypted': {
      lies: { encryption: { ...encryption, instead: (own) => own.replace(/corp-\w+</, `${victim.nameId}<`) } },
      by,
    },
    'another one in a signed response': {
      lies: { encryption, after: (xml, facts) => xml.replace(ENCRYPTED, sealedForgery(facts)) },
      by,
    },
    'the key for encryption in place of the one for signing': {
      lies: { encryption, parts: 'assertion', after: (xml, facts) => xml.replace(ENCRYPTED, sealedForgery(facts)) },
      by,
    },
  })
})

test('T-SAML-01 a forged assertion beside, in or around an encrypted one signs nobody in', async () => {
  const inside = (instead: (own: string) => string): Lie => ({
    lies: { parts: 'assertion', encryption: { ...encryption, instead } },
    by: /^saml_(?:response_invalid|decryption_refused|signature_refused)/,
  })
  const around = (after: (xml: string, facts: SamlFacts) => string): Lie => ({
    lies: { parts: 'assertion', encryption, after },
    by: /^saml_(?:response_invalid|signature_refused)/,
  })
  const facts = { ...(await factsNow()), nameId: victim.nameId }
  await all({
    'two in one': inside((own) => own + forged(facts)),
    'two in one, the forged first': inside((own) => forged(facts) + own),
    'around it': inside((own) => forged(facts, own)),
    'around it, in Advice': inside((own) => forged(facts, `<saml:Advice>${own}</saml:Advice>`)),
    'with the signature of the true one': inside((own) => {
      const [signature = ''] = /<ds:Signature [\s\S]*?<\/ds:Signature>/.exec(own) ?? []
      return forged(facts).replace('</saml:Issuer>', `</saml:Issuer>${signature}`)
    }),
    'encrypted twice': inside((own) => encryptAssertion(own, encryption)),
    'a whole response': inside(
      (own) => `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_x">${own}</samlp:Response>`,
    ),
    'a plain one before': around((xml, own) => xml.replace(ENCRYPTED, (sealed) => forged(own) + sealed)),
    'a plain one behind': around((xml, own) => xml.replace(ENCRYPTED, (sealed) => sealed + forged(own))),
    'a second encrypted one': around((xml, own) => xml.replace(ENCRYPTED, (sealed) => sealedForgery(own) + sealed)),
    'a plain one inside': around((xml, own) =>
      xml.replace('</xenc:EncryptedData>', `${forged(own)}</xenc:EncryptedData>`),
    ),
    'an encrypted one inside': around((xml, own) =>
      xml.replace('</xenc:EncryptedData>', `${sealedForgery(own)}</xenc:EncryptedData>`),
    ),
  })
})

/** What the provider would say in answer to a request that just came. */
async function factsNow(): Promise<SamlFacts> {
  let seen: SamlFacts | undefined
  corp.lies = {
    facts: (honest) => {
      seen = honest
      return {}
    },
  }
  await goToProvider(server, 'sealed').finally(() => corp.reset())
  assert.ok(seen)
  return seen
}

test('T-SAML-02 markup in what was encrypted is refused as in what came plain', async () => {
  const instead = (change: (own: string) => string): Lie => ({
    lies: { parts: 'assertion', encryption: { ...encryption, instead: change } },
    by: 'saml_decryption_refused',
  })
  await all({
    'a comment': instead((own) => own.replace('</saml:NameID>', '<!-- -->.evil</saml:NameID>')),
    'an instruction': instead((own) => own.replace('</saml:NameID>', '<?x y?></saml:NameID>')),
    'a document type': instead((own) => `<!DOCTYPE a [<!ENTITY b "c">]>${own}`),
    'a byte order mark': instead((own) => `\ufeff${own}`),
    'no XML': instead(() => 'x'),
    nothing: instead(() => ''),
  })
})

test('T-SAML-08 a bomb that was encrypted is refused like one that came plain', async () => {
  const instead = (text: string): Lie => ({
    lies: { parts: 'assertion', encryption: { ...encryption, instead: () => text } },
    by: 'saml_decryption_refused',
  })
  const open = '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_bomb">'
  const started = process.cpuUsage()
  await all({
    'ten thousand levels': instead(open + '<saml:a>'.repeat(7000) + '</saml:a>'.repeat(7000)),
    'many elements': instead(`${open}${'<saml:a/>'.repeat(15_000)}</saml:Assertion>`),
    'entities in a row': instead(`${open}${'&'.repeat(120_000)}</saml:Assertion>`),
    'white space without end': instead(`<saml:Assertion${' '.repeat(120_000)}`),
  })
  const { user, system } = process.cpuUsage(started)
  assert.ok(user + system < 4 * SECOND_MICROSECONDS, `${user + system} µs of computing`)
})

const flip = (at: number) => (bytes: Buffer) => {
  const spoilt = Buffer.from(bytes)
  const place = at < 0 ? spoilt.length + at : at
  spoilt[place] = (spoilt[place] ?? 0) ^ 1
  return spoilt
}

/** Ways in which what is encrypted does not open. */
const CLOSED: Readonly<Record<string, Encryption>> = {
  'to another key': { certificate: stranger.certificate },
  'its first byte altered': { certificate, spoil: { content: flip(0) } },
  'its text altered': { certificate, spoil: { content: flip(40) } },
  'its tag altered': { certificate, spoil: { content: flip(-1) } },
  'its tag cut': { certificate, spoil: { content: (bytes) => bytes.subarray(0, -4) } },
  'its tag alone': { certificate, spoil: { content: (bytes) => bytes.subarray(0, 28) } },
  'its key altered': { certificate, spoil: { key: flip(-1) } },
  'its key cut': { certificate, spoil: { key: (bytes) => bytes.subarray(1) } },
  'its key of zeros': { certificate, spoil: { key: (bytes) => Buffer.alloc(bytes.length) } },
  'something else than XML': { certificate, instead: () => 'x' },
}
/** Ways that are not taken. */
const WEAK: Readonly<Record<string, Encryption>> = {
  CBC: { certificate, cipher: 'aes128-cbc' },
  'PKCS #1 v1.5': { certificate, transport: 'rsa-1_5' },
  'CBC and PKCS #1 v1.5': { certificate, cipher: 'aes128-cbc', transport: 'rsa-1_5' },
}

test('T-SAML-03 nothing but AES-GCM under RSA-OAEP to our key is opened', async () => {
  const lies = Object.entries({ ...CLOSED, ...WEAK }).map(([what, sealed]): [string, Lie] => [
    what,
    { lies: { parts: 'assertion', encryption: sealed }, by: 'saml_decryption_refused' },
  ])
  await all({
    ...Object.fromEntries(lies),
    'two keys': {
      lies: {
        parts: 'assertion',
        encryption,
        after: (xml) => xml.replace(/<xenc:EncryptedKey[\s\S]*?<\/xenc:EncryptedKey>/, (key) => key + key),
      },
      by: 'saml_decryption_refused',
    },
    'GCM by name, CBC in truth': {
      lies: {
        parts: 'assertion',
        encryption: { certificate, cipher: 'aes128-cbc' },
        after: (xml) => xml.replace(/http:[^"]*aes128-cbc/, 'http://www.w3.org/2009/xmlenc11#aes128-gcm'),
      },
      by: 'saml_decryption_refused',
    },
  })
  await refusesAll(world, {
    'at a connection that asked for none': {
      lies: { parts: 'assertion', encryption },
      by: 'saml_decryption_refused not asked for',
    },
  })
})

test('T-SAML-03 whoever asks learns nothing of why it did not open: not even whether the key or the text was wrong', async () => {
  const answers = new Set<string>()
  for (const sealed of [
    ...Object.values(CLOSED),
    { certificate, instead: (own: string) => own.replace(ASSERTION, '<a/>') },
  ]) {
    corp.lies = { parts: 'assertion', encryption: sealed }
    const { fields, ...there } = await goToProvider(server, 'sealed').finally(() => corp.reset())
    const page = await postAnswer(there, fields)
    answers.add(JSON.stringify([page.status, page.error, page.text.replaceAll(/[0-9a-f-]{16,}/gi, 'id')]))
  }
  assert.equal(answers.size, 1, [...answers].join('\n'))
})

test('T-SAML-04 an encrypted assertion serves once, encrypted anew as well', async () => {
  corp.lies = { encryption, facts: () => ({ assertionId: '_only-once' }) }
  await samlSignIn(world, 'sealed').finally(() => corp.reset())
  await all({
    again: { lies: { encryption, facts: () => ({ assertionId: '_only-once' }) }, by: 'answer_replayed' },
  })
})
