// What a user has under way: sessions, refresh tokens, connected accounts; and their end (auth0-wire.md §6.1).
import { z } from 'zod'
import { revokeUserAccess } from '../../accounts/end-access.ts'
import { provenAmong, tell } from '../../accounts/tell.ts'
import { transact } from '../../accounts/transact.ts'
import { endOf } from '../../domain/account-end.ts'
import type { VaultAccount } from '../../domain/tokenset.ts'
import type { JsonObject } from '../../lib/json.ts'
import { toIso } from '../../lib/time.ts'
import type { Repositories } from '../../storage/storage.ts'
import { type Operation, operation } from '../operation.ts'
import { cursorQuery, offsetQuery, pageAnswer, sliceOf, windowOf } from '../paging.ts'
import { insufficientScope } from '../refusal.ts'
import { refreshTokenShape, serializeSession, sessionShape } from './artifact-views.ts'
import type { ManagementDeps } from './deps.ts'
import { inexistentUser } from './inexistent-user.ts'
import { cursorAnswer } from './list-answer.ts'
import { viewRefreshTokens } from './refresh-tokens.ts'
import { userIdParams } from './users.ts'

const listQuery = z.object({ ...offsetQuery, ...cursorQuery })
const accountShape = z.object({
  id: z.string(),
  connection: z.string(),
  connection_id: z.string(),
  strategy: z.string(),
  access_type: z.literal('offline'),
  scopes: z.array(z.string()),
  created_at: z.string(),
  expires_at: z.string().optional(),
})
const notFound = { 404: { description: 'inexistent_user' } }

export function userAccessOperations(deps: ManagementDeps): readonly Operation[] {
  return [
    listAccounts(deps),
    listSessions(deps),
    endSessions(deps),
    listRefreshTokens(deps),
    endRefreshTokens(deps),
    revokeAccess(deps),
    deleteAuthenticators(deps),
  ]
}

const listAccounts = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/users/{id}/connected-accounts',
      summary: 'Upstream accounts that the user connected for agents',
      tag: 'users',
      scopes: ['read:users'],
      params: userIdParams,
      query: listQuery,
      answers: {
        200: { description: 'A page of connected accounts', schema: cursorAnswer('connected_accounts', accountShape) },
        ...notFound,
      },
    },
    async ({ params: { id }, query }) => {
      await requireUser(storage, id)
      const window = { ...windowOf(query), form: 'cursor' } as const
      const accounts = await storage.accounts.listOfUser(id, { purpose: 'agents' })
      const { items, total } = sliceOf(
        accounts.filter(({ health }) => health !== 'revoked'),
        window,
      )
      const views = await Promise.all(items.map((account) => serializeAccount(storage, account)))
      return pageAnswer('connected_accounts', window, { items: views, total })
    },
  )

async function serializeAccount(storage: Repositories, account: VaultAccount): Promise<JsonObject> {
  const connection = await storage.connections.find(account.connectionId)
  const endsAt = endOf(account)
  return {
    id: account.id,
    connection: connection?.name ?? '',
    connection_id: account.connectionId,
    strategy: connection?.strategy ?? '',
    access_type: 'offline',
    scopes: account.scopesGranted,
    created_at: toIso(account.createdAt),
    ...(endsAt === undefined ? {} : { expires_at: toIso(endsAt) }),
  }
}

const listSessions = ({ storage, clock, settings }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/users/{id}/sessions',
      summary: 'Sessions of a user',
      tag: 'users',
      scopes: ['read:sessions'],
      params: userIdParams,
      query: listQuery,
      answers: {
        200: { description: 'A page of sessions', schema: cursorAnswer('sessions', sessionShape) },
        ...notFound,
      },
    },
    async ({ params: { id }, query }) => {
      await requireUser(storage, id)
      const window = { ...windowOf(query), form: 'cursor' } as const
      const live = (await storage.artifacts.listOfUser('Session', id)).filter(({ expiresAt }) => expiresAt > clock())
      const { items, total } = sliceOf(live, window)
      const { absoluteSeconds } = settings().sessions
      const shown = items.map((session) => serializeSession(session, absoluteSeconds))
      return pageAnswer('sessions', window, { items: shown, total })
    },
  )

const endSessions = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/users/{id}/sessions',
      summary: 'End all sessions of a user',
      tag: 'users',
      scopes: ['delete:sessions'],
      params: userIdParams,
      answers: { 202: { description: 'They have ended' }, ...notFound },
    },
    async ({ caller, params: { id } }) => {
      await storage.transaction(async (tx) => {
        await requireUser(tx, id)
        await tx.artifacts.deleteOfUser(id, { kinds: ['Session'] })
        const event = { type: 'user.sessions_ended', at: clock(), outcome: 'ok', userId: id } as const
        await tx.events.append({ ...event, clientId: caller.clientId })
      })
      return { status: 202 }
    },
  )

const listRefreshTokens = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/users/{id}/refresh-tokens',
      summary: 'Refresh tokens of a user',
      tag: 'users',
      scopes: ['read:refresh_tokens'],
      params: userIdParams,
      query: listQuery,
      answers: {
        200: { description: 'A page of refresh tokens', schema: cursorAnswer('tokens', refreshTokenShape) },
        ...notFound,
      },
    },
    async ({ params: { id }, query }) => {
      await requireUser(storage, id)
      const window = { ...windowOf(query), form: 'cursor' } as const
      const tokens = await storage.artifacts.listOfUser('RefreshToken', id)
      const live = tokens.filter(({ expiresAt, consumedAt }) => expiresAt > clock() && consumedAt === undefined)
      const { items, total } = sliceOf(live, window)
      return pageAnswer('tokens', window, { items: await viewRefreshTokens(storage, items), total })
    },
  )

const endRefreshTokens = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/users/{id}/refresh-tokens',
      summary: 'End all refresh tokens of a user',
      tag: 'users',
      scopes: ['delete:refresh_tokens'],
      params: userIdParams,
      answers: { 202: { description: 'They have ended' }, ...notFound },
    },
    async ({ caller, params: { id } }) => {
      await storage.transaction(async (tx) => {
        await requireUser(tx, id)
        await tx.artifacts.deleteOfUser(id, { kinds: ['RefreshToken'] })
        const event = { type: 'user.refresh_tokens_ended', at: clock(), outcome: 'ok', userId: id } as const
        await tx.events.append({ ...event, clientId: caller.clientId })
      })
      return { status: 202 }
    },
  )

/** For somebody who lost what they prove their second step with; whoever asks has made sure who they are. */
const deleteAuthenticators = (deps: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/users/{id}/authenticators',
      summary: 'Take all second steps off a user, with their recovery codes',
      tag: 'users',
      scopes: ['update:users'],
      params: userIdParams,
      answers: { 204: { description: 'Signing in asks for one proof' }, ...notFound },
    },
    async ({ caller, params: { id } }) => {
      await deps.storage.transaction(async (tx) => {
        await requireUser(tx, id)
        const factors = await tx.secondFactors.listOfUser(id)
        await tx.secondFactors.deleteOfUser(id)
        const at = deps.clock()
        for (const { kind } of factors) {
          const event = { type: 'second_factor.removed', at, outcome: 'ok', userId: id } as const
          await tx.events.append({ ...event, clientId: caller.clientId, data: { kind } })
        }
        if (factors.length === 0) return
        const to = provenAmong(await tx.evidence.listOfUser(id))
        await tell(deps, tx, { template: 'second-step-removed', to, at, path: 'account/connections' })
      })
      return { status: 204 }
    },
  )

const revokeAccess = ({ storage, clock, vault }: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/users/{id}/revoke-access',
      summary: 'End sessions, grants and tokens of a user',
      tag: 'users',
      scopes: ['delete:sessions'],
      params: userIdParams,
      body: z.strictObject({
        session_id: z.string().max(200).optional(),
        preserve_refresh_tokens: z.boolean().optional(),
      }),
      answers: { 204: { description: 'They have ended' }, ...notFound },
    },
    async ({ caller, params: { id }, body }) => {
      const endsAll = body.session_id === undefined && body.preserve_refresh_tokens !== true
      if (endsAll && !caller.scopes.has('delete:refresh_tokens')) throw insufficientScope(['delete:refresh_tokens'])
      await transact(storage, async (tx) => {
        await requireUser(tx, id)
        const at = clock()
        if (body.session_id !== undefined) {
          const session = await tx.artifacts.findByUid('Session', body.session_id)
          if (session?.userId === id) await tx.artifacts.delete('Session', session.idHash)
        } else if (body.preserve_refresh_tokens === true) await tx.artifacts.deleteOfUser(id, { kinds: ['Session'] })
        else return revokeUserAccess(tx, vault, { userId: id, at, clientId: caller.clientId })
        await tx.events.append({
          type: 'user.sessions_ended',
          at,
          outcome: 'ok',
          userId: id,
          clientId: caller.clientId,
        })
        return undefined
      })
      return { status: 204 }
    },
  )

async function requireUser(storage: Repositories, userId: string): Promise<void> {
  if ((await storage.users.find(userId)) === undefined) throw inexistentUser()
}
