// `connect` and `complete`: the JSON ends of connecting an account for agents (auth0-wire.md §3.5). The browser leg in
// between is in `flows/connect.ts`; nothing is stored as connected before `complete`.
import { z } from 'zod'
import { parsePendingAccount } from '../../accounts/pending-account.ts'
import { transact } from '../../accounts/transact.ts'
import { equalSecrets, randomToken, sha256Base64url, sha256Hex } from '../../crypto/hashing.ts'
import { mayLink } from '../../domain/addresses-of-user.ts'
import { decideConnect } from '../../domain/agent-policy.ts'
import { type Client, parseClient } from '../../domain/client.ts'
import { isActive } from '../../domain/connection-use.ts'
import type { VaultAccount } from '../../domain/tokenset.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { ConnectionRecord, ConnectRequest } from '../../storage/records.ts'
import type { Repositories } from '../../storage/storage.ts'
import { type Operation, operation } from '../operation.ts'
import { ApiRefusal, invalidBody, unauthorized } from '../refusal.ts'
import { accountShape, serializeAccount } from './account-view.ts'
import { scopesOfConnection } from './connection-scopes.ts'
import type { MeDeps } from './deps.ts'
import { type MeCaller, userOf } from './me-caller.ts'

const CONNECT_SECONDS = 300
const SCOPES = ['create:me:connected_accounts'] as const

const wholeNumber = z.union([
  z.int().min(0),
  z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number),
])
/** Others are left out rather than refused: an SDK passes on every query parameter of its own route. */
const authorizationParams = z.object({
  acr_values: z.string().max(1000).optional(),
  audience: z.string().max(2048).optional(),
  resource: z.string().max(2048).optional(),
  display: z.string().max(100).optional(),
  id_token_hint: z.string().max(16_384).optional(),
  login_hint: z.string().max(1000).optional(),
  max_age: wholeNumber.optional(),
  prompt: z.enum(['none', 'login', 'consent', 'select_account']).optional(),
  ui_locales: z.string().max(500).optional(),
})

const connectBody = z.strictObject({
  connection: z.string().min(1).max(128),
  redirect_uri: z.string().min(1).max(2048),
  state: z.string().min(1).max(4096).optional(),
  code_challenge: z
    .string()
    .regex(/^[\w.~-]{43,128}$/, { error: 'a code challenge of 43 to 128 characters (RFC 7636 §4.2)' })
    .optional(),
  code_challenge_method: z.enum(['S256']).optional(),
  scopes: z
    .array(z.string().regex(/^[\x21-\x7e]{0,255}$/, { error: 'a scope without spaces' }))
    .min(1)
    .max(100)
    .refine((scopes) => new Set(scopes).size === scopes.length, { error: 'scopes that are all different' })
    .optional(),
  authorization_params: authorizationParams.optional(),
})
type ConnectBody = z.infer<typeof connectBody>

const completeBody = z.strictObject({
  auth_session: z.string().min(1).max(64),
  connect_code: z.string().min(1).max(46),
  redirect_uri: z.string().min(1).max(2048),
  code_verifier: z
    .string()
    .regex(/^[\w.~-]{43,128}$/, { error: 'a code verifier of 43 to 128 characters (RFC 7636 §4.1)' })
    .optional(),
})
type CompleteBody = z.infer<typeof completeBody>

export function connectOperations(deps: MeDeps): readonly Operation[] {
  return [connect(deps), complete(deps)]
}

const connect = (deps: MeDeps) =>
  operation(
    {
      method: 'post',
      path: '/connected-accounts/connect',
      summary: 'Start connecting an upstream account',
      tag: 'connected-accounts',
      scopes: SCOPES,
      body: connectBody,
      answers: {
        201: {
          description: 'Where to send the browser, and with what',
          schema: z.object({
            connect_uri: z.string(),
            auth_session: z.string(),
            connect_params: z.object({ ticket: z.string() }),
            expires_in: z.int(),
          }),
        },
        403: { description: 'address_unproven, connection_inactive, policy_denied' },
      },
    },
    async ({ caller, body }) => {
      const { storage, clock, issuer } = deps
      const user = userOf(caller)
      await requireProven(storage, user)
      const client = await clientOf(storage, user)
      requireCallback(client, body)
      const connection = await usableConnection(storage, user, body.connection)
      requirePolicy(deps, client, connection, scopesAsked(body))
      const [authSession, ticket] = [randomToken(), randomToken()]
      const request = newRequest({ user, client, connection, body, authSession, ticket, at: clock() })
      await storage.transaction((tx) => tx.connects.insert(request))
      return {
        status: 201,
        // Exactly these four (SDKs append `?ticket=` to the first).
        body: {
          connect_uri: `${issuer}connected-accounts/connect`,
          auth_session: authSession,
          connect_params: { ticket },
          expires_in: CONNECT_SECONDS,
        },
      }
    },
  )

async function requireProven(storage: Repositories, { userId }: MeCaller): Promise<void> {
  const user = await storage.users.find(userId)
  if (user === undefined) throw unauthorized('Invalid token')
  if (!mayLink(user)) throw new ApiRefusal(403, 'address_unproven', "The user's address is not proven.")
}

async function clientOf(storage: Repositories, { clientId }: MeCaller): Promise<Client> {
  const client = await storage.clients.find(clientId)
  if (client === undefined) throw unauthorized('Invalid token')
  return parseClient(client)
}

function requireCallback(client: Client, body: ConnectBody): void {
  if (!client.callbacks.includes(body.redirect_uri))
    throw invalidBody('The redirect_uri is not a callback of the client.', '/redirect_uri')
  if ((body.code_challenge === undefined) !== (body.code_challenge_method === undefined))
    throw invalidBody('code_challenge and code_challenge_method S256 go together.', '/code_challenge_method')
  if (client.publicClient && body.code_challenge === undefined)
    throw invalidBody('A public client sends a code_challenge.', '/code_challenge')
}

/** A connection that this client may not use looks like one that does not exist. */
async function usableConnection(storage: Repositories, user: MeCaller, name: string): Promise<ConnectionRecord> {
  const connection = await storage.connections.findByName(name)
  if (connection === undefined || !(await storage.connections.isEnabled(connection.id, user.clientId)))
    throw invalidBody('The connection does not exist or is not enabled for the client.', '/connection')
  if (!isActive(connection.document, 'connected_accounts', false))
    throw new ApiRefusal(403, 'connection_inactive', 'The connection is not active for connected accounts.')
  return connection
}

/** @throws {ApiRefusal} 403 `policy_denied`: the client may not start this, or not ask for as much. */
function requirePolicy(
  { clock }: MeDeps,
  { policy }: Client,
  connection: ConnectionRecord,
  asked: readonly string[] = [],
): void {
  const scopes = asked.length > 0 ? asked : scopesOfConnection(connection)
  const refusal = decideConnect(policy, { connection: connection.name, scopes, now: clock() })
  if (refusal === undefined) return
  const { reason } = refusal
  throw new ApiRefusal(403, 'policy_denied', 'The client may not connect this.', { reason })
}

/** SDKs send an empty one along when the token that they had told no scope (auth0-wire.md §4.3). */
const scopesAsked = ({ scopes = [] }: ConnectBody): readonly string[] => scopes.filter((scope) => scope !== '')

interface NewRequest {
  readonly user: MeCaller
  readonly client: Client
  readonly connection: ConnectionRecord
  readonly body: ConnectBody
  readonly authSession: string
  readonly ticket: string
  readonly at: number
}

const newRequest = ({ user, client, connection, body, authSession, ticket, at }: NewRequest): ConnectRequest => ({
  authSessionHash: sha256Hex(authSession),
  ticketHash: sha256Hex(ticket),
  connectCodeHash: undefined,
  userId: user.userId,
  clientId: client.clientId,
  connectionId: connection.id,
  redirectUri: body.redirect_uri,
  state: body.state,
  codeChallenge: body.code_challenge,
  scopes: scopesAsked(body),
  authorizationParams: paramsOf(body),
  dpopThumbprint: user.jkt,
  status: 'created',
  browserHash: undefined,
  sessionUid: undefined,
  pendingEnvelope: undefined,
  createdAt: at,
  expiresAt: at + CONNECT_SECONDS,
})

const paramsOf = ({ authorization_params: params = {} }: ConnectBody): JsonObject =>
  Object.fromEntries(
    Object.entries(params).filter((entry): entry is [string, string | number] => entry[1] !== undefined),
  )

const complete = (deps: MeDeps) =>
  operation(
    {
      method: 'post',
      path: '/connected-accounts/complete',
      summary: 'Finish connecting: only now is the account kept',
      tag: 'connected-accounts',
      scopes: SCOPES,
      body: completeBody,
      answers: {
        201: { description: 'The connected account', schema: accountShape },
        409: { description: 'connect_completed' },
      },
    },
    async ({ caller, body }) => {
      const { storage, vault } = deps
      const user = userOf(caller)
      const request = await requireRequest(deps, user, body)
      await requireProven(storage, user)
      const connection = await storage.connections.find(request.connectionId)
      if (connection === undefined) throw notCompletable()
      await usableConnection(storage, user, connection.name)
      requirePolicy(deps, await clientOf(storage, user), connection, request.scopes)
      if (request.pendingEnvelope === undefined) throw notCompletable()
      const pending = vault.openPending(request.authSessionHash, request.pendingEnvelope)
      const account = await transact(storage, (tx) => keep(deps, tx, { request, pending }))
      return { status: 201, body: serializeAccount(account, connection) }
    },
  )

/**
 * The request that this call may complete. Another user's or client's token, a wrong code, verifier or redirect ends it:
 * whoever has the session but not the rest did not start it, and what leaked is worth nothing any more (T-CONN-01).
 */
async function requireRequest(deps: MeDeps, user: MeCaller, body: CompleteBody): Promise<ConnectRequest> {
  const { storage, clock } = deps
  const request = await storage.connects.find(sha256Hex(body.auth_session))
  if (request === undefined) throw notCompletable()
  if (request.userId !== user.userId || request.clientId !== user.clientId) {
    await voidRequest(deps, request)
    throw notCompletable()
  }
  if (request.status === 'completed') throw new ApiRefusal(409, 'connect_completed', 'This was completed before.')
  if (request.status !== 'confirmed' || request.expiresAt <= clock()) throw notCompletable()
  if (!isProven(request, user, body)) {
    await voidRequest(deps, request)
    throw notCompletable()
  }
  return request
}

function isProven(request: ConnectRequest, user: MeCaller, body: CompleteBody): boolean {
  const { connectCodeHash, codeChallenge, redirectUri, dpopThumbprint } = request
  if (connectCodeHash === undefined || !equalSecrets(connectCodeHash, sha256Hex(body.connect_code))) return false
  if (redirectUri !== body.redirect_uri || dpopThumbprint !== user.jkt) return false
  const { code_verifier: verifier } = body
  if (codeChallenge === undefined || verifier === undefined)
    return codeChallenge === undefined && verifier === undefined
  return equalSecrets(codeChallenge, sha256Base64url(verifier))
}

/** Ends a request that is not complete yet; what the provider gave for it is revoked there. */
async function voidRequest({ storage, vault, clock }: MeDeps, request: ConnectRequest): Promise<void> {
  const { authSessionHash, userId, clientId, connectionId, pendingEnvelope, status } = request
  if (status === 'completed' || status === 'void') return
  await storage.transaction(async (tx) => {
    const won = await tx.connects.advance(authSessionHash, status, 'void', { pendingEnvelope: undefined })
    if (!won) return
    const event = { type: 'connected_account.refused', at: clock(), outcome: 'refused' } as const
    await tx.events.append({ ...event, userId, clientId, connectionId })
    if (pendingEnvelope === undefined) return
    const { tokenset, details } = vault.openPending(authSessionHash, pendingEnvelope)
    const { subject } = parsePendingAccount(details)
    await vault.discard(tx, { id: '', userId, connectionId, subject }, tokenset)
  })
}

interface Completion {
  readonly request: ConnectRequest
  readonly pending: ReturnType<MeDeps['vault']['openPending']>
}

async function keep(
  { vault, clock }: MeDeps,
  tx: Repositories,
  { request, pending }: Completion,
): Promise<VaultAccount> {
  const { authSessionHash, userId, clientId, connectionId } = request
  const won = await tx.connects.advance(authSessionHash, 'confirmed', 'completed', { pendingEnvelope: undefined })
  if (!won) throw new ApiRefusal(409, 'connect_completed', 'This was completed before.')
  // Deleted or blocked since the token was checked: nothing may be kept for them (T-LIFE-03).
  const [user] = await tx.users.lock([userId])
  if (user === undefined || user.blocked) throw notCompletable()
  const { subject, upstreamName, scopesAsked, extras } = parsePendingAccount(pending.details)
  const { tokenset } = pending
  const { account, kind } = await vault.store(tx, {
    userId,
    connectionId,
    subject,
    purpose: 'agents',
    tokenset,
    scopesAsked,
    label: upstreamName,
    clientId,
    extras,
  })
  await tx.events.append({
    type: 'connected_account.connected',
    at: clock(),
    outcome: 'ok',
    userId,
    clientId,
    connectionId,
    accountId: account.id,
    data: { kind, scopes: account.scopesGranted },
  })
  return account
}

/** One answer for all that is wrong with it: which part was right is nobody's business. */
const notCompletable = () =>
  new ApiRefusal(400, 'invalid_request', 'The auth_session, connect_code, redirect_uri or code_verifier is not valid.')
