// Polling for what a person answers: `urn:openid:params:grant-type:ciba` (CIBA Core §10.1) and the device flow's grant (RFC
// 8628 §3.4). Ours, for the statuses that clients expect (auth0-wire.md §1.7, §1.8) and because a yes is judged anew when
// it is redeemed: the person may have been blocked, or have stopped the agent, since.
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { approvalOf } from '../../accounts/approvals.ts'
import { sha256Hex } from '../../crypto/hashing.ts'
import { type Approval, POLL_SECONDS } from '../../domain/approval.ts'
import type { User } from '../../domain/user.ts'
import { isString, stringsOf } from '../../lib/json.ts'
import type { Artifact } from '../../storage/records.ts'
import type { Repositories } from '../../storage/storage.ts'
import { requiredProof, tokenTypeOf } from '../dpop.ts'
import type { EngineDeps } from '../engine.ts'
import { numberOf } from '../lifetimes.ts'
import { ENGINE_OFFLINE_ACCESS, splitScope } from '../scopes.ts'
import { issueAccess, issueIdToken, issueRefresh, type TokenSource } from './issue.ts'
import { decideRefreshTarget, type RefreshTarget } from './refresh-target.ts'

interface Flow {
  readonly kind: 'BackchannelAuthenticationRequest' | 'DeviceCode'
  /** What the client polls with. */
  readonly parameter: 'auth_req_id' | 'device_code'
  readonly gty: string
  /** Of the event. */
  readonly type: string
}

const CIBA: Flow = {
  kind: 'BackchannelAuthenticationRequest',
  parameter: 'auth_req_id',
  gty: 'ciba',
  type: 'ciba.exchanged',
}
const DEVICE: Flow = { kind: 'DeviceCode', parameter: 'device_code', gty: 'device_code', type: 'device.exchanged' }

export const cibaGrant = (provider: Provider, deps: EngineDeps) => pollingGrant(provider, deps, CIBA)
export const deviceGrant = (provider: Provider, deps: EngineDeps) => pollingGrant(provider, deps, DEVICE)

const DENIED = 'The end-user denied the authorization request or it has been expired'

function pollingGrant(provider: Provider, deps: EngineDeps, flow: Flow) {
  return async (ctx: KoaContextWithOIDC): Promise<void> => {
    const { errors } = deps.library
    const value = ctx.oidc.params?.[flow.parameter]
    if (!isString(value)) throw new errors.InvalidRequest(`missing required parameter '${flow.parameter}'`)
    const dpop = await requiredProof(provider, ctx, deps)
    const found = await findOwn(ctx, deps, flow, value)
    await requireAnswer(ctx, deps, flow, found)
    const user = await requireStanding(deps, found.approval)
    const target = await targetOf(deps, found)
    await redeem(deps, flow, found, target)
    const source = sourceOf(flow, found.artifact)
    const access = await issueAccess(provider, ctx, source, target, dpop?.thumbprint)
    const refreshToken = await refreshOf(provider, ctx, source, target, dpop?.thumbprint)
    ctx.body = {
      access_token: access.value,
      ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
      ...(target.scopes.includes('openid')
        ? { id_token: await issueIdToken(provider, ctx, source, target, user) }
        : {}),
      expires_in: access.expiresIn,
      scope: target.scopes.join(' '),
      token_type: tokenTypeOf(dpop),
    }
  }
}

interface Found {
  readonly artifact: Artifact
  readonly approval: Approval
}

/** Another client's is as unknown as one that never was. */
async function findOwn(
  ctx: KoaContextWithOIDC,
  { storage, library }: EngineDeps,
  flow: Flow,
  value: string,
): Promise<Found> {
  const artifact = await storage.artifacts.find(flow.kind, sha256Hex(value))
  const approval = artifact && approvalOf(artifact)
  if (artifact === undefined || approval === undefined || approval.clientId !== ctx.oidc.client?.clientId)
    throw new library.errors.InvalidGrant(`unknown ${flow.parameter}`)
  if (artifact.consumedAt !== undefined) throw new library.errors.InvalidGrant(`${flow.parameter} was used`)
  return { artifact, approval }
}

/** @throws that it is pending, was denied, or ran out; the last two are told once. */
async function requireAnswer(
  ctx: KoaContextWithOIDC,
  deps: EngineDeps,
  flow: Flow,
  { approval }: Found,
): Promise<void> {
  const { errors } = deps.library
  const now = deps.clock()
  const over = approval.expiresAt <= now
  if (approval.answer === undefined && !over) {
    await requirePatience(ctx, deps, approval)
    throw new errors.AuthorizationPending()
  }
  if (approval.answer === 'allowed' && !over) return
  const reason = approval.answer === 'denied' ? 'denied' : 'expired'
  if (!(await end(deps, flow, approval, reason))) throw new errors.InvalidGrant(`${flow.parameter} was used`)
  if (flow === DEVICE && reason === 'expired') throw new errors.ExpiredToken('The device code has expired.')
  throw new errors.AccessDenied(DENIED)
}

/** RFC 8628 §3.5. A second is forgiven: networks are not even. */
async function requirePatience(ctx: KoaContextWithOIDC, deps: EngineDeps, { id }: Approval): Promise<void> {
  const now = deps.clock()
  const polled = await deps.storage.transaction((tx) => tx.limits.add(`poll:${id}`, 1, now, now + POLL_SECONDS - 1))
  if (polled.points <= 1) return
  ctx.set('retry-after', String(POLL_SECONDS))
  throw new deps.library.errors.SlowDown()
}

/** @returns false when another poll was told first. */
function end({ storage, clock }: EngineDeps, flow: Flow, approval: Approval, reason: string): Promise<boolean> {
  return storage.transaction(async (tx) => {
    if (!(await tx.artifacts.consume(flow.kind, approval.id, clock()))) return false
    await record(tx, flow, approval, { at: clock(), outcome: 'refused', data: { reason } })
    return true
  })
}

/** As they stand now, whatever the person said a while ago. */
async function requireStanding({ storage, library }: EngineDeps, { userId = '', clientId }: Approval): Promise<User> {
  const user = await storage.users.find(userId)
  if (user === undefined) throw new library.errors.InvalidGrant('user not found')
  if (user.blocked) throw new library.errors.InvalidGrant('user is blocked')
  if ((await storage.agentStops.find(userId, clientId)) !== undefined)
    throw new library.errors.AccessDenied('The user has stopped this client.')
  return user
}

async function targetOf(deps: EngineDeps, { artifact, approval }: Found): Promise<RefreshTarget> {
  const { errors } = deps.library
  const { grantId, scope } = artifact.payload
  const grant = isString(grantId) ? await deps.storage.artifacts.find('Grant', grantId) : undefined
  if (grant === undefined || grant.expiresAt <= deps.clock() || grant.userId !== artifact.userId)
    throw new errors.InvalidGrant('grant not found')
  const answer = await decideRefreshTarget(deps, {
    clientId: approval.clientId,
    policies: [],
    granted: splitScope(isString(scope) ? scope : ''),
    grantedResource: approval.resource,
    requested: undefined,
    requestedResource: undefined,
  })
  if (answer.kind !== 'target') throw new errors.AccessDenied('Client is not authorized to access the audience.')
  return answer
}

/** Once: of several polls at one moment one is answered with tokens (T-AGT-05). */
async function redeem(deps: EngineDeps, flow: Flow, { approval }: Found, target: RefreshTarget): Promise<void> {
  const at = deps.clock()
  const won = await deps.storage.transaction(async (tx) => {
    if (!(await tx.artifacts.consume(flow.kind, approval.id, at))) return false
    await record(tx, flow, approval, { at, outcome: 'ok', data: { scopes: [...target.scopes] } })
    return true
  })
  if (!won) throw new deps.library.errors.InvalidGrant(`${flow.parameter} was used`)
}

const record = (
  tx: Repositories,
  { type }: Flow,
  { userId, clientId }: Approval,
  what: { readonly at: number; readonly outcome: 'ok' | 'refused'; readonly data: Record<string, string | string[]> },
): Promise<void> => tx.events.append({ type, clientId, ...(userId === undefined ? {} : { userId }), ...what })

function sourceOf({ gty }: Flow, { payload, userId = '' }: Artifact): TokenSource {
  return {
    accountId: userId,
    grantId: String(payload.grantId),
    gty,
    amr: stringsOf(payload.amr),
    authTime: numberOf(payload.authTime),
  }
}

async function refreshOf(
  provider: Provider,
  ctx: KoaContextWithOIDC,
  source: TokenSource,
  target: RefreshTarget,
  thumbprint: string | undefined,
): Promise<string | undefined> {
  const wanted = ctx.oidc.client?.grantTypeAllowed('refresh_token') && target.scopes.includes(ENGINE_OFFLINE_ACCESS)
  return wanted ? issueRefresh(provider, ctx, source, target, thumbprint) : undefined
}
