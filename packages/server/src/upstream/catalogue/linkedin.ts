import { oidcProfile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const linkedin: ProviderProfile = oidcProfile({
  strategy: 'linkedin',
  name: 'LinkedIn',
  endpoints: {
    issuer: 'https://www.linkedin.com/oauth',
    authorization: 'https://www.linkedin.com/oauth/v2/authorization',
    token: 'https://www.linkedin.com/oauth/v2/accessToken',
    userinfo: 'https://api.linkedin.com/v2/userinfo',
    jwks: 'https://www.linkedin.com/oauth/openid/jwks',
  },
  authorization: {
    accountPicker: undefined,
    pkce: false,
  },
  client: {
    auth: 'client_secret_post',
  },
  token: {
    accessSeconds: 5_184_000,
  },
  refresh: {
    given: 'app_setting',
    rotates: 'never',
    absoluteSeconds: 31_536_000,
  },
  api: {
    hosts: ['api.linkedin.com'],
  },
  evidence: {
    pages: [
      'https://learn.microsoft.com/en-us/linkedin/shared/authentication/authorization-code-flow',
      'https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens',
    ],
    notes: [
      'Fixed 365 days from the first grant; refreshing does not extend it; the last access token is capped by it.',
      'HTTP Basic client auth is not accepted',
      'granted scope is comma separated in some responses',
      'Scoped to the application',
    ],
  },
})
