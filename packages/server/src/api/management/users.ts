// Users: list, find, make, change, delete (auth0-wire.md §6.1).
import { z } from 'zod'
import { deleteUser } from '../../accounts/end-access.ts'
import { provenAddresses } from '../../accounts/link.ts'
import { transact } from '../../accounts/transact.ts'
import { type UserChange, updateUser } from '../../accounts/update-user.ts'
import { createPasswordUser } from '../../accounts/users.ts'
import { passwordProblem } from '../../crypto/passwords.ts'
import { canonicalAddress } from '../../domain/address.ts'
import { PASSWORD_STRATEGY } from '../../domain/connection.ts'
import { Conflict } from '../../domain/errors.ts'
import { PROFILE_FIELDS, type ProfileWireName, profileOf } from '../../domain/profile.ts'
import { isJsonObject, isString, type JsonObject } from '../../lib/json.ts'
import { userCreateBody, userPatchBody } from '../../protocol/user-document.ts'
import type { ConnectionRecord } from '../../storage/records.ts'
import type { UserFilter } from '../../storage/storage.ts'
import { fieldsQuery, selectFields, shownOf } from '../fields.ts'
import { type Caller, type Operation, operation } from '../operation.ts'
import { booleanText, offsetQuery, pageAnswer, type Window, windowOf } from '../paging.ts'
import { ApiRefusal, insufficientScope, invalidBody, invalidQuery } from '../refusal.ts'
import { requireOwn } from './caller.ts'
import type { ManagementDeps } from './deps.ts'
import { inexistentUser } from './inexistent-user.ts'
import { listAnswer } from './list-answer.ts'
import { parseUserSearch, parseUserSort, withConnection } from './user-search.ts'
import { viewUsers } from './user-view.ts'
import { mailVerification, requireMailable } from './verification.ts'

export const userIdParams = z.object({ id: z.string().min(1).max(512) })
const userShape = z.object({ user_id: z.string() }).loose()

export function userOperations(deps: ManagementDeps): readonly Operation[] {
  return [listUsers(deps), createOne(deps), usersByEmail(deps), findOne(deps), changeOne(deps), deleteOne(deps)]
}

const listUsers = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/users',
      summary: 'List or search users',
      tag: 'users',
      scopes: ['read:users'],
      query: z.object({
        ...offsetQuery,
        ...fieldsQuery,
        q: z.string().max(4000).optional(),
        search_engine: z.enum(['v3']).optional(),
        sort: z.string().max(40).optional(),
        connection: z.string().max(128).optional(),
        primary_order: booleanText.optional(),
      }),
      answers: { 200: { description: 'A page of users', schema: listAnswer('users', shownOf(userShape)) } },
    },
    async ({ query }) => {
      const window = withinSearchBound(windowOf(query))
      const search = parseUserSearch(query.q ?? '')
      const filter: UserFilter = {
        offset: window.offset,
        limit: window.limit,
        matching: query.connection === undefined ? search : withConnection(search, query.connection),
        ...(query.sort === undefined ? {} : { sort: parseUserSort(query.sort) }),
      }
      const { items, total } = await storage.users.list(filter)
      const users = (await viewUsers(storage, items)).map((user) => selectFields(user, query))
      return pageAnswer('users', window, { items: users, total })
    },
  )

/** A search shows its first thousand users; whoever wants them all exports them (auth0-wire.md §6.1). */
const MAX_SHOWN = 1000

function withinSearchBound(window: Window): Window {
  if (window.offset >= MAX_SHOWN) throw invalidQuery('You can only page through the first 1000 records.', 'page')
  return { ...window, limit: Math.min(window.limit, MAX_SHOWN - window.offset) }
}

const usersByEmail = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/users-by-email',
      summary: 'Users whose primary address this is',
      tag: 'users',
      scopes: ['read:users'],
      query: z.object({ email: z.string().min(1).max(320), ...fieldsQuery }),
      answers: { 200: { description: 'Users', schema: z.array(shownOf(userShape)) } },
    },
    async ({ query }) => {
      const address = canonicalAddress(query.email)
      if (address === undefined) throw invalidQuery('The email is not an address.', 'email')
      const users = await viewUsers(storage, await storage.users.listByAddress(address))
      return { status: 200, body: users.map((user) => selectFields(user, query)) }
    },
  )

const findOne = ({ storage }: ManagementDeps) =>
  operation(
    {
      method: 'get',
      path: '/users/{id}',
      summary: 'One user',
      tag: 'users',
      scopes: ['read:users', 'read:current_user'],
      params: userIdParams,
      query: z.object(fieldsQuery),
      answers: {
        200: { description: 'The user', schema: shownOf(userShape) },
        404: { description: 'inexistent_user' },
      },
    },
    async ({ caller, params, query }) => {
      requireOwn(caller, params.id)
      const user = await storage.users.find(params.id)
      if (user === undefined) throw inexistentUser()
      const [view = {}] = await viewUsers(storage, [user])
      return { status: 200, body: selectFields(view, query) }
    },
  )

const createOne = (deps: ManagementDeps) =>
  operation(
    {
      method: 'post',
      path: '/users',
      summary: 'Make a user with a password',
      tag: 'users',
      scopes: ['create:users'],
      body: userCreateBody,
      answers: { 201: { description: 'The user', schema: userShape }, 409: { description: 'auth0_idp_error' } },
    },
    async ({ body }) => {
      const { storage, clock, passwords } = deps
      const connection = await passwordConnection(deps, body.connection)
      const email = requireAddress(body.email)
      const hash = await passwords.hash(requirePassword(body.password, email))
      if (body.verify_email === true) await requireMailable(deps, email)
      const user = await storage.transaction((tx) =>
        createPasswordUser(tx, {
          connection,
          email,
          hash,
          subject: body.user_id,
          profile: profileOf(profileMembers(body)),
          grade: body.email_verified === true ? 3 : 0,
          source: 'operator',
          at: clock(),
          userMetadata: body.user_metadata,
          appMetadata: body.app_metadata,
          blocked: body.blocked,
        }),
      )
      if (body.verify_email === true) await mailVerification(deps, { userId: user.userId, address: email })
      const [view] = await viewUsers(storage, [user])
      return { status: 201, body: view }
    },
  )

const changeOne = (deps: ManagementDeps) =>
  operation(
    {
      method: 'patch',
      path: '/users/{id}',
      summary: 'Change a user',
      tag: 'users',
      scopes: ['update:users', 'update:users_app_metadata', 'update:current_user_metadata'],
      params: userIdParams,
      body: userPatchBody,
      answers: { 200: { description: 'The user', schema: userShape }, 404: { description: 'inexistent_user' } },
    },
    async ({ caller, params, body }) => {
      const { storage, clock, vault } = deps
      requireOwn(caller, params.id)
      requireChangeable(caller, body)
      await requireIdentityIn(deps, params.id, body.connection)
      const change = await changeOf(deps, body)
      if (body.verify_email === true && isString(change.email))
        await requireMailable(deps, canonicalAddress(change.email) ?? change.email)
      const user = await transact(storage, (tx) =>
        updateUser(tx, vault, { userId: params.id, change, at: clock(), clientId: caller.clientId }),
      ).catch(takenAddress)
      if (body.verify_email === true && isString(change.email) && user.email !== undefined)
        await mailVerification(deps, { userId: user.userId, address: user.email })
      const [view] = await viewUsers(storage, [user])
      return { status: 200, body: view }
    },
  )

const deleteOne = ({ storage, clock, vault, notify }: ManagementDeps) =>
  operation(
    {
      method: 'delete',
      path: '/users/{id}',
      summary: 'Delete a user with everything of theirs',
      tag: 'users',
      scopes: ['delete:users', 'delete:current_user'],
      params: userIdParams,
      answers: { 204: { description: 'Gone, or never there' } },
    },
    async ({ caller, params }) => {
      requireOwn(caller, params.id)
      const { id: userId } = params
      const at = clock()
      await transact(storage, async (tx) => {
        const addresses = provenAddresses({ evidence: await tx.evidence.listOfUser(userId) })
        if (!(await deleteUser(tx, vault, { userId, at, clientId: caller.clientId }))) return
        await notify(tx, { kind: 'user_deleted', linkId: undefined, userId, addresses, at })
      })
      vault.forgetUser(userId)
      return { status: 204 }
    },
  )

async function passwordConnection({ storage }: ManagementDeps, name: string): Promise<ConnectionRecord> {
  const connection = await storage.connections.findByName(name)
  if (connection === undefined) throw new ApiRefusal(400, 'inexistent_connection', 'The connection does not exist.')
  if (connection.strategy !== PASSWORD_STRATEGY)
    throw invalidBody('Users are made in password connections; others make theirs at sign-in.', '/connection')
  return connection
}

function requireAddress(email: string | undefined): string {
  const address = email === undefined ? undefined : canonicalAddress(email)
  if (address === undefined)
    throw invalidBody("Payload validation error: 'a valid address' on property /email.", '/email')
  return address
}

function requirePassword(password: unknown, address: string | undefined): string {
  if (!isString(password))
    throw invalidBody("Payload validation error: 'a password' on property /password.", '/password')
  const problem = passwordProblem(password, address)
  if (problem === undefined) return password
  throw new ApiRefusal(400, 'invalid_password', `PasswordStrengthError: Password is too weak (${problem}).`, {
    faults: [{ pointer: '/password', detail: problem, in: 'body' }],
  })
}

type Body = Readonly<Record<string, unknown>>

/** Scopes that allow part of a change name the members that they allow. */
function requireChangeable(caller: Caller, body: Body): void {
  if (caller.scopes.has('update:users')) return
  const allowed = new Set([
    ...(caller.scopes.has('update:users_app_metadata') ? ['app_metadata'] : []),
    ...(caller.scopes.has('update:current_user_metadata') ? ['user_metadata'] : []),
  ])
  if (!Object.keys(body).every((name) => allowed.has(name))) throw insufficientScope(['update:users'])
}

/** `connection` says which identity the change is about; it must be one of the user's. */
async function requireIdentityIn({ storage }: ManagementDeps, userId: string, name: unknown): Promise<void> {
  if (!isString(name)) return
  const connection = await storage.connections.findByName(name)
  const identities = connection === undefined ? [] : await storage.identities.listOfUser(userId)
  if (connection === undefined || !identities.some(({ connectionId }) => connectionId === connection.id))
    throw new ApiRefusal(400, 'operation_not_supported', 'The user has no identity in this connection.')
}

async function changeOf({ passwords }: ManagementDeps, body: Body): Promise<UserChange> {
  const { email, email_verified: emailVerified, blocked, password } = body
  return {
    email: email === null ? null : isString(email) ? email : undefined,
    emailVerified: emailVerified === undefined ? undefined : emailVerified === true,
    blocked: blocked === undefined ? undefined : blocked === true,
    profile: changedMembers(body),
    userMetadata: metadataOf(body.user_metadata),
    appMetadata: metadataOf(body.app_metadata),
    passwordHash:
      password === undefined
        ? undefined
        : await passwords.hash(requirePassword(password, isString(email) ? email : undefined)),
  }
}

/** `null` clears like `{}`. */
const metadataOf = (value: unknown): JsonObject | undefined =>
  value === null ? {} : isJsonObject(value) ? value : undefined

function profileMembers(body: Body): JsonObject {
  return Object.fromEntries(Object.entries(changedMembers(body)).filter(([, value]) => value !== null))
}

function changedMembers(body: Body): Partial<Record<ProfileWireName, string | null>> {
  const changed: Partial<Record<ProfileWireName, string | null>> = {}
  for (const name of Object.keys(PROFILE_FIELDS)) {
    const value = body[name]
    // `name` is a key of the constant it was taken from.
    if (isString(value) || value === null) changed[name as ProfileWireName] = value
  }
  return changed
}

/** SDKs know 400 for a change, 409 for a new user. */
function takenAddress(error: unknown): never {
  if (error instanceof Conflict && error.code === 'user_exists')
    throw new ApiRefusal(400, 'auth0_idp_error', error.message, { cause: error })
  throw error
}
