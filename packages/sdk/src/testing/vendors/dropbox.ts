/** Dropbox: user-info by an empty POST, and a revocation that wants the access token alone. */
import { OAUTH2 } from '../oauth2.ts'
import { aboutMe, inPlaceOf, revokeShown, type Vendor } from './parts.ts'

export const dropbox: Vendor = {
  defaults: { refresh: 'offline', accessTokenSeconds: 14_400, revocationEnds: 'grant' },
  shape: {
    ...OAUTH2,
    kind: 'vendor',
    routes: [
      ...OAUTH2.routes.filter(({ endpoint }) => endpoint !== 'userinfo' && endpoint !== 'revoke'),
      {
        endpoint: 'userinfo',
        path: '/2/users/get_current_account',
        handle: aboutMe('POST', ({ sub, name, email, emailVerified }) => ({
          account_id: `dbid:${sub}`,
          name: { display_name: name },
          email,
          email_verified: emailVerified,
        })),
      },
      { endpoint: 'revoke', path: '/2/auth/token/revoke', handle: revokeShown(undefined) },
    ],
    tokenPrefixes: { access: 'sl.', refresh: 'dbr_' },
    quirks: {
      asksOffline: (_scopes, { token_access_type }) => token_access_type === 'offline',
      tokenFields: (fields, { user }) => ({ ...fields, uid: '12', account_id: `dbid:${user.sub}` }),
    },
    connection: inPlaceOf('dropbox', 'account_info.read'),
  },
}
