// A connection that a request names, as far as the client may use it.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { connectionRefusal } from '../domain/connection-use.ts'
import type { ConnectionRecord } from '../storage/records.ts'
import type { Storage } from '../storage/storage.ts'
import type { EngineLibrary } from './engine.ts'

/** @throws `invalid_request`, `unauthorized_client`. */
export async function usableConnection(
  storage: Storage,
  name: string,
  ctx: KoaContextWithOIDC,
  errors: EngineLibrary['errors'],
): Promise<ConnectionRecord> {
  const connection = await storage.connections.findByName(name)
  const clientId = ctx.oidc.client?.clientId ?? ''
  const enabled = connection !== undefined && (await storage.connections.isEnabled(connection.id, clientId))
  const refusal = connectionRefusal(connection?.document, enabled)
  if (connection === undefined || refusal === 'unknown') throw new errors.InvalidRequest('the connection was not found')
  if (refusal === 'not_enabled') throw new errors.UnauthorizedClient('the connection is not enabled for the client')
  if (refusal === 'inactive') throw new errors.InvalidRequest('the connection does not sign people in')
  return connection
}
