// Receivers of events, and what waits for each of them. docs/formats/storage.md explains the tables.
//
// The database itself queues an event for whoever wants it, in the statement that records it: no code path can forget it,
// and what is rolled back was never queued. Nothing refers to `webhooks`: a transaction that records an event must not fail
// because somebody takes a receiver away meanwhile.
import type { ColumnTypes } from '../migrations.ts'

export const webhooks = ({ dialect, text, integer, bytes, tableEnd }: ColumnTypes): readonly string[] => [
  `create table webhooks (
    id ${text} primary key,
    url ${text} not null,
    envelope ${bytes} not null,
    lease_until ${integer} not null,
    paused_until ${integer} not null,
    failures ${integer} not null,
    failing_since ${integer},
    last_failure ${text}
  ${tableEnd}`,
  `create table webhook_patterns (
    webhook_id ${text} not null,
    pattern ${text} not null,
    primary key (webhook_id, pattern)
  ${tableEnd}`,
  `create table webhook_deliveries (
    webhook_id ${text} not null,
    seq ${integer} not null,
    event_at ${integer} not null,
    due_at ${integer} not null,
    attempts ${integer} not null,
    failing_since ${integer},
    primary key (webhook_id, seq)
  ${tableEnd}`,
  ...(dialect === 'sqlite' ? QUEUE_ON_SQLITE : QUEUE_ON_POSTGRES),
]

/** What an event of a webhook's own failing would start again and again is left out. */
const queue = (event: string, from = ''): string =>
  `insert into webhook_deliveries (webhook_id, seq, event_at, due_at, attempts)
   select distinct p.webhook_id, ${event}.seq, ${event}.at, 0, 0 from webhook_patterns p ${from}
   where ${event}.type <> 'webhook.abandoned' and (p.pattern = ${event}.type or (p.pattern like '%*'
     and substr(${event}.type, 1, length(p.pattern) - 1) = substr(p.pattern, 1, length(p.pattern) - 1)))`

/** Most deployments have no receiver: they pay for one look at an empty table. */
const ANY = 'exists (select 1 from webhook_patterns)'

const QUEUE_ON_SQLITE = [
  `create trigger webhooks_of_event after insert on events when ${ANY} begin ${queue('new')}; end`,
] as const

const QUEUE_ON_POSTGRES = [
  `create function queue_webhooks() returns trigger language plpgsql as $$
   begin if ${ANY} then ${queue('added', 'cross join added')}; end if; return null; end $$`,
  `create trigger webhooks_of_events after insert on events referencing new table as added
   for each statement execute function queue_webhooks()`,
] as const
