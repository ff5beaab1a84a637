import type { EndedSessions, LogoutNotices } from '../queue-repositories.ts'
import type { LogoutNotice } from '../records.ts'
import type { Schema } from '../schema.ts'
import type { Db } from './db.ts'
import { documentOf, passingLocked } from './rows.ts'
import { type Dialect, statement } from './statement.ts'

export const endedSessionsTable = (db: Db): EndedSessions => ({
  async claim({ now, leaseSeconds, limit }) {
    const rows = await db.all(claimEnded, { now, until: now + leaseSeconds, limit })
    return rows.map(({ id, uid, sub, payload, attempts }) => ({
      id,
      uid,
      userId: sub,
      payload: documentOf(payload),
      attempts,
    }))
  },
  async retryAt(id, dueAt) {
    await db.change(retryEnded, { id, dueAt })
  },
  async done(uid) {
    await db.change(deleteEnded, { uid })
  },
})

export const logoutNoticesTable = (db: Db): LogoutNotices => ({
  async add({ id, clientId, userId, sid, url, attempts, dueAt }) {
    await db.change(insertNotice, { id, client_id: clientId, sub: userId, sid, url, attempts, due_at: dueAt })
  },
  async claim({ now, leaseSeconds, limit }) {
    return (await db.all(claimNotices, { now, until: now + leaseSeconds, limit })).map(noticeOf)
  },
  async retryAt(id, dueAt) {
    await db.change(retryNotice, { id, dueAt })
  },
  async done(id) {
    await db.change(deleteNotice, { id })
  },
})

type Claim = { now: number; until: number; limit: number }

const claimEnded = statement((q, p: Claim, dialect: Dialect) =>
  q
    .with('due', (of) =>
      passingLocked(
        of.selectFrom('ended_sessions').select('id').where('due_at', '<=', p.now).orderBy('due_at').limit(p.limit),
        dialect,
      ),
    )
    .updateTable('ended_sessions')
    .set((eb) => ({ due_at: p.until, attempts: eb('attempts', '+', 1) }))
    .where('id', 'in', (of) => of.selectFrom('due').select('due.id'))
    .returning(['id', 'uid', 'sub', 'payload', 'attempts']),
)

const retryEnded = statement((q, p: { id: number; dueAt: number }) =>
  q.updateTable('ended_sessions').set({ due_at: p.dueAt }).where('id', '=', p.id),
)

const deleteEnded = statement((q, p: { uid: string }) => q.deleteFrom('ended_sessions').where('uid', '=', p.uid))

const insertNotice = statement((q, p: Schema['logout_notices'] & { readonly [name: string]: unknown }) =>
  q.insertInto('logout_notices').values({
    id: p.id,
    client_id: p.client_id,
    sub: p.sub,
    sid: p.sid,
    url: p.url,
    attempts: p.attempts,
    due_at: p.due_at,
  }),
)

const claimNotices = statement((q, p: Claim, dialect: Dialect) =>
  q
    .with('due', (of) =>
      passingLocked(
        of.selectFrom('logout_notices').select('id').where('due_at', '<=', p.now).orderBy('due_at').limit(p.limit),
        dialect,
      ),
    )
    .updateTable('logout_notices')
    .set((eb) => ({ due_at: p.until, attempts: eb('attempts', '+', 1) }))
    .where('id', 'in', (of) => of.selectFrom('due').select('due.id'))
    .returningAll(),
)

const retryNotice = statement((q, p: { id: string; dueAt: number }) =>
  q.updateTable('logout_notices').set({ due_at: p.dueAt }).where('id', '=', p.id),
)

const deleteNotice = statement((q, p: { id: string }) => q.deleteFrom('logout_notices').where('id', '=', p.id))

const noticeOf = (row: Schema['logout_notices']): LogoutNotice => ({
  id: row.id,
  clientId: row.client_id,
  userId: row.sub,
  sid: row.sid,
  url: row.url,
  attempts: row.attempts,
  dueAt: row.due_at,
})
