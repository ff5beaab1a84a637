// An assertion whose signature holds: what it says, and whether that is said to us, now, in answer to our request. The
// signature library leaves most of this out (docs/notes/saml.md; saml-profiles §4.1.4, saml-core §2).
import type { EpochSeconds } from '../lib/time.ts'
import { UpstreamRefused } from './errors.ts'
import { isElement, SAML } from './saml-response.ts'
import { readInstant } from './saml-time.ts'
import { childrenOf, type XmlElement } from './saml-xml.ts'

const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer'
const ENTITY = 'urn:oasis:names:tc:SAML:2.0:nameid-format:entity'
/** How far the provider's clock and ours may be apart. */
export const SAML_SKEW_SECONDS = 120

export interface NameId {
  readonly value: string
  readonly format: string | undefined
  readonly nameQualifier: string | undefined
  readonly spNameQualifier: string | undefined
}

export interface SamlAssertion {
  readonly id: string
  readonly issuer: string
  readonly nameId: NameId | undefined
  readonly attributes: ReadonlyMap<string, readonly string[]>
  /** Until when a bearer may present it. */
  readonly notOnOrAfter: EpochSeconds
}

export interface ExpectedAssertion {
  /** The identity provider's entity id. */
  readonly issuer: string
  /** Our entity id at this connection. */
  readonly audience: string
  /** The callback that the provider was told. */
  readonly recipient: string
  readonly requestId: string
  readonly now: EpochSeconds
  /** They were asked to show anew who they are: an older sign-in at the provider does not count. */
  readonly authenticatedAfter: EpochSeconds | undefined
}

/**
 * @param root read from the very text that was signed.
 * @throws {UpstreamRefused} `saml_assertion_refused`; `detail` names the check.
 */
export function readAssertion(root: XmlElement, expected: ExpectedAssertion): SamlAssertion {
  if (!isElement(root, SAML, 'Assertion') || root.attributes.get('Version') !== '2.0') throw refused('root')
  const id = root.attributes.get('ID')
  if (id === undefined || id.length > 1024) throw refused('id')
  const subject = one(root, 'Subject')
  requireIssuer(root, expected.issuer)
  requireConditions(one(root, 'Conditions'), expected)
  requireSignIn(root, expected)
  return {
    id,
    issuer: expected.issuer,
    nameId: nameIdOf(subject),
    attributes: attributesOf(root),
    notOnOrAfter: confirmedUntil(subject, expected),
  }
}

// T-SAML-07: the key is the connection's, and so must the name be that it signs under.
function requireIssuer(root: XmlElement, expected: string): void {
  const issuer = one(root, 'Issuer')
  const format = issuer.attributes.get('Format')
  if (textOf(issuer) !== expected || (format !== undefined && format !== ENTITY)) throw refused('issuer')
}

const CONDITIONS = ['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction']

function requireConditions(conditions: XmlElement, { audience, now }: ExpectedAssertion): void {
  // A condition that is not understood makes the assertion worth nothing (saml-core §2.5.1.1).
  if (!conditions.children.every(({ namespace, name }) => namespace === SAML && CONDITIONS.includes(name)))
    throw refused('condition')
  const [notBefore, notOnOrAfter] = [timeOf(conditions, 'NotBefore'), timeOf(conditions, 'NotOnOrAfter')]
  if (notBefore !== undefined && notBefore - SAML_SKEW_SECONDS > now) throw refused('not before')
  if (notOnOrAfter !== undefined && notOnOrAfter + SAML_SKEW_SECONDS <= now) throw refused('expired')
  const restrictions = childrenOf(conditions, SAML, 'AudienceRestriction')
  const named = restrictions.map((each) => childrenOf(each, SAML, 'Audience').map(textOf))
  if (named.length === 0 || !named.every((audiences) => audiences.includes(audience))) throw refused('audience')
}

/** The end of the one confirmation that is for us; several may be there for others (saml-profiles §4.1.4.2). */
function confirmedUntil(subject: XmlElement, { recipient, requestId, now }: ExpectedAssertion): EpochSeconds {
  const problems: string[] = []
  for (const confirmation of childrenOf(subject, SAML, 'SubjectConfirmation')) {
    const [data, ...more] = childrenOf(confirmation, SAML, 'SubjectConfirmationData')
    if (confirmation.attributes.get('Method') !== BEARER || data === undefined || more.length > 0) continue
    const end = timeOf(data, 'NotOnOrAfter')
    if (data.attributes.get('Recipient') !== recipient) problems.push('recipient')
    else if (data.attributes.get('InResponseTo') !== requestId) problems.push('in response to')
    else if (data.attributes.has('NotBefore')) problems.push('confirmation not before')
    else if (end === undefined || end + SAML_SKEW_SECONDS <= now) problems.push('confirmation expired')
    else return end
  }
  throw refused(problems[0] ?? 'confirmation')
}

function requireSignIn(root: XmlElement, { now, authenticatedAfter }: ExpectedAssertion): void {
  const statement = one(root, 'AuthnStatement')
  const [at, end] = [timeOf(statement, 'AuthnInstant'), timeOf(statement, 'SessionNotOnOrAfter')]
  if (at === undefined || at - SAML_SKEW_SECONDS > now) throw refused('sign-in time')
  if (end !== undefined && end <= now) throw refused('session over')
  if (authenticatedAfter !== undefined && at + SAML_SKEW_SECONDS < authenticatedAfter) throw refused('sign-in too old')
}

function nameIdOf(subject: XmlElement): NameId | undefined {
  const [nameId, ...more] = childrenOf(subject, SAML, 'NameID')
  if (more.length > 0) throw refused('name id')
  if (nameId === undefined) return undefined
  const { attributes } = nameId
  return {
    value: textOf(nameId),
    format: attributes.get('Format'),
    nameQualifier: attributes.get('NameQualifier'),
    spNameQualifier: attributes.get('SPNameQualifier'),
  }
}

/** Attributes of one name in several places add up; a value that is more than text is left out. */
function attributesOf(root: XmlElement): ReadonlyMap<string, readonly string[]> {
  const attributes = new Map<string, readonly string[]>()
  const statements = childrenOf(root, SAML, 'AttributeStatement')
  for (const attribute of statements.flatMap((statement) => childrenOf(statement, SAML, 'Attribute'))) {
    const name = attribute.attributes.get('Name') ?? ''
    const values = childrenOf(attribute, SAML, 'AttributeValue').filter(({ children }) => children.length === 0)
    attributes.set(name, [...(attributes.get(name) ?? []), ...values.map(({ text }) => text)])
  }
  return attributes
}

/** What identifies is plain text: with elements in it, readers differ on what it says (T-SAML-02). */
function textOf({ text, children }: XmlElement): string {
  if (children.length > 0) throw refused('mixed content')
  return text
}

function one(parent: XmlElement, name: string): XmlElement {
  const [found, ...more] = childrenOf(parent, SAML, name)
  if (found === undefined || more.length > 0) throw refused(name)
  return found
}

/** @returns undefined when the attribute is absent. */
function timeOf({ attributes }: XmlElement, name: string): EpochSeconds | undefined {
  const text = attributes.get(name)
  if (text === undefined) return undefined
  const time = readInstant(text)
  if (time === undefined) throw refused(`time ${name}`)
  return time
}

const refused = (detail: string): UpstreamRefused => new UpstreamRefused('saml_assertion_refused', { detail })
