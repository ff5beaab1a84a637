// Mails wait in the database, sealed: they hold addresses, codes and links.
import { newId } from '../crypto/hashing.ts'
import type { Keyring } from '../crypto/keyring.ts'
import type { MailJob } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'
import type { Mail } from './mail.ts'

/**
 * Queues a mail in the caller's transaction: it is sent, soon after, exactly if that transaction commits. Delivery is at
 * least once: a node that dies between sending and noting it leaves the mail to another, which sends it again.
 */
export async function queueMail(tx: Repositories, keyring: Pick<Keyring, 'seal'>, mail: Mail): Promise<void> {
  const id = newId('mail_', 24)
  const envelope = keyring.seal(contextOf(id), Buffer.from(JSON.stringify(mail)))
  // Due since always, so that new mail goes before what is tried again.
  await tx.mails.add({ id, envelope, attempts: 0, dueAt: 0 })
}

/** @throws {EnvelopeError} damaged, or of a key that is not here. */
export function openMail(keyring: Keyring, job: Pick<MailJob, 'id' | 'envelope'>): Mail {
  // Sealed by `queueMail`, and by nothing else.
  return JSON.parse(keyring.open(contextOf(job.id), job.envelope).toString('utf8')) as Mail
}

const contextOf = (id: string): string => `mail:${id}`
