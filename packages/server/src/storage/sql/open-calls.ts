import type { NewEvent } from '../../domain/event.ts'
import type { OpenCalls } from '../queue-repositories.ts'
import type { Schema } from '../schema.ts'
import type { Db } from './db.ts'
import { passingLocked } from './rows.ts'
import { type Dialect, statement } from './statement.ts'

export const openCallsTable = (db: Db): OpenCalls => ({
  async insert({ id, beganAt, event }) {
    await db.change(insertCall, { id, began_at: beganAt, event: JSON.stringify(event) })
  },
  async close(id) {
    await db.change(deleteCall, { id })
  },
  async claimForgotten(before, limit) {
    const rows = await db.all(claimForgotten, { before, limit })
    // Written above, and by nothing else.
    return rows.map(({ event }) => JSON.parse(event) as NewEvent)
  },
})

const insertCall = statement((q, p: Schema['open_calls'] & { readonly [name: string]: unknown }) =>
  q.insertInto('open_calls').values({ id: p.id, began_at: p.began_at, event: p.event }),
)

const deleteCall = statement((q, p: { id: string }) => q.deleteFrom('open_calls').where('id', '=', p.id))

const claimForgotten = statement((q, p: { before: number; limit: number }, dialect: Dialect) =>
  q
    .with('forgotten', (of) =>
      passingLocked(of.selectFrom('open_calls').select('id').where('began_at', '<', p.before).limit(p.limit), dialect),
    )
    .deleteFrom('open_calls')
    .where('id', 'in', (of) => of.selectFrom('forgotten').select('forgotten.id'))
    .returning('event'),
)
