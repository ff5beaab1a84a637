import { oidcProfile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const twitch: ProviderProfile = oidcProfile({
  strategy: 'twitch',
  name: 'Twitch',
  endpoints: {
    issuer: 'https://id.twitch.tv/oauth2',
    authorization: 'https://id.twitch.tv/oauth2/authorize',
    token: 'https://id.twitch.tv/oauth2/token',
    userinfo: 'https://id.twitch.tv/oauth2/userinfo',
    revocation: 'https://id.twitch.tv/oauth2/revoke',
    jwks: 'https://id.twitch.tv/oauth2/keys',
  },
  authorization: {
    accountPicker: {
      force_verify: 'true',
    },
    parameters: {
      claims: '{"id_token":{"email":null,"email_verified":null,"preferred_username":null}}',
    },
    pkce: false,
  },
  scopes: {
    defaults: ['openid', 'user:read:email'],
    grantedForm: 'list',
  },
  client: {
    auth: 'client_secret_post',
  },
  token: {
    accessSeconds: 14_400,
    errors: ['message', 'error'],
  },
  refresh: {
    given: 'always',
    rotates: 'sometimes',
    deadErrors: ['Invalid_refresh_token'],
  },
  api: {
    hosts: ['api.twitch.tv'],
  },
  evidence: {
    pages: ['https://dev.twitch.tv/docs/authentication/'],
    refresh: 'recalled',
    notes: [
      'Confidential clients: no time limit, dies on password change or disconnect. Public clients: single use, 30 days. At most 50 valid access tokens per refresh token.',
      'scope is a JSON array',
      'HTTP Basic is not accepted',
      'Apps must validate tokens hourly',
    ],
  },
})
