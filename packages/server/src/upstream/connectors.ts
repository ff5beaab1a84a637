// Hands out the connector of a connection, and keeps it for as long as the connection's options stay the same: with it
// live the provider's metadata and keys.
import { createHash } from 'node:crypto'
import { type Connection, CREDENTIAL_STRATEGIES, SAML_STRATEGY } from '../domain/connection.ts'
import type { Connector } from './connector.ts'
import { createCredentialConnector } from './credential.ts'
import { ConnectionUnavailable } from './errors.ts'
import { createOAuth2Connector } from './oauth2.ts'
import { createOidcConnector } from './oidc.ts'
import { findProfile } from './registry.ts'
import { createSamlConnector, type SamlDependencies } from './saml.ts'
import { readSettings } from './settings.ts'

export interface Connectors {
  /**
   * @throws {ConnectionUnavailable} the strategy is not built (passwords are none of ours), the options miss something,
   *   or the client secret does not open.
   */
  for(connection: Connection): Connector
}

export type ConnectorsDependencies = SamlDependencies

/** Hosts that the proxy may reach for a connection; none where it has no connector. */
export const apiHostsOf = (connectors: Connectors, connection: Connection): readonly string[] =>
  findConnector(connectors, connection)?.traits.apiHosts ?? []

/** For a look at what is known of the provider: undefined where there is no connector, or none can be made. */
export function findConnector(connectors: Connectors, connection: Connection): Connector | undefined {
  try {
    return connectors.for(connection)
  } catch (error) {
    if (error instanceof ConnectionUnavailable) return undefined
    throw error
  }
}

/** Whether the provider can be made to ask which account is meant; true where nobody is sent to one. */
export const asksWhichAccount = (connectors: Connectors, connection: Connection): boolean =>
  findConnector(connectors, connection)?.traits.asksWhichAccount ?? true

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

function build(connection: Connection, dependencies: ConnectorsDependencies): Connector {
  if (connection.strategy === SAML_STRATEGY) return createSamlConnector(connection, dependencies)
  if (CREDENTIAL_STRATEGIES.has(connection.strategy)) return createCredentialConnector(connection, dependencies.fetch)
  const profile = findProfile(connection.strategy)
  if (profile === undefined) throw new ConnectionUnavailable(`strategy ${connection.strategy} is not built`)
  const settings = readSettings(connection, profile)
  const create = profile.protocol === 'oidc' ? createOidcConnector : createOAuth2Connector
  const { fetch, clock } = dependencies
  return create({ settings, fetch, clock })
}

function fingerprintOf({ strategy, options, connectedAccountsActive }: Connection): string {
  const facts = JSON.stringify([strategy, options, connectedAccountsActive])
  return createHash('sha256').update(facts).digest('base64')
}
