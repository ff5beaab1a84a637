// One session, whoever's it is (auth0-wire.md §6.4). Those of a user are listed in user-access.ts.
import { z } from 'zod'
import { NotFound } from '../../domain/errors.ts'
import { shortMetadata } from '../../protocol/fields.ts'
import type { Artifact } from '../../storage/records.ts'
import type { Repositories } from '../../storage/storage.ts'
import { type Caller, type Operation, operation } from '../operation.ts'
import { serializeSession, sessionShape } from './artifact-views.ts'
import type { ManagementDeps } from './deps.ts'

const params = z.object({ id: z.string().min(1).max(200) })

export function sessionOperations(deps: ManagementDeps): readonly Operation[] {
  return [find(deps), change(deps), remove(deps), revoke(deps)]
}

const find = ({ storage, clock, settings }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/sessions/{id}',
      summary: 'One session',
      tag: 'sessions',
      scopes: ['read:sessions'],
      params,
      answers: {
        200: { description: 'The session', schema: sessionShape },
        404: { description: 'inexistent_session' },
      },
    },
    async ({ params: { id } }) => {
      const session = await getSession(storage, id, clock())
      return { status: 200, body: serializeSession(session, settings().sessions.absoluteSeconds) }
    },
  )

const change = ({ storage, clock, settings }: ManagementDeps) =>
  operation(
    {
      method: 'patch',
      path: '/sessions/{id}',
      summary: 'Note something on a session; `null` clears all notes',
      tag: 'sessions',
      scopes: ['update:sessions'],
      params,
      body: z.strictObject({ session_metadata: shortMetadata().nullable() }),
      answers: {
        200: { description: 'The session', schema: sessionShape },
        404: { description: 'inexistent_session' },
      },
    },
    async ({ params: { id }, body }) => {
      const session = await storage.transaction(async (tx) => {
        const before = await getSession(tx, id, clock())
        const after = { ...before, payload: { ...before.payload, session_metadata: body.session_metadata ?? {} } }
        await tx.artifacts.put(after)
        return after
      })
      return { status: 200, body: serializeSession(session, settings().sessions.absoluteSeconds) }
    },
  )

const remove = (deps: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/sessions/{id}',
      summary: 'End a session; refresh tokens that it led to stay',
      tag: 'sessions',
      scopes: ['delete:sessions'],
      params,
      answers: { 202: { description: 'It has ended, or never was' } },
    },
    async ({ caller, params: { id } }) => {
      await endSession(deps, caller, { id, withTokens: false })
      return { status: 202 }
    },
  )

const revoke = (deps: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/sessions/{id}/revoke',
      summary: 'End a session and the refresh tokens that it led to',
      tag: 'sessions',
      scopes: ['delete:sessions'],
      params,
      answers: { 202: { description: 'They have ended, or never were' } },
    },
    async ({ caller, params: { id } }) => {
      await endSession(deps, caller, { id, withTokens: true })
      return { status: 202 }
    },
  )

async function endSession(
  { storage, clock }: ManagementDeps,
  caller: Caller,
  { id, withTokens }: { id: string; withTokens: boolean },
): Promise<void> {
  await storage.transaction(async (tx) => {
    const session = await tx.artifacts.findByUid('Session', id)
    if (session?.userId === undefined) return
    await tx.artifacts.delete('Session', session.idHash)
    if (withTokens)
      for (const token of await tx.artifacts.listOfUser('RefreshToken', session.userId))
        if (token.payload.sessionUid === id) await tx.artifacts.delete('RefreshToken', token.idHash)
    await tx.events.append({
      type: 'user.sessions_ended',
      at: clock(),
      outcome: 'ok',
      userId: session.userId,
      clientId: caller.clientId,
    })
  })
}

async function getSession(storage: Repositories, id: string, now: number): Promise<Artifact> {
  const session = await storage.artifacts.findByUid('Session', id)
  // One without a user is a browser that has not signed in.
  if (session?.userId === undefined || session.expiresAt <= now)
    throw new NotFound('inexistent_session', 'The session does not exist.')
  return session
}
