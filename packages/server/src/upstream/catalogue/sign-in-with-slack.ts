import { oidcProfile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const signInWithSlack: ProviderProfile = oidcProfile({
  strategy: 'sign-in-with-slack',
  name: 'Sign in with Slack',
  endpoints: {
    issuer: 'https://slack.com',
    authorization: 'https://slack.com/openid/connect/authorize',
    token: 'https://slack.com/api/openid.connect.token',
    userinfo: 'https://slack.com/api/openid.connect.userInfo',
  },
  authorization: {
    accountPicker: undefined,
  },
  client: {
    auth: 'client_secret_post',
  },
  refresh: {
    given: 'app_setting',
    rotates: 'always',
    deadErrors: ['invalid_refresh_token', 'token_revoked', 'token_expired'],
  },
  identity: {
    // People of two workspaces may have one and the same user id.
    subject: ['sub', 'https://slack.com/team_id'],
  },
  api: {
    hosts: ['slack.com'],
  },
  evidence: {
    pages: ['https://docs.slack.dev/authentication/sign-in-with-slack'],
    refresh: 'recalled',
    notes: [
      'HTTP 200 with ok:false on error',
      'Workspace-scoped user id, also in claim https://slack.com/user_id; workspace in https://slack.com/team_id',
    ],
  },
})
