// Encrypts an assertion to a service provider as identity providers do it (xmlenc-core1), or as they must not.
import { constants, createCipheriv, publicEncrypt, randomBytes, X509Certificate } from 'node:crypto'

const XMLENC = 'http://www.w3.org/2001/04/xmlenc#'
const XMLENC11 = 'http://www.w3.org/2009/xmlenc11#'
const XMLDSIG = 'http://www.w3.org/2000/09/xmldsig#'

export interface Encryption {
  /** PEM; from our metadata. */
  readonly certificate: string
  readonly cipher?: 'aes128-gcm' | 'aes256-gcm' | 'aes128-cbc'
  readonly transport?: 'rsa-oaep-mgf1p' | 'rsa-oaep' | 'rsa-1_5'
  /** What is encrypted in place of the assertion. */
  readonly instead?: (assertion: string) => string
  /** Done to the bytes of the content, or of the wrapped key. */
  readonly spoil?: { readonly content?: (bytes: Buffer) => Buffer; readonly key?: (bytes: Buffer) => Buffer }
  /** Beside the content rather than in it, as some providers have it. */
  readonly keyBeside?: boolean
}

const CIPHERS = {
  'aes128-gcm': { name: 'aes-128-gcm', uri: `${XMLENC11}aes128-gcm`, keyBytes: 16 },
  'aes256-gcm': { name: 'aes-256-gcm', uri: `${XMLENC11}aes256-gcm`, keyBytes: 32 },
  'aes128-cbc': { name: 'aes-128-cbc', uri: `${XMLENC}aes128-cbc`, keyBytes: 16 },
} as const

export function encryptAssertion(assertion: string, encryption: Encryption): string {
  const { certificate, cipher = 'aes256-gcm', transport = 'rsa-oaep-mgf1p', instead = (own) => own } = encryption
  const { spoil = {}, keyBeside = false } = encryption
  const { uri, keyBytes } = CIPHERS[cipher]
  const key = randomBytes(keyBytes)
  const content = sealed(cipher, key, instead(assertion))
  const padding = transport === 'rsa-1_5' ? constants.RSA_PKCS1_PADDING : constants.RSA_PKCS1_OAEP_PADDING
  const oaepHash = transport === 'rsa-oaep' ? 'sha256' : 'sha1'
  const wrapped = publicEncrypt({ key: new X509Certificate(certificate).publicKey, padding, oaepHash }, key)
  const encryptedKey = `<xenc:EncryptedKey xmlns:xenc="${XMLENC}">${methodOf(transport)}${cipherValue(spoil.key?.(wrapped) ?? wrapped)}</xenc:EncryptedKey>`
  const keyInfo = keyBeside ? '' : `<ds:KeyInfo xmlns:ds="${XMLDSIG}">${encryptedKey}</ds:KeyInfo>`
  return `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"><xenc:EncryptedData xmlns:xenc="${XMLENC}" Type="${XMLENC}Element"><xenc:EncryptionMethod Algorithm="${uri}"></xenc:EncryptionMethod>${keyInfo}${cipherValue(spoil.content?.(content) ?? content)}</xenc:EncryptedData>${keyBeside ? encryptedKey : ''}</saml:EncryptedAssertion>`
}

function sealed(cipher: keyof typeof CIPHERS, key: Buffer, plain: string): Buffer {
  const { name } = CIPHERS[cipher]
  if (name === 'aes-128-cbc') {
    const iv = randomBytes(16)
    const maker = createCipheriv(name, key, iv)
    return Buffer.concat([iv, maker.update(plain, 'utf8'), maker.final()])
  }
  const iv = randomBytes(12)
  const maker = createCipheriv(name, key, iv)
  return Buffer.concat([iv, maker.update(plain, 'utf8'), maker.final(), maker.getAuthTag()])
}

function methodOf(transport: NonNullable<Encryption['transport']>): string {
  const isNewer = transport === 'rsa-oaep'
  const inner = isNewer
    ? `<ds:DigestMethod xmlns:ds="${XMLDSIG}" Algorithm="${XMLENC}sha256"></ds:DigestMethod><xenc11:MGF xmlns:xenc11="${XMLENC11}" Algorithm="${XMLENC11}mgf1sha256"></xenc11:MGF>`
    : ''
  return `<xenc:EncryptionMethod Algorithm="${isNewer ? XMLENC11 : XMLENC}${transport}">${inner}</xenc:EncryptionMethod>`
}

const cipherValue = (bytes: Buffer): string =>
  `<xenc:CipherData><xenc:CipherValue>${bytes.toString('base64')}</xenc:CipherValue></xenc:CipherData>`
