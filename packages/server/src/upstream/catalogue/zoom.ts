import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const zoom: ProviderProfile = oauth2Profile({
  strategy: 'zoom',
  name: 'Zoom',
  endpoints: {
    authorization: 'https://zoom.us/oauth/authorize',
    token: 'https://zoom.us/oauth/token',
    userinfo: 'https://api.zoom.us/v2/users/me',
    revocation: 'https://zoom.us/oauth/revoke',
  },
  authorization: {
    accountPicker: undefined,
  },
  client: {
    auth: 'client_secret_basic',
  },
  token: {
    accessSeconds: 3600,
  },
  refresh: {
    given: 'always',
    rotates: 'always',
    idleSeconds: 7_776_000,
  },
  identity: {
    subject: ['id'],
    subjectType: 'string',
    claims: {
      email: 'email',
      email_verified: 'verified',
      name: 'display_name',
      given_name: 'first_name',
      family_name: 'last_name',
      picture: 'pic_url',
    },
    verifiedBy: ['true', 'one'],
  },
  api: {
    hosts: ['api.zoom.us'],
  },
  extras: [
    {
      name: 'account_id',
      from: 'userinfo',
      path: 'account_id',
    },
    {
      name: 'api_url',
      from: 'token_answer',
      path: 'api_url',
    },
  ],
  evidence: {
    pages: ['https://developers.zoom.us/docs/integrations/oauth/'],
    notes: [
      'Treat as single use: each refresh returns a new one. About 90 days.',
      'scopes come from the app configuration',
      'api_url tells the regional API host',
    ],
  },
})
