import type { RevocationJob } from '../records.ts'
import type { RevocationsTable } from '../schema.ts'
import type { Revocations } from '../vault-repositories.ts'
import type { Db } from './db.ts'
import { countOf, passingLocked, pick } from './rows.ts'
import { type Dialect, statement } from './statement.ts'

export const revocationsTable = (db: Db): Revocations => ({
  async add(job) {
    await db.change(insertJob, rowOf(job))
  },
  async claim({ now, leaseSeconds, limit }) {
    return (await db.all(claimJobs, { now, until: now + leaseSeconds, limit })).map(jobOf)
  },
  async retryAt(id, dueAt) {
    await db.change(retryAt, { id, dueAt })
  },
  async done(id) {
    await db.change(deleteJob, { id })
  },
  async countOfAccount(accountId) {
    return Number((await db.first(countOfAccount, { accountId }))?.count ?? 0)
  },
  async listOfUser(userId) {
    return (await db.all(listOfUser, { userId })).map(jobOf)
  },
  async count() {
    return countOf(await db.all(countJobs, {}))
  },
})

const COLUMNS = [
  'id',
  'user_id',
  'connection_id',
  'account_id',
  'subject',
  'hint',
  'envelope',
  'attempts',
  'due_at',
] as const

const countJobs = statement((q) => q.selectFrom('revocations').select((eb) => eb.fn.countAll().as('count')))

const insertJob = statement((q, p: Row) => q.insertInto('revocations').values(pick(p, COLUMNS)))

const claimJobs = statement((q, p: { now: number; until: number; limit: number }, dialect: Dialect) =>
  q
    .with('due', (of) =>
      passingLocked(
        of.selectFrom('revocations').select('id').where('due_at', '<=', p.now).orderBy('due_at').limit(p.limit),
        dialect,
      ),
    )
    .updateTable('revocations')
    .set((eb) => ({ due_at: p.until, attempts: eb('attempts', '+', 1) }))
    .where('id', 'in', (of) => of.selectFrom('due').select('due.id'))
    .returning(COLUMNS),
)

const retryAt = statement((q, p: { id: string; dueAt: number }) =>
  q.updateTable('revocations').set({ due_at: p.dueAt }).where('id', '=', p.id),
)

const deleteJob = statement((q, p: { id: string }) => q.deleteFrom('revocations').where('id', '=', p.id))

const listOfUser = statement((q, p: { userId: string }) =>
  q.selectFrom('revocations').select(COLUMNS).where('user_id', '=', p.userId).orderBy('due_at').orderBy('id'),
)

const countOfAccount = statement((q, p: { accountId: string }) =>
  q
    .selectFrom('revocations')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('account_id', '=', p.accountId),
)

type Row = Readonly<Pick<RevocationsTable, (typeof COLUMNS)[number]>>

const jobOf = (row: Row): RevocationJob => ({
  id: row.id,
  userId: row.user_id,
  connectionId: row.connection_id,
  accountId: row.account_id,
  subject: row.subject,
  hint: row.hint,
  envelope: row.envelope,
  attempts: row.attempts,
  dueAt: row.due_at,
})

const rowOf = (job: RevocationJob): Row => ({
  id: job.id,
  user_id: job.userId,
  connection_id: job.connectionId,
  account_id: job.accountId,
  subject: job.subject,
  hint: job.hint,
  envelope: job.envelope,
  attempts: job.attempts,
  due_at: job.dueAt,
})
