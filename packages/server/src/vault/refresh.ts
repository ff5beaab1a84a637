// One refresh at the provider, by the holder of the lease: call, verdict, write. No transaction is open during the call.
import { setTimeout as sleep } from 'node:timers/promises'
import { EnvelopeError } from '../crypto/envelope.ts'
import { type StoredAccount, scopesLost, type TokenSet } from '../domain/tokenset.ts'
import type { Connector, ConnectorTraits, RefreshAnswer } from '../upstream/connector.ts'
import { UpstreamUnavailable } from '../upstream/errors.ts'
import { type FreshToken, freshAnswer, reconnectAnswer } from './fresh-token.ts'
import type { Judge } from './judge.ts'
import type { Lease } from './lease.ts'
import type { VaultParts } from './parts.ts'
import { queueRevocation } from './revocations.ts'
import { clearMembers, openTokenset, renewedTokenset, sealTokenset } from './tokensets.ts'

export interface Refresh {
  readonly parts: VaultParts
  readonly judge: Judge
  readonly lease: Lease
  readonly account: StoredAccount
  readonly tokenset: TokenSet
  readonly refreshToken: string
}

export type RefreshOutcome =
  | { readonly kind: 'answer'; readonly answer: FreshToken }
  | { readonly kind: 'unavailable'; readonly retryAfterSeconds: number }
  /** Somebody else wrote meanwhile: read again. */
  | { readonly kind: 'superseded' }

type Refreshed = Extract<RefreshAnswer, { readonly kind: 'refreshed' }>

export async function refreshAtProvider(refresh: Refresh): Promise<RefreshOutcome> {
  const { parts, lease, account } = refresh
  return lease.during(async () => {
    let answer: RefreshAnswer
    try {
      answer = await ask(refresh)
    } catch (error) {
      return unavailable(refresh, error)
    }
    parts.circuits.succeeded(account.connectionId)
    return answer.kind === 'refreshed' ? keep(refresh, answer) : refused(refresh)
  })
}

/** Asks with the stored refresh token, and once more where the provider forgives a second use of the one before. */
async function ask(refresh: Refresh): Promise<RefreshAnswer> {
  const { parts, account } = refresh
  const connector = await parts.connectorFor(account.connectionId)
  if (!connector) throw new UpstreamUnavailable('client_rejected', { detail: 'no such connection' })
  const call = async () => withKnownEnd(await callProvider(refresh, connector), account, connector.traits)
  const first = await call()
  if (first.kind === 'refreshed' || !connector.traits.refreshTokenGraceSeconds) return first
  // Another node may have been faster; then its token counts, and a second call would waste the grace.
  const now = await parts.storage.accounts.find(account.id)
  return now?.generation === account.generation ? call() : first
}

/** A new refresh token does not outlive the consent where the provider gives that an end. */
function withKnownEnd(
  answer: RefreshAnswer,
  { connectedAt }: StoredAccount,
  { refreshTokenEndsAfterSeconds: seconds }: ConnectorTraits,
): RefreshAnswer {
  if (answer.kind !== 'refreshed' || seconds === undefined) return answer
  const end = connectedAt + seconds
  const refreshExpiresAt = Math.min(answer.tokenset.refreshExpiresAt ?? end, end)
  return { ...answer, tokenset: { ...answer.tokenset, refreshExpiresAt } }
}

async function callProvider({ parts, account, refreshToken }: Refresh, connector: Connector): Promise<RefreshAnswer> {
  const timeoutSeconds = parts.settings().refreshTimeoutSeconds
  const call = connector.refresh({ refreshToken, subject: account.subject, timeoutSeconds })
  // The connector keeps the time itself; this only makes sure that nobody waits for ever.
  const giveUp = new AbortController()
  const late = sleep((timeoutSeconds + 1) * 1000, undefined, { signal: giveUp.signal }).then(() => {
    throw new UpstreamUnavailable('timeout')
  })
  late.catch(() => {})
  try {
    return await Promise.race([call, late])
  } finally {
    giveUp.abort()
  }
}

/** The provider said no. It counts when nobody else has refreshed since. */
async function refused({ judge, lease, account }: Refresh): Promise<RefreshOutcome> {
  const reason = lease.recovering ? 'refresh_answer_lost' : 'refresh_token_refused'
  const marked = await judge.markDead(account, reason, lease.holder)
  return marked ? { kind: 'answer', answer: reconnectAnswer(reason) } : { kind: 'superseded' }
}

/** Failures after which the refresh token was certainly not used. */
const UNUSED = new Set(['throttled', 'client_rejected'])

async function unavailable({ parts, lease, account }: Refresh, error: unknown): Promise<RefreshOutcome> {
  const known = error instanceof UpstreamUnavailable ? error : undefined
  const retryAfterSeconds = parts.circuits.failed(account.connectionId, known?.retryAfterSeconds)
  parts.log.warn(
    { err: error, accountId: account.id, connectionId: account.connectionId, retryAfterSeconds },
    'no usable answer to a refresh',
  )
  const unused = known !== undefined && UNUSED.has(known.reason)
  // Where the answer may be lost, the intent stays open: the provider is asked again soon, within its grace if it has one.
  if (unused && !lease.recovering) await lease.release()
  else await lease.park(retryAfterSeconds)
  return { kind: 'unavailable', retryAfterSeconds }
}

const WRITE_RETRIES_MS = [50, 200, 800, 2000]
const MAX_REWRITES = 5

/**
 * Writes the new tokenset. It may be the only usable one in the world by now, so that a failing database is tried again,
 * and a row that changed without using the refresh token (moved to another user, stopped) still gets it.
 */
async function keep(refresh: Refresh, given: Refreshed): Promise<RefreshOutcome> {
  const { parts } = refresh
  for (const waitMs of WRITE_RETRIES_MS) {
    try {
      return await write(refresh, given)
    } catch (error) {
      parts.log.error({ err: error, accountId: refresh.account.id }, 'a refreshed tokenset could not be written yet')
      await sleep(waitMs)
    }
  }
  return write(refresh, given)
}

async function write(refresh: Refresh, given: Refreshed): Promise<RefreshOutcome> {
  const { parts, account, refreshToken } = refresh
  const tokenset = renewedTokenset(refresh.tokenset, given.tokenset)
  const next = { tokenset, extras: given.extras ?? {} }
  const written = await replace(refresh, account, next)
  if (written) return { kind: 'answer', answer: freshAnswer(written, tokenset) }
  for (let turn = 0; turn < MAX_REWRITES; turn++) {
    const standing = await parts.storage.accounts.find(account.id)
    if (!standing) {
      await endOrphan(refresh, tokenset)
      return { kind: 'answer', answer: { kind: 'gone' } }
    }
    if ((await openOrUndefined(parts, standing))?.refreshToken !== refreshToken) return { kind: 'superseded' }
    // Kept for whoever may use it next; this caller's right to it ended when the row was taken from under the refresh.
    if (await replace(refresh, standing, next)) return { kind: 'answer', answer: { kind: 'gone' } }
  }
  return { kind: 'superseded' }
}

/** Compare-and-set to the next generation, with lease, intent and events in the same commit. */
async function replace(
  refresh: Refresh,
  at: StoredAccount,
  { tokenset, extras }: Required<Pick<Refreshed, 'tokenset' | 'extras'>>,
): Promise<StoredAccount | undefined> {
  const { parts, lease, refreshToken } = refresh
  const generation = at.generation + 1
  const place = { userId: at.userId, accountId: at.id, generation }
  const envelope = await sealOrUndefined(parts, place, tokenset)
  if (!envelope) return undefined
  return parts.storage.transaction(async (tx) => {
    const now = await tx.accounts.find(at.id)
    if (!now || now.generation !== at.generation || now.userId !== at.userId) return undefined
    const next: StoredAccount = {
      ...now,
      ...clearMembers(tokenset),
      scopesGranted: tokenset.scopes ?? now.scopesGranted,
      extras: { ...now.extras, ...extras },
      health: 'ok',
      healthReason: undefined,
      generation,
      envelope,
    }
    if (!(await tx.accounts.replace(next, at.generation))) return undefined
    await tx.accounts.releaseLease(at.id, lease.holder)
    const event = {
      at: parts.clock(),
      outcome: 'ok',
      userId: at.userId,
      connectionId: at.connectionId,
      accountId: at.id,
    } as const
    const data = { rotated: tokenset.refreshToken !== refreshToken, recovered: lease.recovering }
    await tx.events.append({ ...event, type: 'vault.refreshed', data })
    const lost = scopesLost(now.scopesGranted, next.scopesGranted)
    if (lost.length > 0) await tx.events.append({ ...event, type: 'vault.scopes_reduced', data: { lost } })
    if (now.health === 'reconnect_required') await tx.events.append({ ...event, type: 'vault.healed' })
    return next
  })
}

/** The account went while the provider answered: what it answered ends as well. */
async function endOrphan({ parts, account, lease }: Refresh, tokenset: TokenSet): Promise<void> {
  parts.log.info(
    { accountId: account.id, holder: lease.holder },
    'a refreshed account was gone; its tokens are revoked',
  )
  await parts.storage.transaction((tx) =>
    queueRevocation(tx, parts, {
      account: { id: account.id, userId: account.userId, connectionId: account.connectionId, subject: account.subject },
      tokenset,
    }),
  )
}

async function openOrUndefined(parts: VaultParts, account: StoredAccount): Promise<TokenSet | undefined> {
  try {
    return await openTokenset(parts.storage, parts.dataKeys, account)
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined
    throw error
  }
}

/** Undefined when the user, and with it the data key, has gone. */
async function sealOrUndefined(
  parts: VaultParts,
  place: { userId: string; accountId: string; generation: number },
  tokenset: TokenSet,
): Promise<Uint8Array | undefined> {
  try {
    return await sealTokenset(parts.storage, parts.dataKeys, { place, tokenset, keys: 'existing' })
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined
    throw error
  }
}
