// What the database keeps of second factors and passkeys.
import type { SecondFactorKind } from '../domain/second-factor.ts'
import type { EpochSeconds } from '../lib/time.ts'

/** Something that a user has to prove besides a way in: one of each kind. */
export interface SecondFactorRecord {
  /** `fac_…` */
  readonly id: string
  readonly userId: string
  /** `passkey`: any of the user's own passkeys, which stand elsewhere. */
  readonly kind: SecondFactorKind
  /** The shared secret of `totp`, sealed by the keyring (context `second-factor:<id>`). */
  readonly envelope: Uint8Array | undefined
  /** The newest time step whose code was used (RFC 6238 §5.2); 0 before the first. */
  readonly lastStep: number
  readonly addedAt: EpochSeconds
}

/** A user who was joined into another keeps theirs: they count again when the user comes back. */
export interface SecondFactors {
  listOfUser(userId: string): Promise<readonly SecondFactorRecord[]>
  /** False when the user has one of that kind. */
  insert(factor: SecondFactorRecord): Promise<boolean>
  delete(userId: string, kind: SecondFactorKind): Promise<boolean>
  /** With the recovery codes. */
  deleteOfUser(userId: string): Promise<void>
  /** Marks a time step as used. False when it was, or a later one. */
  consumeStep(id: string, step: number): Promise<boolean>
  countCodes(userId: string): Promise<number>
  /** Instead of those that stand. */
  replaceCodes(userId: string, hashes: readonly string[]): Promise<void>
  consumeCode(userId: string, hash: string): Promise<boolean>
  /** Of users who have gone, and who can come back by no link that could still be undone. */
  deleteOrphans(now: EpochSeconds): Promise<void>
}

/** The key behind an identity that is a passkey. It goes with the identity. */
export interface PasskeyRecord {
  readonly connectionId: string
  /** The credential's id, in base64url. */
  readonly subject: string
  /** What the authenticator knows its person by (WebAuthn §5.4.3), in base64url. */
  readonly userHandle: string
  /** COSE (RFC 9052). */
  readonly publicKey: Uint8Array
  readonly counter: number
  readonly transports: readonly string[]
  /** What the person calls it. */
  readonly label: string
}

type PasskeyKey = Pick<PasskeyRecord, 'connectionId' | 'subject'>

export interface Passkeys {
  find(connectionId: string, subject: string): Promise<PasskeyRecord | undefined>
  /** Credential ids are random: one is nobody else's, at whichever connection it was made. */
  findBySubject(subject: string): Promise<PasskeyRecord | undefined>
  listOfUser(userId: string): Promise<readonly PasskeyRecord[]>
  /** False when the credential is known. */
  insert(passkey: PasskeyRecord): Promise<boolean>
  /** False when somebody used it meanwhile: the counter is not what it was. */
  replaceCounter(key: PasskeyKey, from: number, to: number): Promise<boolean>
  setLabel(key: PasskeyKey, label: string): Promise<void>
}
