// What the database keeps of receivers of events, and of what waits for them.

import type { Event } from '../domain/event.ts'
import type { EpochSeconds } from '../lib/time.ts'

/** A receiver of events. */
export interface WebhookRecord {
  /** `wh_…`, made from the URL. */
  readonly id: string
  readonly url: string
  /** The secrets that sign, sealed by the keyring (context `webhook:<id>`). */
  readonly envelope: Uint8Array
  /** Names of events, or their beginnings with `*` behind. */
  readonly patterns: readonly string[]
}

/** How a receiver fares. */
export interface WebhookState {
  readonly id: string
  readonly url: string
  /** Events that it has not taken yet. */
  readonly waiting: number
  /** When the oldest of them happened. */
  readonly oldestAt: EpochSeconds | undefined
  /** Since when it takes nothing; undefined when it did the last time. */
  readonly failingSince: EpochSeconds | undefined
  /** What came of the last attempt that failed, as a code. */
  readonly lastFailure: string | undefined
}

/** The receivers that one node has to itself until `leaseUntil`. */
export interface WebhookLease {
  readonly id: string
  readonly leaseUntil: EpochSeconds
}

/** The next event for a receiver. */
export interface WebhookDelivery {
  readonly webhook: Pick<WebhookRecord, 'id' | 'url' | 'envelope'>
  readonly event: Event
  /** Attempts before this one. */
  readonly attempts: number
  /** When the first attempt failed. */
  readonly failingSince: EpochSeconds | undefined
  /** Attempts in a row that failed at this receiver, whatever the event. */
  readonly failures: number
  readonly receiverFailingSince: EpochSeconds | undefined
}

/** Receivers of events. What waits for them is queued by the database, with each event. */
export interface Webhooks {
  list(): Promise<readonly WebhookRecord[]>
  /** Inserts or replaces. What waits stays; one that was failing is tried again at once. */
  put(webhook: WebhookRecord): Promise<void>
  /** With what waits for it. */
  delete(id: string): Promise<void>
  states(): Promise<readonly WebhookState[]>
  /** Is there a receiver that nobody has and that something due waits for? */
  isAnyDue(now: EpochSeconds): Promise<boolean>
  /** Takes those receivers, all of them, for this node alone. */
  claim(query: { now: EpochSeconds; leaseSeconds: number }): Promise<readonly WebhookLease[]>
  /** Gives it back, unless the lease ran out and somebody else has it. */
  release(lease: WebhookLease): Promise<void>
  /** The oldest event that is due; undefined when there is none, or the receiver was taken away. */
  findNext(id: string, now: EpochSeconds): Promise<WebhookDelivery | undefined>
  /** It was taken: the receiver works. */
  delivered(id: string, seq: number): Promise<void>
  /** The receiver works, and did not want this event: it comes again at `dueAt`, and others go before it. */
  putOff(delivery: { id: string; seq: number; at: EpochSeconds; dueAt: EpochSeconds; failure: string }): Promise<void>
  /** The receiver does not work: it is left alone until `until`, and this event goes first then. */
  pause(delivery: { id: string; seq: number; at: EpochSeconds; until: EpochSeconds; failure: string }): Promise<void>
  /** Takes events out of the queue that were not delivered: one, or those that happened before. @returns their numbers. */
  abandon(which: { id: string; seq: number } | { id: string; before: EpochSeconds }): Promise<readonly number[]>
  /** Removes what was queued for a receiver in the moment it was taken away. */
  deleteOrphans(): Promise<number>
}
