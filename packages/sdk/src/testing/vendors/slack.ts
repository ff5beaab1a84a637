/** A Slack app with token rotation: user scopes of their own, the user's token inside another object, errors with 200. */
import { authorize, consent } from '../authorize.ts'
import { OAUTH2 } from '../oauth2.ts'
import type { RefusalReason } from '../shape.ts'
import { token } from '../token.ts'
import { aboutMe, inPlaceOf, revokeShown, type Vendor } from './parts.ts'

const TEAM = { id: 'T0ACME', name: 'Acme' }
const ERRORS: Readonly<Partial<Record<RefusalReason, string>>> = {
  bad_client: 'bad_client_secret',
  bad_code: 'invalid_code',
  bad_refresh_token: 'invalid_refresh_token',
}

export const slack: Vendor = {
  defaults: { refresh: 'always', rotation: 'rotating', accessTokenSeconds: 43_200 },
  shape: {
    ...OAUTH2,
    kind: 'vendor',
    routes: [
      { endpoint: 'authorize', path: '/oauth/v2/authorize', handle: authorize },
      { endpoint: 'consent', path: '/oauth/v2/consent', handle: consent },
      { endpoint: 'token', path: '/api/oauth.v2.access', handle: token },
      {
        endpoint: 'userinfo',
        path: '/api/auth.test',
        handle: aboutMe('GET', ({ sub, login }) => ({
          ok: true,
          team: TEAM.name,
          team_id: TEAM.id,
          user: login,
          user_id: sub,
        })),
      },
      { endpoint: 'revoke', path: '/api/auth.revoke', handle: revokeShown({ ok: true, revoked: true }) },
    ],
    scopeSeparator: ',',
    tokenType: 'user',
    tokenPrefixes: { access: 'xoxe.xoxp-', refresh: 'xoxe-' },
    refusal: (reason) => ({ status: 200, error: ERRORS[reason] ?? 'invalid_arguments' }),
    quirks: {
      requestBody: 'form',
      scopeParameter: 'user_scope',
      errorFields: (error) => ({ ok: false, error }),
      // A refresh names one token, and answers with it alone.
      tokenFields: (fields, { user, grant }) =>
        grant === 'refresh_token'
          ? { ok: true, ...fields, team: TEAM }
          : { ok: true, app_id: 'A0APP', team: TEAM, authed_user: { id: user.sub, ...fields } },
    },
    connection: inPlaceOf('slack', 'users:read'),
  },
}
