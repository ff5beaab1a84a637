/** A certificate that vouches for itself, written out in DER: enough for a TLS server that must not be believed. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

const ED25519 = sequence(Buffer.from('06032b6570', 'hex'))

/** Ed25519, for 127.0.0.1, valid for an hour. */
export function selfSignedCertificate(): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const body = certificateBody(publicKey)
  const signature = tagged(0x03, Buffer.concat([Buffer.from([0]), sign(null, body, privateKey)]))
  const base64 = sequence(body, ED25519, signature).toString('base64')
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${base64.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE-----\n`,
  }
}

/** RFC 5280 §4.1: version 3, serial, algorithm, issuer, validity, subject, key, extensions. */
function certificateBody(publicKey: KeyObject): Buffer {
  const commonName = sequence(Buffer.from('0603550403', 'hex'), tagged(0x0c, Buffer.from('127.0.0.1')))
  const name = sequence(tagged(0x31, commonName))
  const alternativeName = tagged(0x04, sequence(tagged(0x87, Buffer.from([127, 0, 0, 1]))))
  return sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.from([1])),
    ED25519,
    name,
    sequence(utcTime(Date.now() - 60_000), utcTime(Date.now() + 3_600_000)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(sequence(Buffer.from('0603551d11', 'hex'), alternativeName))),
  )
}

function utcTime(at: number): Buffer {
  const digits = new Date(at).toISOString().slice(2, 19).replaceAll(/\D/g, '')
  return tagged(0x17, Buffer.from(`${digits}Z`))
}

function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
