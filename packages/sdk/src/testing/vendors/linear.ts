/** Linear: GraphQL in place of user-info, and scopes between commas. */

import { OAUTH2 } from '../oauth2.ts'
import { aboutMe, inPlaceOf, type Vendor } from './parts.ts'

export const linear: Vendor = {
  defaults: { refresh: 'always', rotation: 'rotating', accessTokenSeconds: 86_400 },
  shape: {
    ...OAUTH2,
    kind: 'vendor',
    routes: [
      ...OAUTH2.routes.filter(({ endpoint }) => endpoint !== 'userinfo'),
      {
        endpoint: 'userinfo',
        path: '/graphql',
        handle: aboutMe('POST', ({ sub, name, email }) => ({
          data: { viewer: { id: sub, name, email }, organization: { id: 'org-acme', urlKey: 'acme' } },
        })),
      },
    ],
    scopeSeparator: ',',
    impliedScopes: { write: ['issues:create', 'comments:create', 'read'] },
    quirks: { clientAuth: 'post', requestBody: 'form' },
    connection: inPlaceOf('linear', 'read'),
  },
}
