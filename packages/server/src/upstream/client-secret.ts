// A client secret that is a JWT which we sign ourselves, anew for each call (Sign in with Apple).
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import type { EpochSeconds } from '../lib/time.ts'
import { ConnectionUnavailable } from './errors.ts'

export interface SecretSigner {
  readonly key: KeyObject
  /** `options.kid` */
  readonly keyId: string
  /** `options.team_id` */
  readonly issuer: string
  readonly audience: string
}

/** @throws {ConnectionUnavailable} it is no private key for ES256. */
export function readSigningKey(pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key
  } catch {
    // What the library says may quote the key.
  }
  throw new ConnectionUnavailable('options.client_secret is not a private key for ES256 in PEM')
}

/** Long enough for the call that it is made for; what leaks is worth nothing soon. */
const SECONDS = 300

export function signedClientSecret(signer: SecretSigner, clientId: string, now: EpochSeconds): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: 'ES256', kid: signer.keyId })
    .setIssuer(signer.issuer)
    .setSubject(clientId)
    .setAudience(signer.audience)
    .setIssuedAt(now)
    .setExpirationTime(now + SECONDS)
    .sign(signer.key)
}
