// Events as Auth0's tenant log (auth0-wire.md §6.4). Our own name of each fact stands beside its code.
import { z } from 'zod'
import type { Event } from '../../domain/event.ts'
import type { JsonObject } from '../../lib/json.ts'
import { toIso } from '../../lib/time.ts'
import type { Repositories } from '../../storage/storage.ts'
import { fieldsQuery, selectFields, shownOf } from '../fields.ts'
import { type Answer, type Operation, operation } from '../operation.ts'
import { cursorQuery, offsetQuery, windowOf } from '../paging.ts'
import { ApiRefusal, invalidQuery } from '../refusal.ts'
import type { ManagementDeps } from './deps.ts'
import { listAnswer } from './list-answer.ts'
import { parseLogSearch } from './log-search.ts'
import { logTypeOf, seqOf } from './log-types.ts'
import { userIdParams } from './users.ts'

const shape = z.object({ log_id: z.string(), date: z.string(), type: z.string() }).loose()
const query = z.object({
  q: z.string().max(4000).optional(),
  search: z.string().max(4000).optional(),
  ...offsetQuery,
  ...cursorQuery,
  ...fieldsQuery,
  sort: z
    .enum(['date:-1', 'date:1'])
    .transform((sort) => sort === 'date:-1')
    .optional(),
})
const SCOPES = ['read:logs', 'read:logs_users'] as const

export function logOperations(deps: ManagementDeps): readonly Operation[] {
  return [listLogs(deps), findLog(deps), listUserLogs(deps)]
}

const listLogs = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/logs',
      summary: 'The log, by page or from a log id on',
      tag: 'logs',
      scopes: SCOPES,
      query,
      answers: { 200: { description: 'Log entries', schema: listAnswer('logs', shownOf(shape)) } },
    },
    async ({ query: asked }) => answerLogs(storage, asked),
  )

const listUserLogs = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/users/{id}/logs',
      summary: 'The log of one user',
      tag: 'logs',
      scopes: SCOPES,
      params: userIdParams,
      query,
      answers: { 200: { description: 'Log entries', schema: listAnswer('logs', shownOf(shape)) } },
    },
    async ({ params: { id }, query: asked }) => answerLogs(storage, asked, id),
  )

const findLog = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/logs/{id}',
      summary: 'One log entry',
      tag: 'logs',
      scopes: SCOPES,
      params: z.object({ id: z.string().min(1).max(64) }),
      answers: { 200: { description: 'The entry', schema: shape }, 404: { description: 'inexistent_log' } },
    },
    async ({ params: { id } }) => {
      const seq = seqOf(id)
      const [event] = seq === undefined ? [] : await storage.events.list({ afterSeq: seq - 1, limit: 1 })
      if (event === undefined || event.seq !== seq) throw new ApiRefusal(404, 'inexistent_log', 'Log not found')
      return { status: 200, body: await serializeEvent(storage, event) }
    },
  )

/** From a log id: what comes after it, oldest first. By page: newest first unless `sort` says otherwise. */
async function answerLogs(storage: Repositories, asked: z.infer<typeof query>, userId?: string): Promise<Answer> {
  const q = asked.q ?? asked.search
  const ofUser = {
    ...(userId === undefined ? {} : { userId }),
    ...(q === undefined ? {} : { matching: parseLogSearch(q, await connectionIds(storage, q)) }),
  }
  const render = async (events: readonly Event[]) =>
    Promise.all(events.map(async (event) => selectFields(await serializeEvent(storage, event), asked)))
  if (asked.from !== undefined || asked.take !== undefined) {
    const afterSeq = asked.from === undefined ? 0 : seqOf(asked.from)
    if (afterSeq === undefined) throw invalidQuery('The log id is not valid.', 'from')
    return {
      status: 200,
      body: await render(await storage.events.list({ ...ofUser, afterSeq, limit: asked.take ?? 50 })),
    }
  }
  const { offset, limit, form } = windowOf(asked)
  const events = await storage.events.list({ ...ofUser, descending: asked.sort ?? true, offset, limit: limit + 1 })
  const items = await render(events.slice(0, limit))
  if (form === 'array') return { status: 200, body: items }
  // Nobody counts the whole log; one more tells that there is more.
  const total = offset + events.length
  return { status: 200, body: { start: offset, limit, length: items.length, total, logs: items } }
}

/** Which connections a search means by their names. */
async function connectionIds(storage: Repositories, q: string): Promise<ReadonlyMap<string, string>> {
  if (!/\bconnection:/.test(q)) return new Map()
  const { items } = await storage.connections.list({ offset: 0, limit: 1000 })
  return new Map(items.map(({ name, id }) => [name, id]))
}

const idOf = (seq: number): string => `90${String(seq).padStart(18, '0')}`

async function serializeEvent(storage: Repositories, event: Event): Promise<JsonObject> {
  const [connection, client] = await Promise.all([
    event.connectionId === undefined ? undefined : storage.connections.find(event.connectionId),
    event.clientId === undefined ? undefined : storage.clients.find(event.clientId),
  ])
  const name = client?.document.name
  return {
    _id: idOf(event.seq),
    log_id: idOf(event.seq),
    date: toIso(event.at),
    type: logTypeOf(event),
    description: event.type,
    ...(event.connectionId === undefined ? {} : { connection_id: event.connectionId }),
    ...(connection === undefined ? {} : { connection: connection.name, strategy: connection.strategy }),
    ...(event.clientId === undefined ? {} : { client_id: event.clientId }),
    ...(name === undefined ? {} : { client_name: name }),
    ...(event.userId === undefined ? {} : { user_id: event.userId }),
    details: {
      event: event.type,
      outcome: event.outcome,
      ...(event.actor === undefined ? {} : { actor: event.actor }),
      ...(event.accountId === undefined ? {} : { connected_account: { id: event.accountId } }),
      ...event.data,
    },
  }
}
