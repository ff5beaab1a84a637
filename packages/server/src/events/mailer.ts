// Sends what waits in the mail queue. Runs on every node; a job is leased to one at a time.

import { EnvelopeError } from '../crypto/envelope.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { Log } from '../lib/log.ts'
import { backOffSeconds, createQueueWorker } from '../lib/queue-worker.ts'
import type { Clock } from '../lib/time.ts'
import type { MailJob } from '../storage/records.ts'
import type { Storage } from '../storage/storage.ts'
import type { Mail } from './mail.ts'
import { openMail } from './mail-queue.ts'
import { renderMail } from './mail-templates.ts'
import { MailNotSent, type MailTransport } from './mail-transport.ts'

export interface Mailer {
  /** Looks for due mail from now on. Idempotent. */
  start(): void
  /** Resolves when what is under way has ended. The transport is closed then. */
  stop(): Promise<void>
  /** Sends all that is due now; resolves to how many were sent. */
  deliverNow(): Promise<number>
}

export interface MailerParts {
  readonly storage: Storage
  readonly keyring: Keyring
  readonly transport: MailTransport
  readonly clock: Clock
  /** What leases and pauses are judged by: the same on every node. */
  readonly leaseClock: Clock
  readonly log: Log
  /** Our own address (`senderOf`). The tenant's name stands beside it. */
  readonly from: string
  /** How often it looks for due mail; a person waits for it. */
  readonly pollMs?: number
}

const AT_ONCE = 10
const LEASE_SECONDS = 60
const PAUSES = { first: 5, longest: 1800 }
/** Nearly half a day of tries; codes and links have long expired by then. */
const MAX_ATTEMPTS = 30

export function createMailer(parts: MailerParts): Mailer {
  const { pollMs = 500, storage, leaseClock, log } = parts
  const worker = createQueueWorker({
    everyMs: pollMs,
    limit: AT_ONCE,
    claim: (limit) =>
      storage.transaction((tx) => tx.mails.claim({ now: leaseClock(), leaseSeconds: LEASE_SECONDS, limit })),
    handle: (job) => handle(parts, job),
    onError: (error) => log.error({ err: error }, 'mail could not be looked for'),
  })
  return {
    start: () => worker.start(),
    async stop() {
      await worker.stop()
      parts.transport.close()
    },
    deliverNow: async () => (await worker.runNow()).filter((result) => result === 'sent').length,
  }
}

async function handle(parts: MailerParts, job: MailJob): Promise<'sent' | 'not sent'> {
  const mail = readJob(parts, job)
  if (!mail) return abandon(parts, job, { reason: 'unreadable' })
  const { template, notAfter } = mail
  if (notAfter !== undefined && notAfter <= parts.clock()) return abandon(parts, job, { template, reason: 'expired' })
  try {
    await send(parts, job, mail)
  } catch (error) {
    return retryLater(parts, job, mail, error)
  }
  await parts.storage.transaction((tx) => tx.mails.done(job.id))
  return 'sent'
}

function readJob({ keyring, log }: MailerParts, job: MailJob): Mail | undefined {
  try {
    return openMail(keyring, job)
  } catch (error) {
    if (!(error instanceof EnvelopeError)) throw error
    log.error({ mail: job.id, err: error }, 'a queued mail does not open')
    return undefined
  }
}

async function send({ transport, clock, from }: MailerParts, { id }: MailJob, mail: Mail): Promise<void> {
  const { subject, text, tenant } = renderMail(mail)
  await transport.send({ id, from: { name: tenant, address: from }, to: mail.to, subject, text, at: clock() })
}

async function retryLater(parts: MailerParts, job: MailJob, mail: Mail, error: unknown): Promise<'not sent'> {
  const { id, attempts } = job
  const { template } = mail
  const reason = error instanceof MailNotSent ? error.code : 'internal'
  const isFinal = attempts >= MAX_ATTEMPTS || (error instanceof MailNotSent && error.permanent)
  if (isFinal) return abandon(parts, job, { template, reason })
  const pause = backOffSeconds(attempts - 1, PAUSES)
  parts.log.warn({ mail: id, template, attempts, reason, retryInSeconds: pause }, 'a mail was not sent yet')
  await parts.storage.transaction((tx) => tx.mails.retryAt(id, parts.leaseClock() + pause))
  return 'not sent'
}

/** Takes it out of the queue unsent, and leaves an event that says so without saying to whom. */
async function abandon(
  { storage, clock, log }: MailerParts,
  { id, attempts }: MailJob,
  data: { readonly template?: string; readonly reason: string },
): Promise<'not sent'> {
  log.warn({ mail: id, attempts, ...data }, 'a mail is given up')
  await storage.transaction(async (tx) => {
    await tx.mails.done(id)
    await tx.events.append({
      type: 'mail.abandoned',
      at: clock(),
      outcome: 'refused',
      data: { mail: id, attempts, ...data },
    })
  })
  return 'not sent'
}
