// An assertion that was encrypted to us: AES-GCM under a key by RSA-OAEP, and nothing else (xmlenc-core1 §5.2.4, §5.5.2).
// Whoever can ask often enough must learn nothing from what we answer: every failure from the key on is the same one, and
// comes by the same way.
import { constants, createDecipheriv, privateDecrypt, randomBytes } from 'node:crypto'
import { UpstreamRefused } from './errors.ts'
import { XMLDSIG } from './saml-signature.ts'
import { childrenOf, everyElement, readXml, type XmlElement } from './saml-xml.ts'

export const XMLENC = 'http://www.w3.org/2001/04/xmlenc#'
export const XMLENC11 = 'http://www.w3.org/2009/xmlenc11#'
export const OLDER_OAEP = `${XMLENC}rsa-oaep-mgf1p`
export const NEWER_OAEP = `${XMLENC11}rsa-oaep`
const ELEMENT = `${XMLENC}Element`
const IV_BYTES = 12
const TAG_BYTES = 16

interface Cipher {
  readonly name: 'aes-128-gcm' | 'aes-256-gcm'
  readonly keyBytes: number
}

// CBC is left out: it says by its padding what it holds to whoever may change it (Jager and Somorovsky 2011).
const CIPHERS: Readonly<Record<string, Cipher>> = {
  [`${XMLENC11}aes128-gcm`]: { name: 'aes-128-gcm', keyBytes: 16 },
  [`${XMLENC11}aes256-gcm`]: { name: 'aes-256-gcm', keyBytes: 32 },
}

/** What is there to be opened, in the one shape that is taken. */
interface Encrypted {
  readonly cipher: Cipher
  readonly oaepHash: 'sha1' | 'sha256'
  readonly wrappedKey: Buffer
  readonly content: Buffer
}

/** Opens `EncryptedAssertion`. @throws {UpstreamRefused} `saml_decryption_refused`. */
export function decryptAssertion(element: XmlElement, privateKey: string): { text: string; root: XmlElement } {
  const { cipher, oaepHash, wrappedKey, content } = readEncrypted(element)
  const key = unwrap(privateKey, oaepHash, wrappedKey)
  try {
    // Where there is no key, one by which nothing opens: from outside it is the same failure, at the same place.
    const fits = key?.length === cipher.keyBytes
    const iv = content.subarray(0, IV_BYTES)
    const opener = createDecipheriv(cipher.name, fits ? key : randomBytes(cipher.keyBytes), iv, {
      authTagLength: TAG_BYTES,
    })
    opener.setAuthTag(content.subarray(-TAG_BYTES))
    const plain = Buffer.concat([opener.update(content.subarray(IV_BYTES, -TAG_BYTES)), opener.final()])
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain)
    return { text, root: readXml(text) }
  } catch {
    throw refused()
  }
}

function unwrap(key: string, oaepHash: string, wrapped: Buffer): Buffer | undefined {
  try {
    return privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, wrapped)
  } catch {
    return undefined
  }
}

/** Looks at names alone, which everybody may see: what is said of them is no help to anybody. */
function readEncrypted(element: XmlElement): Encrypted {
  const data = one(element, XMLENC, 'EncryptedData')
  const keys = [...everyElement(element)].filter(({ name }) => name === 'EncryptedKey')
  const [key, ...more] = keys
  if (key?.namespace !== XMLENC || more.length > 0) throw refused('EncryptedKey')
  const type = data.attributes.get('Type') ?? ELEMENT
  const algorithm = one(data, XMLENC, 'EncryptionMethod').attributes.get('Algorithm') ?? ''
  const cipher = Object.hasOwn(CIPHERS, algorithm) ? CIPHERS[algorithm] : undefined
  if (type !== ELEMENT || cipher === undefined) throw refused('algorithm')
  const content = cipherValue(data)
  if (content.length < IV_BYTES + TAG_BYTES) throw refused('size')
  return { cipher, oaepHash: oaepHashOf(one(key, XMLENC, 'EncryptionMethod')), wrappedKey: cipherValue(key), content }
}

const MGF1_SHA1 = `${XMLENC11}mgf1sha1`

/**
 * One hash for both of OAEP's places, as our RSA has it: SHA-1 by the older name, which means MGF1 with SHA-1 (and needs no
 * collisions to be hard), SHA-256 by the newer. PKCS #1 v1.5 is left out (Bleichenbacher 1998).
 */
function oaepHashOf(method: XmlElement): Encrypted['oaepHash'] {
  const [digest] = childrenOf(method, XMLDSIG, 'DigestMethod').map(algorithmOf)
  const [mgf = MGF1_SHA1] = childrenOf(method, XMLENC11, 'MGF').map(algorithmOf)
  const isPlain = childrenOf(method, XMLENC, 'OAEPparams').length === 0
  const known = algorithmOf(method)
  const isKnown = known === OLDER_OAEP || known === NEWER_OAEP
  const isSha1 = digest === undefined || digest === `${XMLDSIG}sha1`
  if (isKnown && isPlain && isSha1 && mgf === MGF1_SHA1) return 'sha1'
  const isSha256 = digest === `${XMLENC}sha256` && mgf === `${XMLENC11}mgf1sha256`
  if (known === NEWER_OAEP && isPlain && isSha256) return 'sha256'
  throw refused('key algorithm')
}

const algorithmOf = ({ attributes }: XmlElement): string => attributes.get('Algorithm') ?? ''

function cipherValue(parent: XmlElement): Buffer {
  const { text, children } = one(one(parent, XMLENC, 'CipherData'), XMLENC, 'CipherValue')
  const base64 = text.replaceAll(/\s/g, '')
  if (children.length > 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw refused('CipherValue')
  return Buffer.from(base64, 'base64')
}

function one(parent: XmlElement, namespace: string, name: string): XmlElement {
  const [found, ...more] = childrenOf(parent, namespace, name)
  if (found === undefined || more.length > 0) throw refused(name)
  return found
}

/** @param detail never about what was found when it was opened. */
const refused = (detail?: string): UpstreamRefused => new UpstreamRefused('saml_decryption_refused', { detail })
