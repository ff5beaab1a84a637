import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const figma: ProviderProfile = oauth2Profile({
  strategy: 'figma',
  name: 'Figma',
  endpoints: {
    authorization: 'https://www.figma.com/oauth',
    token: 'https://api.figma.com/v1/oauth/token',
    refresh: 'https://api.figma.com/v1/oauth/refresh',
    userinfo: 'https://api.figma.com/v1/me',
  },
  authorization: {
    accountPicker: undefined,
  },
  scopes: {
    defaults: ['current_user:read'],
  },
  client: {
    auth: 'client_secret_basic',
  },
  token: {
    accessSeconds: 7_776_000,
  },
  refresh: {
    given: 'always',
    rotates: 'never',
  },
  identity: {
    subject: ['id'],
    subjectType: 'string',
    claims: {
      email: 'email',
      name: 'handle',
      picture: 'img_url',
    },
  },
  api: {
    hosts: ['api.figma.com'],
  },
  evidence: {
    pages: ['https://developers.figma.com/docs/rest-api/authentication/'],
    refresh: 'recalled',
    confidence: 'medium',
    uncertain: ['refresh_url (arctic uses /oauth/refresh, better-auth uses /oauth/token)', 'scope separator'],
    notes: [
      'Refresh uses a separate URL and returns only a new access token: keep the refresh token.',
      'Authorization code lives 30 seconds',
      'user_id as number plus user_id_string',
    ],
  },
})
