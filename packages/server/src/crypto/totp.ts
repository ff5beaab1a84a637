// Codes of authenticator apps (RFC 6238) with the parameters that every app knows: SHA-1, six digits, thirty seconds.
import { Secret, TOTP } from 'otpauth'
import type { EpochSeconds } from '../lib/time.ts'
import { randomToken } from './hashing.ts'

const SECRET_BYTES = 20
const STEP_SECONDS = 30
const DIGITS = 6
/** A clock may be one step off, in either direction (RFC 6238 §5.2). */
const WINDOW = 1

export const newTotpSecret = (): Buffer => Buffer.from(randomToken(SECRET_BYTES), 'base64url')

/**
 * The time step that a code stands for; undefined for a code of no step near `now`. Whether the step was used before is
 * the caller's to know. Compares in constant time.
 */
export function totpStepOf(secret: Uint8Array, typed: string, now: EpochSeconds): number | undefined {
  const token = typed.replaceAll(/\s/g, '')
  if (!/^\d{6}$/.test(token)) return undefined
  const delta = totpOf(secret).validate({ token, timestamp: now * 1000, window: WINDOW })
  return delta === null ? undefined : Math.floor(now / STEP_SECONDS) + delta
}

/** What an app takes in by hand. */
export const totpKey = (secret: Uint8Array): string => secretOf(secret).base32

/** `otpauth://…`, what a QR code holds. `issuer` and `account` are how the app lists it. */
export const totpUri = (secret: Uint8Array, issuer: string, account: string): string =>
  totpOf(secret, { issuer, label: account }).toString()

const totpOf = (secret: Uint8Array, names: { readonly issuer?: string; readonly label?: string } = {}): TOTP =>
  new TOTP({ ...names, secret: secretOf(secret), algorithm: 'SHA1', digits: DIGITS, period: STEP_SECONDS })

/** A copy: small buffers share the memory of others. */
const secretOf = (secret: Uint8Array): Secret => new Secret({ buffer: Uint8Array.from(secret).buffer })
