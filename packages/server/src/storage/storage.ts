// The one door to the database, the same over SQLite and PostgreSQL. Statements are written once in `sql/`.
//
// Reading verbs (`find`, `get`, `list`, `count`) work anywhere and see what is committed. Every other verb works only on
// the `tx` that `transaction` hands out. `consume`, `claim`, `rotate` and `replace` succeed for at most one caller, and
// their result says who.

import type { Event, NewEvent } from '../domain/event.ts'
import type { EventSearch, UserNumberField, UserSearch, UserTextField } from '../domain/search.ts'
import type { AddressEvidence, Identity, User } from '../domain/user.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Apart } from './apart-repository.ts'
import type { Passkeys, SecondFactors } from './factor-repository.ts'
import type { Artifacts, Connects, Replays, Transactions } from './protocol-repositories.ts'
import type { EndedSessions, LogoutNotices, Mails, OpenCalls, Proofs, SignUps } from './queue-repositories.ts'
import type {
  ClientGrantRecord,
  ClientRecord,
  ConnectionRecord,
  ExchangeProfile,
  LinkRecord,
  Page,
  ResourceServerRecord,
  SigningKeyRecord,
  SubjectType,
} from './records.ts'
import type { Accounts, AgentStops, Exchanges, Revocations, Sealed, UserKeys } from './vault-repositories.ts'
import type { Webhooks } from './webhook-repository.ts'

export interface Storage extends Repositories {
  readonly dialect: 'sqlite' | 'postgres'
  /**
   * Runs `work` in one transaction and returns its result once it is durable; a throw undoes all of it. `work` awaits
   * nothing but the `tx`: on SQLite the transactions of concurrent requests share one commit, and on PostgreSQL a
   * serialisation failure or deadlock runs `work` again.
   *
   * Statements run one after the other, in the order in which they were called. Those that are called before the first of
   * them is awaited travel to PostgreSQL together: one round trip instead of many.
   */
  transaction<T>(work: (tx: Repositories) => Promise<T>): Promise<T>
  /**
   * The same for `work` that asks for everything before it awaits an answer: on PostgreSQL its statements and the commit
   * travel together, and wait for one round trip in all. What `work` throws after the answers comes too late to undo.
   */
  transactionAtOnce<T>(work: (tx: Repositories) => Promise<T>): Promise<T>
  /** Seconds, with fractions, by the database's own clock. Absent where it has none: SQLite is on the machine that asks. */
  databaseTime?(): Promise<number>
  /** True when the database answers and its schema is the one this server wants. */
  ready(): Promise<boolean>
  close(): Promise<void>
}

export interface Repositories {
  readonly meta: Meta
  readonly clients: Clients
  readonly connections: Connections
  readonly resourceServers: ResourceServers
  readonly clientGrants: ClientGrants
  readonly exchangeProfiles: ExchangeProfiles
  readonly users: Users
  readonly identities: Identities
  readonly links: Links
  readonly passwords: Passwords
  readonly secondFactors: SecondFactors
  readonly passkeys: Passkeys
  readonly evidence: Evidence
  readonly artifacts: Artifacts
  readonly replays: Replays
  readonly openCalls: OpenCalls
  readonly transactions: Transactions
  readonly connects: Connects
  readonly accounts: Accounts
  readonly apart: Apart
  readonly agentStops: AgentStops
  readonly userKeys: UserKeys
  readonly signingKeys: SigningKeys
  readonly revocations: Revocations
  readonly proofs: Proofs
  readonly mails: Mails
  readonly endedSessions: EndedSessions
  readonly logoutNotices: LogoutNotices
  readonly signUps: SignUps
  readonly webhooks: Webhooks
  readonly events: Events
  readonly limits: Limits
  readonly sealed: Sealed
  readonly exchanges: Exchanges
}

/** Small facts of the deployment: tenant settings (`settings`), vault check value, sealed engine secrets. */
export interface Meta {
  find(key: string): Promise<string | undefined>
  put(key: string, value: string): Promise<void>
  /** Writes only when absent; returns the value that stands afterwards. */
  putIfAbsent(key: string, value: string): Promise<string>
}

export interface Clients {
  find(clientId: string): Promise<ClientRecord | undefined>
  list(page: { offset: number; limit: number }): Promise<Page<ClientRecord>>
  /** False when the id is taken. */
  insert(client: ClientRecord): Promise<boolean>
  /** Inserts or replaces all but `createdAt` (the tenant file). */
  put(client: ClientRecord): Promise<void>
  /** With its grants, its enablement at connections and everything issued to it. */
  delete(clientId: string): Promise<boolean>
}

export interface Connections {
  find(id: string): Promise<ConnectionRecord | undefined>
  findByName(name: string): Promise<ConnectionRecord | undefined>
  list(filter: {
    offset: number
    limit: number
    name?: string
    strategies?: readonly string[]
  }): Promise<Page<ConnectionRecord>>
  /** Connections enabled for a client, by name. */
  listForClient(clientId: string): Promise<readonly ConnectionRecord[]>
  /** False when the name is taken. */
  insert(connection: ConnectionRecord): Promise<boolean>
  /** Inserts or replaces all but `createdAt`; the name must be free or its own. */
  put(connection: ConnectionRecord): Promise<void>
  /**
   * Identities and accounts that came from it stay: what becomes of people is decided elsewhere. It is kept aside for as
   * long as tokens of it wait to be revoked.
   */
  delete(id: string): Promise<boolean>
  /** A deleted one that was kept aside. */
  findFormer(id: string): Promise<ConnectionRecord | undefined>
  /** Deleted ones of which no token waits any more. */
  deleteOrphans(): Promise<void>
  /** Does anybody have an identity or an account of it? */
  isInUse(id: string): Promise<boolean>
  clientsOf(id: string): Promise<readonly string[]>
  isEnabled(id: string, clientId: string): Promise<boolean>
  setClient(id: string, clientId: string, enabled: boolean): Promise<void>
}

export interface ResourceServers {
  find(id: string): Promise<ResourceServerRecord | undefined>
  findByIdentifier(identifier: string): Promise<ResourceServerRecord | undefined>
  list(page: { offset: number; limit: number }): Promise<Page<ResourceServerRecord>>
  put(server: ResourceServerRecord): Promise<void>
  /** With the client grants for it. */
  delete(id: string): Promise<boolean>
}

export interface ClientGrants {
  find(id: string): Promise<ClientGrantRecord | undefined>
  findFor(clientId: string, audience: string, subjectType: SubjectType): Promise<ClientGrantRecord | undefined>
  list(filter: {
    offset: number
    limit: number
    clientId?: string
    audience?: string
    subjectType?: SubjectType
  }): Promise<Page<ClientGrantRecord>>
  put(grant: ClientGrantRecord): Promise<void>
  delete(id: string): Promise<boolean>
}

export interface ExchangeProfiles {
  find(id: string): Promise<ExchangeProfile | undefined>
  findByType(subjectTokenType: string): Promise<ExchangeProfile | undefined>
  list(page: { offset: number; limit: number }): Promise<Page<ExchangeProfile>>
  /** False when the name or the type is taken. */
  insert(profile: ExchangeProfile): Promise<boolean>
  /** The name must be free or its own. */
  rename(id: string, name: string, at: EpochSeconds): Promise<void>
  delete(id: string): Promise<boolean>
}

export interface UserFilter {
  readonly offset: number
  readonly limit: number
  readonly sort?: {
    readonly field: UserNumberField | Exclude<UserTextField, 'email.domain' | 'picture'>
    readonly descending: boolean
  }
  readonly matching?: UserSearch
}

export interface Users {
  find(userId: string): Promise<User | undefined>
  list(filter: UserFilter): Promise<Page<User>>
  /** In the order of their ids, those that follow this one. */
  listAfter(userId: string, limit: number): Promise<readonly User[]>
  /** Users whose primary address has this canonical form. */
  listByAddress(canonicalAddress: string): Promise<readonly User[]>
  /** Takes a user id for good: false when it was ever given. */
  claimId(userId: string): Promise<boolean>
  /** User ids are never given twice, so that a row needs `claimId` first. */
  insert(user: User): Promise<void>
  /** Replaces everything but `userId` and `createdAt`; false when the user has gone. */
  replace(user: User): Promise<boolean>
  recordLogin(userId: string, at: EpochSeconds, ip: string | undefined): Promise<void>
  /**
   * Deletes the user with identities, passwords, passkeys, evidence, accounts, data key, sessions, grants, tokens, connect
   * requests, transactions and proofs. False when there was none.
   */
  delete(userId: string): Promise<boolean>
  /** Locks these users' rows in id order until the transaction ends (a no-op on SQLite, which has one writer). */
  lock(userIds: readonly string[]): Promise<readonly User[]>
  /** A secondary that was merged away answers where it went. */
  addAlias(retiredUserId: string, primaryUserId: string, at: EpochSeconds): Promise<void>
  /** The user into whom this one was merged; that one may have been merged away since. */
  findAlias(retiredUserId: string): Promise<string | undefined>
  /** The user is back. */
  removeAlias(retiredUserId: string): Promise<void>
}

export interface Identities {
  find(connectionId: string, subject: string): Promise<Identity | undefined>
  /** In order of position. */
  listOfUser(userId: string): Promise<readonly Identity[]>
  listOfUsers(userIds: readonly string[]): Promise<readonly Identity[]>
  /** False when (connection, subject) belongs to somebody already. */
  insert(identity: Identity): Promise<boolean>
  /** Replaces `profileData` and `lastLogin`. */
  touch(identity: Pick<Identity, 'connectionId' | 'subject' | 'profileData' | 'lastLogin'>): Promise<void>
  /** Moves one identity to another user at the end of its list; false when it is not `fromUserId`'s any more. */
  move(key: { connectionId: string; subject: string; fromUserId: string }, toUserId: string): Promise<boolean>
  /** Deletes it, with its password, from this user and leaves a tombstone. False when it was not there. */
  unlink(key: { connectionId: string; subject: string; userId: string }, at: EpochSeconds): Promise<boolean>
  /** When and from which user this identity was last unlinked. */
  findTombstone(
    connectionId: string,
    subject: string,
  ): Promise<{ userId: string; unlinkedAt: EpochSeconds } | undefined>
}

export interface Links {
  find(id: string): Promise<LinkRecord | undefined>
  /** Newest first: those that this user was a side of. */
  listOfUser(userId: string, page: { offset: number; limit: number }): Promise<Page<LinkRecord>>
  /** The newest that added this identity to this user and stands: as an identity, or as the first one of a secondary. */
  findStandingOfIdentity(userId: string, connectionId: string, subject: string): Promise<LinkRecord | undefined>
  insert(link: LinkRecord): Promise<void>
  /** Marks it undone: true for the one caller that found it standing. */
  claimUndo(id: string, at: EpochSeconds, by: string | undefined): Promise<boolean>
  /** Both sides as they were, sealed by the keyring (context `link:<id>`); undefined when its time is over. */
  findSnapshot(id: string): Promise<Uint8Array | undefined>
  putSnapshot(id: string, envelope: Uint8Array, expiresAt: EpochSeconds): Promise<void>
  deleteSnapshot(id: string): Promise<void>
  deleteExpiredSnapshots(before: EpochSeconds, limit: number): Promise<number>
}

export interface PasswordRecord {
  readonly connectionId: string
  /** The identity's subject (24 hex digits). */
  readonly subject: string
  /** Canonical address it signs in with; unique within the connection. */
  readonly address: string
  readonly hash: string
  readonly changedAt: EpochSeconds
}

export interface Passwords {
  findByAddress(connectionId: string, canonicalAddress: string): Promise<PasswordRecord | undefined>
  find(connectionId: string, subject: string): Promise<PasswordRecord | undefined>
  /** False when the address is taken in this connection. */
  insert(password: PasswordRecord): Promise<boolean>
  replaceHash(connectionId: string, subject: string, hash: string, at: EpochSeconds): Promise<boolean>
  /** Another hash of the same password: false when `fromHash` no longer stands. */
  renewHash(connectionId: string, subject: string, hash: string, fromHash: string): Promise<boolean>
  /** False when the new address is taken. */
  replaceAddress(connectionId: string, subject: string, canonicalAddress: string): Promise<boolean>
}

export interface Evidence {
  listOfUser(userId: string): Promise<readonly AddressEvidence[]>
  /** Evidence of any user for an address. */
  listForAddress(canonicalAddress: string): Promise<readonly AddressEvidence[]>
  /**
   * Groups of addresses of different users that are equal but for dots and a `+tag` in front of the `@`, each with all
   * that is said of them; in the order of what they have in common. Reads the whole table: for reports. Unless `all` is
   * set, groups are left out in which everybody is kept apart from everybody.
   */
  listAlike(page: { offset: number; limit: number; all?: boolean }): Promise<Page<readonly AddressEvidence[]>>
  /** One row for (user, address, source): the newest word counts. */
  put(evidence: AddressEvidence): Promise<void>
  deleteBySource(userId: string, source: string): Promise<void>
  /** Where both have a word of one source on one address, the newer counts. */
  moveUser(fromUserId: string, toUserId: string): Promise<void>
}

export interface SigningKeys {
  list(): Promise<readonly SigningKeyRecord[]>
  insert(key: SigningKeyRecord): Promise<void>
  setState(kid: string, state: SigningKeyRecord['state'], at: EpochSeconds): Promise<void>
  replaceEnvelope(kid: string, envelope: Uint8Array): Promise<void>
  delete(kid: string): Promise<void>
}

export interface Events {
  append(event: NewEvent): Promise<void>
  /** Appends all, in this order, in one statement where the database likes that better. */
  appendAll(events: readonly NewEvent[]): Promise<void>
  list(query: {
    afterSeq?: number
    userId?: string
    clientId?: string
    accountId?: string
    outcome?: Event['outcome']
    types?: readonly string[]
    matching?: EventSearch
    /** With `descending`: only those before this one. */
    beforeSeq?: number
    descending?: boolean
    offset?: number
    limit: number
  }): Promise<readonly Event[]>
  /**
   * How often which client used which account of a user, by day (UTC, days since 1970), newest day first. Looks at the
   * newest `limit` events of the type alone.
   */
  countUses(query: { userId: string; type: string; since: EpochSeconds; limit: number }): Promise<readonly UseCount[]>
}

export interface UseCount {
  readonly clientId: string
  readonly connectionId: string | undefined
  readonly accountId: string | undefined
  readonly outcome: Event['outcome']
  readonly day: number
  readonly count: number
  readonly lastAt: EpochSeconds
}

/** Counters of the rate limiter, with an end. */
export interface Limits {
  find(key: string, now: EpochSeconds): Promise<{ points: number; expiresAt: EpochSeconds } | undefined>
  /** Adds points to a counter that lives until `expiresAt` when it is new; returns what stands. */
  add(
    key: string,
    points: number,
    now: EpochSeconds,
    expiresAt: EpochSeconds,
  ): Promise<{ points: number; expiresAt: EpochSeconds }>
  delete(key: string): Promise<void>
  deleteExpired(before: EpochSeconds, limit: number): Promise<number>
}
