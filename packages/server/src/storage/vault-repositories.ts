// Repositories of the vault: accounts with their tokensets, data keys, revocations, whatever else is sealed.
import type { Health, Purpose, StoredAccount, VaultAccount } from '../domain/tokenset.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { ExchangeFacts, ExchangeQuery, RevocationJob, SealedRow, UserKeyRecord } from './records.ts'

export interface Accounts {
  find(id: string): Promise<StoredAccount | undefined>
  findBySubject(key: {
    userId: string
    connectionId: string
    subject: string
    purpose: Purpose
  }): Promise<StoredAccount | undefined>
  /** Newest connection first. `after` is the id of the last account of the page before. */
  listOfUser(
    userId: string,
    filter?: { purpose?: Purpose; connectionIds?: readonly string[]; limit?: number; after?: string },
  ): Promise<readonly VaultAccount[]>
  /** Ids of accounts at a connection, whoever has them. */
  listOfConnection(connectionId: string, limit: number): Promise<readonly string[]>
  /** The exchange's candidates of one connection, agents' accounts first, then sign-in ones, newest first, with envelopes. */
  listCandidates(userId: string, connectionId: string): Promise<readonly StoredAccount[]>
  /** Other tokensets of the same upstream account, whoever holds them (before a revocation that ends the grant). */
  countOfSubject(connectionId: string, subject: string): Promise<number>
  insert(account: StoredAccount): Promise<boolean>
  /**
   * Writes everything but owner, subject, label, default, lease, creation and last use, and raises the generation: false
   * when `expectedGeneration` no longer stands. The intent is written as it is given.
   */
  replace(account: StoredAccount, expectedGeneration: number): Promise<boolean>
  /**
   * Takes the refresh lease for this generation until `until`: true for the one caller. Free or run-out leases, and the
   * holder's own, whose end it moves.
   */
  claimLease(
    id: string,
    lease: { generation: number; holder: string; now: EpochSeconds; until: EpochSeconds },
  ): Promise<boolean>
  /** Writes the intent to refresh this generation, under the lease: false when the lease is not held any more. */
  putIntent(id: string, holder: string, generation: number, at: EpochSeconds): Promise<boolean>
  /** Ends lease and intent of this holder without a new tokenset. */
  releaseLease(id: string, holder: string): Promise<void>
  /** Accounts whose intent stands open and whose lease has run out (crash recovery); none that a backup brought. */
  listOpenIntents(now: EpochSeconds, limit: number): Promise<readonly StoredAccount[]>
  setHealth(id: string, health: Health, reason: string | undefined, expectedGeneration: number): Promise<boolean>
  setUse(id: string, at: EpochSeconds): Promise<void>
  setLabel(id: string, userId: string, label: string): Promise<boolean>
  /** The one default among the user's accounts of this connection and purpose. */
  setDefault(id: string, userId: string): Promise<boolean>
  /** Makes a refresh in flight fail its write. */
  raiseGeneration(id: string): Promise<void>
  /**
   * Moves an account to another user with a re-sealed envelope, and raises the generation. It is nobody's default any
   * more. False when `expectedGeneration` no longer stands or the other user has this upstream account already.
   */
  move(id: string, toUserId: string, envelope: Uint8Array, expectedGeneration: number): Promise<boolean>
  delete(id: string): Promise<boolean>
  /** Accounts used since `usedSince` whose access token ends after `after` and before `before` (proactive refresh). */
  listExpiring(query: {
    usedSince: EpochSeconds
    after: EpochSeconds
    before: EpochSeconds
    limit: number
  }): Promise<readonly VaultAccount[]>
  /**
   * Accounts that nothing renews past `before`: their refresh token ends, or there is none. Soonest first, from behind
   * `past` on, the last account of the page before.
   */
  listEnding(query: {
    past?: { at: EpochSeconds; id: string }
    before: EpochSeconds
    limit: number
  }): Promise<readonly VaultAccount[]>
  /** How many there are, by connection id. */
  countEnding(before: EpochSeconds): Promise<ReadonlyMap<string, number>>
}

export interface UserKeys {
  find(userId: string): Promise<UserKeyRecord | undefined>
  /** Inserts; returns the row that stands afterwards, another's when it was faster. */
  insert(key: UserKeyRecord): Promise<UserKeyRecord>
  /** Replaces the wrapping: false when it is no longer under `expectedKeyId`. */
  rewrap(key: UserKeyRecord, expectedKeyId: string): Promise<boolean>
  listNotUnder(keyId: string, limit: number): Promise<readonly UserKeyRecord[]>
  countByKey(): Promise<ReadonlyMap<string, number>>
}

export interface Revocations {
  add(job: RevocationJob): Promise<void>
  /** Takes due jobs for `leaseSeconds` and counts the attempt; no other node gets them meanwhile. */
  claim(query: { now: EpochSeconds; leaseSeconds: number; limit: number }): Promise<readonly RevocationJob[]>
  retryAt(id: string, dueAt: EpochSeconds): Promise<void>
  done(id: string): Promise<void>
  countOfAccount(accountId: string): Promise<number>
  /** Those that wait, of all accounts of a user, the ones that are gone among them; the next to be tried first. */
  listOfUser(userId: string): Promise<readonly RevocationJob[]>
  /** How many wait. */
  count(): Promise<number>
}

/** What the keyring sealed, wherever it lies, for the rotation of its keys. `header` is how envelopes of one key begin. */
export interface Sealed {
  /** Rows whose envelope begins otherwise. */
  listOutside(header: Uint8Array, limit: number): Promise<readonly SealedRow[]>
  countOf(header: Uint8Array): Promise<number>
  /** Replaces the envelope: false when another one stands by now, or none. */
  replace(row: SealedRow, envelope: Uint8Array): Promise<boolean>
}

/** Agents (clients) that a user has stopped: they get nothing of this user's until they are let go on. */
export interface AgentStops {
  /** When it was stopped. */
  find(userId: string, clientId: string): Promise<EpochSeconds | undefined>
  /** By client id. */
  listOfUser(userId: string): Promise<ReadonlyMap<string, EpochSeconds>>
  /** False when it was stopped before. */
  put(userId: string, clientId: string, at: EpochSeconds): Promise<boolean>
  delete(userId: string, clientId: string): Promise<boolean>
}

/** The token vault's hot path. */
export interface Exchanges {
  /** Everything that decides an exchange, in one statement, as it is committed now. */
  find(query: ExchangeQuery): Promise<ExchangeFacts>
}
