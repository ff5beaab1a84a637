// What we tell an identity provider of ourselves: one document for each SAML connection.
import { SAML_STRATEGY } from '../domain/connection.ts'
import type { FlowDeps } from './deps.ts'
import { FlowError } from './flow-error.ts'
import { callbackPathOf, connectorOf } from './upstream-start.ts'

/** @throws {FlowError} `not_found`; `connection_unavailable`. */
export async function samlMetadata(deps: FlowDeps, name: string | undefined): Promise<string> {
  const connection = name === undefined ? undefined : await deps.connections.findByName(deps.storage, name)
  if (connection?.strategy !== SAML_STRATEGY) throw new FlowError('not_found')
  const { describeUs } = connectorOf(deps, connection, undefined)
  if (describeUs === undefined) throw new FlowError('not_found')
  return describeUs(new URL(callbackPathOf(connection), deps.issuer).href)
}
