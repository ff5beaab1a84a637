import { oauth2Profile, variantOf } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

/** A Slack app that acts as the person who installs it. */
export const slack: ProviderProfile = oauth2Profile({
  strategy: 'slack',
  name: 'Slack',
  endpoints: {
    authorization: 'https://slack.com/oauth/v2/authorize',
    token: 'https://slack.com/api/oauth.v2.access',
    userinfo: 'https://slack.com/api/auth.test',
    revocation: 'https://slack.com/api/auth.revoke',
  },
  authorization: {
    accountPicker: undefined,
    pkce: false,
  },
  scopes: {
    separator: ',',
    parameter: 'user_scope',
  },
  client: {
    auth: 'client_secret_basic',
  },
  token: {
    at: 'authed_user',
    types: ['user', 'bot'],
  },
  refresh: {
    given: 'app_setting',
    rotates: 'always',
    deadErrors: ['invalid_refresh_token', 'token_revoked', 'token_expired'],
  },
  revocation: {
    body: 'none',
    authentication: 'token',
    takes: 'access_token',
  },
  identity: {
    from: 'token_answer',
    subject: ['team.id', 'authed_user.id'],
    claims: {
      username: 'user',
      name: 'user',
      nickname: 'user',
    },
  },
  api: {
    hosts: ['slack.com'],
  },
  extras: [
    {
      name: 'team_id',
      from: 'token_answer',
      path: 'team.id',
    },
    {
      name: 'team_name',
      from: 'token_answer',
      path: 'team.name',
    },
    {
      name: 'app_id',
      from: 'token_answer',
      path: 'app_id',
    },
  ],
  evidence: {
    pages: [
      'https://docs.slack.dev/authentication/installing-with-oauth',
      'https://docs.slack.dev/authentication/using-token-rotation',
      'https://docs.slack.dev/authentication/using-pkce',
    ],
    uncertain: [
      'authorize url: in no published client library that was compared',
      'token url: in no published client library that was compared',
    ],
    notes: [
      'Without rotation tokens never expire and there is no refresh token. With rotation, access tokens last 43200 seconds; bot and user tokens each have their own refresh token and must be refreshed separately; the used refresh token is revoked. Rotation cannot be switched off once on. oauth.v2.exchange swaps a legacy token for a rotating pair.',
      'HTTP 200 with ok:false on error',
      'User token sits under authed_user.access_token, with its own scope, refresh_token and expires_in',
      'If only user_scope was asked there is no top-level access_token',
      'scope is comma separated',
    ],
    changes: [
      {
        date: '2026-03-30',
        what: 'PKCE generally available. Enabling it marks the app as a public client (one way); refresh tokens of PKCE-enabled apps expire after 30 days; desktop redirects cannot ask for bot scopes.',
        source: 'https://docs.slack.dev/changelog/2026/03/30/pkce',
      },
    ],
  },
})

/** The same app acting as itself: the bot's token, for the workspace in which it was installed. */
export const slackBot: ProviderProfile = variantOf(slack, {
  strategy: 'slack-oauth-2',
  name: 'Slack (bot)',
  scopes: { ...slack.scopes, parameter: 'scope' },
  token: { ...slack.token, at: '' },
  identity: { ...slack.identity, subject: ['team.id', 'bot_user_id'] },
})
