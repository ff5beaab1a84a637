// Repositories of what waits: mails and their proofs, sessions that ended, what clients are told of it, sign-ups over the API,
// and calls through the proxy that are under way.
import type { NewEvent } from '../domain/event.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { EndedSession, LogoutNotice, MailJob, MailProof, OpenCall, SignUp } from './records.ts'

/** The database notes each session that some client knows of and whose row goes (migration 6). */
export interface EndedSessions {
  claim(query: { now: EpochSeconds; leaseSeconds: number; limit: number }): Promise<readonly EndedSession[]>
  retryAt(id: number, dueAt: EpochSeconds): Promise<void>
  /** Forgets all that was noted of this session. */
  done(uid: string): Promise<void>
}

export interface LogoutNotices {
  add(notice: LogoutNotice): Promise<void>
  claim(query: { now: EpochSeconds; leaseSeconds: number; limit: number }): Promise<readonly LogoutNotice[]>
  retryAt(id: string, dueAt: EpochSeconds): Promise<void>
  done(id: string): Promise<void>
}

export interface SignUps {
  find(idHash: string): Promise<SignUp | undefined>
  insert(signUp: SignUp): Promise<void>
  /** Takes the row away: true for the one caller that found it. */
  consume(idHash: string): Promise<boolean>
  deleteExpired(before: EpochSeconds, limit: number): Promise<number>
}

export interface Proofs {
  find(idHash: string): Promise<MailProof | undefined>
  insert(proof: MailProof): Promise<void>
  /** Ends those of this user: of one kind, or all that open something; `not_me` only takes away, and stays. */
  deleteOfUser(userId: string, kind?: MailProof['kind']): Promise<void>
  /** Takes the row away: true for the one caller that found it. */
  consume(idHash: string): Promise<boolean>
  deleteExpired(before: EpochSeconds, limit: number): Promise<number>
}

export interface OpenCalls {
  insert(call: OpenCall): Promise<void>
  close(id: string): Promise<void>
  /** Takes away calls that began before then, and returns what is known of each: its process cannot be waiting any more. */
  claimForgotten(before: EpochSeconds, limit: number): Promise<readonly NewEvent[]>
}

export interface Mails {
  add(job: MailJob): Promise<void>
  claim(query: { now: EpochSeconds; leaseSeconds: number; limit: number }): Promise<readonly MailJob[]>
  retryAt(id: string, dueAt: EpochSeconds): Promise<void>
  done(id: string): Promise<void>
  /** How many wait. */
  count(): Promise<number>
}
