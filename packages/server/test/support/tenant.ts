// The tenant that attack and journey tests start with.
import { randomBytes } from 'node:crypto'
import type { Provider } from '@tenon/sdk/testing'
import type { JsonObject } from '../../src/lib/json.ts'
import { MANAGEMENT_SCOPES, MY_ACCOUNT_SCOPES } from '../../src/protocol/api-scopes.ts'
import { CALLBACKS } from './browser.ts'

export const VAULT_GRANT = 'urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token'
export const PASSWORDS = 'Username-Password-Authentication'
export const CALLBACK = `${CALLBACKS}cb`
export const LOGGED_OUT = `${CALLBACKS}out`
export const API = 'https://api.acme.test/'
export const CURRENT_USER_SCOPES = [
  'read:current_user',
  'update:current_user_metadata',
  'update:current_user_identities',
  'delete:current_user_identities',
]

export type Json = Record<string, unknown>

/** A tenant file, to be changed before the server starts. */
export interface TenantDraft {
  settings: Json
  clients: Json[]
  resource_servers: Json[]
  client_grants: Json[]
  connections: Json[]
  users: Json[]
}

export interface TestTenant {
  readonly file: TenantDraft
  /** Client secrets by client id. */
  readonly secrets: Readonly<Record<string, string>>
  readonly ada: Person
  readonly eve: Person
}

/** Somebody who signs in by password. */
export interface Person {
  readonly email: string
  readonly password: string
}

const INTERACTIVE = ['web', 'spa', 'agent-a', 'agent-b', 'theirs']

/**
 * Clients: `web` (confidential, with the vault grant), `spa` (public), `m2m` (Management API), `agent-a` and `agent-b`
 * (agents; `agent-b` rotates its refresh tokens), `api` (the API `https://api.acme.test/` itself), `theirs` (third party).
 * Connections: passwords, and one for each provider under its name, with connected accounts on. Ada and Eve have
 * passwords. Rate limits are off.
 */
export function testTenant(providers: readonly Provider[], settings: JsonObject = {}): TestTenant {
  const names = ['web', 'm2m', 'agent-a', 'agent-b', 'api', 'theirs']
  const secrets = Object.fromEntries(names.map((name) => [name, secret()]))
  const [ada, eve] = [person('ada'), person('eve')]
  const app = (clientId: string, more: Json = {}): Json => ({ ...webApp(clientId, secrets[clientId]), ...more })
  const file: TenantDraft = {
    settings: { friendly_name: 'Acme', rate_limits: { enabled: false }, ...settings },
    clients: [
      app('web', { name: 'Acme web' }),
      spa(),
      machine(secrets.m2m),
      app('agent-a', { name: 'Agent A' }),
      app('agent-b', {
        name: 'Agent B',
        refresh_token: { ...STILL, rotation_type: 'rotating', expiration_type: 'expiring' },
      }),
      apiClient(secrets.api),
      app('theirs', {
        name: 'Third party',
        is_first_party: false,
        grant_types: ['authorization_code', 'refresh_token'],
        refresh_token: undefined,
      }),
    ].map(withoutAbsent),
    resource_servers: [{ name: 'Acme API', identifier: API, scopes: SCOPES, allow_offline_access: true }],
    client_grants: [
      { client_id: 'm2m', audience: '<issuer>api/v2/', scope: MANAGEMENT_SCOPES },
      ...['web', 'spa', 'agent-a', 'agent-b'].map((id) => userGrant(id, '<issuer>me/', MY_ACCOUNT_SCOPES)),
      ...['web', 'spa'].map((id) => userGrant(id, '<issuer>api/v2/', CURRENT_USER_SCOPES)),
    ],
    connections: [
      { name: PASSWORDS, strategy: 'auth0', enabled_clients: INTERACTIVE, options: {} },
      ...providers.map((provider) => ({
        ...provider.connection(),
        enabled_clients: [...INTERACTIVE, 'api'],
        connected_accounts: { active: true },
      })),
    ],
    users: [account(ada, 'Ada Lovelace'), account(eve, 'Eve Adams')],
  }
  return { file, secrets, ada, eve }
}

const SCOPES = [
  { value: 'read:things', description: 'Read things' },
  { value: 'write:things', description: 'Write things' },
]
const STILL = {
  rotation_type: 'non-rotating',
  expiration_type: 'non-expiring',
  policies: [{ audience: '<issuer>me/', scope: MY_ACCOUNT_SCOPES }],
}

const webApp = (clientId: string, clientSecret: string | undefined): Json => ({
  client_id: clientId,
  client_secret: clientSecret,
  name: clientId,
  app_type: 'regular_web',
  token_endpoint_auth_method: 'client_secret_post',
  callbacks: [CALLBACK, `${CALLBACKS}${clientId}/cb`],
  allowed_logout_urls: [LOGGED_OUT],
  grant_types: ['authorization_code', 'refresh_token', VAULT_GRANT],
  refresh_token: STILL,
})

const spa = (): Json => ({
  client_id: 'spa',
  name: 'Acme pages',
  app_type: 'spa',
  token_endpoint_auth_method: 'none',
  callbacks: [CALLBACK, `${CALLBACKS}spa/cb`],
  allowed_logout_urls: [LOGGED_OUT],
  web_origins: [new URL(CALLBACKS).origin],
  grant_types: ['authorization_code', 'refresh_token'],
  refresh_token: STILL,
})

const machine = (clientSecret: string | undefined): Json => ({
  client_id: 'm2m',
  client_secret: clientSecret,
  name: 'Acme backend',
  app_type: 'non_interactive',
  token_endpoint_auth_method: 'client_secret_post',
  grant_types: ['client_credentials'],
})

const apiClient = (clientSecret: string | undefined): Json => ({
  client_id: 'api',
  client_secret: clientSecret,
  name: 'Acme API',
  app_type: 'resource_server',
  resource_server_identifier: API,
  token_endpoint_auth_method: 'client_secret_post',
  grant_types: [VAULT_GRANT],
})

const userGrant = (clientId: string, audience: string, scope: readonly string[]): Json => ({
  client_id: clientId,
  audience,
  scope,
  subject_type: 'user',
})

const account = ({ email, password }: Person, name: string): Json => ({
  connection: PASSWORDS,
  email,
  email_verified: true,
  password,
  name,
})

const person = (name: string): Person => ({ email: `${name}@example.test`, password: `${name} ${secret()}` })

const secret = () => randomBytes(18).toString('base64url')

const withoutAbsent = (members: Json): Json =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
