// Around the page: two providers to sign in with, and an app without a secret that may manage its user's identities.
import { startCalendarProvider, startCodeProvider } from '@tenon/sdk/testing'
import { PASSWORDS } from '../local/tenant.ts'
import type { AppPlace } from '../local/world.ts'

const SCOPES = ['read:current_user', 'update:current_user_identities']

export async function startScene({ url }: Pick<AppPlace, 'url'>) {
  const [calendar, code] = await Promise.all([
    startCalendarProvider({ interactive: true, connectionOptions: { trust_email: true } }),
    startCodeProvider({ interactive: true }),
  ])
  const enabled_clients = ['example']
  const tenant = {
    settings: { friendly_name: 'Example' },
    clients: [
      {
        client_id: 'example',
        name: 'Example',
        app_type: 'spa',
        token_endpoint_auth_method: 'none',
        callbacks: [url],
        web_origins: [url],
        allowed_logout_urls: [url],
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    client_grants: [{ client_id: 'example', audience: '<issuer>api/v2/', scope: SCOPES, subject_type: 'user' }],
    connections: [
      { name: PASSWORDS, strategy: 'auth0', enabled_clients: [] },
      calendar.connection({ display_name: 'Calendar', enabled_clients }),
      code.connection({ display_name: 'Code', enabled_clients }),
    ],
  }
  return {
    tenant,
    calendar,
    code,
    env: {},
    hints: ['Sign in with Calendar, then add Code.'],
    stop: async () => void (await Promise.all([calendar.stop(), code.stop()])),
  }
}
