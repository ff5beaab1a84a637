// Which tokens of providers are exchanged for ours (auth0-wire.md §6.4). In the place of an action, which would be the
// tenant's code, stands a connection: `action_id` is its id (docs/notes/token-exchange.md).
import { z } from 'zod'
import { vouches } from '../../accounts/exchange-profiles.ts'
import { newId } from '../../crypto/hashing.ts'
import { Conflict, NotFound } from '../../domain/errors.ts'
import type { JsonObject } from '../../lib/json.ts'
import { toIso } from '../../lib/time.ts'
import { exchangeProfileDocument, PROFILE_TYPE, profileName } from '../../protocol/exchange-profile-document.ts'
import type { ExchangeProfile } from '../../storage/records.ts'
import type { Repositories } from '../../storage/storage.ts'
import { type Operation, operation } from '../operation.ts'
import { cursorQuery, offsetQuery, pageAnswer, windowOf } from '../paging.ts'
import { invalidBody } from '../refusal.ts'
import type { ManagementDeps } from './deps.ts'
import { listAnswer } from './list-answer.ts'

const params = z.object({ id: z.string().min(1).max(64) })
const patchBody = z.strictObject({ name: profileName.optional() })
const shape = z.object({ id: z.string(), name: z.string(), subject_token_type: z.string() }).loose()

export function exchangeProfileOperations(deps: ManagementDeps): readonly Operation[] {
  return [listProfiles(deps), findOne(deps), createProfile(deps), changeProfile(deps), deleteProfile(deps)]
}

const listProfiles = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/token-exchange-profiles',
      summary: 'List token exchange profiles',
      tag: 'token-exchange-profiles',
      scopes: ['read:token_exchange_profiles'],
      query: z.object({ ...offsetQuery, ...cursorQuery }),
      answers: { 200: { description: 'A page of profiles', schema: listAnswer('token_exchange_profiles', shape) } },
    },
    async ({ query }) => {
      const window = windowOf(query)
      const { items, total } = await storage.exchangeProfiles.list({ offset: window.offset, limit: window.limit })
      return pageAnswer('token_exchange_profiles', window, { items: items.map(serialize), total })
    },
  )

const findOne = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/token-exchange-profiles/{id}',
      summary: 'One token exchange profile',
      tag: 'token-exchange-profiles',
      scopes: ['read:token_exchange_profiles'],
      params,
      answers: {
        200: { description: 'The profile', schema: shape },
        404: { description: 'inexistent_token_exchange_profile' },
      },
    },
    async ({ params: { id } }) => ({ status: 200, body: serialize(await getProfile(storage, id)) }),
  )

const createProfile = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/token-exchange-profiles',
      summary: 'Take the tokens of a provider for ours',
      tag: 'token-exchange-profiles',
      scopes: ['create:token_exchange_profiles'],
      body: exchangeProfileDocument,
      answers: { 201: { description: 'The profile', schema: shape }, 409: { description: 'It exists already' } },
    },
    async ({ caller, body }) => {
      const at = clock()
      const profile: ExchangeProfile = {
        id: newId('tep_', 16),
        name: body.name,
        subjectTokenType: body.subject_token_type,
        connectionId: body.action_id,
        audiences: body.subject_token_audiences ?? [],
        createdAt: at,
        updatedAt: at,
      }
      await storage.transaction(async (tx) => {
        await requireOpenId(tx, profile.connectionId)
        if (!(await tx.exchangeProfiles.insert(profile))) throw taken()
        await appendEvent(tx, 'token_exchange_profile.created', profile, { at, by: caller.clientId })
      })
      return { status: 201, body: serialize(profile) }
    },
  )

const changeProfile = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'patch',
      path: '/token-exchange-profiles/{id}',
      summary: 'Rename a token exchange profile',
      tag: 'token-exchange-profiles',
      scopes: ['update:token_exchange_profiles'],
      params,
      body: patchBody,
      answers: {
        204: { description: 'Changed' },
        404: { description: 'inexistent_token_exchange_profile' },
        409: { description: 'The name is taken' },
      },
    },
    async ({ caller, params: { id }, body }) => {
      const at = clock()
      await storage.transaction(async (tx) => {
        const profile = await getProfile(tx, id)
        const wanted = body.name ?? profile.name
        if (wanted !== profile.name && (await isTaken(tx, wanted))) throw taken()
        await tx.exchangeProfiles.rename(id, wanted, at)
        await appendEvent(tx, 'token_exchange_profile.updated', profile, { at, by: caller.clientId })
      })
      return { status: 204 }
    },
  )

const deleteProfile = ({ storage, clock }: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/token-exchange-profiles/{id}',
      summary: 'Take the tokens of a provider no more',
      tag: 'token-exchange-profiles',
      scopes: ['delete:token_exchange_profiles'],
      params,
      answers: { 204: { description: 'Gone, or never there' } },
    },
    async ({ caller, params: { id } }) => {
      await storage.transaction(async (tx) => {
        const profile = await tx.exchangeProfiles.find(id)
        if (profile === undefined) return
        await tx.exchangeProfiles.delete(id)
        const what = { at: clock(), by: caller.clientId }
        await appendEvent(tx, 'token_exchange_profile.deleted', profile, what)
      })
      return { status: 204 }
    },
  )

async function requireOpenId(tx: Repositories, connectionId: string): Promise<void> {
  if (!(await vouches(tx, connectionId)))
    throw invalidBody('action_id must be the id of an OpenID Connect connection.', '/action_id')
}

/** More than anybody configures. */
const MOST_PROFILES = 1000

async function isTaken(tx: Repositories, wanted: string): Promise<boolean> {
  const { items } = await tx.exchangeProfiles.list({ offset: 0, limit: MOST_PROFILES })
  return items.some((one) => one.name === wanted)
}

const taken = () =>
  new Conflict('token_exchange_profile_conflict', 'A profile of that name or subject token type exists already.')

async function getProfile(storage: Repositories, id: string): Promise<ExchangeProfile> {
  const profile = await storage.exchangeProfiles.find(id)
  if (profile === undefined)
    throw new NotFound('inexistent_token_exchange_profile', 'The token exchange profile does not exist.')
  return profile
}

const serialize = (profile: ExchangeProfile): JsonObject => ({
  id: profile.id,
  name: profile.name,
  subject_token_type: profile.subjectTokenType,
  type: PROFILE_TYPE,
  action_id: profile.connectionId,
  subject_token_audiences: [...profile.audiences],
  created_at: toIso(profile.createdAt),
  updated_at: toIso(profile.updatedAt),
})

const appendEvent = (
  tx: Repositories,
  type: string,
  { id, connectionId, subjectTokenType }: ExchangeProfile,
  { at, by }: { readonly at: number; readonly by: string },
): Promise<void> =>
  tx.events.append({
    type,
    at,
    outcome: 'ok',
    connectionId,
    data: { by, profile_id: id, subject_token_type: subjectTokenType },
  })
