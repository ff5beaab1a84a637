// Puts tokensets into the vault, moves them and takes them out, each within the transaction that has the reason.

import { EnvelopeError } from '../crypto/envelope.ts'
import { newAccountId } from '../crypto/hashing.ts'
import type { NewEvent } from '../domain/event.ts'
import { type Purpose, type StoredAccount, scopesLost, type TokenSet, type VaultAccount } from '../domain/tokenset.ts'
import type { JsonObject } from '../lib/json.ts'
import type { EpochSeconds } from '../lib/time.ts'
import type { Repositories } from '../storage/storage.ts'
import type { VaultParts } from './parts.ts'
import { queueRevocation, type TokenOwner } from './revocations.ts'
import { clearMembers, openTokenset, sealTokenset } from './tokensets.ts'

type Parts = Pick<VaultParts, 'keyring' | 'clock' | 'dataKeys'>

export interface StoreRequest {
  readonly userId: string
  readonly connectionId: string
  readonly subject: string
  readonly purpose: Purpose
  readonly tokenset: TokenSet
  /** Also what counts as granted where the provider's answer names nothing. */
  readonly scopesAsked: readonly string[]
  /** Name of the account at the provider; a label that the user gave stands. */
  readonly label: string
  /** The client through which it was connected. */
  readonly clientId?: string | undefined
  readonly extras?: JsonObject
}

export interface Stored {
  readonly account: VaultAccount
  /** `renewed`: this user had the account already, and it keeps its id. */
  readonly kind: 'connected' | 'renewed'
}

/** The row and the writing of it changed hands in between; the transaction is to be tried again. */
export class VaultConflict extends Error {
  readonly code = 'vault_conflict'
}

/** Keeps a tokenset; what it replaces is queued for revocation. @throws {VaultConflict} */
export async function store(tx: Repositories, parts: Parts, request: StoreRequest): Promise<Stored> {
  const { userId, connectionId, subject, purpose } = request
  const existing = await tx.accounts.findBySubject({ userId, connectionId, subject, purpose })
  return existing ? renew(tx, parts, request, existing) : connect(tx, parts, request)
}

async function connect(tx: Repositories, parts: Parts, request: StoreRequest): Promise<Stored> {
  const { tokenset, scopesAsked, extras = {}, ...who } = request
  const now = parts.clock()
  const id = newAccountId()
  const place = { userId: request.userId, accountId: id, generation: 1 }
  const account: StoredAccount = {
    id,
    userId: who.userId,
    connectionId: who.connectionId,
    subject: who.subject,
    purpose: who.purpose,
    label: who.label,
    isDefault: false,
    clientId: who.clientId,
    scopesAsked,
    scopesGranted: tokenset.scopes ?? scopesAsked,
    health: 'ok',
    healthReason: undefined,
    extras,
    createdAt: now,
    connectedAt: now,
    lastUsedAt: undefined,
    ...clearMembers(tokenset),
    generation: 1,
    intentGeneration: undefined,
    intentStartedAt: undefined,
    envelope: await sealTokenset(tx, parts.dataKeys, {
      place,
      tokenset: granted(tokenset, scopesAsked),
      keys: 'or-new',
    }),
  }
  if (!(await tx.accounts.insert(account))) throw new VaultConflict('somebody else connected this account just now')
  await tx.events.append(storedEvent(account, now, 'connected'))
  return { account: withoutEnvelope(account), kind: 'connected' }
}

async function renew(tx: Repositories, parts: Parts, request: StoreRequest, old: StoredAccount): Promise<Stored> {
  const { scopesAsked, extras = {}, clientId } = request
  const now = parts.clock()
  const before = await openOrUndefined(tx, parts, old)
  // Providers that give a refresh token at the first consent only expect us to keep it.
  const keptRefreshToken = old.health === 'reconnect_required' ? undefined : before?.refreshToken
  const tokenset = granted(
    { ...request.tokenset, refreshToken: request.tokenset.refreshToken ?? keptRefreshToken },
    scopesAsked,
  )
  const place = { userId: old.userId, accountId: old.id, generation: old.generation + 1 }
  const account: StoredAccount = {
    ...old,
    clientId: clientId ?? old.clientId,
    scopesAsked,
    scopesGranted: tokenset.scopes ?? scopesAsked,
    health: 'ok',
    healthReason: undefined,
    extras: { ...old.extras, ...extras },
    connectedAt: now,
    ...clearMembers(tokenset),
    generation: place.generation,
    intentGeneration: undefined,
    intentStartedAt: undefined,
    envelope: await sealTokenset(tx, parts.dataKeys, { place, tokenset, keys: 'or-new' }),
  }
  if (!(await tx.accounts.replace(account, old.generation)))
    throw new VaultConflict('the account was refreshed just now')
  if (before) await queueRevocation(tx, parts, { account, tokenset: before, keptTokenset: tokenset })
  await tx.events.append(storedEvent(account, now, 'renewed'))
  const lost = scopesLost(old.scopesGranted, account.scopesGranted)
  if (lost.length > 0) await tx.events.append(accountEvent(account, now, 'vault.scopes_reduced', { lost }))
  if (old.health === 'reconnect_required') await tx.events.append(accountEvent(account, now, 'vault.healed'))
  return { account: withoutEnvelope(account), kind: 'renewed' }
}

/** Takes the account away at once and queues the revocation of its tokens. */
export async function drop(tx: Repositories, parts: Parts, account: StoredAccount, at: EpochSeconds): Promise<void> {
  const standing = (await tx.accounts.find(account.id)) ?? account
  const tokenset = await openOrUndefined(tx, parts, standing)
  if (!(await tx.accounts.delete(account.id))) return
  if (tokenset) await queueRevocation(tx, parts, { account: standing, tokenset })
  await tx.events.append(accountEvent(standing, at, 'vault.revoked', { readable: tokenset !== undefined }))
}

/**
 * Puts back an account whose tokens were revoked, with its id and everything but them: it waits to be connected again.
 *
 * @throws {VaultConflict} its user has that upstream account already.
 */
export async function revive(tx: Repositories, parts: Parts, account: VaultAccount, at: EpochSeconds): Promise<void> {
  const { userId, id: accountId } = account
  const place = { userId, accountId, generation: account.generation + 1 }
  // Nothing to give out, and an end that has passed, so that nothing is sent to be revoked when it is replaced.
  const tokenset: TokenSet = {
    accessToken: '',
    refreshToken: undefined,
    tokenType: 'Bearer',
    accessExpiresAt: at,
    refreshExpiresAt: undefined,
    scopes: account.scopesGranted,
  }
  const revived: StoredAccount = {
    ...account,
    health: 'reconnect_required',
    healthReason: 'refresh_token_refused',
    ...clearMembers(tokenset),
    generation: place.generation,
    intentGeneration: undefined,
    intentStartedAt: undefined,
    envelope: await sealTokenset(tx, parts.dataKeys, { place, tokenset, keys: 'or-new' }),
  }
  if (!(await tx.accounts.insert(revived))) throw new VaultConflict('the account was connected again just now')
  await tx.events.append(accountEvent(revived, at, 'vault.revived'))
}

/** Queues the revocation of a tokenset that was never kept. */
export async function discard(tx: Repositories, parts: Parts, owner: TokenOwner, tokenset: TokenSet): Promise<void> {
  await queueRevocation(tx, parts, { account: owner, tokenset })
}

/**
 * Seals an account's tokenset for another user, for the row as `accounts.move` will leave it.
 *
 * @throws {EnvelopeError} it does not open: what is damaged is not given to somebody else.
 */
export async function reseal(
  tx: Repositories,
  parts: Parts,
  account: StoredAccount,
  toUserId: string,
): Promise<Uint8Array> {
  const tokenset = await openTokenset(tx, parts.dataKeys, account)
  const place = { userId: toUserId, accountId: account.id, generation: account.generation + 1 }
  return sealTokenset(tx, parts.dataKeys, { place, tokenset, keys: 'or-new' })
}

const MAX_TURNS = 5

/** Makes a refresh in flight fail its write: the tokenset is sealed anew under the next generation. */
export async function interrupt(tx: Repositories, parts: Parts, account: StoredAccount): Promise<void> {
  let now: StoredAccount | undefined = account
  for (let turn = 0; now && turn < MAX_TURNS; turn++) {
    const tokenset = await openOrUndefined(tx, parts, now)
    // Damaged already; there is nothing to seal.
    if (!tokenset) return tx.accounts.raiseGeneration(now.id)
    const place = { userId: now.userId, accountId: now.id, generation: now.generation + 1 }
    const envelope = await sealTokenset(tx, parts.dataKeys, { place, tokenset, keys: 'existing' })
    if (await tx.accounts.replace({ ...now, generation: place.generation, envelope }, now.generation)) return
    now = await tx.accounts.find(account.id)
  }
  if (now) throw new VaultConflict('the account changes faster than it can be stopped')
}

async function openOrUndefined(tx: Repositories, parts: Parts, account: StoredAccount): Promise<TokenSet | undefined> {
  try {
    return await openTokenset(tx, parts.dataKeys, account)
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined
    throw error
  }
}

/** Granted scopes are sealed with the tokens, so that no edit of the row widens them. */
const granted = (tokenset: TokenSet, asked: readonly string[]): TokenSet => ({
  ...tokenset,
  scopes: tokenset.scopes ?? asked,
})

const withoutEnvelope = ({ envelope, ...account }: StoredAccount): VaultAccount => account

const storedEvent = (account: VaultAccount, at: EpochSeconds, kind: Stored['kind']): NewEvent =>
  accountEvent(account, at, 'vault.stored', {
    kind,
    purpose: account.purpose,
    scopes: account.scopesGranted,
    refresh_token: account.hasRefreshToken,
  })

const accountEvent = (account: VaultAccount, at: EpochSeconds, type: string, data?: JsonObject): NewEvent => ({
  type,
  at,
  outcome: 'ok',
  userId: account.userId,
  connectionId: account.connectionId,
  accountId: account.id,
  ...(account.clientId === undefined ? {} : { clientId: account.clientId }),
  ...(data === undefined ? {} : { data }),
})
