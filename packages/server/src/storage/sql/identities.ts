import type { Identity } from '../../domain/user.ts'
import type { IdentitiesTable } from '../schema.ts'
import type { Identities } from '../storage.ts'
import type { Db } from './db.ts'
import { documentOf, orNone, pick } from './rows.ts'
import { statement } from './statement.ts'

export const identitiesTable = (db: Db): Identities => ({
  async find(connectionId, subject) {
    const row = await db.first(findIdentity, { connectionId, subject })
    return row && identityOf(row)
  },
  async listOfUser(userId) {
    return (await db.all(listOfUser, { userId })).map(identityOf)
  },
  async listOfUsers(userIds) {
    const query = db.builder
      .selectFrom('identities')
      .select(COLUMNS)
      .where('user_id', 'in', orNone(userIds))
      .orderBy('user_id')
      .orderBy('position')
    return (await db.query(query)).map(identityOf)
  },
  async insert(identity) {
    return (await db.change(insertIdentity, rowOf(identity))) === 1
  },
  async touch({ connectionId, subject, profileData, lastLogin }) {
    await db.change(touchIdentity, {
      connectionId,
      subject,
      profileData: JSON.stringify(profileData),
      lastLogin: lastLogin ?? null,
    })
  },
  async move(key, toUserId) {
    return (await db.change(moveIdentity, { ...key, toUserId })) === 1
  },
  async unlink(key, at) {
    if ((await db.change(deleteIdentity, key)) === 0) return false
    await db.change(deletePassword, key)
    await db.change(deletePasskey, key)
    await db.change(putTombstone, { ...key, at })
    return true
  },
  async findTombstone(connectionId, subject) {
    const row = await db.first(findTombstone, { connectionId, subject })
    return row && { userId: row.user_id, unlinkedAt: row.unlinked_at }
  },
})

const COLUMNS = ['connection_id', 'subject', 'user_id', 'position', 'profile_data', 'created_at', 'last_login'] as const

type Key = { connectionId: string; subject: string }

const findIdentity = statement((q, p: Key) =>
  q
    .selectFrom('identities')
    .select(COLUMNS)
    .where('connection_id', '=', p.connectionId)
    .where('subject', '=', p.subject),
)

const listOfUser = statement((q, p: { userId: string }) =>
  q.selectFrom('identities').select(COLUMNS).where('user_id', '=', p.userId).orderBy('position').orderBy('created_at'),
)

const insertIdentity = statement((q, p: Row) =>
  q
    .insertInto('identities')
    .values(pick(p, COLUMNS))
    .onConflict((conflict) => conflict.columns(['connection_id', 'subject']).doNothing()),
)

const touchIdentity = statement((q, p: Key & { profileData: string; lastLogin: number | null }) =>
  q
    .updateTable('identities')
    .set({ profile_data: p.profileData, last_login: p.lastLogin })
    .where('connection_id', '=', p.connectionId)
    .where('subject', '=', p.subject),
)

const moveIdentity = statement((q, p: Key & { fromUserId: string; toUserId: string }) =>
  q
    .updateTable('identities')
    .set((eb) => ({
      user_id: p.toUserId,
      position: eb
        .selectFrom('identities as others')
        .select(({ fn, eb: of }) => of(fn.coalesce(fn.max('others.position'), of.lit(-1)), '+', 1).as('next'))
        .where('others.user_id', '=', p.toUserId),
    }))
    .where('connection_id', '=', p.connectionId)
    .where('subject', '=', p.subject)
    .where('user_id', '=', p.fromUserId),
)

const deleteIdentity = statement((q, p: Key & { userId: string }) =>
  q
    .deleteFrom('identities')
    .where('connection_id', '=', p.connectionId)
    .where('subject', '=', p.subject)
    .where('user_id', '=', p.userId),
)

const deletePassword = statement((q, p: Key) =>
  q.deleteFrom('passwords').where('connection_id', '=', p.connectionId).where('subject', '=', p.subject),
)

const deletePasskey = statement((q, p: Key) =>
  q.deleteFrom('passkeys').where('connection_id', '=', p.connectionId).where('subject', '=', p.subject),
)

const putTombstone = statement((q, p: Key & { userId: string; at: number }) =>
  q
    .insertInto('identity_tombstones')
    .values({ connection_id: p.connectionId, subject: p.subject, user_id: p.userId, unlinked_at: p.at })
    .onConflict((conflict) =>
      conflict.columns(['connection_id', 'subject']).doUpdateSet({ user_id: p.userId, unlinked_at: p.at }),
    ),
)

const findTombstone = statement((q, p: Key) =>
  q
    .selectFrom('identity_tombstones')
    .select(['user_id', 'unlinked_at'])
    .where('connection_id', '=', p.connectionId)
    .where('subject', '=', p.subject),
)

type Row = Readonly<Pick<IdentitiesTable, (typeof COLUMNS)[number]>>

const identityOf = (row: Row): Identity => ({
  connectionId: row.connection_id,
  subject: row.subject,
  userId: row.user_id,
  position: row.position,
  profileData: documentOf(row.profile_data),
  createdAt: row.created_at,
  lastLogin: row.last_login ?? undefined,
})

const rowOf = (identity: Identity): Row => ({
  connection_id: identity.connectionId,
  subject: identity.subject,
  user_id: identity.userId,
  position: identity.position,
  profile_data: JSON.stringify(identity.profileData),
  created_at: identity.createdAt,
  last_login: identity.lastLogin ?? null,
})
