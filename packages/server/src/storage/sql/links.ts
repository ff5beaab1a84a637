// Links and their snapshots.
import type { LinkRecord } from '../records.ts'
import type { LinksTable } from '../schema.ts'
import type { Links } from '../storage.ts'
import type { Db } from './db.ts'
import { countOf, documentOf, passingLocked, pick } from './rows.ts'
import { type Builder, type Dialect, statement } from './statement.ts'

export const linksTable = (db: Db): Links => ({
  async find(id) {
    const row = await db.first(findLink, { id })
    return row && linkOf(row)
  },
  async listOfUser(userId, { offset, limit }) {
    const matching = linksOfUser(db.builder, userId)
    const rows = await db.query(matching.select(COLUMNS).orderBy('seq', 'desc').limit(limit).offset(offset))
    const total = await db.query(matching.select((eb) => eb.fn.countAll().as('count')))
    return { items: rows.map(linkOf), total: countOf(total) }
  },
  async findStandingOfIdentity(userId, connectionId, subject) {
    const row = await db.first(findStandingOfIdentity, { userId, connectionId, subject })
    return row && linkOf(row)
  },
  async insert(link) {
    await db.change(insertLink, rowOf(link))
  },
  async claimUndo(id, at, by) {
    return (await db.change(claimUndo, { id, at, by: by ?? null })) === 1
  },
  async findSnapshot(id) {
    return (await db.first(findSnapshot, { id }))?.envelope
  },
  async putSnapshot(id, envelope, expiresAt) {
    await db.change(putSnapshot, { id, envelope, expiresAt })
  },
  async deleteSnapshot(id) {
    await db.change(deleteSnapshot, { id })
  },
  async deleteExpiredSnapshots(before, limit) {
    return db.change(deleteExpiredSnapshots, { before, limit })
  },
})

const COLUMNS = [
  'id',
  'primary_user_id',
  'secondary_user_id',
  'connection_id',
  'subject',
  'client_id',
  'actor',
  'rule',
  'proof',
  'plan',
  'plan_hash',
  'created_at',
  'undo_until',
  'undone_at',
  'undone_by',
] as const

const findLink = statement((q, p: { id: string }) => q.selectFrom('links').select(COLUMNS).where('id', '=', p.id))

const linksOfUser = (q: Builder, userId: string) =>
  q.selectFrom('links').where((eb) => eb.or([eb('primary_user_id', '=', userId), eb('secondary_user_id', '=', userId)]))

const findStandingOfIdentity = statement((q, p: { userId: string; connectionId: string; subject: string }) =>
  q
    .selectFrom('links')
    .select(COLUMNS)
    .where('connection_id', '=', p.connectionId)
    .where('subject', '=', p.subject)
    .where('primary_user_id', '=', p.userId)
    .where('undone_at', 'is', null)
    .orderBy('seq', 'desc')
    .limit(1),
)

const insertLink = statement((q, p: Row) => q.insertInto('links').values(pick(p, COLUMNS)))

const claimUndo = statement((q, p: { id: string; at: number; by: string | null }) =>
  q
    .updateTable('links')
    .set({ undone_at: p.at, undone_by: p.by })
    .where('id', '=', p.id)
    .where('undone_at', 'is', null),
)

const findSnapshot = statement((q, p: { id: string }) =>
  q.selectFrom('link_snapshots').select('envelope').where('link_id', '=', p.id),
)

const putSnapshot = statement((q, p: { id: string; envelope: Uint8Array; expiresAt: number }) =>
  q.insertInto('link_snapshots').values({ link_id: p.id, envelope: p.envelope, expires_at: p.expiresAt }),
)

const deleteSnapshot = statement((q, p: { id: string }) => q.deleteFrom('link_snapshots').where('link_id', '=', p.id))

const deleteExpiredSnapshots = statement((q, p: { before: number; limit: number }, dialect: Dialect) =>
  q
    .with('ended', (of) =>
      passingLocked(
        of.selectFrom('link_snapshots').select('link_id').where('expires_at', '<', p.before).limit(p.limit),
        dialect,
      ),
    )
    .deleteFrom('link_snapshots')
    .where('link_id', 'in', (of) => of.selectFrom('ended').select('ended.link_id')),
)

type Row = Readonly<Pick<LinksTable, (typeof COLUMNS)[number]>>

const linkOf = (row: Row): LinkRecord => ({
  id: row.id,
  primaryUserId: row.primary_user_id,
  secondaryUserId: row.secondary_user_id ?? undefined,
  identity:
    row.connection_id === null || row.subject === null
      ? undefined
      : { connectionId: row.connection_id, subject: row.subject },
  clientId: row.client_id ?? undefined,
  actor: row.actor ?? undefined,
  rule: row.rule,
  proof: documentOf(row.proof),
  plan: documentOf(row.plan),
  planHash: row.plan_hash,
  createdAt: row.created_at,
  undoUntil: row.undo_until,
  undoneAt: row.undone_at ?? undefined,
  undoneBy: row.undone_by ?? undefined,
})

const rowOf = (link: LinkRecord): Row => ({
  id: link.id,
  primary_user_id: link.primaryUserId,
  secondary_user_id: link.secondaryUserId ?? null,
  connection_id: link.identity?.connectionId ?? null,
  subject: link.identity?.subject ?? null,
  client_id: link.clientId ?? null,
  actor: link.actor ?? null,
  rule: link.rule,
  proof: JSON.stringify(link.proof),
  plan: JSON.stringify(link.plan),
  plan_hash: link.planHash,
  created_at: link.createdAt,
  undo_until: link.undoUntil,
  undone_at: link.undoneAt ?? null,
  undone_by: link.undoneBy ?? null,
})
