// A connection as the Management API shows it: without anything secret (auth0-wire.md §6.3).
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json.ts'
import { connectionFields } from '../../protocol/connection-document.ts'
import { withDefaults } from '../../protocol/fields.ts'
import type { ConnectionRecord } from '../../storage/records.ts'

/** Options that only the server and the provider know. */
const SECRET_OPTIONS: ReadonlySet<string> = new Set(['client_secret', 'app_secret'])

export function serializeConnection(record: ConnectionRecord, enabledClients: readonly string[]): JsonObject {
  const { id, name, strategy, document } = record
  const options = isJsonObject(document.options) ? withoutSecrets(document.options) : {}
  return {
    ...withDefaults(connectionFields, document),
    id,
    name,
    strategy,
    options,
    authentication: document.authentication ?? { active: true },
    connected_accounts: document.connected_accounts ?? { active: false },
    enabled_clients: enabledClients,
    is_domain_connection: document.is_domain_connection ?? false,
    realms: document.realms ?? [name],
  }
}

const withoutSecrets = (options: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(options).filter((entry): entry is [string, JsonValue] => !SECRET_OPTIONS.has(entry[0])),
  )
