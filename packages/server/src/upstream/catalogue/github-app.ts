import { oauth2Profile } from './generic.ts'
import { GITHUB, GITHUB_REFRESH } from './github.ts'
import type { ProviderProfile } from './profile.ts'

export const githubApp: ProviderProfile = oauth2Profile({
  strategy: 'github-app',
  name: 'GitHub App',
  ...GITHUB,
  scopes: {
    parameter: undefined,
    blankIsSilence: true,
  },
  token: {
    accessSeconds: 28_800,
  },
  refresh: { ...GITHUB_REFRESH, idleSeconds: 15_897_600 },
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
