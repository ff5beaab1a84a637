// Hashes, random values and derived keys. Everything random in the server comes from here.
import { createHmac, hash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

/** SHA-256 in lower-case hex: how secrets that are only compared are kept. */
export const sha256Hex = (text: string): string => hash('sha256', text, 'hex')

/** SHA-256 in base64url: PKCE S256 (RFC 7636 §4.2), JWK thumbprints. */
export const sha256Base64url = (text: string): string => hash('sha256', text, 'base64url')

/** A secret for somebody to hold, in base64url: 256 bits unless fewer are asked for. */
export const randomToken = (bytes = 32): string => randomBytes(bytes).toString('base64url')

export const randomHex = (digits: number): string =>
  randomBytes(Math.ceil(digits / 2))
    .toString('hex')
    .slice(0, digits)

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const DIGITS = '0123456789'
const READABLE = 'abcdefghjkmnpqrstuvwxyz23456789'

/** `prefix` and `length` random letters and digits: `newId('con_', 16)`. */
export const newId = (prefix: string, length: number): string => prefix + randomText(ALPHANUMERIC, length)

/** Id forms that SDKs know. */
export const newConnectionId = (): string => newId('con_', 16)
export const newAccountId = (): string => newId('cac_', 24)
const FACTOR = 'fac_'
export const newFactorId = (): string => newId(FACTOR, 16)
export const isFactorId = (id: string): boolean => id.startsWith(FACTOR)
export const newClientId = (): string => newId('', 32)

/** To be read from paper and typed: small letters and digits that are not taken for each other. */
export const randomReadable = (length: number): string => randomText(READABLE, length)

/** A code to type from a mail. */
export const randomDigits = (length: number): string => randomText(DIGITS, length)

/** 24 hex digits that name a text to whoever has the key, and tell nobody else which it is. */
export const keyedName = (key: Uint8Array, text: string): string =>
  createHmac('sha256', key).update(text).digest('hex').slice(0, 24)

/** Compares in a time that says nothing of where two secrets differ, nor of their lengths. */
export const equalSecrets = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))

/** True when `secretHash` (`sha256Hex`) is that of the secret; in the same time whatever differs. */
export function matchesHash(secret: string, secretHash: string): boolean {
  const kept = Buffer.from(secretHash, 'hex')
  const given = digest(secret)
  return kept.length === given.length && timingSafeEqual(kept, given)
}

/**
 * Derives 32 bytes for one purpose (HKDF-SHA-256, RFC 5869). Keys of different contexts say nothing of each other, so
 * that cookies, nonces and sealed values never share one.
 */
export const deriveKey = (secret: string | Uint8Array, context: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, new Uint8Array(0), `tenon ${context}`, 32))

const digest = (text: string): Buffer => hash('sha256', text, 'buffer')

/** Bytes past the last whole multiple of the alphabet are thrown away: each character is equally likely. */
function randomText(alphabet: string, length: number): string {
  const limit = 256 - (256 % alphabet.length)
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length * 2)) {
      if (byte < limit && text.length < length) text += alphabet[byte % alphabet.length]
    }
  }
  return text
}
