// What a SAML identity provider says, as XML, and signs. Every part can be made to lie, before it is signed and after.
import { randomBytes } from 'node:crypto'
import type { SamlSigner } from './saml-certificates.ts'
import { type Encryption, encryptAssertion } from './saml-encryption.ts'
import { type ElementSigning, signElement } from './saml-signing.ts'

export const NAMESPACES = {
  saml: 'urn:oasis:names:tc:SAML:2.0:assertion',
  samlp: 'urn:oasis:names:tc:SAML:2.0:protocol',
} as const
export const PERSISTENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'
export const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'

/** Everything that a response says. Undefined leaves the part out. */
export interface SamlFacts {
  readonly responseId: string
  readonly assertionId: string
  readonly issuer: string | undefined
  readonly responseIssuer: string | undefined
  readonly destination: string | undefined
  /** Of the response, and of the confirmation. */
  readonly responseTo: string | undefined
  readonly inResponseTo: string | undefined
  readonly recipient: string | undefined
  readonly method: string | undefined
  readonly confirmedUntil: number | undefined
  readonly confirmedFrom: number | undefined
  readonly audiences: readonly string[] | undefined
  readonly notBefore: number | undefined
  readonly notOnOrAfter: number | undefined
  /** More conditions, as XML. */
  readonly condition: string
  readonly hasConditions: boolean
  readonly authnInstant: number | undefined
  readonly sessionUntil: number | undefined
  readonly nameId: string | undefined
  readonly nameIdFormat: string | undefined
  /** Further attributes of the NameID, as XML. */
  readonly nameIdQualifiers: string
  readonly attributes: Readonly<Record<string, string | readonly string[]>>
  /** More of the assertion, as XML. */
  readonly more: string
  /** Last parts of status codes, the outer first. */
  readonly status: readonly string[]
}

export interface Signing extends ElementSigning {
  readonly parts: 'both' | 'assertion' | 'response' | 'none'
  readonly assertionSigner?: SamlSigner
  /** After its own signature, before that of the response. */
  readonly encryption?: Encryption
}

export interface AskedOf {
  readonly id: string
  readonly acs: string
  readonly issuer: string
}

/** What an honest provider says when it is asked. */
export function honestFacts(
  { id, acs, issuer: audience }: AskedOf,
  who: { readonly issuer: string; readonly nameId: string; readonly attributes: SamlFacts['attributes'] },
): SamlFacts {
  const now = Math.floor(Date.now() / 1000)
  return {
    responseId: `_r${randomBytes(12).toString('hex')}`,
    assertionId: `_a${randomBytes(12).toString('hex')}`,
    issuer: who.issuer,
    responseIssuer: who.issuer,
    destination: acs,
    responseTo: id,
    inResponseTo: id,
    recipient: acs,
    method: BEARER,
    confirmedUntil: now + 300,
    confirmedFrom: undefined,
    audiences: [audience],
    notBefore: now - 30,
    notOnOrAfter: now + 300,
    condition: '',
    hasConditions: true,
    authnInstant: now,
    sessionUntil: undefined,
    nameId: who.nameId,
    nameIdFormat: PERSISTENT,
    nameIdQualifiers: '',
    attributes: who.attributes,
    more: '',
    status: ['Success'],
  }
}

/** The assertion, unsigned. */
export function assertionOf(facts: SamlFacts): string {
  const { assertionId, issuer, authnInstant, sessionUntil, more } = facts
  const authn = `<saml:AuthnStatement${time('AuthnInstant', authnInstant)}${time('SessionNotOnOrAfter', sessionUntil)}><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`
  return `<saml:Assertion xmlns:saml="${NAMESPACES.saml}" ID="${assertionId}" Version="2.0"${time('IssueInstant', nowOf())}>${
    issuer === undefined ? '' : `<saml:Issuer>${escapeXml(issuer)}</saml:Issuer>`
  }${subjectOf(facts)}${conditionsOf(facts)}${authnInstant === undefined ? '' : authn}${attributesOf(facts)}${more}</saml:Assertion>`
}

function subjectOf(facts: SamlFacts): string {
  const { nameId, nameIdFormat, nameIdQualifiers, method, inResponseTo, recipient, confirmedUntil, confirmedFrom } =
    facts
  const name =
    nameId === undefined
      ? ''
      : `<saml:NameID${attribute('Format', nameIdFormat)}${nameIdQualifiers}>${escapeXml(nameId)}</saml:NameID>`
  const data = `<saml:SubjectConfirmationData${attribute('InResponseTo', inResponseTo)}${attribute('Recipient', recipient)}${time('NotOnOrAfter', confirmedUntil)}${time('NotBefore', confirmedFrom)}></saml:SubjectConfirmationData>`
  const confirmation =
    method === undefined ? '' : `<saml:SubjectConfirmation Method="${method}">${data}</saml:SubjectConfirmation>`
  return `<saml:Subject>${name}${confirmation}</saml:Subject>`
}

function conditionsOf({ hasConditions, notBefore, notOnOrAfter, audiences, condition }: SamlFacts): string {
  if (!hasConditions) return ''
  const named = audiences?.map((one) => `<saml:Audience>${escapeXml(one)}</saml:Audience>`).join('')
  const restriction = named === undefined ? '' : `<saml:AudienceRestriction>${named}</saml:AudienceRestriction>`
  return `<saml:Conditions${time('NotBefore', notBefore)}${time('NotOnOrAfter', notOnOrAfter)}>${restriction}${condition}</saml:Conditions>`
}

function attributesOf({ attributes }: SamlFacts): string {
  const said = Object.entries(attributes).map(([name, values]) => {
    const texts = [values].flat().map((value) => `<saml:AttributeValue>${escapeXml(value)}</saml:AttributeValue>`)
    return `<saml:Attribute Name="${escapeXml(name)}">${texts.join('')}</saml:Attribute>`
  })
  return said.length === 0 ? '' : `<saml:AttributeStatement>${said.join('')}</saml:AttributeStatement>`
}

/** A response around an assertion that may be signed already; unsigned itself. */
export function responseOf(facts: SamlFacts, assertion: string): string {
  const { responseId, destination, responseTo, responseIssuer, status } = facts
  const codes = status.reduceRight(
    (inner, code) => `<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:${code}">${inner}</samlp:StatusCode>`,
    '',
  )
  const issuer =
    responseIssuer === undefined
      ? ''
      : `<saml:Issuer xmlns:saml="${NAMESPACES.saml}">${escapeXml(responseIssuer)}</saml:Issuer>`
  return `<samlp:Response xmlns:samlp="${NAMESPACES.samlp}" ID="${responseId}" Version="2.0"${time('IssueInstant', nowOf())}${attribute('Destination', destination)}${attribute('InResponseTo', responseTo)}>${issuer}<samlp:Status>${codes}</samlp:Status>${assertion}</samlp:Response>`
}

/** The whole, signed as told. */
export async function signedResponse(facts: SamlFacts, signing: Signing): Promise<string> {
  const { parts, signer, assertionSigner = signer, encryption } = signing
  const bare = facts.status[0] === 'Success' ? assertionOf(facts) : ''
  const signsAssertion = bare !== '' && (parts === 'both' || parts === 'assertion')
  const assertion = signsAssertion ? await signElement(bare, { ...signing, signer: assertionSigner }) : bare
  const response = responseOf(facts, encryption === undefined ? assertion : encryptAssertion(assertion, encryption))
  return parts === 'both' || parts === 'response' ? signElement(response, signing) : response
}

const nowOf = () => Math.floor(Date.now() / 1000)
const attribute = (name: string, value: string | undefined): string =>
  value === undefined ? '' : ` ${name}="${escapeXml(value)}"`
const time = (name: string, at: number | undefined): string =>
  attribute(name, at === undefined ? undefined : new Date(at * 1000).toISOString().replace('.000Z', 'Z'))

export const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
