// Hands out the connector of a connection, and keeps it for as long as the connection's options stay the same: with it
// live the provider's metadata and keys.
import { createHash } from 'node:crypto'
import type { Connection } from '../domain/connection.ts'
import type { Clock } from '../lib/time.ts'
import type { Connector } from './connector.ts'
import { ConnectionUnavailable } from './errors.ts'
import { createOAuth2Connector } from './oauth2.ts'
import { createOidcConnector } from './oidc.ts'
import { findProfile } from './registry.ts'
import type { SafeFetch } from './safe-fetch.ts'
import { readSettings } from './settings.ts'

export interface Connectors {
  /**
   * @throws {ConnectionUnavailable} the strategy is not built (passwords are none of ours), the options miss something,
   *   or the client secret does not open.
   */
  for(connection: Connection): Connector
}

export interface ConnectorsDependencies {
  readonly fetch: SafeFetch
  readonly clock: Clock
}

interface Kept {
  readonly connection: Connection
  readonly fingerprint: string
  readonly connector: Connector
}

export function createConnectors(dependencies: ConnectorsDependencies): Connectors {
  const kept = new Map<string, Kept>()
  return {
    for(connection) {
      if (connection.damaged) throw new ConnectionUnavailable('the client secret does not open')
      const known = kept.get(connection.id)
      if (known?.connection === connection) return known.connector
      const fingerprint = fingerprintOf(connection)
      const connector = known?.fingerprint === fingerprint ? known.connector : build(connection, dependencies)
      kept.set(connection.id, { connection, fingerprint, connector })
      return connector
    },
  }
}

function build(connection: Connection, { fetch, clock }: ConnectorsDependencies): Connector {
  const profile = findProfile(connection.strategy)
  if (profile === undefined) throw new ConnectionUnavailable(`strategy ${connection.strategy} is not built`)
  const settings = readSettings(connection, profile)
  const create = profile.protocol === 'oidc' ? createOidcConnector : createOAuth2Connector
  return create({ settings, fetch, clock })
}

function fingerprintOf({ strategy, options, connectedAccountsActive }: Connection): string {
  const facts = JSON.stringify([strategy, options, connectedAccountsActive])
  return createHash('sha256').update(facts).digest('base64')
}
