import type { PasskeyRecord, Passkeys } from '../factor-repository.ts'
import type { PasskeysTable } from '../schema.ts'
import type { Db } from './db.ts'
import { listOf, pick } from './rows.ts'
import { statement } from './statement.ts'

export const passkeysTable = (db: Db): Passkeys => ({
  async find(connectionId, subject) {
    const row = await db.first(findPasskey, { connectionId, subject })
    return row && recordOf(row)
  },
  async findBySubject(subject) {
    const row = await db.first(findBySubject, { subject })
    return row && recordOf(row)
  },
  async listOfUser(userId) {
    return (await db.all(listOfUser, { userId })).map(recordOf)
  },
  async insert(passkey) {
    return (await db.change(insertPasskey, rowOf(passkey))) === 1
  },
  async replaceCounter({ connectionId, subject }, from, to) {
    return (await db.change(replaceCounter, { connectionId, subject, from, to })) === 1
  },
  async setLabel({ connectionId, subject }, label) {
    await db.change(setLabel, { connectionId, subject, label })
  },
})

const COLUMNS = ['connection_id', 'subject', 'user_handle', 'public_key', 'counter', 'transports', 'label'] as const

type Key = { connectionId: string; subject: string }

const findPasskey = statement((q, p: Key) =>
  q.selectFrom('passkeys').select(COLUMNS).where('connection_id', '=', p.connectionId).where('subject', '=', p.subject),
)

const findBySubject = statement((q, p: { subject: string }) =>
  q.selectFrom('passkeys').select(COLUMNS).where('subject', '=', p.subject).orderBy('connection_id').limit(1),
)

const listOfUser = statement((q, p: { userId: string }) =>
  q
    .selectFrom('passkeys')
    .innerJoin('identities', (on) =>
      on
        .onRef('identities.connection_id', '=', 'passkeys.connection_id')
        .onRef('identities.subject', '=', 'passkeys.subject'),
    )
    .select(COLUMNS.map((column) => `passkeys.${column}` as const))
    .where('identities.user_id', '=', p.userId)
    .orderBy('identities.position'),
)

const insertPasskey = statement((q, p: Row) =>
  q
    .insertInto('passkeys')
    .values(pick(p, COLUMNS))
    .onConflict((conflict) => conflict.doNothing()),
)

const replaceCounter = statement((q, p: Key & { from: number; to: number }) =>
  q
    .updateTable('passkeys')
    .set({ counter: p.to })
    .where('connection_id', '=', p.connectionId)
    .where('subject', '=', p.subject)
    .where('counter', '=', p.from),
)

const setLabel = statement((q, p: Key & { label: string }) =>
  q
    .updateTable('passkeys')
    .set({ label: p.label })
    .where('connection_id', '=', p.connectionId)
    .where('subject', '=', p.subject),
)

type Row = Readonly<Pick<PasskeysTable, (typeof COLUMNS)[number]>>

const recordOf = (row: Row): PasskeyRecord => ({
  connectionId: row.connection_id,
  subject: row.subject,
  userHandle: row.user_handle,
  publicKey: row.public_key,
  counter: row.counter,
  transports: listOf(row.transports),
  label: row.label,
})

const rowOf = (passkey: PasskeyRecord): Row => ({
  connection_id: passkey.connectionId,
  subject: passkey.subject,
  user_handle: passkey.userHandle,
  public_key: passkey.publicKey,
  counter: passkey.counter,
  transports: JSON.stringify(passkey.transports),
  label: passkey.label,
})
