// Tells clients that a session of theirs has ended (OpenID Connect Back-Channel Logout 1.0). Runs on every node; what is
// to be told stands in rows that are leased to one at a time, and is told at least once.
import { newId } from '../crypto/hashing.ts'
import { createJwtSigner, type JwtSigner } from '../crypto/jwt.ts'
import { parseClient } from '../domain/client.ts'
import { isJsonObject, isString } from '../lib/json.ts'
import type { Log } from '../lib/log.ts'
import { backOffSeconds, createQueueWorker } from '../lib/queue-worker.ts'
import type { Clock, EpochSeconds } from '../lib/time.ts'
import type { EndedSession, LogoutNotice } from '../storage/records.ts'
import type { Repositories, Storage } from '../storage/storage.ts'
import { UpstreamRefused } from '../upstream/errors.ts'
import type { SafeFetch } from '../upstream/safe-fetch.ts'
import type { SigningKeySet } from './signing-keys.ts'

export interface BackchannelLogout {
  /** Looks for ended sessions from now on. */
  start(): void
  /** Resolves when what is under way has ended. */
  stop(): Promise<void>
}

export interface BackchannelLogoutDeps {
  readonly storage: Storage
  readonly issuer: string
  readonly keys: () => SigningKeySet
  readonly fetch: SafeFetch
  readonly clock: Clock
  /** What leases and pauses are judged by: the same on every node. */
  readonly leaseClock: Clock
  readonly log: Log
}

const POLL_MS = 1000
const AT_ONCE = 20
const LEASE_SECONDS = 60
/** A session that gets a new id is gone for a moment, and back under the same uid. */
const SETTLE_SECONDS = 2
const PAUSES = { first: 10, longest: 3600 }
/** About half a day. */
const MAX_ATTEMPTS = 20
const TIMEOUT_SECONDS = 5
const TOKEN_SECONDS = 120
const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

export function createBackchannelLogout(deps: BackchannelLogoutDeps): BackchannelLogout {
  const { storage, leaseClock, log } = deps
  const worker = createQueueWorker({
    everyMs: POLL_MS,
    limit: AT_ONCE,
    claim: async (limit) => {
      await noteEnded(deps)
      const claim = { now: leaseClock(), leaseSeconds: LEASE_SECONDS, limit }
      return storage.transaction((tx) => tx.logoutNotices.claim(claim))
    },
    handle: (notice) => tell(deps, notice),
    onError: (error) => log.error({ err: error }, 'ended sessions could not be looked for'),
  })
  return { start: () => worker.start(), stop: () => worker.stop() }
}

/** From ended sessions to what each client is told. */
async function noteEnded({ storage, clock, leaseClock }: BackchannelLogoutDeps): Promise<void> {
  const now = leaseClock()
  await storage.transaction(async (tx) => {
    const ended = await tx.endedSessions.claim({ now, leaseSeconds: LEASE_SECONDS, limit: AT_ONCE })
    for (const session of ended) {
      if (session.attempts === 1) await tx.endedSessions.retryAt(session.id, now + SETTLE_SECONDS)
      else await fanOut(tx, session, clock())
    }
  })
}

async function fanOut(tx: Repositories, session: EndedSession, now: EpochSeconds): Promise<void> {
  const { uid, userId, payload } = session
  const standing = await tx.artifacts.findByUid('Session', uid)
  await tx.endedSessions.done(uid)
  if (standing !== undefined && standing.expiresAt > now && standing.userId === userId) return
  const authorizations = isJsonObject(payload.authorizations) ? payload.authorizations : {}
  for (const [clientId, known] of Object.entries(authorizations)) {
    const sid = isJsonObject(known) ? known.sid : undefined
    const client = await tx.clients.find(clientId)
    if (client === undefined || !isString(sid)) continue
    for (const url of parseClient(client).backchannelLogoutUrls) {
      await tx.logoutNotices.add({ id: newId('blo_', 24), clientId, userId, sid, url, attempts: 0, dueAt: 0 })
    }
  }
}

async function tell(deps: BackchannelLogoutDeps, notice: LogoutNotice): Promise<void> {
  const failure = await post(deps, notice)
  if (failure === undefined) return settle(deps, notice, undefined)
  if (failure.isFinal || notice.attempts >= MAX_ATTEMPTS) return settle(deps, notice, failure.reason)
  const pause = backOffSeconds(notice.attempts - 1, PAUSES)
  deps.log.warn(
    { client: notice.clientId, attempts: notice.attempts, reason: failure.reason, retryInSeconds: pause },
    'a client was not told yet that a session ended',
  )
  await deps.storage.transaction((tx) => tx.logoutNotices.retryAt(notice.id, deps.leaseClock() + pause))
}

interface Failure {
  readonly reason: string
  /** Asking again would change nothing. */
  readonly isFinal: boolean
}

async function post(deps: BackchannelLogoutDeps, notice: LogoutNotice): Promise<Failure | undefined> {
  try {
    const { status } = await deps.fetch(notice.url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ logout_token: logoutToken(deps, notice) }).toString(),
      timeoutSeconds: TIMEOUT_SECONDS,
    })
    if (status >= 200 && status < 300) return undefined
    // RFC 9110 §15.5: the client has understood, and says no; but it may only be slow or out of breath.
    return { reason: `status_${status}`, isFinal: status < 500 && status !== 408 && status !== 429 }
  } catch (error) {
    const isFinal = error instanceof UpstreamRefused && error.code === 'address_blocked'
    return { reason: isFinal ? 'address_blocked' : 'unreachable', isFinal }
  }
}

/** OpenID Connect Back-Channel Logout 1.0 §2.4; made when it is sent, so that it is fresh and by the key of now. */
function logoutToken({ issuer, keys, clock }: BackchannelLogoutDeps, notice: LogoutNotice): string {
  const now = clock()
  const claims = {
    iss: issuer,
    aud: notice.clientId,
    sub: notice.userId,
    sid: notice.sid,
    iat: now,
    exp: now + TOKEN_SECONDS,
    jti: `${notice.id}.${notice.attempts}`,
    events: { [EVENT]: {} },
  }
  return signerOf(keys()).sign(claims, 'logout+jwt')
}

function signerOf({ privateJwks: [privateJwk], publicKeys: [publicKey] }: SigningKeySet): JwtSigner {
  if (privateJwk === undefined || publicKey === undefined) throw new Error('there is no signing key')
  return createJwtSigner({ kid: publicKey.kid, privateJwk })
}

async function settle(
  { storage, clock }: BackchannelLogoutDeps,
  { id, clientId, userId, attempts }: LogoutNotice,
  reason: string | undefined,
): Promise<void> {
  await storage.transaction(async (tx) => {
    await tx.logoutNotices.done(id)
    await tx.events.append({
      type: 'backchannel_logout.sent',
      at: clock(),
      outcome: reason === undefined ? 'ok' : 'refused',
      userId,
      clientId,
      data: { attempts, ...(reason === undefined ? {} : { reason }) },
    })
  })
}
