import type { AgentStops } from '../vault-repositories.ts'
import type { Db } from './db.ts'
import { statement } from './statement.ts'

export const agentStopsTable = (db: Db): AgentStops => ({
  async find(userId, clientId) {
    return (await db.first(findStop, { userId, clientId }))?.stopped_at
  },
  async listOfUser(userId) {
    return new Map((await db.all(listOfUser, { userId })).map((row) => [row.client_id, row.stopped_at]))
  },
  async put(userId, clientId, at) {
    return (await db.change(insertStop, { userId, clientId, at })) === 1
  },
  async delete(userId, clientId) {
    return (await db.change(deleteStop, { userId, clientId })) === 1
  },
})

type Key = { userId: string; clientId: string }

const findStop = statement((q, p: Key) =>
  q.selectFrom('agent_stops').select('stopped_at').where('user_id', '=', p.userId).where('client_id', '=', p.clientId),
)

const listOfUser = statement((q, p: { userId: string }) =>
  q.selectFrom('agent_stops').select(['client_id', 'stopped_at']).where('user_id', '=', p.userId),
)

const insertStop = statement((q, p: Key & { at: number }) =>
  q
    .insertInto('agent_stops')
    .values({ user_id: p.userId, client_id: p.clientId, stopped_at: p.at })
    .onConflict((conflict) => conflict.doNothing()),
)

const deleteStop = statement((q, p: Key) =>
  q.deleteFrom('agent_stops').where('user_id', '=', p.userId).where('client_id', '=', p.clientId),
)
