// Token-exchange profiles of the tenant file (docs/notes/token-exchange.md).
import { newId } from '../crypto/hashing.ts'
import type { EpochSeconds } from '../lib/time.ts'
import { ConfigError } from '../protocol/config-error.ts'
import type { ExchangeProfileDocument } from '../protocol/exchange-profile-document.ts'
import type { ExchangeProfile } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'
import { findProfile } from '../upstream/registry.ts'

/** Only a provider that signs ID tokens can vouch for somebody in a token that we did not ask for. */
export async function vouches(tx: Repositories, connectionId: string): Promise<boolean> {
  const connection = await tx.connections.find(connectionId)
  return connection !== undefined && findProfile(connection.strategy)?.protocol === 'oidc'
}

/**
 * Brings the profile of that subject token type into the state that the file asks for. One that differs is made anew, under
 * another id, for nothing else refers to it.
 *
 * @throws {ConfigError} the connection signs no ID tokens, or another profile has that name.
 */
export async function putExchangeProfile(
  tx: Repositories,
  {
    name,
    subject_token_type: type,
    action_id: connection,
    subject_token_audiences: audiences = [],
  }: ExchangeProfileDocument,
  at: EpochSeconds,
): Promise<void> {
  const pointer = `/token_exchange_profiles/${name}`
  const connectionId = (await tx.connections.findByName(connection))?.id ?? ''
  if (!(await vouches(tx, connectionId))) {
    const expected = 'the name of a connection whose provider speaks OpenID Connect'
    throw new ConfigError({ code: 'dangling_reference', pointer: `${pointer}/action_id`, found: connection, expected })
  }
  const before = await tx.exchangeProfiles.findByType(type)
  if (before !== undefined && isSame(before, { name, connectionId, audiences })) return
  if (before !== undefined) await tx.exchangeProfiles.delete(before.id)
  const profile = { id: newId('tep_', 16), name, subjectTokenType: type, connectionId, audiences }
  if (await tx.exchangeProfiles.insert({ ...profile, createdAt: before?.createdAt ?? at, updatedAt: at })) return
  throw new ConfigError({
    code: 'doubled',
    pointer: `${pointer}/name`,
    found: name,
    expected: 'a name that no other has',
  })
}

const isSame = (
  before: ExchangeProfile,
  { name, connectionId, audiences }: Pick<ExchangeProfile, 'name' | 'connectionId' | 'audiences'>,
): boolean =>
  before.name === name &&
  before.connectionId === connectionId &&
  JSON.stringify(before.audiences) === JSON.stringify(audiences)
