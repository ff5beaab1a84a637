/** Salesforce: no life of tokens told, a scope that asks for the refresh token, and an API host for each organisation. */
import { OAUTH2 } from '../oauth2.ts'
import { aboutMe, inPlaceOf, type Vendor } from './parts.ts'

const ORGANIZATION = '00D000000000001EAA'

export const salesforce: Vendor = {
  defaults: { refresh: 'offline' },
  shape: {
    ...OAUTH2,
    kind: 'vendor',
    routes: [
      ...OAUTH2.routes.filter(({ endpoint }) => endpoint !== 'userinfo'),
      {
        endpoint: 'userinfo',
        path: '/services/oauth2/userinfo',
        handle: aboutMe('GET', ({ sub, name, email, emailVerified, login }, { url }) => ({
          sub: `${url}/id/${ORGANIZATION}/${sub}`,
          user_id: sub,
          organization_id: ORGANIZATION,
          name,
          preferred_username: login,
          email,
          email_verified: emailVerified,
        })),
      },
    ],
    quirks: {
      asksOffline: (scopes) => scopes.includes('refresh_token'),
      tokenFields: ({ expires_in, ...fields }, { provider, user }) => ({
        ...fields,
        instance_url: `${provider.url}/instance`,
        id: `${provider.url}/id/${ORGANIZATION}/${user.sub}`,
        issued_at: String(provider.nowMs()),
      }),
    },
    connection: inPlaceOf('salesforce', 'openid id api'),
  },
}
