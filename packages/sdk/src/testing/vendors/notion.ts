/** Notion: JSON requests, no scopes, no life of tokens told; who it is stands in the token answer. */
import { authorize, consent } from '../authorize.ts'
import { OAUTH2 } from '../oauth2.ts'
import { token } from '../token.ts'
import { inPlaceOf, revokeByJson, type Vendor } from './parts.ts'

export const notion: Vendor = {
  defaults: { refresh: 'always', rotation: 'rotating' },
  shape: {
    ...OAUTH2,
    kind: 'vendor',
    routes: [
      { endpoint: 'authorize', path: '/v1/oauth/authorize', handle: authorize },
      { endpoint: 'consent', path: '/v1/oauth/consent', handle: consent },
      { endpoint: 'token', path: '/v1/oauth/token', handle: token },
      { endpoint: 'revoke', path: '/v1/oauth/revoke', handle: revokeByJson },
    ],
    tokenType: 'bearer',
    tokenPrefixes: { access: 'ntn_', refresh: 'nrt_' },
    quirks: {
      clientAuth: 'basic',
      requestBody: 'json',
      required: { owner: 'user' },
      tokenFields: ({ access_token, token_type, refresh_token }, { user }) => ({
        access_token,
        token_type,
        ...(refresh_token === undefined ? {} : { refresh_token }),
        bot_id: `bot-${user.sub}`,
        workspace_id: 'ws-acme',
        workspace_name: 'Acme',
        owner: {
          type: 'user',
          user: { object: 'user', id: user.sub, name: user.name, person: { email: user.email } },
        },
      }),
    },
    connection: inPlaceOf('notion', ''),
  },
}
