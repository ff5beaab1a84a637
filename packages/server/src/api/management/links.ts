// Links between users: looked at before, made, read, undone; and who may be one person twice.
import { z } from 'zod'
import { reportDuplicates } from '../../accounts/duplicates.ts'
import { mergeUsers, previewMerge } from '../../accounts/link.ts'
import { UndoConflicts, undoLink } from '../../accounts/link-undo.ts'
import { findMergedInto } from '../../accounts/merged-into.ts'
import { transact } from '../../accounts/transact.ts'
import { NotFound } from '../../domain/errors.ts'
import type { Caller, Operation } from '../operation.ts'
import { operation } from '../operation.ts'
import { booleanText, offsetQuery, windowOf } from '../paging.ts'
import { ApiRefusal } from '../refusal.ts'
import type { ManagementDeps } from './deps.ts'
import { inexistentUser } from './inexistent-user.ts'
import { serializeConflict, serializeDuplicates, viewLinks, viewPreview } from './link-view.ts'
import { userIdParams } from './users.ts'

const userId = z.string().min(1).max(512)
const pair = { primary_user_id: userId, secondary_user_id: userId }
const linkIdParams = z.object({ id: z.string().min(1).max(64) })

const from = z.enum(['primary', 'secondary'])
const planned = { from, outcome: z.enum(['kept', 'moved', 'merged', 'dropped']), why: z.string() }
const ended = z.object({
  sessions: z.int(),
  grants: z.int(),
  refresh_tokens: z.int(),
  client_ids: z.array(z.string()),
})
const previewShape = z.object({
  ...pair,
  plan_hash: z.string(),
  profile: z.array(z.object({ field: z.string(), ...planned })),
  identities: z.array(
    z.object({ connection: z.string(), provider: z.string(), user_id: z.string(), position: z.int(), ...planned }),
  ),
  connected_accounts: z.array(
    z.object({
      id: z.string(),
      connection: z.string(),
      label: z.string(),
      purpose: z.enum(['agents', 'sign_in']),
      is_default: z.boolean(),
      ...planned,
    }),
  ),
  addresses: z.array(z.object({ address: z.string(), source: z.string(), grade: z.int().min(0).max(3), ...planned })),
  stopped_agents: z.array(z.object({ client_id: z.string(), ...planned })),
  metadata: z.array(z.object({ store: z.enum(['user_metadata', 'app_metadata']), key: z.string(), ...planned })),
  user_metadata: z.object({}).loose(),
  app_metadata: z.object({}).loose(),
  ended,
})
const linkShape = z.object({
  id: z.string(),
  primary_user_id: userId,
  secondary_user_id: userId.optional(),
  identity: z.object({ connection: z.string(), provider: z.string(), user_id: z.string() }).partial().optional(),
  by: z.object({
    kind: z.enum(['client', 'user', 'policy', 'operator']),
    client_id: z.string().optional(),
    user_id: z.string().optional(),
  }),
  rule: z.string(),
  explanation: z.string(),
  proof: z.object({}).loose(),
  plan: z.object({}).loose(),
  plan_hash: z.string(),
  created_at: z.string(),
  undo_until: z.string(),
  can_undo: z.boolean(),
  undone_at: z.string().optional(),
  undone_by: z.string().optional(),
})
const conflictShape = z.object({
  code: z.enum(['identity_gone', 'account_gone', 'metadata_changed', 'address_withdrawn']),
  connection_id: z.string().optional(),
  subject: z.string().optional(),
  connected_account: z.string().optional(),
  key: z.string().optional(),
  source: z.string().optional(),
})
const duplicateShape = z.array(
  z.object({
    reasons: z.array(z.string()),
    users: z.array(z.object({ user_id: userId, address: z.string(), grade: z.int().min(0).max(3) }).loose()),
    suggested_primary_user_id: userId.optional(),
  }),
)

export function linkOperations(deps: ManagementDeps): readonly Operation[] {
  return [preview(deps), create(deps), find(deps), undo(deps), listOfUser(deps), duplicates(deps)]
}

const preview = ({ storage, linking }: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/links/preview',
      summary: 'What joining two users would do, without doing it',
      tag: 'links',
      scopes: ['update:users'],
      body: z.strictObject({ ...pair, plan_hash: z.string().max(128).optional() }),
      answers: {
        200: { description: 'Everything that would be kept, moved, dropped or ended, and why', schema: previewShape },
        404: { description: 'inexistent_user' },
      },
    },
    async ({ body }) => {
      const request = { primaryUserId: body.primary_user_id, secondaryUserId: body.secondary_user_id }
      return {
        status: 200,
        body: await viewPreview(storage, await previewMerge(storage, { ...request, policy: linking() })),
      }
    },
  )

const create = ({ storage, linking, clock, vault, keyring, notify }: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/links',
      summary: 'Join the secondary user into the primary',
      tag: 'links',
      scopes: ['update:users'],
      body: z.strictObject({ ...pair, plan_hash: z.string().min(1).max(128).optional() }),
      answers: {
        201: { description: 'The link', schema: linkShape },
        404: { description: 'inexistent_user' },
        409: { description: 'plan_stale: the users have changed since the preview' },
      },
    },
    async ({ caller, body }) => {
      const { link } = await transact(storage, (tx) =>
        mergeUsers(
          tx,
          { vault, keyring, notify },
          {
            primaryUserId: body.primary_user_id,
            secondaryUserId: body.secondary_user_id,
            planHash: body.plan_hash,
            policy: linking(),
            rule: 'management',
            proof: { by: 'scope', scope: 'update:users' },
            at: clock(),
            clientId: caller.clientId,
          },
        ),
      )
      vault.forgetUser(body.secondary_user_id)
      const [view] = await viewLinks(storage, [link], clock())
      return { status: 201, body: view }
    },
  )

const find = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/links/{id}',
      summary: 'One link, with who made it, how it was proven and what it changed',
      tag: 'links',
      scopes: ['read:users', 'update:users'],
      params: linkIdParams,
      answers: { 200: { description: 'The link', schema: linkShape }, 404: { description: 'inexistent_link' } },
    },
    async ({ params: { id } }) => {
      const link = await storage.links.find(id)
      if (link === undefined) throw new NotFound('inexistent_link', 'The link does not exist.')
      const [view] = await viewLinks(storage, [link], clock())
      return { status: 200, body: view }
    },
  )

const undo = (deps: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/links/{id}/undo',
      summary: 'Take a link back',
      tag: 'links',
      scopes: ['update:users'],
      params: linkIdParams,
      body: z.strictObject({ keep_changes: z.boolean().optional() }),
      answers: {
        200: {
          description: 'The link, and what had changed since and stayed',
          schema: linkShape.extend({ conflicts: z.array(conflictShape) }),
        },
        404: { description: 'inexistent_link' },
        409: {
          description:
            'link_undone, undo_expired, link_superseded, undo_unavailable, last_identity; undo_conflict with `conflicts`',
        },
      },
    },
    async ({ caller, params: { id }, body }) => {
      const { storage, clock } = deps
      const { link, conflicts } = await takeBack(deps, caller, id, body.keep_changes === true)
      const [view] = await viewLinks(storage, [link], clock())
      return { status: 200, body: { ...view, conflicts: conflicts.map(serializeConflict) } }
    },
  )

async function takeBack(deps: ManagementDeps, { clientId }: Caller, linkId: string, keepChanges: boolean) {
  const { storage, clock, vault, keyring, notify } = deps
  try {
    return await transact(storage, (tx) =>
      undoLink(tx, { vault, keyring, notify }, { linkId, at: clock(), keepChanges, by: clientId, clientId }),
    )
  } catch (error) {
    if (!(error instanceof UndoConflicts)) throw error
    const details = { conflicts: error.conflicts.map(serializeConflict) }
    throw new ApiRefusal(409, error.code, error.message, { details, cause: error })
  }
}

const listOfUser = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/users/{id}/links',
      summary: 'Links of a user, also of one that was merged away, newest first',
      tag: 'links',
      scopes: ['read:users'],
      params: userIdParams,
      query: z.object(offsetQuery),
      answers: {
        200: {
          description: 'Links, and where a retired user went',
          schema: z.object({ links: z.array(linkShape), total: z.int(), merged_into: userId.optional() }),
        },
        404: { description: 'inexistent_user' },
      },
    },
    async ({ params: { id }, query }) => {
      const mergedInto = await findMergedInto(storage, id)
      if (mergedInto === undefined && (await storage.users.find(id)) === undefined) throw inexistentUser()
      const { items, total } = await storage.links.listOfUser(id, windowOf(query))
      const links = await viewLinks(storage, items, clock())
      return { status: 200, body: { links, total, ...(mergedInto === undefined ? {} : { merged_into: mergedInto }) } }
    },
  )

const duplicates = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/duplicates',
      summary: 'Users who may be one person, by how sure that is',
      tag: 'links',
      scopes: ['read:users'],
      query: z.object({
        ...offsetQuery,
        include_kept_separate: booleanText.optional().describe('Also users whom an operator keeps separate'),
      }),
      answers: {
        200: {
          description: 'A page of groups of like addresses: proven by several, equal but not proven, and merely alike',
          schema: z.object({
            proven: duplicateShape,
            canonical: duplicateShape,
            soft: duplicateShape,
            kept_separate: z.array(z.tuple([userId, userId])),
            start: z.int(),
            limit: z.int(),
            length: z.int(),
            total: z.int(),
          }),
        },
      },
    },
    async ({ query }) => {
      const window = windowOf(query)
      const report = await reportDuplicates(storage, { ...window, all: query.include_kept_separate === true })
      const { length, total } = report.groups
      return {
        status: 200,
        body: { ...serializeDuplicates(report), start: window.offset, limit: window.limit, length, total },
      }
    },
  )
