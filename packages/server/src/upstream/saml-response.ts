// A SAML response as it arrived, before anything in it is believed: is it of the one shape that has one meaning, and what
// does its unsigned frame say? (threats T-SAML-01 to -03; saml-core §3.2.2)
import { UpstreamRefused } from './errors.ts'
import { XMLENC, XMLENC11 } from './saml-decryption.ts'
import { EXCLUSIVE, requireSignatureShape, signaturesOf, XMLDSIG } from './saml-signature.ts'
import { childrenOf, everyElement, MAX_XML_LENGTH, readXml, type XmlElement } from './saml-xml.ts'

export const SAML = 'urn:oasis:names:tc:SAML:2.0:assertion'
export const SAMLP = 'urn:oasis:names:tc:SAML:2.0:protocol'
const STATUS = 'urn:oasis:names:tc:SAML:2.0:status:'

/** What the frame says. Only `status` decides here; the rest is held against what we asked. */
export interface SamlResponse {
  /** The very text that was looked at. */
  readonly text: string
  readonly root: XmlElement
  readonly issuer: string | undefined
  readonly destination: string | undefined
  readonly inResponseTo: string | undefined
  readonly status: 'success' | 'denied' | 'failed'
  /** The words of the status, for the operator's log: the last part of each code. */
  readonly statusCodes: readonly string[]
  readonly isSigned: boolean
}

/** @throws {UpstreamRefused} `saml_response_invalid`, `saml_signature_refused`, `saml_xml_refused`. */
export function readSamlResponse(parameter: string): SamlResponse {
  const text = decodeUtf8(decodeBase64(parameter))
  const root = readXml(text)
  if (!isElement(root, SAMLP, 'Response')) throw invalid('root')
  if (root.attributes.get('Version') !== '2.0') throw invalid('version')
  requireFrame(root)
  const [issuer] = childrenOf(root, SAML, 'Issuer')
  const codes = statusCodesOf(root)
  const status = statusOf(codes)
  if (status === 'success' && contentOf(root) === undefined) throw invalid('no assertion')
  return {
    text,
    root,
    issuer: issuer?.text,
    destination: root.attributes.get('Destination'),
    inResponseTo: root.attributes.get('InResponseTo'),
    status,
    statusCodes: codes,
    isSigned: signaturesOf(root).length > 0,
  }
}

/** The assertion, or what it was encrypted to. */
export const contentOf = (response: XmlElement): XmlElement | undefined =>
  response.children.find((one) => isElement(one, SAML, 'Assertion') || isElement(one, SAML, ENCRYPTED))

/**
 * What came out of an encrypted part is a document of its own, and stands as little for another as one that came plain.
 *
 * @throws {UpstreamRefused} `saml_response_invalid`, `saml_signature_refused`.
 */
export function requireOpened(root: XmlElement): void {
  if (!isElement(root, SAML, 'Assertion')) throw invalid('root')
  requireUnambiguous([...everyElement(root)], [root])
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

const ENCRYPTED = 'EncryptedAssertion'
const RESPONSE_CHILDREN: readonly (readonly [namespace: string, name: string, least: number])[] = [
  [SAML, 'Issuer', 0],
  [XMLDSIG, 'Signature', 0],
  [SAMLP, 'Status', 1],
  [SAML, 'Assertion', 0],
  [SAML, ENCRYPTED, 0],
]
// Elsewhere than in a status, a name of these would be something to take for the assertion, or to hide it in.
const UNIQUE = ['Response', 'Assertion', 'AuthnStatement', 'Subject', 'Conditions']
const REFUSED = [ENCRYPTED, 'EncryptedID', 'EncryptedAttribute', 'Extensions', 'Advice', 'Object', 'Manifest']

/** One response, at most one assertion, plain or encrypted, at most one signature on each. */
function requireFrame(root: XmlElement): void {
  const known = RESPONSE_CHILDREN.flatMap(([namespace, name, least]) => {
    const found = childrenOf(root, namespace, name)
    if (found.length < least || found.length > 1) throw invalid(name)
    return found
  })
  if (known.length !== root.children.length) throw invalid('children')
  const [encrypted] = childrenOf(root, SAML, ENCRYPTED)
  const [assertion] = childrenOf(root, SAML, 'Assertion')
  if (encrypted !== undefined && assertion !== undefined) throw invalid(ENCRYPTED)
  const sealed = new Set(encrypted === undefined ? [] : everyElement(encrypted))
  const plain = [...everyElement(root)].filter((one) => !sealed.has(one))
  requireDifferentIds([...plain, ...sealed])
  requireUnambiguous(plain, assertion === undefined ? [root] : [root, assertion])
  // Names and numbers of ciphers alone: what it holds is looked at when it was opened.
  for (const one of sealed) {
    const isKnown = one === encrypted || [XMLENC, XMLENC11, XMLDSIG].includes(one.namespace)
    if (!isKnown || ['Signature', 'Object', 'Manifest'].includes(one.name)) throw invalid(ENCRYPTED)
  }
}

function requireDifferentIds(everything: readonly XmlElement[]): void {
  const ids = everything.flatMap(({ attributes }) => ['ID', 'Id', 'id'].flatMap((name) => attributes.get(name) ?? []))
  if (new Set(ids).size !== ids.length) throw invalid('id twice')
}

/** Nothing anywhere that could stand for the assertion; signatures on these elements alone, each over its own. */
function requireUnambiguous(everything: readonly XmlElement[], signed: readonly XmlElement[]): void {
  requireDifferentIds(everything)
  for (const name of UNIQUE) if (everything.filter((one) => one.name === name).length > 1) throw invalid(name)
  for (const one of everything) {
    if (![SAML, SAMLP, XMLDSIG, EXCLUSIVE].includes(one.namespace)) throw invalid('namespace')
    if (REFUSED.includes(one.name)) throw invalid(one.name)
  }
  const signatures = signed.flatMap((parent) => signaturesOf(parent).map((one) => [parent, one] as const))
  const isOneEach = signed.every((parent) => signaturesOf(parent).length <= 1)
  if (!isOneEach || signatures.length !== everything.filter(({ name }) => name === 'Signature').length)
    throw invalid('Signature')
  for (const [parent, signature] of signatures) requireSignatureShape(parent, signature)
}

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
