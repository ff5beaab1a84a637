// A certificate for a key that signs tokens, for those who know keys by certificates. It says nothing but the key, and is
// the same whenever it is made.
import 'reflect-metadata'
import { X509CertificateGenerator, X509Certificates } from '@peculiar/x509'
import { sha256Hex } from './hashing.ts'

export interface KeyCertificate {
  readonly pem: string
  /** DER in base64: an item of `x5c` (RFC 7517 §4.7). */
  readonly der: string
  /** Degenerate SignedData (RFC 5652) in PEM. */
  readonly pkcs7: string
  /** SHA-1 in upper-case hex: what `x5t` shows in base64url. */
  readonly thumbprint: string
}

const RS256 = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }

/** @param name of the certificate's subject. @param since its first second. */
export async function certifyKey(
  privateJwk: Readonly<Record<string, unknown>>,
  { kid, name, since }: { kid: string; name: string; since: number },
): Promise<KeyCertificate> {
  const { kty, n, e } = privateJwk
  if (kty !== 'RSA' || typeof n !== 'string' || typeof e !== 'string') throw new TypeError('not an RSA key')
  const publicKey = await crypto.subtle.importKey('jwk', { kty, n, e }, RS256, true, ['verify'])
  const privateKey = await crypto.subtle.importKey('jwk', privateJwk, RS256, false, ['sign'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    // Positive, whatever its first bits are (RFC 5280 §4.1.2.2).
    serialNumber: `01${sha256Hex(kid).slice(0, 30)}`,
    name: `CN=${name}`,
    notBefore: new Date(since * 1000),
    notAfter: new Date('9999-12-31T23:59:59Z'),
    keys: { publicKey, privateKey },
    signingAlgorithm: RS256,
  })
  const thumbprint = Buffer.from(await certificate.getThumbprint('SHA-1'))
    .toString('hex')
    .toUpperCase()
  return {
    pem: certificate.toString('pem'),
    der: certificate.toString('base64'),
    pkcs7: new X509Certificates([certificate]).export('pem'),
    thumbprint,
  }
}
