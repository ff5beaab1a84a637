import type { SignUps } from '../queue-repositories.ts'
import type { Schema } from '../schema.ts'
import type { Db } from './db.ts'
import { documentOf } from './rows.ts'
import { statement } from './statement.ts'

export const signUpsTable = (db: Db): SignUps => ({
  async find(idHash) {
    const row = await db.first(findSignUp, { idHash })
    return (
      row && {
        idHash: row.id_hash,
        connectionId: row.connection_id,
        subject: row.subject,
        address: row.address,
        profile: documentOf(row.profile),
        userMetadata: documentOf(row.user_metadata),
        createdAt: row.created_at,
        expiresAt: row.expires_at,
      }
    )
  },
  async insert(signUp) {
    await db.change(insertSignUp, {
      id_hash: signUp.idHash,
      connection_id: signUp.connectionId,
      subject: signUp.subject,
      address: signUp.address,
      profile: JSON.stringify(signUp.profile),
      user_metadata: JSON.stringify(signUp.userMetadata),
      created_at: signUp.createdAt,
      expires_at: signUp.expiresAt,
    })
  },
  async consume(idHash) {
    return (await db.change(deleteSignUp, { idHash })) === 1
  },
  async deleteExpired(before, limit) {
    return db.change(deleteExpired, { before, limit })
  },
})

const findSignUp = statement((q, p: { idHash: string }) =>
  q.selectFrom('sign_ups').selectAll().where('id_hash', '=', p.idHash),
)

const insertSignUp = statement((q, p: Schema['sign_ups'] & { readonly [name: string]: unknown }) =>
  q.insertInto('sign_ups').values({
    id_hash: p.id_hash,
    connection_id: p.connection_id,
    subject: p.subject,
    address: p.address,
    profile: p.profile,
    user_metadata: p.user_metadata,
    created_at: p.created_at,
    expires_at: p.expires_at,
  }),
)

const deleteSignUp = statement((q, p: { idHash: string }) => q.deleteFrom('sign_ups').where('id_hash', '=', p.idHash))

const deleteExpired = statement((q, p: { before: number; limit: number }) =>
  q
    .deleteFrom('sign_ups')
    .where('id_hash', 'in', (of) =>
      of.selectFrom('sign_ups').select('id_hash').where('expires_at', '<=', p.before).limit(p.limit),
    ),
)
