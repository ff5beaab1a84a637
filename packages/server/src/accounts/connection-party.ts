// A connection stays with the provider it was made for, as long as somebody came by it (T-CONN-04).
import { Conflict, Invalid } from '../domain/errors.ts'
import { isJsonObject, isString, type JsonObject } from '../lib/json.ts'
import type { ConnectionRecord } from '../storage/records.ts'
import type { Repositories } from '../storage/storage.ts'
import { isSameParty } from '../upstream/party.ts'

/**
 * @param document the connection as it is to be, `options.client_secret` among it when it is given anew.
 * @throws {Conflict} `connection_in_use`: it would belong to another provider, and has identities or connected accounts.
 * @throws {Invalid} `client_secret_missing`: nobody has it yet, but the sealed secret is not for another provider to see.
 */
export async function requireSameParty(
  tx: Pick<Repositories, 'connections'>,
  before: ConnectionRecord,
  document: JsonObject,
): Promise<void> {
  const { strategy } = before
  const options = optionsOf(document)
  if (isSameParty({ strategy, options: optionsOf(before.document) }, { strategy, options })) return
  if (await tx.connections.isInUse(before.id))
    throw new Conflict(
      'connection_in_use',
      'People came by this connection: it stays with its provider. Make another connection for another one.',
    )
  if (before.secretEnvelope !== undefined && !isString(options.client_secret))
    throw new Invalid('client_secret_missing', 'Another provider needs a client_secret of its own.')
}

const optionsOf = ({ options }: JsonObject): JsonObject => (isJsonObject(options) ? options : {})
