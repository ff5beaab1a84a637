// Questions of agents and devices that wait for a person: how they are kept, how many there may be, and that each is
// answered once. Most are rows of the protocol engine; what it polls for is written here.
import { sha256Hex } from '../crypto/hashing.ts'
import type { Keyring } from '../crypto/keyring.ts'
import {
  type Approval,
  type ApprovalKind,
  DENIALS_BEFORE_PAUSE,
  isOpen,
  MAILS_IN_PAUSE,
  PAUSE_SECONDS,
  PENDING_AT_ONCE,
} from '../domain/approval.ts'
import type { AskedUse } from '../domain/asked-use.ts'
import { parseClient } from '../domain/client.ts'
import { queueMail } from '../events/mail-queue.ts'
import { isJsonObject, isString, type JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Artifact, ArtifactKind, ReplayMark } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'
import { provenAddresses } from './link.ts'

const KINDS: Readonly<Record<ApprovalKind, ArtifactKind>> = {
  ciba: 'BackchannelAuthenticationRequest',
  device: 'DeviceCode',
  use: 'UseApproval',
}

const APPROVAL_KINDS = ['ciba', 'device', 'use'] as const satisfies readonly ApprovalKind[]

export interface StoredApproval {
  readonly approval: Approval
  readonly artifact: Artifact
}

/** A row as the question that it holds; undefined for a row of another kind. */
export function approvalOf(artifact: Artifact): Approval | undefined {
  const kind = APPROVAL_KINDS.find((one) => KINDS[one] === artifact.kind)
  const { payload, clientId } = artifact
  if (kind === undefined || clientId === undefined) return undefined
  const params = isJsonObject(payload.params) ? payload.params : {}
  const text = (value: unknown) => (isString(value) ? value : undefined)
  return {
    id: artifact.idHash,
    kind,
    clientId,
    userId: artifact.userId,
    scope: text(params.scope) ?? '',
    resource: text(params.resource),
    message: kind === 'device' ? undefined : text(params.binding_message),
    userCode: kind === 'device' ? text(payload.userCode) : undefined,
    // Written by `askUse` alone, from this type.
    use: kind === 'use' && isJsonObject(payload.use) ? (payload.use as unknown as AskedUse) : undefined,
    askedAt: artifact.createdAt,
    // The row stays a little longer, so that a late poll hears why it gets nothing.
    expiresAt: typeof payload.exp === 'number' ? payload.exp : artifact.expiresAt,
    answer: answerOf(payload),
  }
}

const answerOf = ({ grantId, allowedUntil, error }: JsonObject): Approval['answer'] =>
  isString(grantId) || typeof allowedUntil === 'number' ? 'allowed' : isString(error) ? 'denied' : undefined

/** The question of this id, of any kind. */
export async function findApproval(repositories: Repositories, id: string): Promise<StoredApproval | undefined> {
  const rows = await Promise.all(APPROVAL_KINDS.map((kind) => repositories.artifacts.find(KINDS[kind], id)))
  const artifact = rows.find((one) => one !== undefined)
  const approval = artifact && approvalOf(artifact)
  return artifact && approval && { artifact, approval }
}

/** The question whose code a device shows. */
export async function findByUserCode(repositories: Repositories, code: string): Promise<StoredApproval | undefined> {
  const artifact = await repositories.artifacts.findByUid(KINDS.device, code)
  const approval = artifact && approvalOf(artifact)
  return artifact && approval && { artifact, approval }
}

/** What agents ask a person now, the newest first. */
export async function openApprovals(
  repositories: Repositories,
  userId: string,
  now: EpochSeconds,
): Promise<readonly Approval[]> {
  const rows = await Promise.all([
    repositories.artifacts.listOfUser(KINDS.ciba, userId),
    repositories.artifacts.listOfUser(KINDS.use, userId),
  ])
  return rows
    .flat()
    .flatMap((row) => approvalOf(row) ?? [])
    .filter((one) => isOpen(one, now))
    .toSorted((a, b) => b.askedAt - a.askedAt)
}

export interface ApprovalDeps {
  readonly issuer: string
  readonly keyring: Keyring
  /** Name of the tenant, for mails. */
  readonly tenant: () => string
}

export type AskAnswer =
  | { readonly kind: 'asked' }
  | { readonly kind: 'refused'; readonly reason: 'user_gone' | 'agent_stopped' }
  | {
      readonly kind: 'refused'
      readonly reason: 'too_many_pending' | 'denied_lately'
      readonly retryAfterSeconds: number
    }

/**
 * Puts an agent's question to a person, and mails them of it: all of it, or nothing but the record of why not. One
 * person's questions are counted under a lock, so that many at once are not more than there may be.
 *
 * @param authReqId what the client polls with, for the link in the mail; by itself it gives nothing.
 */
export async function askApproval(
  tx: Repositories,
  deps: ApprovalDeps,
  artifact: Artifact,
  authReqId: string,
): Promise<AskAnswer> {
  const approval = approvalOf(artifact)
  if (approval?.userId === undefined) throw new Error('a question needs somebody to be asked')
  const answer = await judge(tx, approval, approval.userId)
  const refused = answer.kind === 'refused'
  if (!refused) {
    await tx.artifacts.put(artifact)
    await mailOf(tx, deps, approval, approval.userId, authReqId)
  }
  await tx.events.append({
    type: 'approval.requested',
    at: approval.askedAt,
    outcome: refused ? 'refused' : 'ok',
    userId: approval.userId,
    clientId: approval.clientId,
    ...(approval.use && { accountId: approval.use.accountId }),
    data: { ...factsOf(approval), expires_at: approval.expiresAt, ...(refused ? { reason: answer.reason } : {}) },
  })
  return answer
}

const factsOf = ({ kind, scope, use }: Approval): JsonObject => ({ kind, ...(use ? { use: use.kind } : { scope }) })

async function judge(tx: Repositories, approval: Approval, userId: string): Promise<AskAnswer> {
  const { clientId, askedAt: now } = approval
  const [user] = await tx.users.lock([userId])
  if (user === undefined || user.blocked) return { kind: 'refused', reason: 'user_gone' }
  if ((await tx.agentStops.find(userId, clientId)) !== undefined) return { kind: 'refused', reason: 'agent_stopped' }
  const denials = await tx.limits.find(denialsKey(userId, clientId), now)
  if (denials !== undefined && denials.points >= DENIALS_BEFORE_PAUSE)
    return { kind: 'refused', reason: 'denied_lately', retryAfterSeconds: Math.max(1, denials.expiresAt - now) }
  const ends = (await openApprovals(tx, userId, now))
    .filter((one) => one.clientId === clientId)
    .map(({ expiresAt }) => expiresAt)
  if (ends.length < PENDING_AT_ONCE) return { kind: 'asked' }
  return { kind: 'refused', reason: 'too_many_pending', retryAfterSeconds: Math.max(1, Math.min(...ends) - now) }
}

/** To every proven address, so that the person hears of it wherever they read; an unproven one may be a stranger's. */
async function mailOf(
  tx: Repositories,
  { issuer, keyring, tenant }: ApprovalDeps,
  { clientId, askedAt, expiresAt }: Approval,
  userId: string,
  authReqId: string,
): Promise<void> {
  const sent = await tx.limits.add(key('approval-mail', userId, clientId), 1, askedAt, askedAt + PAUSE_SECONDS)
  if (sent.points > MAILS_IN_PAUSE) return
  const [record, evidence] = await Promise.all([tx.clients.find(clientId), tx.evidence.listOfUser(userId)])
  const link = new URL(`approve?auth_req_id=${encodeURIComponent(authReqId)}`, issuer).href
  const app = record === undefined ? clientId : parseClient(record).name
  const values = { tenant: tenant(), app, link, until: expiresAt }
  for (const to of provenAddresses({ evidence }))
    await queueMail(tx, keyring, { to, template: 'approval-asked', values, notAfter: expiresAt })
}

/** Members of the row that a yes or a no leaves for the client's next poll. */
export type ApprovalResult =
  | {
      readonly answer: 'allowed'
      readonly members: JsonObject
      /** When the row may go, where that is later than it would by itself. */
      readonly keepUntil?: EpochSeconds
    }
  | { readonly answer: 'denied' }

/**
 * Answers a question, once: of two answers at one moment one is taken.
 *
 * @returns false when it was answered before, ran out, is gone, or `decide` found it changed: the caller then ends its
 *   transaction without a trace.
 */
export async function answerApproval(
  tx: Repositories,
  { id, userId, actor, at }: { id: string; userId: string; actor: string; at: EpochSeconds },
  decide: (approval: Approval) => Promise<ApprovalResult | undefined>,
): Promise<boolean> {
  await tx.users.lock([userId])
  const found = await findApproval(tx, id)
  if (found === undefined || !isOpen(found.approval, at)) return false
  const { approval, artifact } = found
  if (!(await tx.replays.insertOnce(answerMark(artifact)))) return false
  const result = await decide(approval)
  if (result === undefined) return false
  const members = result.answer === 'allowed' ? result.members : DENIED
  const keepUntil = result.answer === 'allowed' ? (result.keepUntil ?? 0) : 0
  await tx.artifacts.put({
    ...artifact,
    userId,
    payload: { ...artifact.payload, accountId: userId, ...members },
    expiresAt: Math.max(artifact.expiresAt, keepUntil),
  })
  await countAnswer(tx, approval, userId, result.answer, at)
  await tx.events.append({
    type: result.answer === 'allowed' ? 'approval.allowed' : 'approval.denied',
    at,
    outcome: 'ok',
    userId,
    actor,
    clientId: approval.clientId,
    ...(approval.use && { accountId: approval.use.accountId }),
    data: { ...factsOf(approval), ...(isString(members.scope) ? { scope: members.scope } : {}) },
  })
  return true
}

const DENIED: JsonObject = {
  error: 'access_denied',
  errorDescription: 'The end-user denied the authorization request or it has been expired',
}

/** Only the write tells which of two answers came first. */
const answerMark = ({ idHash, expiresAt }: Artifact): ReplayMark => ({
  idHash: sha256Hex(`approval:${idHash}`),
  expiresAt,
})

async function countAnswer(
  tx: Repositories,
  { kind, clientId }: Approval,
  userId: string,
  answer: ApprovalResult['answer'],
  at: EpochSeconds,
): Promise<void> {
  if (kind === 'device') return
  const name = denialsKey(userId, clientId)
  const before = answer === 'denied' ? ((await tx.limits.find(name, at))?.points ?? 0) : 0
  // The pause counts from the last refusal, not from the first.
  await tx.limits.delete(name)
  if (answer === 'denied') await tx.limits.add(name, before + 1, at, at + PAUSE_SECONDS)
}

const denialsKey = (userId: string, clientId: string): string => key('approval-denied', userId, clientId)
const key = (kind: string, userId: string, clientId: string): string => `${kind}:${sha256Hex(`${userId} ${clientId}`)}`
