// Connected accounts and kept tokensets. Rows and their mapping are in account-rows.ts.
import { type ExpressionBuilder, sql } from 'kysely'
import type { Health, Purpose } from '../../domain/tokenset.ts'
import type { Schema } from '../schema.ts'
import type { Accounts } from '../vault-repositories.ts'
import { ACCOUNT_COLUMNS, accountOf, rowOf, STORED_COLUMNS, type StoredRow, storedOf } from './account-rows.ts'
import type { Db } from './db.ts'
import { orNone, pick } from './rows.ts'
import { type Builder, statement } from './statement.ts'

export const accountsTable = (db: Db): Accounts => ({
  async find(id) {
    const row = await db.first(findAccount, { id })
    return row && storedOf(row)
  },
  async findBySubject(key) {
    const row = await db.first(findBySubject, key)
    return row && storedOf(row)
  },
  async listOfUser(userId, filter) {
    const rows = filter ? db.query(accountsOfUser(db.builder, userId, filter)) : db.all(allOfUser, { userId })
    return (await rows).map(accountOf)
  },
  async listCandidates(userId, connectionId) {
    return (await db.all(listCandidates, { userId, connectionId })).map(storedOf)
  },
  async countOfSubject(connectionId, subject) {
    return Number((await db.first(countOfSubject, { connectionId, subject }))?.count ?? 0)
  },
  async insert(account) {
    return (await db.change(insertAccount, rowOf(account))) === 1
  },
  async replace(account, expectedGeneration) {
    return (await db.change(replaceAccount, { ...rowOf(account), expectedGeneration })) === 1
  },
  async claimLease(id, lease) {
    return (await db.change(claimLease, { id, ...lease })) === 1
  },
  async putIntent(id, holder, generation, at) {
    return (await db.change(putIntent, { id, holder, generation, at })) === 1
  },
  async releaseLease(id, holder) {
    await db.change(releaseLease, { id, holder })
  },
  async listOpenIntents(now, limit) {
    return (await db.all(listOpenIntents, { now, limit })).map(storedOf)
  },
  async setHealth(id, health, reason, expectedGeneration) {
    return (await db.change(setHealth, { id, health, reason: reason ?? null, expectedGeneration })) === 1
  },
  async setUse(id, at) {
    await db.change(setUse, { id, at })
  },
  async setLabel(id, userId, label) {
    return (await db.change(setLabel, { id, userId, label })) === 1
  },
  async setDefault(id, userId) {
    return (await db.change(setDefault, { id, userId })) > 0
  },
  async raiseGeneration(id) {
    await db.change(raiseGeneration, { id })
  },
  async move(id, toUserId, envelope, expectedGeneration) {
    return (await db.change(moveAccount, { id, toUserId, envelope, expectedGeneration })) === 1
  },
  async delete(id) {
    return (await db.change(deleteAccount, { id })) === 1
  },
  async listExpiring(query) {
    return (await db.all(listExpiring, query)).map(accountOf)
  },
  async listOfConnection(connectionId, limit) {
    return (await db.all(listOfConnection, { connectionId, limit })).map(({ id }) => id)
  },
  async listEnding({ past = { at: 0, id: '' }, ...query }) {
    return (await db.all(listEnding, { ...query, pastAt: past.at, pastId: past.id })).map(accountOf)
  },
  async countEnding(before) {
    const rows = await db.all(countEnding, { before })
    return new Map(rows.map(({ connection_id: id, count }) => [id, Number(count)]))
  },
})

const findAccount = statement((q, p: { id: string }) =>
  q.selectFrom('accounts').select(STORED_COLUMNS).where('id', '=', p.id),
)

const findBySubject = statement((q, p: { userId: string; connectionId: string; subject: string; purpose: Purpose }) =>
  q
    .selectFrom('accounts')
    .select(STORED_COLUMNS)
    .where('user_id', '=', p.userId)
    .where('connection_id', '=', p.connectionId)
    .where('subject', '=', p.subject)
    .where('purpose', '=', p.purpose),
)

type Filter = NonNullable<Parameters<Accounts['listOfUser']>[1]>

function accountsOfUser(q: Builder, userId: string, { purpose, connectionIds, limit, after }: Filter) {
  let query = q.selectFrom('accounts').select(ACCOUNT_COLUMNS).where('user_id', '=', userId)
  if (purpose !== undefined) query = query.where('purpose', '=', purpose)
  if (connectionIds !== undefined) query = query.where('connection_id', 'in', orNone(connectionIds))
  if (limit !== undefined) query = query.limit(limit)
  if (after !== undefined) {
    query = query.where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('connected_at', 'id'),
        '<',
        selectFrom('accounts as last')
          .select(['last.connected_at', 'last.id'])
          .where('last.id', '=', after)
          .where('last.user_id', '=', userId)
          .$asTuple('connected_at', 'id'),
      ),
    )
  }
  return query.orderBy('connected_at', 'desc').orderBy('id', 'desc')
}

const allOfUser = statement((q, p: { userId: string }) => accountsOfUser(q, p.userId, {}))

// 'agents' comes before 'sign_in' in the alphabet.
const listCandidates = statement((q, p: { userId: string; connectionId: string }) =>
  q
    .selectFrom('accounts')
    .select(STORED_COLUMNS)
    .where('user_id', '=', p.userId)
    .where('connection_id', '=', p.connectionId)
    .orderBy('purpose')
    .orderBy('connected_at', 'desc')
    .orderBy('id', 'desc'),
)

const countOfSubject = statement((q, p: { connectionId: string; subject: string }) =>
  q
    .selectFrom('accounts')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('connection_id', '=', p.connectionId)
    .where('subject', '=', p.subject),
)

const insertAccount = statement((q, p: StoredRow) =>
  q
    .insertInto('accounts')
    .values(pick(p, STORED_COLUMNS))
    .onConflict((conflict) => conflict.doNothing()),
)

const REPLACED = [
  'client_id',
  'scopes_asked',
  'scopes_granted',
  'health',
  'health_reason',
  'extras',
  'connected_at',
  'access_expires_at',
  'refresh_expires_at',
  'has_refresh_token',
  'intent_generation',
  'intent_started_at',
  'envelope',
] as const

const replaceAccount = statement((q, p: StoredRow & { expectedGeneration: number }) =>
  q
    .updateTable('accounts')
    .set((eb) => ({ ...pick(p, REPLACED), generation: eb('generation', '+', 1) }))
    .where('id', '=', p.id)
    .where('generation', '=', p.expectedGeneration),
)

const claimLease = statement((q, p: { id: string; generation: number; holder: string; now: number; until: number }) =>
  q
    .updateTable('accounts')
    .set({ lease_holder: p.holder, lease_generation: p.generation, lease_until: p.until })
    .where('id', '=', p.id)
    .where('generation', '=', p.generation)
    .where((eb) =>
      eb.or([eb('lease_until', 'is', null), eb('lease_until', '<=', p.now), eb('lease_holder', '=', p.holder)]),
    ),
)

const putIntent = statement((q, p: { id: string; holder: string; generation: number; at: number }) =>
  q
    .updateTable('accounts')
    .set({ intent_generation: p.generation, intent_started_at: p.at })
    .where('id', '=', p.id)
    .where('generation', '=', p.generation)
    .where('lease_holder', '=', p.holder)
    .where('lease_generation', '=', p.generation)
    .where('lease_until', '>', p.at),
)

const releaseLease = statement((q, p: { id: string; holder: string }) =>
  q
    .updateTable('accounts')
    .set({
      intent_generation: null,
      intent_started_at: null,
      lease_holder: null,
      lease_generation: null,
      lease_until: null,
    })
    .where('id', '=', p.id)
    .where('lease_holder', '=', p.holder),
)

const listOpenIntents = statement((q, p: { now: number; limit: number }) =>
  q
    .selectFrom('accounts')
    .select(STORED_COLUMNS)
    .where('intent_generation', 'is not', null)
    // Those of a backup are tried by whoever needs them, not all at once after a restore.
    .where('intent_started_at', '>', 0)
    .where((eb) => eb.or([eb('lease_until', 'is', null), eb('lease_until', '<=', p.now)]))
    .orderBy('intent_started_at')
    .limit(p.limit),
)

const setHealth = statement((q, p: { id: string; health: Health; reason: string | null; expectedGeneration: number }) =>
  q
    .updateTable('accounts')
    .set({ health: p.health, health_reason: p.reason })
    .where('id', '=', p.id)
    .where('generation', '=', p.expectedGeneration),
)

const setUse = statement((q, p: { id: string; at: number }) =>
  q.updateTable('accounts').set({ last_used_at: p.at }).where('id', '=', p.id),
)

const setLabel = statement((q, p: { id: string; userId: string; label: string }) =>
  q.updateTable('accounts').set({ label: p.label }).where('id', '=', p.id).where('user_id', '=', p.userId),
)

/** One statement for the account and its siblings, so that two callers leave one default behind. */
const setDefault = statement((q, p: { id: string; userId: string }) =>
  q
    .updateTable('accounts')
    .set((eb) => ({ is_default: eb.case().when('id', '=', p.id).then(eb.lit(1)).else(eb.lit(0)).end() }))
    .where('user_id', '=', p.userId)
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('connection_id', 'purpose'),
        'in',
        selectFrom('accounts as chosen')
          .select(['chosen.connection_id', 'chosen.purpose'])
          .where('chosen.id', '=', p.id)
          .where('chosen.user_id', '=', p.userId)
          .$asTuple('connection_id', 'purpose'),
      ),
    ),
)

const raiseGeneration = statement((q, p: { id: string }) =>
  q
    .updateTable('accounts')
    .set((eb) => ({ generation: eb('generation', '+', 1) }))
    .where('id', '=', p.id),
)

/** Refused when the user has this upstream account already: the caller decides which tokenset stays. */
const moveAccount = statement(
  (q, p: { id: string; toUserId: string; envelope: Uint8Array; expectedGeneration: number }) =>
    q
      .updateTable('accounts')
      .set((eb) => ({
        user_id: p.toUserId,
        envelope: p.envelope,
        is_default: eb.lit(0),
        generation: eb('generation', '+', 1),
      }))
      .where('id', '=', p.id)
      .where('generation', '=', p.expectedGeneration)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('accounts as others')
              .select('others.id')
              .where('others.user_id', '=', p.toUserId)
              .whereRef('others.connection_id', '=', 'accounts.connection_id')
              .whereRef('others.subject', '=', 'accounts.subject')
              .whereRef('others.purpose', '=', 'accounts.purpose'),
          ),
        ),
      ),
)

const deleteAccount = statement((q, p: { id: string }) => q.deleteFrom('accounts').where('id', '=', p.id))

const listExpiring = statement((q, p: { usedSince: number; after: number; before: number; limit: number }) =>
  q
    .selectFrom('accounts')
    .select(ACCOUNT_COLUMNS)
    // A literal, so that the partial index serves.
    .where((eb) => eb('has_refresh_token', '=', eb.lit(1)))
    .where('access_expires_at', '>', p.after)
    .where('access_expires_at', '<', p.before)
    .where('last_used_at', '>=', p.usedSince)
    .orderBy('access_expires_at')
    .limit(p.limit),
)

/** As the index `accounts_end` has it, to the letter: the databases compare expressions as they are written. */
const END = sql<number>`case when has_refresh_token = 1 then refresh_expires_at else access_expires_at end`
const WORKS = sql<boolean>`health not in ('revoked', 'reconnect_required')`

/** Works still, and nothing renews it past that time. */
const endsBefore = (eb: ExpressionBuilder<Schema, 'accounts'>, before: number) =>
  eb.and([WORKS, eb(END, 'is not', null), eb(END, '<', before)])

const listOfConnection = statement((q, p: { connectionId: string; limit: number }) =>
  q.selectFrom('accounts').select('id').where('connection_id', '=', p.connectionId).limit(p.limit),
)

const listEnding = statement((q, p: { pastAt: number; pastId: string; before: number; limit: number }) =>
  q
    .selectFrom('accounts')
    .select(ACCOUNT_COLUMNS)
    .where((eb) => endsBefore(eb, p.before))
    .where(END, '>=', p.pastAt)
    .where((eb) => eb.or([eb(END, '>', p.pastAt), eb('id', '>', p.pastId)]))
    .orderBy(END)
    .orderBy('id')
    .limit(p.limit),
)

/** Not the column itself: SQLite would walk all accounts in its order rather than look up those that end. */
const CONNECTION = sql<string>`connection_id || ''`

const countEnding = statement((q, p: { before: number }) =>
  q
    .selectFrom('accounts')
    .select((eb) => [CONNECTION.as('connection_id'), eb.fn.countAll().as('count')])
    .where((eb) => endsBefore(eb, p.before))
    .groupBy(CONNECTION),
)
