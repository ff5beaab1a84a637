import type { SigningKeyRecord } from '../records.ts'
import type { SigningKeysTable } from '../schema.ts'
import type { SigningKeys } from '../storage.ts'
import type { Db } from './db.ts'
import { documentOf, pick } from './rows.ts'
import { statement } from './statement.ts'

export const signingKeysTable = (db: Db): SigningKeys => ({
  async list() {
    return (await db.all(listKeys, {})).map(recordOf)
  },
  async insert(key) {
    await db.change(insertKey, rowOf(key))
  },
  async setState(kid, state, at) {
    await db.change(setState, { kid, state, at })
  },
  async replaceEnvelope(kid, envelope) {
    await db.change(replaceEnvelope, { kid, envelope })
  },
  async delete(kid) {
    await db.change(deleteKey, { kid })
  },
})

const COLUMNS = ['kid', 'state', 'public_jwk', 'envelope', 'created_at', 'changed_at'] as const

const listKeys = statement((q, _: Record<string, never>) =>
  q.selectFrom('signing_keys').select(COLUMNS).orderBy('created_at').orderBy('kid'),
)

const insertKey = statement((q, p: Row) => q.insertInto('signing_keys').values(pick(p, COLUMNS)))

const setState = statement((q, p: { kid: string; state: SigningKeyRecord['state']; at: number }) =>
  q.updateTable('signing_keys').set({ state: p.state, changed_at: p.at }).where('kid', '=', p.kid),
)

const replaceEnvelope = statement((q, p: { kid: string; envelope: Uint8Array }) =>
  q.updateTable('signing_keys').set({ envelope: p.envelope }).where('kid', '=', p.kid),
)

const deleteKey = statement((q, p: { kid: string }) => q.deleteFrom('signing_keys').where('kid', '=', p.kid))

type Row = Readonly<Pick<SigningKeysTable, (typeof COLUMNS)[number]>>

const recordOf = (row: Row): SigningKeyRecord => ({
  kid: row.kid,
  state: row.state,
  publicJwk: documentOf(row.public_jwk),
  envelope: row.envelope,
  createdAt: row.created_at,
  changedAt: row.changed_at,
})

const rowOf = (key: SigningKeyRecord): Row => ({
  kid: key.kid,
  state: key.state,
  public_jwk: JSON.stringify(key.publicJwk),
  envelope: key.envelope,
  created_at: key.createdAt,
  changed_at: key.changedAt,
})
