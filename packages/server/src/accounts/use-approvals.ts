// The person's yes to one use of an account, where a client's policy wants it: found, asked for, and used up. The client
// asks by making its request, and hears the answer by making it again.
import { randomToken, sha256Hex } from '../crypto/hashing.ts'
import { type AskedUse, USE_QUESTION_SECONDS, useAsJson, useAsText } from '../domain/asked-use.ts'
import { isString } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Artifact, ReplayMark } from '../storage/records.ts'
import type { Repositories, Storage } from '../storage/storage.ts'
import { type ApprovalDeps, type AskAnswer, askApproval } from './approvals.ts'

export type UseVerdict =
  /** `mark`: the yes serves once, and this must be stored, as the first of its kind, before the use is answered. */
  | { readonly kind: 'allowed'; readonly mark: ReplayMark | undefined }
  | { readonly kind: 'pending'; readonly authReqId: string }
  /** Told once. */
  | { readonly kind: 'denied' }
  | Extract<AskAnswer, { readonly kind: 'refused' }>

export interface UseQuestion {
  readonly userId: string
  readonly clientId: string
  readonly use: AskedUse
  /** The client's own words. */
  readonly purpose: string | undefined
  readonly at: EpochSeconds
}

/** What the person said to exactly this use; asks them when they have not been asked. */
export async function approvalForUse(storage: Storage, deps: ApprovalDeps, question: UseQuestion): Promise<UseVerdict> {
  const { userId, at } = question
  const uid = sha256Hex(useAsText(question, question.use))
  for (const row of await rowsOf(storage, userId, uid)) {
    const verdict = await verdictOf(storage, row, at)
    if (verdict !== undefined) return verdict
  }
  return ask(storage, deps, question, uid)
}

/** The newest first. */
async function rowsOf({ artifacts }: Repositories, userId: string, uid: string): Promise<readonly Artifact[]> {
  const rows = await artifacts.listOfUser('UseApproval', userId)
  return rows.filter((row) => row.uid === uid).toReversed()
}

/** Undefined: the row says nothing about a use that begins now. */
async function verdictOf(storage: Storage, row: Artifact, at: EpochSeconds): Promise<UseVerdict | undefined> {
  const { payload, idHash, consumedAt, expiresAt } = row
  const { allowedUntil, error, once } = payload
  if (typeof allowedUntil === 'number') {
    if (allowedUntil <= at) return undefined
    if (once !== true) return { kind: 'allowed', mark: undefined }
    const mark = { idHash: sha256Hex(`approved use:${idHash}`), expiresAt }
    return (await storage.replays.has(mark.idHash, at)) ? undefined : { kind: 'allowed', mark }
  }
  if (error !== undefined) {
    if (consumedAt !== undefined) return undefined
    const told = await storage.transaction((tx) => tx.artifacts.consume('UseApproval', idHash, at))
    return told ? { kind: 'denied' } : undefined
  }
  return pendingOf(row, at)
}

function pendingOf({ payload }: Artifact, at: EpochSeconds): Extract<UseVerdict, { kind: 'pending' }> | undefined {
  const { allowedUntil, error, exp, auth_req_id: authReqId } = payload
  if (allowedUntil !== undefined || error !== undefined || !isString(authReqId)) return undefined
  return typeof exp === 'number' && exp > at ? { kind: 'pending', authReqId } : undefined
}

/** The row stays a little longer than the question, so that its page can say what became of it. */
const KEPT_AFTER_SECONDS = 600

async function ask(storage: Storage, deps: ApprovalDeps, question: UseQuestion, uid: string): Promise<UseVerdict> {
  const { userId, clientId, use, purpose, at } = question
  const authReqId = randomToken()
  const exp = at + USE_QUESTION_SECONDS
  const artifact: Artifact = {
    kind: 'UseApproval',
    idHash: sha256Hex(authReqId),
    uid,
    grantId: undefined,
    userId,
    clientId,
    payload: {
      // Opens the page to the person alone, and is told to the client again each time that it asks.
      auth_req_id: authReqId,
      exp,
      once: use.validSeconds === 0,
      use: useAsJson(use),
      ...(purpose === undefined ? {} : { params: { binding_message: purpose } }),
    },
    createdAt: at,
    expiresAt: exp + KEPT_AFTER_SECONDS,
    consumedAt: undefined,
    successorEnvelope: undefined,
    identityKey: undefined,
  }
  return storage.transaction(async (tx) => {
    // The same request twice at one moment is one question.
    await tx.users.lock([userId])
    const [newest] = await rowsOf(tx, userId, uid)
    const pending = newest && pendingOf(newest, at)
    if (pending !== undefined) return pending
    const answer = await askApproval(tx, deps, artifact, authReqId)
    return answer.kind === 'asked' ? { kind: 'pending', authReqId } : answer
  })
}

/** What a yes writes into the row. */
export const allowedMembers = (use: AskedUse, at: EpochSeconds) => {
  const allowedUntil = at + (use.validSeconds === 0 ? USE_QUESTION_SECONDS : use.validSeconds)
  return { members: { allowedUntil }, keepUntil: allowedUntil + KEPT_AFTER_SECONDS }
}
