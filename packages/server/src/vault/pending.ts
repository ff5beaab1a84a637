// What a connect flow holds between the provider's answer and `complete`: sealed, and tied to its request.
import type { Keyring } from '../crypto/keyring.ts'
import type { TokenSet } from '../domain/tokenset.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts'
import { parseTokenset, serializeTokenset } from './tokensets.ts'

export interface PendingConnect {
  readonly tokenset: TokenSet
  /** Subject, name, claims: what the flow needs to go on. */
  readonly details: JsonObject
}

export function sealPending(keyring: Keyring, authSessionHash: string, pending: PendingConnect): Uint8Array {
  const tokenset = Buffer.from(serializeTokenset(pending.tokenset)).toString('utf8')
  return keyring.seal(contextOf(authSessionHash), Buffer.from(JSON.stringify({ tokenset, details: pending.details })))
}

/** @throws {EnvelopeError} it belongs to another request, or was changed. */
export function openPending(keyring: Keyring, authSessionHash: string, envelope: Uint8Array): PendingConnect {
  const value: JsonValue = JSON.parse(keyring.open(contextOf(authSessionHash), envelope).toString('utf8'))
  if (!isJsonObject(value) || typeof value.tokenset !== 'string' || !isJsonObject(value.details))
    throw new Error('a pending connect of an unknown shape')
  return { tokenset: parseTokenset(Buffer.from(value.tokenset)), details: value.details }
}

const contextOf = (authSessionHash: string): string => `connect:${authSessionHash}`
