import { sql } from 'kysely'
import type { Event, NewEvent } from '../../domain/event.ts'
import type { EventTest } from '../../domain/search.ts'
import type { EventsTable } from '../schema.ts'
import type { Events, UseCount } from '../storage.ts'
import type { Db } from './db.ts'
import { type Columns, columnsOf, given } from './given.ts'
import { documentOf, orNone, pick } from './rows.ts'
import { type Condition, conditionOf, numberCondition, textCondition } from './search.ts'
import { type Builder, type Dialect, statement } from './statement.ts'

export const eventsTable = (db: Db): Events => ({
  async append(event) {
    await db.change(insertEvent, rowOf(event))
  },
  async appendAll(events) {
    if (events.length === 0) return
    // A statement costs next to nothing in SQLite and a round trip in PostgreSQL.
    if (db.dialect === 'sqlite') for (const event of events) await db.change(insertEvent, rowOf(event))
    else await db.change(insertEvents, { ...columnsOf(EVENT_COLUMNS, events.map(rowOf)) })
  },
  async list(query) {
    return (await db.query(eventsMatching(db.builder, db.dialect, query))).map(eventOf)
  },
  async countUses(query) {
    return (await db.all(countUses, query)).map(useCountOf)
  },
})

export const EVENT_COLUMNS = [
  'type',
  'at',
  'outcome',
  'user_id',
  'client_id',
  'actor',
  'connection_id',
  'account_id',
  'data',
] as const

const insertEvent = statement((q, p: Row) => q.insertInto('events').values(pick(p, EVENT_COLUMNS)))

const TYPES = {
  type: 'text',
  at: 'bigint',
  outcome: 'text',
  user_id: 'text',
  client_id: 'text',
  actor: 'text',
  connection_id: 'text',
  account_id: 'text',
  data: 'text',
} as const satisfies Record<keyof Row, 'text' | 'bigint'>

const insertEvents = statement((q, p: Columns<Row> & { readonly [name: string]: unknown }) =>
  q
    .insertInto('events')
    .columns(EVENT_COLUMNS)
    .expression((eb) => eb.selectFrom(given<Row>(p, TYPES).as('many')).select(EVENT_COLUMNS)),
)

type Query = Parameters<Events['list']>[0]

function eventsMatching(
  q: Builder,
  dialect: Dialect,
  { afterSeq, beforeSeq, userId, types, descending, offset, limit, ...only }: Query,
) {
  let query = q.selectFrom('events').select(['seq', ...EVENT_COLUMNS])
  if (afterSeq !== undefined) query = query.where('seq', '>', afterSeq)
  if (userId !== undefined) query = query.where('user_id', '=', userId)
  if (beforeSeq !== undefined) query = query.where('seq', '<', beforeSeq)
  if (only.clientId !== undefined) query = query.where('client_id', '=', only.clientId)
  if (only.accountId !== undefined) query = query.where('account_id', '=', only.accountId)
  if (only.outcome !== undefined) query = query.where('outcome', '=', only.outcome)
  if (only.matching !== undefined)
    query = query.where(conditionOf(only.matching, (test) => eventCondition(dialect, test)))
  if (types !== undefined) query = query.where('type', 'in', orNone(types))
  if (offset !== undefined) query = query.offset(offset)
  return query.orderBy('seq', descending ? 'desc' : 'asc').limit(limit)
}

const eventCondition = (dialect: Dialect, test: EventTest): Condition =>
  test.on === 'text'
    ? textCondition(dialect, sql.ref(`events.${test.field}`), test.match)
    : numberCondition(sql.ref(`events.${test.field}`), test.match)

const DAY_SECONDS = 86_400

/** A frequent user of agents has millions of events: the newest few are counted, and the rest left alone. */
const countUses = statement((q, p: { userId: string; type: string; since: number; limit: number }) =>
  q
    .selectFrom((from) =>
      from
        .selectFrom('events')
        .select(['client_id', 'connection_id', 'account_id', 'outcome', 'at'])
        .where('user_id', '=', p.userId)
        .where('type', '=', p.type)
        .orderBy('seq', 'desc')
        .limit(p.limit)
        .as('newest'),
    )
    .select(({ fn }) => [
      'client_id',
      'connection_id',
      'account_id',
      'outcome',
      // A literal, so that the database groups by what it selects.
      sql<number>`at / ${sql.lit(DAY_SECONDS)}`.as('day'),
      fn.countAll().as('count'),
      fn.max('at').as('last_at'),
    ])
    .where('at', '>=', p.since)
    .where('client_id', 'is not', null)
    .groupBy(['client_id', 'connection_id', 'account_id', 'outcome', sql`at / ${sql.lit(DAY_SECONDS)}`])
    .orderBy('day', 'desc'),
)

type UseRow = Readonly<Pick<EventsTable, 'client_id' | 'connection_id' | 'account_id' | 'outcome'>> & {
  readonly day: number
  readonly count: number | string | bigint
  readonly last_at: number
}

const useCountOf = (row: UseRow): UseCount => ({
  clientId: row.client_id ?? '',
  connectionId: row.connection_id ?? undefined,
  accountId: row.account_id ?? undefined,
  outcome: row.outcome,
  day: Number(row.day),
  count: Number(row.count),
  lastAt: Number(row.last_at),
})

type Row = Readonly<Pick<EventsTable, (typeof EVENT_COLUMNS)[number]>>

export const eventOf = (row: Row & { readonly seq: number }): Event => ({
  seq: row.seq,
  type: row.type,
  at: row.at,
  outcome: row.outcome,
  ...(row.user_id !== null && { userId: row.user_id }),
  ...(row.client_id !== null && { clientId: row.client_id }),
  ...(row.actor !== null && { actor: row.actor }),
  ...(row.connection_id !== null && { connectionId: row.connection_id }),
  ...(row.account_id !== null && { accountId: row.account_id }),
  ...(row.data !== null && { data: documentOf(row.data) }),
})

const rowOf = (event: NewEvent): Row => ({
  type: event.type,
  at: event.at,
  outcome: event.outcome,
  user_id: event.userId ?? null,
  client_id: event.clientId ?? null,
  actor: event.actor ?? null,
  connection_id: event.connectionId ?? null,
  account_id: event.accountId ?? null,
  data: event.data === undefined ? null : JSON.stringify(event.data),
})
