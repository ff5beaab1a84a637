// The tenant file of the demo: one agent, two connections.
import type { CalendarProvider, CodeProvider } from '@tenon/sdk/testing'
import { CALLBACKS } from './agent/server.ts'

export interface AgentRegistration {
  readonly clientId: string
  readonly clientSecret: string
  readonly url: string
}

const VAULT_GRANT = 'urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token'
const MY_ACCOUNT = '<issuer>me/'
const MY_ACCOUNT_SCOPES = ['create:me:connected_accounts', 'read:me:connected_accounts']

export function tenantFile(agent: AgentRegistration, calendar: CalendarProvider, code: CodeProvider): object {
  const { clientId: client_id, clientSecret: client_secret, url } = agent
  return {
    settings: { friendly_name: 'Tenon demo' },
    clients: [
      {
        client_id,
        client_secret,
        name: 'Demo agent',
        app_type: 'regular_web',
        callbacks: [url + CALLBACKS.signIn, url + CALLBACKS.connect],
        allowed_logout_urls: [`${url}/`],
        grant_types: ['authorization_code', 'refresh_token', VAULT_GRANT],
        // With its refresh token it may also ask for tokens of the person's own API.
        refresh_token: { policies: [{ audience: MY_ACCOUNT, scope: MY_ACCOUNT_SCOPES }] },
      },
    ],
    client_grants: [{ client_id, audience: MY_ACCOUNT, scope: MY_ACCOUNT_SCOPES, subject_type: 'user' }],
    connections: [
      // Every tenant has passwords; nobody needs one here.
      { name: 'Username-Password-Authentication', strategy: 'auth0', enabled_clients: [] },
      // People sign in with it, and agents may use it.
      calendar.connection({
        display_name: 'Calendar',
        enabled_clients: [client_id],
        connected_accounts: { active: true },
      }),
      // Agents may use it; nobody signs in with it.
      code.connection({
        display_name: 'Code',
        enabled_clients: [client_id],
        authentication: { active: false },
        connected_accounts: { active: true },
      }),
    ],
  }
}
