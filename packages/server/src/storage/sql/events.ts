import { sql } from 'kysely'
import type { Event, NewEvent } from '../../domain/event.ts'
import type { EventsTable } from '../schema.ts'
import type { Events } from '../storage.ts'
import type { Db } from './db.ts'
import { documentOf, orNone, pick } from './rows.ts'
import { type Builder, statement } from './statement.ts'

export const eventsTable = (db: Db): Events => ({
  async append(event) {
    await db.change(insertEvent, rowOf(event))
  },
  async appendAll(events) {
    if (events.length === 0) return
    // A statement costs next to nothing in SQLite and a round trip in PostgreSQL.
    if (db.dialect === 'sqlite') for (const event of events) await db.change(insertEvent, rowOf(event))
    else await db.change(insertEvents, columnsOf(events.map(rowOf)))
  },
  async list(query) {
    return (await db.query(eventsMatching(db.builder, query))).map(eventOf)
  },
})

const COLUMNS = [
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

const insertEvent = statement((q, p: Row) => q.insertInto('events').values(pick(p, COLUMNS)))

/** PostgreSQL alone: each column as an array, so that the statement stays the same however many rows there are. */
const insertEvents = statement((q, p: Columns) =>
  q
    .insertInto('events')
    .columns(COLUMNS)
    .expression((eb) =>
      eb
        .selectFrom(
          sql<Row>`(select * from unnest(${p.type}::text[], ${p.at}::bigint[], ${p.outcome}::text[],
            ${p.user_id}::text[], ${p.client_id}::text[], ${p.actor}::text[], ${p.connection_id}::text[],
            ${p.account_id}::text[], ${p.data}::text[]) as given (${sql.join(COLUMNS.map((one) => sql.ref(one)))}))`.as(
            'many',
          ),
        )
        .select(COLUMNS),
    ),
)

type Columns = { readonly [C in keyof Row]: readonly Row[C][] }

const columnsOf = (rows: readonly Row[]): Columns =>
  // As in `pick`: one array for each column.
  Object.fromEntries(COLUMNS.map((column) => [column, rows.map((row) => row[column])])) as unknown as Columns

type Query = Parameters<Events['list']>[0]

function eventsMatching(q: Builder, { afterSeq, userId, types, descending, offset, limit }: Query) {
  let query = q.selectFrom('events').select(['seq', ...COLUMNS])
  if (afterSeq !== undefined) query = query.where('seq', '>', afterSeq)
  if (userId !== undefined) query = query.where('user_id', '=', userId)
  if (types !== undefined) query = query.where('type', 'in', orNone(types))
  if (offset !== undefined) query = query.offset(offset)
  return query.orderBy('seq', descending ? 'desc' : 'asc').limit(limit)
}

type Row = Readonly<Pick<EventsTable, (typeof COLUMNS)[number]>>

const eventOf = (row: Row & { readonly seq: number }): Event => ({
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
