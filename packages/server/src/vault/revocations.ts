// Tokens that must end at their provider: queued in the transaction that makes them ours no more, sent until it worked.

import { EnvelopeError } from '../crypto/envelope.ts'
import { newId } from '../crypto/hashing.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { isCredential, type TokenSet, type VaultAccount } from '../domain/tokenset.ts'
import { backOffSeconds, createQueueWorker, type QueueWorker } from '../lib/queue-worker.ts'
import type { Clock } from '../lib/time.ts'
import type { RevocationJob } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'
import { UpstreamUnavailable } from '../upstream/errors.ts'
import type { VaultParts } from './parts.ts'

/** Whose tokens they are; `id` is the account's, which may be gone already. */
export type TokenOwner = Pick<VaultAccount, 'id' | 'userId' | 'connectionId' | 'subject'>

/**
 * Queues the tokens of a tokenset, but for those that `keptTokenset` still uses: some providers give the same token again.
 */
export async function queueRevocation(
  tx: Repositories,
  { keyring, clock }: { keyring: Keyring; clock: Clock },
  request: { readonly account: TokenOwner; readonly tokenset: TokenSet; readonly keptTokenset?: TokenSet },
): Promise<void> {
  const { account, tokenset, keptTokenset } = request
  // Nobody could be asked, and a second copy of what does not end is one too many.
  if (isCredential(tokenset)) return
  const kept = new Set([keptTokenset?.accessToken, keptTokenset?.refreshToken])
  const ended = tokenset.accessExpiresAt !== undefined && tokenset.accessExpiresAt <= clock()
  // The refresh token first: with most providers it takes the access tokens along.
  const tokens = [
    { hint: 'refresh_token', token: tokenset.refreshToken },
    { hint: 'access_token', token: ended ? undefined : tokenset.accessToken },
  ] as const
  for (const { hint, token } of tokens) {
    if (token === undefined || kept.has(token)) continue
    const id = newId('rev_', 24)
    await tx.revocations.add({
      id,
      userId: account.userId,
      connectionId: account.connectionId,
      accountId: account.id,
      subject: account.subject,
      hint,
      envelope: keyring.seal(contextOf(id), Buffer.from(token)),
      attempts: 0,
      // Due since always, by whichever clock.
      dueAt: 0,
    })
  }
}

const AT_ONCE = 20
const LEASE_SECONDS = 60
/** Hourly tries for about a week; then a person has to look. */
const MAX_ATTEMPTS = 180
const PAUSES = { first: 4, longest: 3600 }

/** Sends due revocations; several nodes may do so at once. */
export const createRevoker = (parts: VaultParts, everyMs: number): QueueWorker<void> =>
  createQueueWorker({
    everyMs,
    limit: AT_ONCE,
    claim: (limit) => {
      const claim = { now: parts.leaseClock(), leaseSeconds: LEASE_SECONDS, limit }
      return parts.storage.transaction((tx) => tx.revocations.claim(claim))
    },
    handle: (job) => send(parts, job),
    onError: (error) => parts.log.error({ err: error, task: 'revocations' }, 'background work failed'),
  })

type Result = 'revoked' | 'unsupported' | 'grant_kept' | 'connection_gone' | 'unreadable'

async function send(parts: VaultParts, job: RevocationJob): Promise<void> {
  try {
    await finish(parts, job, await revoke(parts, job))
  } catch (error) {
    await postpone(parts, job, error)
  }
}

async function revoke(parts: VaultParts, job: RevocationJob): Promise<Result> {
  const connector = await parts.connectorFor(job.connectionId, { deletedToo: true })
  if (!connector) return 'connection_gone'
  // Would end what another tokenset of the same person at the same provider lives on.
  if (connector.traits.revocationEnds === 'grant') {
    if ((await parts.storage.accounts.countOfSubject(job.connectionId, job.subject)) > 0) return 'grant_kept'
  }
  let token: string
  try {
    token = parts.keyring.open(contextOf(job.id), job.envelope).toString('utf8')
  } catch (error) {
    if (error instanceof EnvelopeError) return 'unreadable'
    throw error
  }
  return connector.revoke(token, job.hint)
}

async function finish({ storage, clock }: VaultParts, job: RevocationJob, result: Result): Promise<void> {
  await storage.transaction(async (tx) => {
    await tx.revocations.done(job.id)
    await tx.events.append({
      type: 'vault.token_revoked',
      at: clock(),
      outcome: result === 'revoked' ? 'ok' : 'refused',
      userId: job.userId,
      connectionId: job.connectionId,
      accountId: job.accountId,
      data: { result, token: job.hint, attempts: job.attempts },
    })
  })
}

async function postpone(parts: VaultParts, job: RevocationJob, error: unknown): Promise<void> {
  const { accountId, connectionId, attempts } = job
  parts.log.warn({ err: error, accountId, connectionId, attempts }, 'a token could not be revoked yet')
  if (attempts >= MAX_ATTEMPTS) return giveUp(parts, job)
  const asked = error instanceof UpstreamUnavailable ? (error.retryAfterSeconds ?? 0) : 0
  const pause = Math.min(PAUSES.longest, Math.max(asked, backOffSeconds(attempts - 1, PAUSES)))
  await parts.storage.transaction((tx) => tx.revocations.retryAt(job.id, parts.leaseClock() + pause))
}

async function giveUp({ storage, clock }: VaultParts, job: RevocationJob): Promise<void> {
  const { userId, connectionId, accountId, hint, attempts } = job
  const event = { type: 'vault.revocation_abandoned', outcome: 'refused', userId, connectionId, accountId } as const
  await storage.transaction(async (tx) => {
    await tx.revocations.done(job.id)
    await tx.events.append({ ...event, at: clock(), data: { token: hint, attempts } })
  })
}

const contextOf = (id: string): string => `revocation:${id}`
