import type { Mails } from '../queue-repositories.ts'
import type { MailJob } from '../records.ts'
import type { Schema } from '../schema.ts'
import type { Db } from './db.ts'
import { countOf, passingLocked } from './rows.ts'
import { type Dialect, statement } from './statement.ts'

export const mailsTable = (db: Db): Mails => ({
  async add({ id, envelope, attempts, dueAt }) {
    await db.change(insertMail, { id, envelope, attempts, dueAt })
  },
  async claim({ now, leaseSeconds, limit }) {
    return (await db.all(claimMails, { now, until: now + leaseSeconds, limit })).map(jobOf)
  },
  async retryAt(id, dueAt) {
    await db.change(retryAt, { id, dueAt })
  },
  async done(id) {
    await db.change(deleteMail, { id })
  },
  async count() {
    return countOf(await db.all(countMails, {}))
  },
})

const insertMail = statement((q, p: { id: string; envelope: Uint8Array; attempts: number; dueAt: number }) =>
  q.insertInto('mails').values({ id: p.id, envelope: p.envelope, attempts: p.attempts, due_at: p.dueAt }),
)

const claimMails = statement((q, p: { now: number; until: number; limit: number }, dialect: Dialect) =>
  q
    .with('due', (of) =>
      passingLocked(
        of.selectFrom('mails').select('id').where('due_at', '<=', p.now).orderBy('due_at').limit(p.limit),
        dialect,
      ),
    )
    .updateTable('mails')
    .set((eb) => ({ due_at: p.until, attempts: eb('attempts', '+', 1) }))
    .where('id', 'in', (of) => of.selectFrom('due').select('due.id'))
    .returning(['id', 'envelope', 'attempts', 'due_at']),
)

const retryAt = statement((q, p: { id: string; dueAt: number }) =>
  q.updateTable('mails').set({ due_at: p.dueAt }).where('id', '=', p.id),
)

const deleteMail = statement((q, p: { id: string }) => q.deleteFrom('mails').where('id', '=', p.id))

const countMails = statement((q) => q.selectFrom('mails').select((eb) => eb.fn.countAll().as('count')))

const jobOf = (row: Schema['mails']): MailJob => ({
  id: row.id,
  envelope: row.envelope,
  attempts: row.attempts,
  dueAt: row.due_at,
})
