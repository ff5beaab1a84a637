// Somebody as a connection named them, and how that is kept while the person decides what becomes of it. The newcomer is
// no user yet, so nothing of it stands anywhere but here: sealed, and tied to the one interaction.
import { EnvelopeError } from '../crypto/envelope.ts'
import { gradeOf } from '../domain/address.ts'
import { type Connection, keepsSignInTokens } from '../domain/connection.ts'
import { identityKeyOf } from '../domain/identity-key.ts'
import { profileToWire } from '../domain/profile.ts'
import type { Grade } from '../domain/user.ts'
import { isString, type JsonObject } from '../lib/json.ts'
import type { Repositories } from '../storage/storage.ts'
import type { UpstreamAccount } from '../upstream/connector.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import type { Interaction } from './interactions.ts'

export interface Arrival {
  readonly connection: Connection
  readonly subject: string
  /** In wire names. */
  readonly profileData: JsonObject
  /** Canonical. */
  readonly email: string | undefined
  readonly grade: Grade
  /** How they proved it: RFC 8176 method names. */
  readonly amr: readonly string[]
  /** What the provider gave, its tokens where it gives any; undefined for a password. */
  readonly account: Pick<UpstreamAccount, 'tokenset' | 'upstreamName' | 'extras'> | undefined
  readonly scopesAsked: readonly string[]
}

/** What a provider's answer says of who came. */
export function arrivalOf(
  { connection, scopes }: { readonly connection: Connection; readonly scopes: readonly string[] },
  account: UpstreamAccount,
): Arrival {
  const { subject, email, emailVerified, authoritativeDomains } = account
  return {
    connection,
    subject,
    profileData: {
      ...profileToWire(account.profile),
      ...(email === undefined ? {} : { email, email_verified: emailVerified }),
    },
    email,
    grade: gradeOf({ email, emailVerified, connection, authoritativeDomains }),
    amr: ['fed'],
    account,
    scopesAsked: scopes,
  }
}

export const identityKeyOfArrival = ({ connection, subject }: Arrival): string =>
  identityKeyOf({ connectionId: connection.id, subject })

/** A sign-in's tokens are kept for agents where the connection says so; others are given back (vault.md §1). */
export async function keepTokenset(
  { vault }: FlowDeps,
  tx: Repositories,
  { connection, subject, account, scopesAsked }: Arrival,
  { userId, clientId }: { readonly userId: string; readonly clientId?: string | undefined },
): Promise<void> {
  if (account?.tokenset === undefined) return
  const { tokenset, upstreamName } = account
  const owner = { userId, connectionId: connection.id, subject }
  if (!keepsSignInTokens(connection)) return vault.discard(tx, { ...owner, id: '' }, tokenset)
  await vault.store(tx, { ...owner, tokenset, purpose: 'sign_in', label: upstreamName, scopesAsked, clientId })
}

/** What the provider gave and nobody wants is revoked there. */
export async function giveBack(
  { vault }: FlowDeps,
  tx: Repositories,
  { connection, subject, account }: Arrival,
  userId: string,
): Promise<void> {
  if (account?.tokenset === undefined) return
  await vault.discard(tx, { id: '', userId, connectionId: connection.id, subject }, account.tokenset)
}

const contextOf = ({ hash }: Interaction): string => `arrival:${hash}`

/** Fits into the interaction's row. */
export function sealArrival({ keyring, vault }: FlowDeps, interaction: Interaction, arrival: Arrival): JsonObject {
  const { connection, subject, profileData, email, grade, amr, account, scopesAsked } = arrival
  const details: JsonObject = {
    connectionId: connection.id,
    subject,
    profileData,
    email: email ?? null,
    grade,
    amr,
    scopesAsked,
    upstreamName: account?.upstreamName ?? null,
    extras: account?.extras ?? {},
  }
  const context = contextOf(interaction)
  const tokenset = account?.tokenset
  const tokens = tokenset && vault.sealPending(context, { tokenset, details: {} })
  return {
    details: toText(keyring.seal(context, Buffer.from(JSON.stringify(details)))),
    tokens: tokens === undefined ? null : toText(tokens),
  }
}

/** @throws {FlowError} `interaction_expired`: the row was edited, its key or its connection has gone. */
export async function openArrival(deps: FlowDeps, interaction: Interaction, sealed: JsonObject): Promise<Arrival> {
  const context = contextOf(interaction)
  try {
    // Sealed by `sealArrival`, and by nothing else.
    const details = JSON.parse(deps.keyring.open(context, toBytes(sealed.details)).toString('utf8')) as SealedDetails
    const connection = await deps.connections.find(deps.storage, details.connectionId)
    if (connection === undefined) throw new FlowError('interaction_expired')
    const { connectionId: _, upstreamName, extras, email, ...rest } = details
    const pending = sealed.tokens === null ? undefined : deps.vault.openPending(context, toBytes(sealed.tokens))
    const account = upstreamName === null ? undefined : { tokenset: pending?.tokenset, upstreamName, extras }
    return { ...rest, connection, email: email ?? undefined, account }
  } catch (cause) {
    if (cause instanceof EnvelopeError) throw new FlowError('interaction_expired', { cause })
    throw cause
  }
}

interface SealedDetails extends Omit<Arrival, 'connection' | 'email' | 'account'> {
  readonly connectionId: string
  readonly email: string | null
  readonly upstreamName: string | null
  readonly extras: JsonObject
}

const toText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
const toBytes = (text: unknown): Uint8Array => Buffer.from(isString(text) ? text : '', 'base64url')
