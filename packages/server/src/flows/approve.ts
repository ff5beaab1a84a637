// The page where a person answers an agent, or lets a device in: who asks, for what, in our words; the agent's own are
// quoted. It is answered in a browser that the person signed in to a moment ago, and by nothing else (T-AGT-06).
import {
  type ApprovalResult,
  answerApproval,
  findApproval,
  openApprovals,
  type StoredApproval,
} from '../accounts/approvals.ts'
import { allowedMembers } from '../accounts/use-approvals.ts'
import { sha256Base64url, sha256Hex } from '../crypto/hashing.ts'
import { type Approval, isOpen, shownAs, shownUserCode } from '../domain/approval.ts'
import type { AskedUse } from '../domain/asked-use.ts'
import { type Client, parseClient } from '../domain/client.ts'
import { isJsonObject, isString, type JsonObject, type JsonValue } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import { resourceToAudience } from '../oauth/audience.ts'
import { grantableOf, grantConsent, plainScopes } from '../oauth/consent-grant.ts'
import type { Session } from '../sessions/sessions.ts'
import type { Repositories } from '../storage/storage.ts'
import { isFreshlyProven, type Owner, requireOwner } from './account-owner.ts'
import { type BrowserRequest, withBrowserCookie } from './browser-request.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { ApprovePage, AskedFor, Outcome } from './outcome.ts'
import { shownUser } from './shown-user.ts'
import { signInFirst } from './sign-in-first.ts'
import { startStepUp } from './step-up-state.ts'

/** A question by what its client polls with, or by the id that our own pages use. */
export interface ApprovalAddress {
  readonly auth_req_id?: string | undefined
  readonly request?: string | undefined
}

export const approvePath = (id: string): string => `/approve?request=${id}`

/**
 * The question, for the person whom it is put to; somebody who is not signed in does that first, and comes back.
 *
 * @throws {FlowError} `interaction_expired`: there is none; `wrong_user`: it is put to somebody else.
 */
export async function approvePage(
  deps: FlowDeps,
  request: BrowserRequest,
  { auth_req_id: authReqId, request: given }: ApprovalAddress,
): Promise<Outcome> {
  const id = authReqId === undefined ? (given ?? '') : sha256Hex(authReqId)
  const found = await findApproval(deps.storage, id)
  if (found === undefined) throw new FlowError('interaction_expired')
  if (request.session === undefined) return signInFirst(deps, request, approvePath(id))
  const owner = await requireAsked(deps, request, found.approval)
  return { kind: 'page', page: await pageOf(deps, found, owner) }
}

async function requireAsked(deps: FlowDeps, request: BrowserRequest, { userId }: Approval): Promise<Owner> {
  const owner = await requireOwner(deps, request)
  if (userId !== undefined && userId !== owner.user.userId) throw new FlowError('wrong_user')
  return owner
}

async function pageOf(deps: FlowDeps, { approval }: StoredApproval, { user }: Owner): Promise<ApprovePage> {
  const { id, kind, answer, askedAt, expiresAt, message, userCode, use } = approval
  const question = await questionOf(deps, deps.storage, approval)
  return {
    name: 'approve',
    state: id,
    kind,
    status: isOpen(approval, deps.clock()) ? 'asked' : (answer ?? 'over'),
    client: { name: question.client.name, firstParty: question.client.firstParty },
    audience: question.audience,
    scopes: question.scopes,
    message,
    userCode: userCode === undefined ? undefined : shownUserCode(userCode),
    use,
    askedAt,
    expiresAt,
    user: shownUser(user),
    shown: question.shown,
  }
}

interface Question {
  readonly client: Client
  /** Name of the API that the tokens are for, or of the provider whose account is used. */
  readonly audience: string | undefined
  readonly scopes: readonly AskedFor[]
  /** Hash of everything that the page says. */
  readonly shown: string
  /** Carries out a yes. */
  readonly allow: (tx: Repositories, session: Session, at: EpochSeconds) => Promise<Allowed>
}

type Allowed = Extract<ApprovalResult, { readonly answer: 'allowed' }>

/** @throws {FlowError} `interaction_expired`: the client is gone, or may not reach the API any more. */
async function questionOf(deps: FlowDeps, repositories: Repositories, approval: Approval): Promise<Question> {
  const record = await repositories.clients.find(approval.clientId)
  if (record === undefined) throw new FlowError('interaction_expired')
  const client = parseClient(record)
  const { use } = approval
  return use === undefined
    ? tokensQuestion(deps, repositories, approval, client)
    : useQuestion(repositories, approval, client, use)
}

async function useQuestion(
  repositories: Repositories,
  approval: Approval,
  client: Client,
  use: AskedUse,
): Promise<Question> {
  // Taken away since, or somebody else's by now: a yes would be for nothing.
  const account = await repositories.accounts.find(use.accountId)
  if (account === undefined || account.userId !== approval.userId) throw new FlowError('interaction_expired')
  const connection = await repositories.connections.find(account.connectionId)
  const given = connection?.document.display_name
  const audience = isString(given) ? given : use.connection
  const scopes = use.kind === 'token' ? use.scopes.map((value) => ({ value, description: undefined })) : []
  const text = shownAs(approval, { client: client.name, audience, scopes: scopes.map(({ value }) => value) })
  return {
    client,
    audience,
    scopes,
    shown: sha256Base64url(text),
    allow: async (_tx, _session, at) => ({ answer: 'allowed', ...allowedMembers(use, at) }),
  }
}

async function tokensQuestion(
  deps: FlowDeps,
  repositories: Repositories,
  approval: Approval,
  client: Client,
): Promise<Question> {
  const { clientId, scope, resource } = approval
  const parameters: JsonObject = { scope, ...(resource === undefined ? {} : { resource }) }
  const grantable = await grantableOf(repositories, { interaction: parameters, clientId }, deps.issuer)
  const reached = grantable.audience
  if (reached?.kind === 'not_granted') throw new FlowError('interaction_expired')
  const mayStay = client.grantTypes.includes('refresh_token') && reached?.offlineAccess !== false
  const granted = grantable.scopes.filter((one) => mayStay || plainScopes(one)[0] !== 'offline_access')
  const api = resource === undefined ? undefined : await apiOf(repositories, resource)
  const scopes = granted.flatMap(plainScopes).map((value) => ({ value, description: api?.descriptions.get(value) }))
  const words = scopes.map(({ value, description }) => (description === undefined ? value : `${value} ${description}`))
  const text = shownAs(approval, { client: client.name, audience: api?.name, scopes: words })
  return {
    client,
    audience: api?.name,
    scopes,
    shown: sha256Base64url(text),
    allow: async (tx, session, at) => {
      const tokenSeconds = reached?.tokenSeconds ?? deps.settings().tokens.accessTokenSeconds
      const given = { parameters: { ...parameters, scope: granted.join(' ') }, granted, tokenSeconds }
      return { answer: 'allowed', members: await grant(deps, tx, approval, given, session, at) }
    },
  }
}

async function apiOf(repositories: Repositories, resource: string) {
  const identifier = resourceToAudience(resource)
  const document: JsonObject = (await repositories.resourceServers.findByIdentifier(identifier))?.document ?? {}
  const listed: readonly JsonValue[] = Array.isArray(document.scopes) ? document.scopes : []
  const described = listed.filter(isJsonObject).flatMap(({ value, description }) => {
    return isString(value) && isString(description) ? [[value, description] as const] : []
  })
  const descriptions = new Map(described)
  return { name: isString(document.name) ? document.name : identifier, descriptions }
}

export interface ApprovalForm {
  readonly state?: string | undefined
  readonly action?: string | undefined
  readonly shown?: string | undefined
}

/** A no counts at once; a yes when the person proved themselves a moment ago, else after they do. */
export async function submitApproval(deps: FlowDeps, request: BrowserRequest, form: ApprovalForm): Promise<Outcome> {
  const { state: id = '', action, shown = '' } = form
  if (request.session === undefined) return signInFirst(deps, request, approvePath(id))
  const found = await findApproval(deps.storage, id)
  if (found === undefined) throw new FlowError('interaction_expired')
  const { session } = await requireAsked(deps, request, found.approval)
  if (action !== 'allow') return answer(deps, request, id, { allowed: false, shown })
  if (isFreshlyProven(deps, session)) return answer(deps, request, id, { allowed: true, shown })
  return startStepUp(deps, request, { session }, { kind: 'approve', request: id, shown })
}

/** What was wanted before the person proved that it is still they. */
export const allowProven = (
  deps: FlowDeps,
  request: BrowserRequest,
  wish: { readonly request: string; readonly shown: string },
): Promise<Outcome> => answer(deps, request, wish.request, { allowed: true, shown: wish.shown })

async function answer(
  deps: FlowDeps,
  request: BrowserRequest,
  id: string,
  given: { readonly allowed: boolean; readonly shown: string },
): Promise<Outcome> {
  const { user, session } = await requireOwner(deps, request)
  const { userId } = user
  const at = deps.clock()
  await deps.storage.transaction(async (tx) => {
    const answered = await answerApproval(tx, { id, userId, actor: userId, at }, async (approval) => {
      if (approval.userId !== undefined && approval.userId !== userId) throw new FlowError('wrong_user')
      if (!given.allowed) return { answer: 'denied' }
      const question = await questionOf(deps, tx, approval)
      // Something of what they read is otherwise by now: what they said does not count for it.
      if (question.shown !== given.shown) return undefined
      return question.allow(tx, session, at)
    })
    if (!answered) throw new FlowError('interaction_expired')
  })
  return { kind: 'redirect', url: approvePath(id), cookies: withBrowserCookie(request) }
}

interface Given {
  readonly parameters: JsonObject
  /** Under the engine's names: what a yes grants. */
  readonly granted: readonly string[]
  /** How long an access token for it lives. */
  readonly tokenSeconds: number
}

/** Lasts as long as what it is for: until the tokens of this one answer end, or until somebody ends it. */
async function grant(
  deps: FlowDeps,
  tx: Repositories,
  { clientId, expiresAt }: Approval,
  { parameters, granted, tokenSeconds }: Given,
  session: Session,
  at: EpochSeconds,
): Promise<JsonObject> {
  const stays = granted.flatMap(plainScopes).includes('offline_access')
  const consented = { interaction: parameters, clientId, session }
  const seconds = stays ? {} : { seconds: expiresAt - at + tokenSeconds }
  const grantId = await grantConsent(tx, consented, { issuer: deps.issuer, at, ...seconds })
  return { grantId, scope: granted.join(' '), authTime: session.authenticatedAt, amr: [...session.amr] }
}

/** What waits for a person, for the page of their agents. */
export async function waitingApprovals(
  deps: FlowDeps,
  userId: string,
): Promise<readonly { readonly path: string; readonly clientId: string; readonly approval: Approval }[]> {
  const approvals = await openApprovals(deps.storage, userId, deps.clock())
  return approvals.map((approval) => ({ path: approvePath(approval.id), clientId: approval.clientId, approval }))
}
