// Around the backend: a person with two accounts of one address, which Tenon leaves to the app to join.
import { startCalendarProvider } from '@tenon/sdk/testing'
import { ADA, adaAccount, PASSWORDS, webClient } from '../local/tenant.ts'
import type { AppPlace } from '../local/world.ts'

const BACKEND_SCOPES = ['read:users', 'update:users']

export async function startScene(place: AppPlace) {
  const calendar = await startCalendarProvider({ interactive: true, connectionOptions: { trust_email: true } })
  calendar.addUser('ada-at-work', { email: ADA.email, name: 'Ada Lovelace' })
  calendar.switchUser('ada-at-work')
  const enabled_clients = ['example']
  const tenant = {
    // Tenon would ask at the sign-in; here the app does.
    settings: { friendly_name: 'Example', linking: { policy: 'off' } },
    clients: [
      { ...webClient(place, '/callback'), token_endpoint_auth_method: 'client_secret_basic' },
      {
        client_id: 'backend',
        client_secret: place.clientSecret,
        name: 'Backend',
        app_type: 'non_interactive',
        grant_types: ['client_credentials'],
      },
    ],
    client_grants: [{ client_id: 'backend', audience: '<issuer>api/v2/', scope: BACKEND_SCOPES }],
    connections: [
      { name: PASSWORDS, strategy: 'auth0', enabled_clients },
      calendar.connection({ display_name: 'Calendar', enabled_clients }),
    ],
    users: [{ ...adaAccount, user_metadata: { theme: 'dark' } }],
  }
  return {
    tenant,
    calendar,
    env: {},
    hints: [
      `Sign in with Calendar as ${ADA.email}, and link the other account: prove it with the password "${ADA.password}".`,
      'When Tenon asks, be the other one; you are signed in anew afterwards, as the one account that remains.',
    ],
    stop: () => calendar.stop(),
  }
}
