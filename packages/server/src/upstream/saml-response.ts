// A SAML response as it arrived, before anything in it is believed: is it of the one shape that has one meaning, and what
// does its unsigned frame say? (threats T-SAML-01 to -03; saml-core §3.2.2)
import { UpstreamRefused } from './errors.ts'
import { childrenOf, everyElement, MAX_XML_LENGTH, readXml, type XmlElement } from './saml-xml.ts'

export const SAML = 'urn:oasis:names:tc:SAML:2.0:assertion'
export const SAMLP = 'urn:oasis:names:tc:SAML:2.0:protocol'
export const XMLDSIG = 'http://www.w3.org/2000/09/xmldsig#'
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const STATUS = 'urn:oasis:names:tc:SAML:2.0:status:'

/** What the frame says. Only `isSuccess` decides here; the rest is held against what we asked. */
export interface SamlResponse {
  /** Base64, as the signature library takes it; the very bytes that were looked at. */
  readonly encoded: string
  readonly issuer: string | undefined
  readonly destination: string | undefined
  readonly inResponseTo: string | undefined
  readonly status: 'success' | 'denied' | 'failed'
  /** The words of the status, for the operator's log: the last part of each code. */
  readonly statusCodes: readonly string[]
  readonly isSigned: boolean
  readonly hasSignedAssertion: boolean
}

/** @throws {UpstreamRefused} `saml_response_invalid`, `saml_signature_refused`, `saml_xml_refused`. */
export function readSamlResponse(parameter: string): SamlResponse {
  const bytes = decodeBase64(parameter)
  const root = readXml(decodeUtf8(bytes))
  if (!isElement(root, SAMLP, 'Response')) throw invalid('root')
  if (root.attributes.get('Version') !== '2.0') throw invalid('version')
  requireShape(root)
  const [issuer] = childrenOf(root, SAML, 'Issuer')
  const [assertion] = childrenOf(root, SAML, 'Assertion')
  const codes = statusCodesOf(root)
  const status = statusOf(codes)
  if (status === 'success' && assertion === undefined) throw invalid('no assertion')
  return {
    encoded: bytes.toString('base64'),
    issuer: issuer?.text,
    destination: root.attributes.get('Destination'),
    inResponseTo: root.attributes.get('InResponseTo'),
    status,
    statusCodes: codes,
    isSigned: childrenOf(root, XMLDSIG, 'Signature').length > 0,
    hasSignedAssertion: assertion !== undefined && childrenOf(assertion, XMLDSIG, 'Signature').length > 0,
  }
}

function decodeBase64(parameter: string): Buffer {
  const text = parameter.replaceAll(/[\r\n]/g, '')
  if (text.length > (MAX_XML_LENGTH * 4) / 3 + 4) throw invalid('size')
  if (text === '' || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw invalid('base64')
  return Buffer.from(text, 'base64')
}

function decodeUtf8(bytes: Buffer): string {
  try {
    // Keeps a byte order mark, which is then no XML of ours.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw invalid('utf8', cause)
  }
}

const RESPONSE_CHILDREN: readonly (readonly [namespace: string, name: string, least: number])[] = [
  [SAML, 'Issuer', 0],
  [XMLDSIG, 'Signature', 0],
  [SAMLP, 'Status', 1],
  [SAML, 'Assertion', 0],
]
// Elsewhere than in a status, a name of these would be something to take for the assertion, or to hide it in.
const UNIQUE = ['Response', 'Assertion', 'AuthnStatement', 'Subject', 'Conditions']
const REFUSED = [
  'EncryptedAssertion',
  'EncryptedID',
  'EncryptedAttribute',
  'Extensions',
  'Advice',
  'Object',
  'Manifest',
]

/** One response, at most one assertion, at most one signature on each, and nothing anywhere that could stand for them. */
function requireShape(root: XmlElement): void {
  const known = RESPONSE_CHILDREN.map(([namespace, name, least]) => {
    const found = childrenOf(root, namespace, name)
    if (found.length < least || found.length > 1) throw invalid(name)
    return found.length
  })
  if (known.reduce((sum, count) => sum + count, 0) !== root.children.length) throw invalid('children')
  const everything = [...everyElement(root)]
  const ids = everything.flatMap(({ attributes }) => ['ID', 'Id', 'id'].flatMap((name) => attributes.get(name) ?? []))
  if (new Set(ids).size !== ids.length) throw invalid('id twice')
  for (const name of UNIQUE) if (everything.filter((one) => one.name === name).length > 1) throw invalid(name)
  for (const one of everything) {
    if (![SAML, SAMLP, XMLDSIG, EXCLUSIVE].includes(one.namespace)) throw invalid('namespace')
    if (REFUSED.includes(one.name)) throw invalid(one.name)
  }
  const signed = [root, ...childrenOf(root, SAML, 'Assertion')]
  const signatures = signed.flatMap((parent) =>
    childrenOf(parent, XMLDSIG, 'Signature').map((one) => [parent, one] as const),
  )
  if (signatures.length !== everything.filter(({ name }) => name === 'Signature').length) throw invalid('Signature')
  for (const [parent, signature] of signatures) requireSignature(parent, signature)
}

// RSA and SHA-2 alone: SHA-1 can be collided, and with HMAC the certificate that everybody has would be the secret.
const SIGNATURES = ['rsa-sha256', 'rsa-sha512'].map((name) => `http://www.w3.org/2001/04/xmldsig-more#${name}`)
const DIGESTS = ['sha256', 'sha512'].map((name) => `http://www.w3.org/2001/04/xmlenc#${name}`)
const CANONICAL = [EXCLUSIVE, 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315']
const ENVELOPED = `${XMLDSIG}enveloped-signature`

/** Over its own parent and nothing else, by algorithms that hold (saml-core §5.4). */
function requireSignature(parent: XmlElement, signature: XmlElement): void {
  const info = only(signature, 'SignedInfo')
  const reference = only(info, 'Reference')
  const transforms = childrenOf(only(reference, 'Transforms'), XMLDSIG, 'Transform').map(algorithmOf)
  const id = parent.attributes.get('ID')
  if (id === undefined || !/^[A-Za-z_][\w.-]*$/.test(id)) throw badSignature('id')
  if (reference.attributes.get('URI') !== `#${id}`) throw badSignature('reference')
  if (!CANONICAL.includes(algorithmOf(only(info, 'CanonicalizationMethod')))) throw badSignature('canonicalization')
  if (!SIGNATURES.includes(algorithmOf(only(info, 'SignatureMethod')))) throw badSignature('algorithm')
  if (!DIGESTS.includes(algorithmOf(only(reference, 'DigestMethod')))) throw badSignature('digest')
  const [first, second, ...more] = transforms
  if (first !== ENVELOPED || second === undefined || !CANONICAL.includes(second) || more.length > 0)
    throw badSignature('transforms')
}

function only(parent: XmlElement, name: string): XmlElement {
  const [found, ...more] = childrenOf(parent, XMLDSIG, name)
  if (found === undefined || more.length > 0) throw badSignature(name)
  return found
}

const algorithmOf = ({ attributes }: XmlElement): string => attributes.get('Algorithm') ?? ''

function statusCodesOf(root: XmlElement): readonly string[] {
  const codes: string[] = []
  for (let at = childrenOf(root, SAMLP, 'Status')[0]; at !== undefined; at = childrenOf(at, SAMLP, 'StatusCode')[0]) {
    const value = at.attributes.get('Value')
    if (value?.startsWith(STATUS) && /^\w{1,40}$/.test(value.slice(STATUS.length)))
      codes.push(value.slice(STATUS.length))
  }
  return codes
}

function statusOf(codes: readonly string[]): SamlResponse['status'] {
  if (codes.length === 1 && codes[0] === 'Success') return 'success'
  const isDenied = ['RequestDenied', 'AuthnFailed', 'NoPassive'].some((code) => codes.includes(code))
  return isDenied && !codes.includes('Success') ? 'denied' : 'failed'
}

export const isElement = (one: XmlElement, namespace: string, name: string): boolean =>
  one.namespace === namespace && one.name === name

const invalid = (detail: string, cause?: unknown) => new UpstreamRefused('saml_response_invalid', { detail, cause })
const badSignature = (detail: string) => new UpstreamRefused('saml_signature_refused', { detail })
