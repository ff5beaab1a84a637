// SAML: an answer is for one request, one browser, one connection, one moment, and serves once (attack catalogue, T-SAML-04
// to -07).
import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { signIn, silently } from '../support/actors.ts'
import { Browser } from '../support/browser.ts'
import type { SamlFacts } from '../support/saml-messages.ts'
import {
  type AtProvider,
  assertRefused,
  atProvider,
  goToProvider,
  type Lie,
  lastReason,
  postAnswer,
  randomId,
  refusesAll,
  samlSignIn,
  startSamlWorld,
} from '../support/saml-world.ts'
import { changesNothing } from '../support/state.ts'
import { databases } from './databases.ts'

const world = await startSamlWorld(({ corp }) => [
  corp.connection('twin'),
  corp.connection('by-number', { user_id_attribute: 'employeeNumber' }),
])
const { server, corp, other } = world
const FORMAT = 'urn:oasis:names:tc:SAML'

corp.addUser('first')
other.addUser('elsewhere')
// So that what comes after would be a change.
for (const connection of ['corp', 'twin', 'other']) await samlSignIn(world, connection)

afterEach(() => {
  corp.reset()
  other.reset()
})

const lie = (by: string, facts: (honest: SamlFacts) => Partial<SamlFacts>): Lie => ({ lies: { facts }, by })

for (const database of databases) {
  test(`T-SAML-04 of twenty posts of one response at two nodes one signs in (${database})`, async () => {
    const two = await startSamlWorld(undefined, { database, nodes: 2 })
    two.corp.addUser('busy')
    const there = await goToProvider(two.server, 'corp')
    const [first = '', second = ''] = two.server.nodes
    const pages = await Promise.all(
      Array.from({ length: 20 }, (_, at) => {
        const acs = at % 2 === 0 ? there.acs : there.acs.replace(first, second)
        return postAnswer({ ...there, acs, browser: there.browser.clone() }, there.fields)
      }),
    )
    const won = pages.filter((page) => page.stopped && page.params.has('code'))
    assert.equal(won.length, 1, pages.map(({ status, error }) => `${status} ${error}`).join(', '))
    for (const page of pages) if (!won.includes(page)) assertRefused(page, 'a copy')
    // And later, at the other node.
    const late = { ...there, acs: there.acs.replace(first, second), browser: there.browser.clone() }
    assertRefused(await postAnswer(late, there.fields), 'late')
  })

  test(`T-SAML-04 an assertion serves once, in another response, at another node and after a restart too (${database})`, async () => {
    const two = await startSamlWorld(undefined, { database, nodes: 2 })
    two.corp.addUser('once')
    const [assertionId, otherId] = [randomId(), randomId()]
    two.corp.lies = { facts: () => ({ assertionId }) }
    await samlSignIn(two, 'corp')
    const [first = '', second = ''] = two.server.nodes
    await changesNothing(two.server, async () => {
      const again = await goToProvider(two.server, 'corp')
      assertRefused(await postAnswer({ ...again, acs: again.acs.replace(first, second) }, again.fields), 'again')
      assert.equal(lastReason(two.server), 'answer_replayed')
      assert.equal(await silently(again.browser, two.server), 'login_required')
    })
    await two.server.restart()
    await changesNothing(two.server, async () => {
      const later = await goToProvider(two.server, 'corp')
      assertRefused(await postAnswer(later, later.fields), 'after a restart')
      assert.equal(lastReason(two.server), 'answer_replayed')
    })
    two.corp.lies = { facts: () => ({ assertionId: otherId }) }
    await samlSignIn(two, 'corp')
  })
}

test('T-SAML-04 an answer to nothing that we asked signs nobody in', async () => {
  const here = await goToProvider(server, 'corp')
  await changesNothing(server, async () => {
    for (const RelayState of [undefined, '', 'made-up', 'https://evil.test/']) {
      const page = await postAnswer({ ...here, browser: new Browser() }, { ...here.fields, RelayState })
      assertRefused(page, `relay state ${RelayState}`)
      assert.equal(page.error, 'transaction_invalid')
    }
  })
  await refusesAll(world, {
    'no InResponseTo': lie('in response to', () => ({ responseTo: undefined, inResponseTo: undefined })),
    'no InResponseTo on the response': lie('in response to', () => ({ responseTo: undefined })),
    'no InResponseTo in the confirmation': lie('in response to', () => ({ inResponseTo: undefined })),
    'another InResponseTo': lie('in response to', () => ({ responseTo: '_other', inResponseTo: '_other' })),
    'another InResponseTo in the confirmation': lie('in response to', () => ({ inResponseTo: '_other' })),
  })
})

test('T-SAML-05 what is meant for others, or for another time, or says too little, is refused', async () => {
  const now = Math.floor(Date.now() / 1000)
  const twin = `${server.issuer}samlp/metadata?connection=twin`
  await refusesAll(world, {
    'another audience': lie('audience', () => ({ audiences: ['https://elsewhere.test/'] })),
    'another connection of ours': lie('audience', () => ({ audiences: [twin] })),
    'our issuer': lie('audience', () => ({ audiences: [server.issuer] })),
    'an audience in part': lie('audience', ({ audiences }) => ({ audiences: [`${audiences?.[0]}&x=y`] })),
    'no audience': lie('audience', () => ({ audiences: [] })),
    'no restriction': lie('audience', () => ({ audiences: undefined })),
    'a second restriction to others': lie('audience', () => ({
      condition: '<saml:AudienceRestriction><saml:Audience>urn:x</saml:Audience></saml:AudienceRestriction>',
    })),
    'another recipient': lie('recipient', () => ({ recipient: 'https://elsewhere.test/acs' })),
    'the callback of another connection': lie('recipient', ({ recipient }) => ({
      recipient: recipient?.replace(/corp$/, 'twin'),
    })),
    'no recipient': lie('recipient', () => ({ recipient: undefined })),
    'another destination': lie('destination', () => ({ destination: 'https://elsewhere.test/acs' })),
    'no destination': lie('destination', () => ({ destination: undefined })),
    'another issuer': lie('issuer_mismatch', () => ({
      issuer: 'https://evil.test/',
      responseIssuer: 'https://evil.test/',
    })),
    'another issuer of the assertion': lie('saml_assertion_refused issuer', () => ({ issuer: 'https://evil.test/' })),
    'another issuer of the response': lie('issuer_mismatch', () => ({ responseIssuer: 'https://evil.test/' })),
    'an issuer with a slash': lie('saml_assertion_refused issuer', ({ issuer }) => ({ issuer: `${issuer}/` })),
    'no confirmation': lie('confirmation', () => ({ method: undefined })),
    'sender vouches': lie('confirmation', () => ({ method: `${FORMAT}:2.0:cm:sender-vouches` })),
    'holder of key': lie('confirmation', () => ({ method: `${FORMAT}:2.0:cm:holder-of-key` })),
    'a confirmation without end': lie('saml_assertion_refused', () => ({ confirmedUntil: undefined })),
    'a confirmation that is over': lie('confirmation expired', () => ({ confirmedUntil: now - 181 })),
    'a confirmation from a time on': lie('confirmation not before', () => ({ confirmedFrom: now - 60 })),
    'no conditions': lie('Conditions', () => ({ hasConditions: false })),
    'not yet': lie('not before', () => ({ notBefore: now + 181 })),
    'not any more': lie('expired', () => ({ notOnOrAfter: now - 181 })),
    'a year of five digits': lie('time NotBefore', () => ({ notBefore: 253402300801 })),
    'a condition that nobody knows': lie('condition', () => ({ condition: '<saml:Condition></saml:Condition>' })),
    'no sign-in': lie('AuthnStatement', () => ({ authnInstant: undefined })),
    'a sign-in to come': lie('sign-in time', () => ({ authnInstant: now + 181 })),
    'a session that is over': lie('session over', () => ({ sessionUntil: now - 1 })),
    nobody: lie('subject_invalid', () => ({ nameId: undefined })),
  })
})

test('T-SAML-05 small differences of clocks, and a second confirmation for others, are no lie', async () => {
  const now = Math.floor(Date.now() / 1000)
  const honest: ((facts: SamlFacts) => Partial<SamlFacts>)[] = [
    () => ({ notBefore: now + 60, authnInstant: now + 60 }),
    () => ({ notOnOrAfter: now - 20, confirmedUntil: now - 20 }),
    () => ({ notBefore: undefined, notOnOrAfter: undefined }),
    ({ audiences = [] }) => ({ audiences: ['urn:another', ...audiences] }),
    () => ({ condition: '<saml:OneTimeUse></saml:OneTimeUse>' }),
    () => ({ responseIssuer: undefined }),
    () => ({ sessionUntil: now + 3600 }),
  ]
  const { sub } = await samlSignIn(world, 'corp')
  for (const facts of honest) {
    // Without an issuer there is nothing to put a response's signature behind.
    corp.lies = { parts: 'assertion', facts }
    assert.equal((await samlSignIn(world, 'corp')).sub, sub, facts.toString())
  }
})

test('T-SAML-05 the provider’s own no reaches the client, and says no more than that', async () => {
  for (const [status, error] of [
    [['Responder', 'RequestDenied'], 'access_denied'],
    [['Responder', 'AuthnFailed'], 'access_denied'],
    [['Requester'], 'access_denied'],
    [['VersionMismatch'], 'access_denied'],
    [['Success', 'Responder'], 'access_denied'],
  ] as const) {
    corp.lies = { facts: () => ({ status: [...status] }) }
    const { fields, ...there } = await goToProvider(server, 'corp')
    const page = await postAnswer(there, fields)
    assert.equal(page.params.get('error'), error, `${status}: ${page.name} ${page.error}`)
    assert.equal(await silently(there.browser, server), 'login_required')
  }
  // A no to somebody else's request is none.
  await refusesAll(world, {
    'a no to another request': lie('in response to', () => ({ status: ['Responder'], responseTo: '_other' })),
  })
})

test("T-SAML-06 an attacker's response in a victim's browser changes nothing there, and is void afterwards", async () => {
  const victim = await signIn(server, { user: server.tenant.ada })
  const there = await goToProvider(server, 'corp')
  await changesNothing(server, async () => {
    const page = await postAnswer({ ...there, browser: victim.browser.clone() }, there.fields)
    assertRefused(page, 'in the victim’s browser')
    assert.equal(page.error, 'wrong_browser')
    assertRefused(await postAnswer(there, there.fields), 'afterwards in their own')
  })
  assert.equal((await signIn(server, { browser: victim.browser })).sub, victim.sub)
  // The way from the POST to the GET is no way around it.
  const fresh = await goToProvider(server, 'corp')
  const held = await fresh.browser.post(fresh.acs, fresh.fields, {
    from: fresh.page.url,
    stopAt: `${server.url}/login/answer`,
  })
  assert.ok(held.stopped, `${held.name} ${held.error}`)
  await changesNothing(server, async () => {
    assert.equal((await victim.browser.clone().open(held.url)).error, 'wrong_browser')
    assertRefused(await fresh.browser.open(held.url), 'the same link later')
    assertRefused(await fresh.browser.open(`${server.url}/login/answer?id=made-up`), 'a link that is none')
  })
})

test('T-SAML-06 a response to a sign-in adds no way to sign in, nor the reverse', async () => {
  const person = await signIn(server, { user: server.tenant.eve })
  const startLink = async (): Promise<AtProvider> => {
    await person.browser.open(`${server.url}/account/connections`)
    return atProvider(person.browser, await person.browser.submit('link', { connection: 'corp' }))
  }
  corp.addUser('swapped')
  const linking = await startLink()
  const signing = await goToProvider(server, 'corp')
  await changesNothing(server, async () => {
    const { RelayState } = linking.fields
    assertRefused(await postAnswer(linking, { ...signing.fields, RelayState }), 'sign-in as link')
    assert.match(lastReason(server), /in response to/)
    const again = await startLink()
    const login = { ...again.fields, RelayState: signing.fields.RelayState }
    assertRefused(await postAnswer({ ...again, browser: signing.browser }, login), 'link as sign-in')
    assert.match(lastReason(server), /in response to/)
    assert.equal(await silently(signing.browser, server), 'login_required')
  })
})

test('T-SAML-06 a sign-in that was asked for anew is not answered by an old one', async () => {
  const old = Math.floor(Date.now() / 1000) - 3600
  corp.lies = { facts: () => ({ authnInstant: old }) }
  const { sub } = await samlSignIn(world, 'corp')
  const asked = await goToProvider(server, 'corp', { extra: { prompt: 'login' } })
  assert.match(corp.requests.at(-1)?.xml ?? '', / ForceAuthn="true"/)
  assertRefused(await postAnswer(asked, asked.fields), 'an old sign-in')
  assert.match(lastReason(server), /sign-in too old/)
  corp.reset()
  assert.equal((await samlSignIn(world, 'corp', { extra: { prompt: undefined } })).sub, sub)
})

test('T-SAML-07 a provider speaks for its own people alone', async () => {
  const victim = corp.addUser('their-own')
  const { sub } = await samlSignIn(world, 'corp')
  // The other provider takes the name and the subject of the first.
  other.addUser('liar', victim)
  const { sub: theirs } = await samlSignIn(world, 'other')
  assert.notEqual(theirs, sub)
  for (const facts of [
    { issuer: corp.entityId },
    { issuer: corp.entityId, responseIssuer: corp.entityId },
    { responseIssuer: corp.entityId },
  ]) {
    other.lies = { facts: () => facts }
    const { fields, ...there } = await goToProvider(server, 'other')
    await changesNothing(server, async () => assertRefused(await postAnswer(there, fields), JSON.stringify(facts)))
  }
  // Signed by the other, posted to the first's callback for a request to the first.
  const asked = await goToProvider(server, 'corp')
  const [request] = corp.requests.slice(-1)
  assert.ok(request)
  const SAMLResponse = await other.respond(request, {
    facts: () => ({ issuer: corp.entityId, responseIssuer: corp.entityId }),
  })
  await changesNothing(server, async () => {
    assertRefused(await postAnswer(asked, { ...asked.fields, SAMLResponse }), 'signed by another')
    assert.match(lastReason(server), /saml_signature_refused/)
  })
})

test('T-SAML-07 one provider behind two connections: the same person is two identities, and no answer serves at both', async () => {
  corp.addUser('double')
  const [one, two] = [await samlSignIn(world, 'corp'), await samlSignIn(world, 'twin')]
  assert.notEqual(one.sub, two.sub)
  const asked = await goToProvider(server, 'corp')
  await changesNothing(server, async () => {
    const acs = asked.acs.replace(/corp$/, 'twin')
    const page = await postAnswer({ ...asked, acs }, asked.fields)
    assertRefused(page, 'at the other callback')
    assert.equal(page.error, 'transaction_invalid')
  })
})

test('T-SAML-07 nobody is known by a name that passes on: only by a persistent one, or an attribute that stays', async () => {
  await refusesAll(world, {
    ...Object.fromEntries(
      [
        '1.1:nameid-format:emailAddress',
        '1.1:nameid-format:unspecified',
        '2.0:nameid-format:transient',
        '2.0:nameid-format:kerberos',
        undefined,
      ].map((format) => [
        String(format),
        lie('name id format', () => ({ nameIdFormat: format && `${FORMAT}:${format}` })),
      ]),
    ),
    'made by another': lie('qualifier', () => ({ nameIdQualifiers: ' NameQualifier="https://evil.test/"' })),
    'made for another': lie('qualifier', () => ({ nameIdQualifiers: ' SPNameQualifier="https://evil.test/"' })),
    empty: lie('subject_invalid', () => ({ nameId: '' })),
    'of other letters': lie('subject_invalid', () => ({ nameId: 'ада' })),
    'too long': lie('subject_invalid', () => ({ nameId: 'x'.repeat(256) })),
    'with elements in it': {
      lies: { facts: () => ({ nameId: 'MIXED' }), after: (xml) => xml.replace('MIXED', 'a<saml:X></saml:X>b') },
      by: 'saml_signature_refused',
    },
  })
  corp.addUser('numbered', { attributes: { employeeNumber: '4711', email: 'numbered@corp.test' } })
  corp.lies = {
    facts: () => ({ nameIdFormat: `${FORMAT}:1.1:nameid-format:emailAddress`, nameId: 'numbered@corp.test' }),
  }
  assert.equal((await samlSignIn(world, 'by-number')).sub, 'samlp|by-number|4711')
  corp.reset()
  for (const employeeNumber of [[], ['4711', '4712'], '']) {
    corp.addUser('odd', { attributes: { employeeNumber } })
    await refusesAll(world, { [String(employeeNumber)]: { lies: {}, by: 'subject_invalid' } }, 'by-number')
  }
  corp.switchUser('first')
})

test('T-SAML-02 an attribute that names the person twice names nobody, wherever its second value stands', async () => {
  corp.addUser('polluted', { attributes: { employeeNumber: '4713', email: 'polluted@corp.test' } })
  const second = (xml: string) => `<saml:AttributeStatement>${xml}</saml:AttributeStatement>`
  const value = '<saml:AttributeValue>4711</saml:AttributeValue>'
  await refusesAll(
    world,
    {
      'in another statement': lie('subject_invalid', () => ({
        more: second(`<saml:Attribute Name="employeeNumber">${value}</saml:Attribute>`),
      })),
      'under the name in another form': lie('subject_invalid', () => ({
        more: second(`<saml:Attribute Name="employee&#78;umber" NameFormat="urn:x">${value}</saml:Attribute>`),
      })),
    },
    'by-number',
  )
})
