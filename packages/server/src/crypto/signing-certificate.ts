// A key with a certificate of its own, for protocols that know keys by certificates. Nobody else vouches for it.
import 'reflect-metadata'
import { KeyObject } from 'node:crypto'
import { X509CertificateGenerator } from '@peculiar/x509'
import { randomHex } from './hashing.ts'

/** Both PEM. */
export interface SigningCertificate {
  readonly privateKey: string
  readonly certificate: string
}

const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 3072,
  publicExponent: new Uint8Array([1, 0, 1]),
}
// Whoever was given it compares it with what they were given; there is nobody to renew it for.
const END = new Date('9999-12-31T23:59:59Z')

export async function createSigningCertificate(name: string): Promise<SigningCertificate> {
  const keys = await crypto.subtle.generateKey(RSA, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    // Positive, whatever its first bits are (RFC 5280 §4.1.2.2).
    serialNumber: `01${randomHex(30)}`,
    name: `CN=${name}`,
    notBefore: new Date('2020-01-01T00:00:00Z'),
    notAfter: END,
    keys,
    signingAlgorithm: RSA,
  })
  const privateKey = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' })
  return { privateKey: String(privateKey), certificate: certificate.toString('pem') }
}
