/** Atlassian: an audience must be named, a dead refresh token is a 403, and sites are asked for apart. */

import { checkAccess } from '../bearer.ts'
import { jsonAnswer } from '../http.ts'
import { OAUTH2 } from '../oauth2.ts'
import { standardRefusal } from '../shape.ts'
import { aboutMe, inPlaceOf, type Vendor } from './parts.ts'

export const atlassian: Vendor = {
  defaults: { refresh: 'offline', rotation: 'rotating', graceSeconds: 600 },
  shape: {
    ...OAUTH2,
    kind: 'vendor',
    routes: [
      ...OAUTH2.routes.filter(({ endpoint }) => endpoint !== 'userinfo' && endpoint !== 'revoke'),
      {
        endpoint: 'userinfo',
        path: '/me',
        handle: aboutMe('GET', ({ sub, name, email }) => ({ account_id: sub, name, email, account_type: 'atlassian' })),
      },
      {
        endpoint: 'metadata',
        path: '/oauth/token/accessible-resources',
        handle: (provider, call) => {
          const access = checkAccess(provider, call, undefined)
          if (access.kind === 'refused') return access.answer
          return jsonAnswer(200, [
            { id: 'site-1', url: 'https://acme.atlassian.net', scopes: access.caller.scopes },
            { id: 'site-2', url: 'https://labs.atlassian.net', scopes: access.caller.scopes },
          ])
        },
      },
    ],
    refusal: (reason) =>
      reason === 'bad_refresh_token' ? { status: 403, error: 'unauthorized_client' } : standardRefusal(reason),
    quirks: {
      clientAuth: 'post',
      required: { audience: 'api.atlassian.com' },
      asksOffline: (scopes) => scopes.includes('offline_access'),
    },
    connection: inPlaceOf('atlassian', 'read:me'),
  },
}
