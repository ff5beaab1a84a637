// People: the user, its identities and what is known about its addresses.
import type { JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'

export interface Profile {
  readonly name?: string
  readonly givenName?: string
  readonly familyName?: string
  readonly nickname?: string
  readonly username?: string
  readonly picture?: string
  readonly phoneNumber?: string
}

export interface User {
  /** Stored and immutable; `provider|subject` of the first identity, with a suffix when that string was ever given before. */
  readonly userId: string
  readonly email: string | undefined
  /** Derived from the evidence: the primary address stands at G1 or above. */
  readonly emailVerified: boolean
  readonly profile: Profile
  readonly userMetadata: JsonObject
  readonly appMetadata: JsonObject
  readonly blocked: boolean
  readonly createdAt: EpochSeconds
  readonly updatedAt: EpochSeconds
  readonly lastLogin: EpochSeconds | undefined
  readonly lastIp: string | undefined
  readonly loginsCount: number
}

/** One upstream account that signs its user in: (connection, subject), on exactly one user. */
export interface Identity {
  readonly connectionId: string
  readonly subject: string
  readonly userId: string
  /** 0 is the primary identity; others in the order in which they were linked. */
  readonly position: number
  /** What the connection last said, in our profile fields plus `email` and `email_verified` (wire names: shown as `profileData`). */
  readonly profileData: JsonObject
  readonly createdAt: EpochSeconds
  readonly lastLogin: EpochSeconds | undefined
}

/** How sure we are that a person receives mail at an address. */
export type Grade = 0 | 1 | 2 | 3

export interface AddressEvidence {
  readonly userId: string
  /** Canonical form, see `domain/address.ts`. */
  readonly address: string
  /** Who said it: `connection:<id>`, `mail` (we proved the mailbox), `operator`, `self` (typed at sign-up). */
  readonly source: string
  readonly grade: Grade
  readonly saidAt: EpochSeconds
}
