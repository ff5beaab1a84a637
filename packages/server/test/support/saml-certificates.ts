// Keys of identity providers, each with a certificate that vouches for itself.
import 'reflect-metadata'
import { KeyObject } from 'node:crypto'
import { X509CertificateGenerator } from '@peculiar/x509'

export interface SamlSigner {
  readonly kind: 'rsa' | 'ec'
  /** PEM. */
  readonly privateKey: string
  readonly certificate: string
}

const DAY_MS = 86_400_000

export interface SignerOptions {
  readonly bits?: number
  /** One of ECDSA in place of RSA. */
  readonly curve?: 'P-256' | 'P-384' | 'P-521'
  readonly days?: number
}

export async function makeSigner(
  name: string,
  { bits = 2048, curve, days = 30 }: SignerOptions = {},
): Promise<SamlSigner> {
  const publicExponent = new Uint8Array([1, 0, 1])
  const algorithm =
    curve === undefined
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: bits, publicExponent }
      : { name: 'ECDSA', hash: 'SHA-256', namedCurve: curve }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - 60 * DAY_MS),
    notAfter: new Date(Date.now() + days * DAY_MS),
    keys,
    signingAlgorithm: algorithm,
  })
  const privateKey = String(KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }))
  return { kind: curve === undefined ? 'rsa' : 'ec', privateKey, certificate: certificate.toString('pem') }
}
