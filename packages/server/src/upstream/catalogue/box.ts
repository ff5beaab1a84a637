import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const box: ProviderProfile = oauth2Profile({
  strategy: 'box',
  name: 'Box',
  endpoints: {
    authorization: 'https://account.box.com/api/oauth2/authorize',
    token: 'https://api.box.com/oauth2/token',
    userinfo: 'https://api.box.com/2.0/users/me',
    revocation: 'https://api.box.com/oauth2/revoke',
  },
  authorization: {
    accountPicker: undefined,
  },
  token: {
    accessSeconds: 3600,
  },
  refresh: {
    given: 'always',
    rotates: 'always',
    graceSeconds: 0,
    idleSeconds: 5_184_000,
  },
  identity: {
    subject: ['id'],
    subjectType: 'string',
    claims: {
      email: 'login',
      name: 'name',
      picture: 'avatar_url',
    },
  },
  api: {
    hosts: ['api.box.com', 'upload.box.com'],
  },
  evidence: {
    pages: [
      'https://developer.box.com/guides/authentication/oauth2/',
      'https://developer.box.com/guides/authentication/tokens/downscope/',
    ],
    refresh: 'recalled',
    notes: [
      'Single use, 60 days.',
      'Authorization code lives 30 seconds',
      'scope is optional: app configuration decides',
    ],
  },
})
