// Receivers of events, and what waits for each of them.
import { sql } from 'kysely'
import type { WebhookDeliveriesTable, WebhooksTable } from '../schema.ts'
import type { WebhookDelivery, WebhookLease, WebhookRecord, WebhookState, Webhooks } from '../webhook-repository.ts'
import type { Db } from './db.ts'
import { EVENT_COLUMNS, eventOf } from './events.ts'
import { passingLocked } from './rows.ts'
import { type Builder, type Dialect, statement } from './statement.ts'

export const webhooksTable = (db: Db): Webhooks => ({
  async list() {
    const patterns = await db.all(listPatterns, {})
    return (await db.all(listWebhooks, {})).map((row) => recordOf(row, patterns))
  },
  async put({ id, url, envelope, patterns }) {
    await db.change(putWebhook, { id, url, envelope })
    await db.change(deletePatterns, { id })
    for (const pattern of patterns) await db.change(insertPattern, { id, pattern })
  },
  async delete(id) {
    await db.change(deletePatterns, { id })
    await db.change(deleteDeliveries, { id })
    await db.change(deleteWebhook, { id })
  },
  async states() {
    return (await db.all(listStates, {})).map(stateOf)
  },
  async isAnyDue(now) {
    return (await db.query(dueWebhooks(db.builder, now).limit(1))).length > 0
  },
  async claim({ now, leaseSeconds }) {
    const leaseUntil = now + leaseSeconds
    const rows = await db.all(claimWebhooks, { now, until: leaseUntil })
    return rows.map(({ id }): WebhookLease => ({ id, leaseUntil }))
  },
  async release({ id, leaseUntil }) {
    await db.change(releaseWebhook, { id, leaseUntil })
  },
  async findNext(id, now) {
    const row = await db.first(findNext, { id, now })
    return row && deliveryOf(row)
  },
  async delivered(id, seq) {
    await db.change(deleteDelivery, { id, seq })
    await db.change(noteSuccess, { id })
  },
  async putOff({ id, seq, at, dueAt, failure }) {
    await db.change(putOffDelivery, { id, seq, at, dueAt })
    // It answered: what it says of one event is no sign that it is down.
    await db.change(noteRefusal, { id, failure })
  },
  async pause({ id, seq, at, until, failure }) {
    await db.change(putOffDelivery, { id, seq, at, dueAt: 0 })
    await db.change(pauseWebhook, { id, at, until, failure })
  },
  async abandon(which) {
    const deletion = db.builder.deleteFrom('webhook_deliveries').where('webhook_id', '=', which.id).returning('seq')
    const rows = await db.query(
      'seq' in which ? deletion.where('seq', '=', which.seq) : deletion.where('event_at', '<=', which.before),
    )
    return rows.map(({ seq }) => seq).sort((a, b) => a - b)
  },
  async deleteOrphans() {
    return db.change(deleteOrphans, {})
  },
})

const listWebhooks = statement((q) => q.selectFrom('webhooks').select(['id', 'url', 'envelope']).orderBy('id'))
const listPatterns = statement((q) => q.selectFrom('webhook_patterns').selectAll().orderBy('pattern'))

const putWebhook = statement((q, p: Pick<WebhooksTable, 'id' | 'url' | 'envelope'>) =>
  q
    .insertInto('webhooks')
    .values({
      id: p.id,
      url: p.url,
      envelope: p.envelope,
      lease_until: 0,
      paused_until: 0,
      failures: 0,
      failing_since: null,
      last_failure: null,
    })
    .onConflict((on) => on.column('id').doUpdateSet({ url: p.url, envelope: p.envelope, paused_until: 0 })),
)

const deleteWebhook = statement((q, p: { id: string }) => q.deleteFrom('webhooks').where('id', '=', p.id))
const deletePatterns = statement((q, p: { id: string }) =>
  q.deleteFrom('webhook_patterns').where('webhook_id', '=', p.id),
)
const deleteDeliveries = statement((q, p: { id: string }) =>
  q.deleteFrom('webhook_deliveries').where('webhook_id', '=', p.id),
)
const insertPattern = statement((q, p: { id: string; pattern: string }) =>
  q.insertInto('webhook_patterns').values({ webhook_id: p.id, pattern: p.pattern }),
)

const listStates = statement((q) =>
  q
    .selectFrom('webhooks as w')
    .leftJoin('webhook_deliveries as d', 'd.webhook_id', 'w.id')
    .select(['w.id', 'w.url', 'w.failing_since', 'w.last_failure'])
    .select(({ fn }) => [fn.count('d.seq').as('waiting'), fn.min('d.event_at').as('oldest_at')])
    .groupBy(['w.id', 'w.url', 'w.failing_since', 'w.last_failure'])
    .orderBy('w.id'),
)

const dueWebhooks = (q: Builder, now: number) =>
  q
    .selectFrom('webhooks as w')
    .select('w.id')
    .where('w.lease_until', '<=', now)
    .where('w.paused_until', '<=', now)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('webhook_deliveries as d')
          .select(sql.lit(1).as('one'))
          .whereRef('d.webhook_id', '=', 'w.id')
          .where('d.due_at', '<=', now),
      ),
    )

const claimWebhooks = statement((q, p: { now: number; until: number }, dialect: Dialect) =>
  q
    .with('due', () => passingLocked(dueWebhooks(q, p.now), dialect))
    .updateTable('webhooks')
    .set({ lease_until: p.until })
    .where('id', 'in', (of) => of.selectFrom('due').select('due.id'))
    .returning('id'),
)

const releaseWebhook = statement((q, p: { id: string; leaseUntil: number }) =>
  q.updateTable('webhooks').set({ lease_until: 0 }).where('id', '=', p.id).where('lease_until', '=', p.leaseUntil),
)

const findNext = statement((q, p: { id: string; now: number }) =>
  q
    .selectFrom('webhook_deliveries as d')
    .innerJoin('webhooks as w', 'w.id', 'd.webhook_id')
    .innerJoin('events as e', 'e.seq', 'd.seq')
    .select(['e.seq', ...EVENT_COLUMNS.map((column) => `e.${column}` as const)])
    .select(['w.id as webhook_id', 'w.url', 'w.envelope', 'w.failures', 'w.failing_since as receiver_failing_since'])
    .select(['d.attempts', 'd.failing_since'])
    .where('d.webhook_id', '=', p.id)
    .where('d.due_at', '<=', p.now)
    .orderBy('d.seq')
    .limit(1),
)

const deleteDelivery = statement((q, p: { id: string; seq: number }) =>
  q.deleteFrom('webhook_deliveries').where('webhook_id', '=', p.id).where('seq', '=', p.seq),
)

const noteSuccess = statement((q, p: { id: string }) =>
  q.updateTable('webhooks').set({ failures: 0, failing_since: null }).where('id', '=', p.id).where('failures', '>', 0),
)

const putOffDelivery = statement((q, p: { id: string; seq: number; at: number; dueAt: number }) =>
  q
    .updateTable('webhook_deliveries')
    .set((eb) => ({
      due_at: p.dueAt,
      attempts: eb('attempts', '+', 1),
      failing_since: eb.fn.coalesce('failing_since', sql<number>`${p.at}`),
    }))
    .where('webhook_id', '=', p.id)
    .where('seq', '=', p.seq),
)

const noteRefusal = statement((q, p: { id: string; failure: string }) =>
  q.updateTable('webhooks').set({ failures: 0, failing_since: null, last_failure: p.failure }).where('id', '=', p.id),
)

const pauseWebhook = statement((q, p: { id: string; at: number; until: number; failure: string }) =>
  q
    .updateTable('webhooks')
    .set((eb) => ({
      paused_until: p.until,
      failures: eb('failures', '+', 1),
      failing_since: eb.fn.coalesce('failing_since', sql<number>`${p.at}`),
      last_failure: p.failure,
    }))
    .where('id', '=', p.id),
)

const deleteOrphans = statement((q) =>
  q.deleteFrom('webhook_deliveries').where('webhook_id', 'not in', (of) => of.selectFrom('webhooks').select('id')),
)

const recordOf = (
  { id, url, envelope }: Pick<WebhooksTable, 'id' | 'url' | 'envelope'>,
  patterns: readonly { readonly webhook_id: string; readonly pattern: string }[],
): WebhookRecord => ({
  id,
  url,
  envelope,
  patterns: patterns.filter(({ webhook_id }) => webhook_id === id).map(({ pattern }) => pattern),
})

type StateRow = Pick<WebhooksTable, 'id' | 'url' | 'failing_since' | 'last_failure'> & {
  readonly waiting: number | string | bigint
  readonly oldest_at: number | null
}

const stateOf = (row: StateRow): WebhookState => ({
  id: row.id,
  url: row.url,
  waiting: Number(row.waiting),
  oldestAt: row.oldest_at ?? undefined,
  failingSince: row.failing_since ?? undefined,
  lastFailure: row.last_failure ?? undefined,
})

type DeliveryRow = Parameters<typeof eventOf>[0] &
  Pick<WebhooksTable, 'url' | 'envelope' | 'failures'> &
  Pick<WebhookDeliveriesTable, 'webhook_id' | 'attempts' | 'failing_since'> & {
    readonly receiver_failing_since: number | null
  }

const deliveryOf = (row: DeliveryRow): WebhookDelivery => ({
  webhook: { id: row.webhook_id, url: row.url, envelope: row.envelope },
  event: eventOf(row),
  attempts: row.attempts,
  failingSince: row.failing_since ?? undefined,
  failures: row.failures,
  receiverFailingSince: row.receiver_failing_since ?? undefined,
})
