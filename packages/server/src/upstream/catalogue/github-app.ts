import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const githubApp: ProviderProfile = oauth2Profile({
  strategy: 'github-app',
  name: 'GitHub App',
  endpoints: {
    authorization: 'https://github.com/login/oauth/authorize',
    token: 'https://github.com/login/oauth/access_token',
    userinfo: 'https://api.github.com/user',
    revocation: 'https://api.github.com/applications/{client_id}/token',
    emails: 'https://api.github.com/user/emails',
  },
  selfHosted: {
    authorization: 'https://{domain}/login/oauth/authorize',
    token: 'https://{domain}/login/oauth/access_token',
    userinfo: 'https://{domain}/api/v3/user',
    emails: 'https://{domain}/api/v3/user/emails',
    revocation: 'https://{domain}/api/v3/applications/{client_id}/token',
  },
  placeholders: {
    domain: {
      means: 'the host of a GitHub Enterprise Server',
      default: 'github.com',
    },
  },
  scopes: {
    parameter: undefined,
    blankIsSilence: true,
  },
  token: {
    accessSeconds: 28_800,
  },
  refresh: {
    given: 'app_setting',
    rotates: 'always',
    graceSeconds: 0,
    idleSeconds: 15_897_600,
    deadErrors: ['bad_refresh_token'],
  },
  revocation: {
    method: 'DELETE',
    body: 'json',
    member: 'access_token',
    takes: 'access_token',
  },
  identity: {
    subject: ['id'],
    subjectType: 'integer',
    claims: {
      name: 'name',
      nickname: 'login',
      username: 'login',
      picture: 'avatar_url',
    },
  },
  api: {
    headers: {
      'user-agent': 'Tenon',
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
    },
    hosts: ['api.github.com'],
  },
  evidence: {
    pages: [
      'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens',
    ],
    notes: [
      'Single use: using it invalidates both the old refresh token and the old access token. About six months; read refresh_token_expires_in.',
      'Form-encoded unless Accept: application/json',
      'scope is an empty string',
      'If the app opts out of expiring tokens, expires_in and refresh_token are absent',
      'Prefixes: ghu_ access, ghr_ refresh',
      'Installation tokens (server-to-server) are a different credential: RS256 JWT -> POST /app/installations/{id}/access_tokens, one hour',
      'Number. login is renameable: never key on it.',
    ],
  },
})
