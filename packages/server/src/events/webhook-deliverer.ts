// Brings events to their receivers. Runs on every node; a receiver is leased to one at a time, and gets one event at a time.

import type { Log } from '../lib/log.ts'
import { backOffSeconds, createQueueWorker } from '../lib/queue-worker.ts'
import type { Clock } from '../lib/time.ts'
import type { Repositories, Storage } from '../storage/storage.ts'
import type { WebhookDelivery, WebhookLease } from '../storage/webhook-repository.ts'
import { ATTEMPT_SECONDS, type AttemptOutcome, type AttemptParts, attempt } from './webhook-attempt.ts'

export interface WebhookDeliverer {
  /** Looks for events that wait from now on. Idempotent. */
  start(): void
  /** Resolves when what is under way has ended. */
  stop(): Promise<void>
  /** Delivers all that is due now; resolves once it was tried. */
  deliverNow(): Promise<void>
}

export interface WebhookDelivererParts extends AttemptParts {
  readonly storage: Storage
  readonly log: Log
  /** What leases and pauses are judged by: the same on every node. */
  readonly leaseClock: Clock
  /** How often it looks for receivers that something waits for. */
  readonly pollMs?: number
}

const LEASE_SECONDS = 120
/** What is left of a lease by then is for the last attempt. */
const SPARE_SECONDS = 2 * ATTEMPT_SECONDS
const PAUSES = { first: 5, longest: 1800 }
export const GIVE_UP_SECONDS = 3 * 86_400

export function createWebhookDeliverer(parts: WebhookDelivererParts): WebhookDeliverer {
  const { pollMs = 500, storage, leaseClock, log } = parts
  const worker = createQueueWorker({
    everyMs: pollMs,
    claim: async () => {
      const now = leaseClock()
      if (!(await storage.webhooks.isAnyDue(now))) return []
      return storage.transaction((tx) => tx.webhooks.claim({ now, leaseSeconds: LEASE_SECONDS }))
    },
    handle: (lease, stopping) => serve(parts, lease, stopping),
    onError: (error) => log.error({ err: error }, 'webhooks could not be looked for'),
  })
  return {
    start: () => worker.start(),
    stop: () => worker.stop(),
    deliverNow: async () => void (await worker.runNow()),
  }
}

/** Delivers what waits for a receiver, one event after the other, for as long as it is leased. */
async function serve(parts: WebhookDelivererParts, lease: WebhookLease, stopping: AbortSignal): Promise<void> {
  const { storage, leaseClock, log } = parts
  try {
    while (!stopping.aborted && leaseClock() < lease.leaseUntil - SPARE_SECONDS) {
      if (!(await deliverNext(parts, lease.id))) break
    }
  } catch (error) {
    log.error({ webhook: lease.id, err: error }, 'a webhook could not be served')
  } finally {
    await storage.transaction((tx) => tx.webhooks.release(lease)).catch(() => {})
  }
}

/** @returns whether there may be more to do at this receiver now. */
async function deliverNext(parts: WebhookDelivererParts, id: string): Promise<boolean> {
  const { storage, leaseClock } = parts
  const delivery = await storage.webhooks.findNext(id, leaseClock())
  if (delivery === undefined) return false
  const outcome = await attempt(parts, delivery)
  await storage.transaction((tx) => note(tx, delivery, outcome, leaseClock()))
  if (outcome.kind !== 'delivered') {
    const { failure } = outcome
    parts.log.warn({ webhook: id, event: delivery.event.seq, failure }, 'a webhook was not delivered yet')
  }
  return outcome.kind !== 'unavailable'
}

async function note(tx: Repositories, delivery: WebhookDelivery, outcome: AttemptOutcome, at: number): Promise<void> {
  const { webhook, event, attempts, failures } = delivery
  const { id } = webhook
  if (outcome.kind === 'delivered') return tx.webhooks.delivered(id, event.seq)
  const { failure } = outcome
  if (outcome.kind === 'refused') {
    await tx.webhooks.putOff({ id, seq: event.seq, at, dueAt: at + backOffSeconds(attempts, PAUSES), failure })
    if (isLost(delivery.failingSince, at)) await abandon(tx, { id, seq: event.seq }, failure, at)
    return
  }
  const pause = Math.max(backOffSeconds(failures, PAUSES), Math.min(outcome.retryAfterSeconds ?? 0, PAUSES.longest))
  await tx.webhooks.pause({ id, seq: event.seq, at, until: at + pause, failure })
  if (isLost(delivery.receiverFailingSince, at)) await abandon(tx, { id, before: at - GIVE_UP_SECONDS }, failure, at)
}

const isLost = (failingSince: number | undefined, now: number): boolean =>
  failingSince !== undefined && now - failingSince >= GIVE_UP_SECONDS

/** Takes them out of the queue, and leaves an event that says so. */
async function abandon(
  tx: Repositories,
  which: Parameters<Repositories['webhooks']['abandon']>[0],
  reason: string,
  at: number,
): Promise<void> {
  const seqs = await tx.webhooks.abandon(which)
  const [first] = seqs
  if (first === undefined) return
  await tx.events.append({
    type: 'webhook.abandoned',
    at,
    outcome: 'refused',
    data: { webhook: which.id, reason, events: seqs.length, first_seq: first, last_seq: seqs.at(-1) ?? first },
  })
}
