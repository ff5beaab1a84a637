// Repositories of what is under way: the protocol engine's rows, marks of what has served, browsers at providers.
import type { EpochSeconds } from '../lib/time.ts'
import type {
  Artifact,
  ArtifactKind,
  ConnectRequest,
  ConnectStatus,
  Page,
  RefreshSubject,
  ReplayMark,
  UpstreamTransaction,
} from './records.ts'

export interface ArtifactFilter {
  readonly offset: number
  readonly limit: number
  readonly liveAt: EpochSeconds
  readonly userId?: string
  readonly clientId?: string
}

export interface Artifacts {
  find(kind: ArtifactKind, idHash: string): Promise<Artifact | undefined>
  findByUid(kind: ArtifactKind, uid: string): Promise<Artifact | undefined>
  listOfUser(kind: ArtifactKind, userId: string): Promise<readonly Artifact[]>
  /** Those that are live at an instant, oldest first. */
  list(kind: ArtifactKind, filter: ArtifactFilter): Promise<Page<Artifact>>
  /** The exchange's fast path: a refresh token with what its life hangs on; undefined when token, grant or user is gone. */
  findRefreshSubject(idHash: string): Promise<RefreshSubject | undefined>
  /** Inserts or replaces; keeps `consumedAt` and `successorEnvelope` of a row that stands. */
  put(artifact: Artifact): Promise<void>
  /** True for the one caller that marked it consumed. */
  consume(kind: ArtifactKind, idHash: string, at: EpochSeconds): Promise<boolean>
  /** A client's refresh tokens for a user that were not used up, but for the newest `keep`; at most 100, newest first. */
  listRefreshTokensBeyond(
    of: { readonly userId: string; readonly clientId: string },
    keep: number,
  ): Promise<readonly Artifact[]>
  setSuccessor(kind: ArtifactKind, idHash: string, envelope: Uint8Array): Promise<void>
  delete(kind: ArtifactKind, idHash: string): Promise<void>
  /** Everything issued under a grant, and the grant itself. */
  deleteByGrant(grantId: string): Promise<void>
  /** Sessions, grants, codes and tokens of a user; or only those that came in by one identity. */
  deleteOfUser(
    userId: string,
    only?: { readonly identityKey?: string; readonly clientId?: string; readonly kinds?: readonly ArtifactKind[] },
  ): Promise<void>
  deleteExpired(before: EpochSeconds, limit: number): Promise<number>
}

/** Marks of what serves once: assertions, proofs, answers. */
export interface Replays {
  has(idHash: string, now: EpochSeconds): Promise<boolean>
  /** Inserts; false when it is there already. */
  insertOnce(mark: ReplayMark): Promise<boolean>
  /** The same for each; of equal ones the first is the one that is inserted. */
  insertAllOnce(marks: readonly ReplayMark[]): Promise<readonly boolean[]>
  /**
   * Inserts all of them, or ends the transaction.
   *
   * @throws {MarkStood} one was there already, or twice among them.
   */
  insertAllNew(marks: readonly ReplayMark[]): Promise<void>
  deleteExpired(before: EpochSeconds, limit: number): Promise<number>
}

export interface Transactions {
  find(stateHash: string): Promise<UpstreamTransaction | undefined>
  insert(transaction: UpstreamTransaction): Promise<void>
  /** Takes the row away: true for the one caller that found it. */
  consume(stateHash: string): Promise<boolean>
  deleteOfUser(userId: string): Promise<void>
  deleteExpired(before: EpochSeconds, limit: number): Promise<number>
}

export interface Connects {
  find(authSessionHash: string): Promise<ConnectRequest | undefined>
  findByTicket(ticketHash: string): Promise<ConnectRequest | undefined>
  insert(request: ConnectRequest): Promise<void>
  /** Moves from one status to the next with what the step learnt: true for the one caller that found it in `from`. */
  advance(
    authSessionHash: string,
    from: ConnectStatus,
    to: ConnectStatus,
    change: Partial<Pick<ConnectRequest, 'browserHash' | 'sessionUid' | 'connectCodeHash' | 'pendingEnvelope'>>,
  ): Promise<boolean>
  deleteOfUser(userId: string): Promise<void>
  deleteExpired(before: EpochSeconds, limit: number): Promise<number>
}
