import { oidcProfile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const auth0Oidc: ProviderProfile = oidcProfile({
  strategy: 'auth0-oidc',
  name: 'Auth0',
  endpoints: {
    issuer: 'https://{domain}/',
    revocation: 'https://{domain}/oauth/revoke',
  },
  placeholders: {
    domain: {
      means: 'the tenant, or its custom domain',
    },
  },
  authorization: {
    offlineScopes: ['offline_access'],
    accountPicker: {
      prompt: 'login',
    },
  },
  client: {
    auth: 'client_secret_post',
  },
  token: {
    accessSeconds: 86_400,
  },
  refresh: {
    given: 'offline',
    rotates: 'sometimes',
  },
  revocation: {
    takes: 'refresh_token',
  },
  api: {
    hosts: ['{domain}'],
  },
  evidence: {
    pages: [
      'https://auth0.com/docs/api/authentication',
      'https://auth0.com/docs/secure/tokens/refresh-tokens/refresh-token-rotation',
    ],
    notes: [
      'Rotation must be off when the refresh token is used as Token Vault subject token. Reuse leeway is an app setting. At most 200 active refresh tokens per user per application: the oldest is revoked.',
    ],
  },
})
