import { canonicalAddress } from '../../domain/address.ts'
import { nameKey } from '../../domain/profile.ts'
import type { Profile, User } from '../../domain/user.ts'
import type { UsersTable } from '../schema.ts'
import type { Users } from '../storage.ts'
import type { Db } from './db.ts'
import { countOf, documentOf, flag, orNone, pick } from './rows.ts'
import { type Builder, type Dialect, statement } from './statement.ts'
import { orderedUsers, usersMatching } from './user-search.ts'

export const usersTable = (db: Db): Users => ({
  async find(userId) {
    const row = await db.first(findUser, { userId })
    return row && userOf(row)
  },
  async list({ offset, limit, matching: search, sort }) {
    const matching = usersMatching(db.builder, db.dialect, search)
    const rows = await db.query(orderedUsers(matching.select(COLUMNS), sort).limit(limit).offset(offset))
    const total = await db.query(matching.select((eb) => eb.fn.countAll().as('count')))
    return { items: rows.map(userOf), total: countOf(total) }
  },
  async listAfter(userId, limit) {
    return (await db.all(listAfter, { userId, limit })).map(userOf)
  },
  async listByAddress(address) {
    return (await db.all(listByAddress, { address })).map(userOf)
  },
  async claimId(userId) {
    return (await db.change(claimId, { userId })) === 1
  },
  async insert(user) {
    await db.change(insertUser, rowOf(user))
  },
  async replace(user) {
    return (await db.change(replaceUser, rowOf(user))) === 1
  },
  async recordLogin(userId, at, ip) {
    await db.change(recordLogin, { userId, at, ip: ip ?? null })
  },
  async delete(userId) {
    // What names its user by a foreign key goes with the row; the rest goes first.
    const all = [deletePasswords, deletePasskeys, deleteArtifacts, deleteTransactions, deleteUser]
    const counts = await Promise.all(all.map((one) => db.change(one, { userId })))
    return counts.at(-1) === 1
  },
  async lock(userIds) {
    db.requireTransaction()
    return (await db.query(lockUsers(db, userIds))).map(userOf)
  },
  async addAlias(retiredUserId, primaryUserId, at) {
    await db.change(addAlias, { retiredUserId, primaryUserId, at })
  },
  async removeAlias(retiredUserId) {
    await db.change(removeAlias, { retiredUserId })
  },
  async findAlias(retiredUserId) {
    return (await db.first(findAlias, { retiredUserId }))?.primary_user_id
  },
})

const COLUMNS = [
  'user_id',
  'email',
  'address',
  'email_verified',
  'name',
  'given_name',
  'family_name',
  'nickname',
  'username',
  'picture',
  'phone_number',
  'user_metadata',
  'app_metadata',
  'blocked',
  'created_at',
  'updated_at',
  'last_login',
  'last_ip',
  'logins_count',
] as const

/** What is written, and never read back. */
const WRITTEN = [...COLUMNS, 'name_key'] as const

const findUser = statement((q, p: { userId: string }) =>
  q.selectFrom('users').select(COLUMNS).where('user_id', '=', p.userId),
)

const listAfter = statement((q, p: { userId: string; limit: number }) =>
  q.selectFrom('users').select(COLUMNS).where('user_id', '>', p.userId).orderBy('user_id').limit(p.limit),
)

const listByAddress = statement((q, p: { address: string }) =>
  q.selectFrom('users').select(COLUMNS).where('address', '=', p.address).orderBy('created_at').orderBy('user_id'),
)

const claimId = statement((q, p: { userId: string }) =>
  q
    .insertInto('given_user_ids')
    .values({ user_id: p.userId })
    .onConflict((conflict) => conflict.doNothing()),
)

const insertUser = statement((q, p: Written) => q.insertInto('users').values(pick(p, WRITTEN)))

const replaceUser = statement((q, p: Written) => {
  const { user_id, created_at: _, ...changed } = pick(p, WRITTEN)
  return q.updateTable('users').set(changed).where('user_id', '=', user_id)
})

const recordLogin = statement((q, p: { userId: string; at: number; ip: string | null }) =>
  q
    .updateTable('users')
    .set((eb) => ({ last_login: p.at, last_ip: p.ip, logins_count: eb('logins_count', '+', 1) }))
    .where('user_id', '=', p.userId),
)

const deletePasswords = statement((q, p: { userId: string }) => deleteKeys(q, 'passwords', p.userId))
const deletePasskeys = statement((q, p: { userId: string }) => deleteKeys(q, 'passkeys', p.userId))

const deleteKeys = (q: Builder, table: 'passwords' | 'passkeys', userId: string) =>
  q
    .deleteFrom(table)
    // By the key of each: with `exists`, SQLite would look at every row that there is.
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('connection_id', 'subject'),
        'in',
        selectFrom('identities')
          .select(['identities.connection_id', 'identities.subject'])
          .where('identities.user_id', '=', userId)
          .$asTuple('connection_id', 'subject'),
      ),
    )

const deleteArtifacts = statement((q, p: { userId: string }) =>
  q.deleteFrom('artifacts').where('user_id', '=', p.userId),
)

const deleteTransactions = statement((q, p: { userId: string }) =>
  q.deleteFrom('upstream_transactions').where('user_id', '=', p.userId),
)

const deleteUser = statement((q, p: { userId: string }) => q.deleteFrom('users').where('user_id', '=', p.userId))

/** The lock lets rows that point to the user be written meanwhile: its key does not change. */
const lockUsers = (db: Db, userIds: readonly string[]) => {
  const users = db.builder
    .selectFrom('users')
    .select(COLUMNS)
    .where('user_id', 'in', orNone(userIds))
    .orderBy('user_id')
  return locksRows(db.dialect) ? users.forNoKeyUpdate() : users
}

const locksRows = (dialect: Dialect): boolean => dialect === 'postgres'

const addAlias = statement((q, p: { retiredUserId: string; primaryUserId: string; at: number }) =>
  q
    .insertInto('user_aliases')
    .values({ retired_user_id: p.retiredUserId, primary_user_id: p.primaryUserId, retired_at: p.at })
    .onConflict((conflict) =>
      conflict.column('retired_user_id').doUpdateSet({ primary_user_id: p.primaryUserId, retired_at: p.at }),
    ),
)

const removeAlias = statement((q, p: { retiredUserId: string }) =>
  q.deleteFrom('user_aliases').where('retired_user_id', '=', p.retiredUserId),
)

const findAlias = statement((q, p: { retiredUserId: string }) =>
  q.selectFrom('user_aliases').select('primary_user_id').where('retired_user_id', '=', p.retiredUserId),
)

type Row = Readonly<Pick<UsersTable, (typeof COLUMNS)[number]>>
type Written = Readonly<Pick<UsersTable, (typeof WRITTEN)[number]>>

const userOf = (row: Row): User => ({
  userId: row.user_id,
  email: row.email ?? undefined,
  emailVerified: row.email_verified === 1,
  profile: profileOf(row),
  userMetadata: documentOf(row.user_metadata),
  appMetadata: documentOf(row.app_metadata),
  blocked: row.blocked === 1,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  lastLogin: row.last_login ?? undefined,
  lastIp: row.last_ip ?? undefined,
  loginsCount: row.logins_count,
})

const profileOf = (row: Row): Profile => ({
  ...(row.name !== null && { name: row.name }),
  ...(row.given_name !== null && { givenName: row.given_name }),
  ...(row.family_name !== null && { familyName: row.family_name }),
  ...(row.nickname !== null && { nickname: row.nickname }),
  ...(row.username !== null && { username: row.username }),
  ...(row.picture !== null && { picture: row.picture }),
  ...(row.phone_number !== null && { phoneNumber: row.phone_number }),
})

const rowOf = ({ profile, ...user }: User): Written => ({
  user_id: user.userId,
  email: user.email ?? null,
  address: user.email === undefined ? null : (canonicalAddress(user.email) ?? null),
  email_verified: flag(user.emailVerified),
  name: profile.name ?? null,
  name_key: profile.name === undefined ? null : nameKey(profile.name),
  given_name: profile.givenName ?? null,
  family_name: profile.familyName ?? null,
  nickname: profile.nickname ?? null,
  username: profile.username ?? null,
  picture: profile.picture ?? null,
  phone_number: profile.phoneNumber ?? null,
  user_metadata: JSON.stringify(user.userMetadata),
  app_metadata: JSON.stringify(user.appMetadata),
  blocked: flag(user.blocked),
  created_at: user.createdAt,
  updated_at: user.updatedAt,
  last_login: user.lastLogin ?? null,
  last_ip: user.lastIp ?? null,
  logins_count: user.loginsCount,
})
