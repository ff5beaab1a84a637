// Whether a password is the one of an address, at every door alike: the same limits, the same work and the same record
// whether the address is known or not (T-API-07, T-API-08).
import { isOurHash, type Passwords } from '../crypto/passwords.ts'
import { canonicalAddress } from '../domain/address.ts'
import type { Clock } from '../lib/time.ts'
import type { PasswordRecord, Storage } from '../storage/storage.ts'
import type { SignInLimits } from './limits.ts'

export interface PasswordCheckDeps {
  readonly storage: Storage
  readonly clock: Clock
  readonly passwords: Pick<Passwords, 'verify' | 'hash'>
  readonly signInLimits: SignInLimits
}

export interface PasswordTry {
  readonly connectionId: string
  readonly username: string | undefined
  readonly password: string | undefined
  /** SHA-256 of what the try came by: the browser's own cookie, or the client. */
  readonly by: string
  readonly ip: string | undefined
  readonly clientId: string | undefined
}

export type PasswordVerdict =
  | { readonly kind: 'right'; readonly subject: string }
  | { readonly kind: 'wrong' }
  /** Nothing was tried. */
  | { readonly kind: 'limited'; readonly retryAfterSeconds: number }

export async function tryPassword(deps: PasswordCheckDeps, given: PasswordTry): Promise<PasswordVerdict> {
  const { connectionId } = given
  const address = canonicalAddress(given.username ?? '')
  const by = { account: address, browser: given.by, ip: given.ip }
  const limited = await deps.signInLimits.attempt(by)
  if (limited !== undefined) return { kind: 'limited', ...limited }
  const known = address === undefined ? undefined : await deps.storage.passwords.findByAddress(connectionId, address)
  const matches = await deps.passwords.verify(known?.hash, given.password ?? '')
  if (known === undefined || !matches) {
    await recordWrongPassword(deps, connectionId, known?.subject, given.clientId)
    return { kind: 'wrong' }
  }
  await deps.signInLimits.succeeded(by)
  if (!isOurHash(known.hash)) await renewHash(deps, known, given.password ?? '')
  return { kind: 'right', subject: known.subject }
}

/** A hash that came from elsewhere becomes one of ours as soon as its password is known. */
async function renewHash(
  { storage, passwords }: PasswordCheckDeps,
  known: PasswordRecord,
  password: string,
): Promise<void> {
  const hash = await passwords.hash(password)
  // A password that was changed meanwhile stays changed.
  await storage.transaction((tx) => tx.passwords.renewHash(known.connectionId, known.subject, hash, known.hash))
}

/** The same write for an unknown address, without a user. */
async function recordWrongPassword(
  { storage, clock }: PasswordCheckDeps,
  connectionId: string,
  subject: string | undefined,
  clientId: string | undefined,
): Promise<void> {
  const identity = subject === undefined ? undefined : await storage.identities.find(connectionId, subject)
  await storage.transaction((tx) =>
    tx.events.append({
      type: 'password.refused',
      at: clock(),
      outcome: 'refused',
      connectionId,
      ...(identity === undefined ? {} : { userId: identity.userId }),
      ...(clientId === undefined ? {} : { clientId }),
    }),
  )
}
