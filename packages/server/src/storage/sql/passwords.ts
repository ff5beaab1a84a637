import type { PasswordsTable } from '../schema.ts'
import type { PasswordRecord, Passwords } from '../storage.ts'
import type { Db } from './db.ts'
import { pick } from './rows.ts'
import { statement } from './statement.ts'

export const passwordsTable = (db: Db): Passwords => ({
  async findByAddress(connectionId, address) {
    const row = await db.first(findByAddress, { connectionId, address })
    return row && recordOf(row)
  },
  async find(connectionId, subject) {
    const row = await db.first(findPassword, { connectionId, subject })
    return row && recordOf(row)
  },
  async insert(password) {
    return (await db.change(insertPassword, rowOf(password))) === 1
  },
  async replaceHash(connectionId, subject, hash, at) {
    return (await db.change(replaceHash, { connectionId, subject, hash, at })) === 1
  },
  async renewHash(connectionId, subject, hash, fromHash) {
    return (await db.change(renewHash, { connectionId, subject, hash, fromHash })) === 1
  },
  async replaceAddress(connectionId, subject, address) {
    return (await db.change(replaceAddress, { connectionId, subject, address })) === 1
  },
})

const COLUMNS = ['connection_id', 'subject', 'address', 'hash', 'changed_at'] as const

type Key = { connectionId: string; subject: string }

const findByAddress = statement((q, p: { connectionId: string; address: string }) =>
  q
    .selectFrom('passwords')
    .select(COLUMNS)
    .where('connection_id', '=', p.connectionId)
    .where('address', '=', p.address),
)

const findPassword = statement((q, p: Key) =>
  q
    .selectFrom('passwords')
    .select(COLUMNS)
    .where('connection_id', '=', p.connectionId)
    .where('subject', '=', p.subject),
)

const insertPassword = statement((q, p: Row) =>
  q
    .insertInto('passwords')
    .values(pick(p, COLUMNS))
    .onConflict((conflict) => conflict.doNothing()),
)

const replaceHash = statement((q, p: Key & { hash: string; at: number }) =>
  q
    .updateTable('passwords')
    .set({ hash: p.hash, changed_at: p.at })
    .where('connection_id', '=', p.connectionId)
    .where('subject', '=', p.subject),
)

const renewHash = statement((q, p: Key & { hash: string; fromHash: string }) =>
  q
    .updateTable('passwords')
    .set({ hash: p.hash })
    .where('connection_id', '=', p.connectionId)
    .where('subject', '=', p.subject)
    .where('hash', '=', p.fromHash),
)

// Two takers of one address at the same moment both pass this look; the unique index stops the second, whose
// transaction runs again and then sees the first.
const replaceAddress = statement((q, p: Key & { address: string }) =>
  q
    .updateTable('passwords')
    .set({ address: p.address })
    .where('connection_id', '=', p.connectionId)
    .where('subject', '=', p.subject)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('passwords as others')
            .select('others.subject')
            .where('others.connection_id', '=', p.connectionId)
            .where('others.address', '=', p.address)
            .where('others.subject', '<>', p.subject),
        ),
      ),
    ),
)

type Row = Readonly<Pick<PasswordsTable, (typeof COLUMNS)[number]>>

const recordOf = (row: Row): PasswordRecord => ({
  connectionId: row.connection_id,
  subject: row.subject,
  address: row.address,
  hash: row.hash,
  changedAt: row.changed_at,
})

const rowOf = (password: PasswordRecord): Row => ({
  connection_id: password.connectionId,
  subject: password.subject,
  address: password.address,
  hash: password.hash,
  changed_at: password.changedAt,
})
