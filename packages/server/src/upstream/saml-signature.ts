// Signatures over XML: which may be looked at, and whether one holds. What it covers is read from the text that was
// digested and from nothing else (saml-core §5.4; threats T-SAML-01 to -03).
import { type KeyLike, KeyObject, verify, type X509Certificate } from 'node:crypto'
import type { SignatureAlgorithm } from 'xml-crypto'
import { ConnectionUnavailable, UpstreamRefused } from './errors.ts'
import { childrenOf, readXml, type XmlElement } from './saml-xml.ts'

export const XMLDSIG = 'http://www.w3.org/2000/09/xmldsig#'
export const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const MORE = 'http://www.w3.org/2001/04/xmldsig-more#'
const MIN_RSA_BITS = 2048
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1']

// SHA-2 alone: SHA-1 can be collided, and with HMAC the certificate that everybody has would be the secret.
const SIGNATURES: Readonly<Record<string, new () => SignatureAlgorithm>> = {
  [`${MORE}rsa-sha256`]: algorithm('rsa', 'sha256'),
  [`${MORE}rsa-sha512`]: algorithm('rsa', 'sha512'),
  [`${MORE}ecdsa-sha256`]: algorithm('ec', 'sha256'),
  [`${MORE}ecdsa-sha512`]: algorithm('ec', 'sha512'),
}
const DIGESTS = ['sha256', 'sha512'].map((name) => `http://www.w3.org/2001/04/xmlenc#${name}`)
const CANONICAL = [EXCLUSIVE, 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315']
const ENVELOPED = `${XMLDSIG}enveloped-signature`

/** @throws {ConnectionUnavailable} its key is of a kind, or a size, by which nobody can vouch here. */
export function requireStrongKey({ publicKey }: X509Certificate): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = publicKey
  const isStrong =
    type === 'rsa' ? (details.modulusLength ?? 0) >= MIN_RSA_BITS : CURVES.includes(details.namedCurve ?? '')
  if ((type === 'rsa' || type === 'ec') && isStrong) return
  throw new ConnectionUnavailable(
    `the signing certificate is neither one of RSA with ${MIN_RSA_BITS} bits or more nor of ECDSA on P-256, P-384 or P-521`,
  )
}

export const signaturesOf = (parent: XmlElement): readonly XmlElement[] => childrenOf(parent, XMLDSIG, 'Signature')

/**
 * Over its own parent and nothing else, by algorithms that hold, its parts in the one order of the schema: libraries look
 * for some of them by name alone, wherever they stand.
 *
 * @throws {UpstreamRefused} `saml_signature_refused`.
 */
export function requireSignatureShape(parent: XmlElement, signature: XmlElement): void {
  const [info] = partsOf(signature, ['SignedInfo', 'SignatureValue', 'KeyInfo'], 2)
  const [canonicalization, method, reference] = partsOf(info, [
    'CanonicalizationMethod',
    'SignatureMethod',
    'Reference',
  ])
  const [transforms, digest] = partsOf(reference, ['Transforms', 'DigestMethod', 'DigestValue'])
  const [first, second] = partsOf(transforms, ['Transform', 'Transform']).map(algorithmOf)
  const id = parent.attributes.get('ID')
  if (id === undefined || !/^[A-Za-z_][\w.-]*$/.test(id)) throw refused('id')
  if (reference?.attributes.get('URI') !== `#${id}`) throw refused('reference')
  if (!CANONICAL.includes(algorithmOf(canonicalization))) throw refused('canonicalization')
  if (!Object.hasOwn(SIGNATURES, algorithmOf(method))) throw refused('algorithm')
  if (!DIGESTS.includes(algorithmOf(digest))) throw refused('digest')
  if (first !== ENVELOPED || second === undefined || !CANONICAL.includes(second)) throw refused('transforms')
}

/** These children and no others, in this order; those after the first `least` may be left out. */
function partsOf(
  parent: XmlElement | undefined,
  names: readonly string[],
  least = names.length,
): readonly XmlElement[] {
  const parts = parent?.children ?? []
  const isSo = parts.every(({ namespace, name }, at) => namespace === XMLDSIG && name === names[at])
  if (!isSo || parts.length < least) throw refused(`parts: ${names.join(' ')}`)
  return parts
}

const algorithmOf = (one: XmlElement | undefined): string => one?.attributes.get('Algorithm') ?? ''

/**
 * Reads the element again from what its signature covers.
 *
 * @param text a document that `readXml` took, in which one element has this ID, the root or a child of it, and one
 *   signature whose shape was looked at.
 * @param certificates those that may vouch now; in the order in which they are tried.
 * @throws {UpstreamRefused} `saml_signature_refused`: it holds under none of the certificates.
 */
export async function readSigned(
  text: string,
  id: string,
  certificates: readonly X509Certificate[],
): Promise<XmlElement> {
  if (certificates.length === 0) throw refused('certificate expired')
  const { SignedXml, signature, normal } = await findSignature(text, id)
  for (const { publicKey } of certificates) {
    const signed = new SignedXml({ publicCert: publicKey, getCertFromKeyInfo: () => null })
    signed.SignatureAlgorithms = SIGNATURES
    signed.loadSignature(signature)
    if (!holds(() => signed.checkSignature(normal))) continue
    const [covered, ...more] = signed.getSignedReferences()
    if (covered === undefined || more.length > 0) throw refused('references')
    const element = readXml(covered)
    if (element.attributes.get('ID') !== id) throw refused('covers another')
    return element
  }
  throw refused('does not hold')
}

async function findSignature(text: string, id: string) {
  // Loaded when they are first needed: most deployments have no such connection. The parser is the one that `xml-crypto`
  // works on, as the SAML library calls it: it refuses what it would otherwise mend.
  const [{ SignedXml }, { parseDomFromString, xpath }] = await Promise.all([
    import('xml-crypto'),
    import('@node-saml/node-saml/lib/xml.js'),
  ])
  // XML's own rule for ends of lines (xml §2.11), which the parser leaves to its callers.
  const normal = text.replaceAll(/\r\n?/g, '\n')
  const document = await parseDomFromString(normal).catch(() => {
    throw refused('parser')
  })
  // No quotes: the signature's shape was looked at, and with it what its ID is made of.
  const own = `*[@ID='${id}']/*[local-name(.)='Signature' and namespace-uri(.)='${XMLDSIG}']`
  const [signature, ...more] = xpath.selectElements(document, `/${own} | /*/${own}`)
  if (signature === undefined || more.length > 0) throw refused('none')
  return { SignedXml, signature, normal }
}

/** It throws where the value is wrong, with what it was given in its message. */
function holds(check: () => boolean): boolean {
  try {
    return check()
  } catch {
    return false
  }
}

/** Keys of its own kind alone: none is read in another way than it was made for. */
function algorithm(type: 'rsa' | 'ec', hash: string): new () => SignatureAlgorithm {
  return class {
    getAlgorithmName = () => `${type}-${hash}`
    getSignature = (): never => {
      throw new Error('nothing is signed here')
    }
    verifySignature = (material: string, key: KeyLike, value: string): boolean =>
      key instanceof KeyObject &&
      key.asymmetricKeyType === type &&
      // ECDSA's two numbers one after the other (xmldsig-core1 §6.4.3).
      verify(hash, Buffer.from(material), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(value, 'base64'))
  }
}

const refused = (detail: string): UpstreamRefused => new UpstreamRefused('saml_signature_refused', { detail })
