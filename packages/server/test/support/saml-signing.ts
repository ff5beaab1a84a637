// Signs what SAML identity providers say, by either of two implementations that share nothing but the standard. The server
// verifies by `xml-crypto`: what `xml-crypto` signed as well would pass although both canonicalized or digested in a way of
// their own, and a forgery that leans on such a mistake would be one that no test can make. `xmldsigjs` brings its own
// canonicalization, its own parser (another line of xmldom than the server's) and WebCrypto. It comes from npm alone, so
// that the tests need nothing that a machine may lack, such as `xmlsec1`.
import { createPrivateKey, createSecretKey, webcrypto } from 'node:crypto'
import { createRequire } from 'node:module'
import { SignedXml } from 'xml-crypto'
import type { OptionsSignTransform, Transform } from 'xmldsigjs'
import type { SamlSigner } from './saml-certificates.ts'

export type SigningLibrary = 'xmldsigjs' | 'xml-crypto'
export const SIGNING_LIBRARIES: readonly SigningLibrary[] = ['xmldsigjs', 'xml-crypto']

const XMLDSIG = 'http://www.w3.org/2000/09/xmldsig#'
const MORE = 'http://www.w3.org/2001/04/xmldsig-more#'
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#'
export const RSA_SHA256 = `${MORE}rsa-sha256`
export const RSA_SHA512 = `${MORE}rsa-sha512`
export const ECDSA_SHA256 = `${MORE}ecdsa-sha256`
export const ECDSA_SHA1 = `${MORE}ecdsa-sha1`
export const RSA_SHA1 = `${XMLDSIG}rsa-sha1`
export const HMAC_SHA1 = `${XMLDSIG}hmac-sha1`
export const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256'
export const SHA512 = 'http://www.w3.org/2001/04/xmlenc#sha512'
export const SHA1 = `${XMLDSIG}sha1`

export interface ElementSigning {
  readonly signer: SamlSigner
  readonly signature: string
  readonly digest: string
  /** The certificate goes along. */
  readonly keyInfo: boolean
  readonly library: SigningLibrary
  /**
   * Namespaces that are covered although no name uses them, as `xs` when only a value does (xml-exc-c14n §3). By
   * `xmldsigjs` alone: `xml-crypto` writes the list into every transform, where it means nothing.
   */
  readonly prefixList?: string
}

/** Signs the root element; the signature stands behind its issuer, or first where it has none. */
export function signElement(xml: string, signing: ElementSigning): Promise<string> {
  return signing.library === 'xmldsigjs' ? signIndependently(xml, signing) : signByXmlCrypto(xml, signing)
}

async function signByXmlCrypto(xml: string, signing: ElementSigning): Promise<string> {
  const { signer, signature, digest, keyInfo } = signing
  const signed = new SignedXml({
    privateKey: signer.privateKey,
    ...(keyInfo ? { publicCert: signer.certificate } : {}),
    signatureAlgorithm: signature,
    canonicalizationAlgorithm: EXCLUSIVE,
  })
  if (signature === HMAC_SHA1) signed.enableHMAC()
  signed.addReference({
    xpath: '/*',
    transforms: [`${XMLDSIG}enveloped-signature`, EXCLUSIVE],
    digestAlgorithm: digest,
  })
  const hasIssuer = issuerEnd(xml) !== undefined
  signed.computeSignature(xml, {
    prefix: 'ds',
    location: hasIssuer
      ? { reference: "/*/*[local-name(.)='Issuer']", action: 'after' }
      : { reference: '/*', action: 'prepend' },
  })
  return signed.getSignedXml()
}

async function signIndependently(xml: string, signing: ElementSigning): Promise<string> {
  const { signer, signature, digest, keyInfo, prefixList } = signing
  const [root = '', id] = /^(?:<[?!][^>]*>\s*)*<[^>]* ID="([^"]*)"[^>]*>/.exec(xml) ?? []
  const { algorithm, key } = keyFor(signature, signer)
  const signed = new WithPrefixList(prefixList)
  signed.XmlSignature.SignedInfo.CanonicalizationMethod.Algorithm = EXCLUSIVE
  const made = await signed.Sign(algorithm, key, xmldsig.Parse(xml), {
    references: [{ uri: `#${id}`, hash: webName(digest), transforms: ['enveloped', 'exc-c14n'] }],
    ...(keyInfo ? { x509: [signer.certificate.replaceAll(/-----[A-Z ]+-----|\s/g, '')] } : {}),
  })
  const at = issuerEnd(xml) ?? root.length
  return xml.slice(0, at) + made.toString() + xml.slice(at)
}

/** Where the issuer of the root ends. */
function issuerEnd(xml: string): number | undefined {
  const found = /^(?:<[?!][^>]*>\s*)*<[^>]*>\s*<saml:Issuer[^>]*>[^<]*<\/saml:Issuer>/.exec(xml)
  return found === null ? undefined : found[0].length
}

interface Algorithm {
  readonly name: string
  readonly hash: string
  readonly namedCurve?: string
}

const NAMES: Readonly<Record<string, string>> = { rsa: 'RSASSA-PKCS1-v1_5', ecdsa: 'ECDSA', hmac: 'HMAC' }
const CURVES: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }

function keyFor(signature: string, { privateKey }: SamlSigner) {
  const [, kind = '', hash = ''] = /#(rsa|ecdsa|hmac)-(sha\d+)$/.exec(signature) ?? []
  const key = kind === 'hmac' ? createSecretKey(Buffer.from(privateKey)) : createPrivateKey(privateKey)
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? '']
  const algorithm: Algorithm = {
    name: NAMES[kind] ?? '',
    hash: webName(hash),
    ...(curve === undefined ? {} : { namedCurve: curve }),
  }
  return { algorithm, key: key.toCryptoKey(algorithm, true, ['sign']) }
}

/** `sha256`, or a URI that ends so, as WebCrypto names it. */
const webName = (hash: string): string => (/sha\d+$/.exec(hash)?.[0] ?? '').replace('sha', 'SHA-')

/** Its parser is to be the one that it was made for, which lies in its own folder, as does the package that wants to be told. */
function loadXmldsig(): typeof import('xmldsigjs') {
  const here = createRequire(import.meta.url)
  const own = createRequire(here.resolve('xmldsigjs'))
  const { DOMParser, XMLSerializer } = own('@xmldom/xmldom')
  own('xml-core').setNodeDependencies({ DOMParser, XMLSerializer, xpath: own('xpath') })
  const loaded: typeof import('xmldsigjs') = here('xmldsigjs')
  loaded.Application.setEngine('node', webcrypto)
  return loaded
}
const xmldsig = loadXmldsig()

class WithPrefixList extends xmldsig.SignedXml {
  readonly #prefixList: string | undefined

  constructor(prefixList: string | undefined) {
    super()
    this.#prefixList = prefixList
  }

  protected override ResolveTransform(transform: OptionsSignTransform): Transform {
    const made = super.ResolveTransform(transform)
    if (this.#prefixList !== undefined && made instanceof xmldsig.XmlDsigExcC14NTransform) {
      const list = `<ec:InclusiveNamespaces xmlns:ec="${EXCLUSIVE}" PrefixList="${this.#prefixList}"/>`
      made.LoadXml(`<ds:Transform xmlns:ds="${XMLDSIG}" Algorithm="${EXCLUSIVE}">${list}</ds:Transform>`)
    }
    return made
  }
}
