// The tenant file: every section strict, every reference resolved.
import { z } from 'zod'
import { isJsonObject } from '../lib/json.ts'
import { builtInAudiences, PASSWORD_CONNECTION } from './built-in.ts'
import { clientDocument, needsSecret } from './client-document.ts'
import { clientGrantDocument } from './client-grant-document.ts'
import { ConfigError, type ConfigProblem } from './config-error.ts'
import { connectionDocument } from './connection-document.ts'
import { exampleSecrets } from './example-secrets.ts'
import { exchangeProfileDocument } from './exchange-profile-document.ts'
import { describeFound, parseDocument } from './problems.ts'
import { resourceServerDocument } from './resource-server-document.ts'
import { settingsDocument } from './settings-document.ts'
import { fillIssuer } from './substitution.ts'
import { userDocument } from './user-document.ts'

export const tenantFileSchema = z.strictObject({
  settings: settingsDocument.prefault({}),
  clients: z.array(clientDocument).prefault([]),
  resource_servers: z.array(resourceServerDocument).prefault([]),
  client_grants: z.array(clientGrantDocument).prefault([]),
  connections: z.array(connectionDocument).prefault([]),
  token_exchange_profiles: z.array(exchangeProfileDocument).prefault([]),
  users: z.array(userDocument).prefault([]),
})
export type TenantFile = z.infer<typeof tenantFileSchema>

/**
 * Checks a tenant document, in which environment variables have been filled in, for this issuer.
 *
 * @throws {ConfigError} with the pointer of every unknown key, wrong type, dangling or doubled reference.
 */
export function parseTenantFile(document: unknown, issuer: string): TenantFile {
  const filled = isJsonObject(document) ? fillIssuer(document, issuer) : document
  const file = parseDocument(tenantFileSchema, filled)
  const [first, ...others] = [
    ...doubles(file),
    ...danglingReferences(file, issuer),
    ...missingSecrets(file),
    ...exampleSecrets(file, issuer),
  ]
  if (first) throw new ConfigError(first, ...others)
  return file
}

type TenantSection = keyof TenantFile

function doubles(file: TenantFile): readonly ConfigProblem[] {
  return [
    ...doublesIn('clients', file.clients, (client) => [['client_id', client.client_id]]),
    ...doublesIn('resource_servers', file.resource_servers, (server) => [['identifier', server.identifier]]),
    ...doublesIn('connections', file.connections, (connection) => [['name', connection.name]]),
    ...doublesIn('token_exchange_profiles', file.token_exchange_profiles, (profile) => [
      ['name', profile.name],
      ['subject_token_type', profile.subject_token_type],
    ]),
    ...doublesIn('client_grants', file.client_grants, (grant) => [
      ['audience', `${grant.client_id} ${grant.subject_type ?? 'client'} ${grant.audience}`],
    ]),
    ...doublesIn('users', file.users, (user) => [
      ['email', `${user.connection} ${user.email.toLowerCase()}`],
      ...(user.user_id === undefined ? [] : [['user_id', `${user.connection} ${user.user_id}`] as const]),
    ]),
  ]
}

type Key = readonly [member: string, value: string]

function doublesIn<T>(
  section: TenantSection,
  items: readonly T[],
  keysOf: (item: T) => readonly Key[],
): ConfigProblem[] {
  const seen = new Map<string, number>()
  return items.flatMap((item, index) =>
    keysOf(item).flatMap(([member, value]) => {
      const key = `${member} ${value}`
      const earlier = seen.get(key)
      seen.set(key, earlier ?? index)
      if (earlier === undefined) return []
      const pointer = `/${section}/${index}/${member}`
      return [{ code: 'doubled', pointer, found: `what /${section}/${earlier} has already`, expected: 'each one once' }]
    }),
  )
}

function danglingReferences(file: TenantFile, issuer: string): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const builtIn = builtInAudiences(issuer)
  const need = (known: Known, value: string | undefined, pointer: string) => {
    // Auth0 writes "" where a default is not set.
    if (value === undefined || value === '' || known.values.has(value)) return
    problems.push({ code: 'dangling_reference', pointer, found: describeFound(value), expected: known.what })
  }
  const clients = {
    what: 'the client_id of a client in this file',
    values: new Set(file.clients.map((one) => one.client_id)),
  }
  const audiences = {
    what: 'the identifier of a resource server in this file, or of a built-in one',
    values: new Set([...builtIn, ...file.resource_servers.map((one) => one.identifier)]),
  }
  const passwords = {
    what: 'the name of a connection of strategy auth0 in this file',
    values: passwordConnections(file),
  }
  const connections = {
    what: 'the name of a connection in this file',
    values: new Set([PASSWORD_CONNECTION, ...file.connections.map((one) => one.name)]),
  }

  need(audiences, file.settings.default_audience, '/settings/default_audience')
  need(passwords, file.settings.default_directory, '/settings/default_directory')
  for (const [index, client] of file.clients.entries()) {
    const at = `/clients/${index}`
    need(audiences, client.resource_server_identifier, `${at}/resource_server_identifier`)
    for (const [place, policy] of (client.refresh_token?.policies ?? []).entries()) {
      need(audiences, policy.audience, `${at}/refresh_token/policies/${place}/audience`)
    }
    for (const [place, grant] of (client.token_vault_privileged_access?.grants ?? []).entries()) {
      need(connections, grant.connection, `${at}/token_vault_privileged_access/grants/${place}/connection`)
    }
  }
  for (const [index, grant] of file.client_grants.entries()) {
    need(clients, grant.client_id, `/client_grants/${index}/client_id`)
    need(audiences, grant.audience, `/client_grants/${index}/audience`)
    for (const [place, scope] of (grant.scope ?? []).entries()) {
      need(scopesOf(file, grant.audience, scope, builtIn), scope, `/client_grants/${index}/scope/${place}`)
    }
  }
  for (const [index, connection] of file.connections.entries()) {
    for (const [place, client] of (connection.enabled_clients ?? []).entries()) {
      need(clients, client, `/connections/${index}/enabled_clients/${place}`)
    }
  }
  for (const [index, profile] of file.token_exchange_profiles.entries())
    need(connections, profile.action_id, `/token_exchange_profiles/${index}/action_id`)
  for (const [index, user] of file.users.entries()) need(passwords, user.connection, `/users/${index}/connection`)
  return problems
}

interface Known {
  readonly what: string
  readonly values: ReadonlySet<string>
}

const passwordConnections = (file: TenantFile): ReadonlySet<string> =>
  new Set([PASSWORD_CONNECTION, ...file.connections.filter((one) => one.strategy === 'auth0').map((one) => one.name)])

/** Scopes of an API of the operator; a built-in one knows its own. */
function scopesOf(file: TenantFile, audience: string, asked: string, builtIn: readonly string[]): Known {
  const server = file.resource_servers.find((one) => one.identifier === audience)
  const listed = (server?.scopes ?? []).map((scope) => scope.value)
  const open = server === undefined || builtIn.includes(audience)
  return { what: 'a scope of that resource server', values: new Set(open ? [asked] : listed) }
}

/** A client that authenticates by secret is of no use without one, and no second run could find the same again. */
function missingSecrets(file: TenantFile): readonly ConfigProblem[] {
  return file.clients.flatMap((client, index) =>
    client.client_secret === undefined && needsSecret(client)
      ? [
          {
            code: 'missing_key',
            pointer: `/clients/${index}/client_secret`,
            found: 'nothing',
            expected: 'a secret, for the client authenticates by one',
          },
        ]
      : [],
  )
}
