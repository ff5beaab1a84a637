// Rotation of refresh tokens: at most one successor, handed out again for a short grace (T-AS-05).
import type Provider from 'oidc-provider'
import type { AdapterPayload, Client } from 'oidc-provider'
import { sha256Hex } from '../../crypto/hashing.ts'
import { open as openSealed, seal as sealUnder } from '../../crypto/sealed-by-secret.ts'
import { toArtifact } from '../adapter.ts'
import type { EngineDeps } from '../engine.ts'
import { FOREVER_SECONDS } from '../lifetimes.ts'
import type { EngineRefreshToken } from './refresh-token.ts'

const CONTEXT = 'refresh token successor'

interface Issuable {
  jti: string | undefined
  exp: number
  generateTokenId(): string
  getValueAndPayload(): Promise<{ value: string; payload: AdapterPayload }>
}

/**
 * Consumes the token and makes its successor, in one transaction.
 *
 * @returns the successor, or undefined when another request was faster.
 */
export async function rotate(
  provider: Provider,
  deps: EngineDeps,
  client: Client,
  token: EngineRefreshToken,
  value: string,
): Promise<string | undefined> {
  const { storage, clock } = deps
  const now = clock()
  const expiresAt = successorEnd(client, token, now)
  // The engine's model, saved by us: consuming and issuing must be one commit.
  const successor = new provider.RefreshToken({
    ...successorMembers(token),
    client,
  } as ConstructorParameters<typeof provider.RefreshToken>[0]) as unknown as Issuable
  successor.jti = successor.generateTokenId()
  successor.exp = expiresAt
  const issued = await successor.getValueAndPayload()
  const artifact = toArtifact('RefreshToken', sha256Hex(issued.value), issued.payload, now, expiresAt - now)
  const idHash = sha256Hex(value)
  return storage.transaction(async (tx) => {
    if (!(await tx.artifacts.consume('RefreshToken', idHash, now))) return undefined
    await tx.artifacts.put(artifact)
    await tx.artifacts.setSuccessor('RefreshToken', idHash, sealUnder(value, CONTEXT, issued.value))
    return issued.value
  })
}

/**
 * The successor of a token that was used a moment ago and whose answer may have been lost. Only the newest token's
 * predecessor is heard: once the successor was used too, this is an older ancestor, and a theft.
 */
export async function successorOf(
  { storage, clock }: EngineDeps,
  value: string,
  graceSeconds: number,
): Promise<string | undefined> {
  const used = await storage.artifacts.find('RefreshToken', sha256Hex(value))
  if (used?.consumedAt === undefined || used.successorEnvelope === undefined) return undefined
  if (clock() - used.consumedAt > graceSeconds || graceSeconds === 0) return undefined
  const successor = openSealed(value, CONTEXT, used.successorEnvelope)
  const next = await storage.artifacts.find('RefreshToken', sha256Hex(successor))
  return next !== undefined && next.consumedAt === undefined ? successor : undefined
}

/** Counts the use of a token that does not rotate: its idle time begins anew. */
export async function prolong(
  { storage, clock }: EngineDeps,
  client: Client,
  { token, value }: { token: EngineRefreshToken; value: string },
): Promise<void> {
  if (typeof client.refreshIdleSeconds !== 'number') return
  const expiresAt = successorEnd(client, token, clock())
  await storage.transaction(async (tx) => {
    const kept = await tx.artifacts.find('RefreshToken', sha256Hex(value))
    // Revoked at this moment, it may come back as a row, but never to life: its grant has gone.
    if (kept !== undefined) await tx.artifacts.put({ ...kept, expiresAt, payload: { ...kept.payload, exp: expiresAt } })
  })
}

/** Ends everything issued under the token's grant, and records why. */
export async function endFamily({ storage, clock }: EngineDeps, token: EngineRefreshToken): Promise<void> {
  await storage.transaction(async (tx) => {
    await tx.artifacts.deleteByGrant(token.grantId)
    await tx.events.append({
      type: 'refresh_token.reused',
      at: clock(),
      outcome: 'refused',
      userId: token.accountId,
      clientId: token.clientId,
    })
  })
}

function successorEnd(client: Client, token: EngineRefreshToken, now: number): number {
  const absolute = typeof client.refreshTokenSeconds === 'number' ? token.iiat + client.refreshTokenSeconds : undefined
  const idle = typeof client.refreshIdleSeconds === 'number' ? now + client.refreshIdleSeconds : undefined
  return Math.min(absolute ?? Number.MAX_SAFE_INTEGER, idle ?? Number.MAX_SAFE_INTEGER, now + FOREVER_SECONDS)
}

function successorMembers(token: EngineRefreshToken): object {
  return {
    accountId: token.accountId,
    acr: token.acr,
    amr: token.amr,
    authTime: token.authTime,
    expiresWithSession: false,
    iiat: token.iiat,
    grantId: token.grantId,
    gty: 'refresh_token',
    nonce: token.nonce,
    resource: token.resource,
    rotations: (token.rotations ?? 0) + 1,
    scope: token.scope,
    sessionUid: token.sessionUid,
    sid: token.sid,
    jkt: token.jkt,
    refresh_token_metadata: token.refresh_token_metadata,
  }
}
