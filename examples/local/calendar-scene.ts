// Around an agent: a calendar to connect, and an app that may ask for it and keep its tokens.
import { startCalendarProvider } from '@tenon/sdk/testing'
import { ADA, adaAccount, MY_ACCOUNT, PASSWORDS, VAULT_GRANT, webClient } from './tenant.ts'
import type { AppPlace } from './world.ts'

const SCOPES = ['create:me:connected_accounts', 'read:me:connected_accounts', 'delete:me:connected_accounts']

/** @param callbacks paths of the app: where sign-ins come back to, and then further ones. */
export async function startCalendarScene(place: AppPlace, [callback, ...more]: readonly [string, ...string[]]) {
  const calendar = await startCalendarProvider({ interactive: true })
  const client = webClient(place, callback)
  const tenant = {
    settings: { friendly_name: 'Example' },
    clients: [
      {
        ...client,
        callbacks: [...client.callbacks, ...more.map((path) => `${place.url}${path}`)],
        grant_types: [...client.grant_types, VAULT_GRANT],
        refresh_token: { policies: [{ audience: MY_ACCOUNT, scope: SCOPES }] },
      },
    ],
    client_grants: [{ client_id: 'example', audience: MY_ACCOUNT, scope: SCOPES, subject_type: 'user' }],
    connections: [
      { name: PASSWORDS, strategy: 'auth0', enabled_clients: ['example'] },
      calendar.connection({
        display_name: 'Calendar',
        enabled_clients: ['example'],
        authentication: { active: false },
        connected_accounts: { active: true },
      }),
    ],
    users: [adaAccount],
  }
  return {
    tenant,
    calendar,
    env: { CALENDAR_URL: calendar.url },
    hints: [`Sign in as ${ADA.email}, password "${ADA.password}", and ask what is on tomorrow.`],
    stop: () => calendar.stop(),
  }
}
