import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const calendly: ProviderProfile = oauth2Profile({
  strategy: 'calendly',
  name: 'Calendly',
  endpoints: {
    authorization: 'https://auth.calendly.com/oauth/authorize',
    token: 'https://auth.calendly.com/oauth/token',
    userinfo: 'https://api.calendly.com/users/me',
    revocation: 'https://auth.calendly.com/oauth/revoke',
  },
  authorization: {
    accountPicker: undefined,
  },
  client: {
    auth: 'client_secret_basic',
  },
  token: {
    accessSeconds: 7200,
  },
  refresh: {
    given: 'always',
    rotates: 'always',
    graceSeconds: 0,
  },
  identity: {
    subject: ['resource.uri'],
    subjectType: 'string',
    claims: {
      email: 'resource.email',
      name: 'resource.name',
      nickname: 'resource.slug',
      picture: 'resource.avatar_url',
    },
  },
  api: {
    hosts: ['api.calendly.com'],
  },
  extras: [
    {
      name: 'owner',
      from: 'token_answer',
      path: 'owner',
    },
    {
      name: 'organization',
      from: 'token_answer',
      path: 'organization',
    },
  ],
  evidence: {
    pages: [
      'https://developer.calendly.com/docs/authentication/how-to-access-calendly-data-on-behalf-of-authenticated-users',
    ],
    uncertain: [
      'scope introduction date (second-hand)',
      'authorize url: in no published client library that was compared',
      'token url: in no published client library that was compared',
    ],
    notes: [
      'Single use: revoked as soon as the token call succeeds. Does not expire until used. At most 8 token calls per user per minute.',
      'owner and organization are URIs',
    ],
    changes: [
      {
        date: '2026-03-03',
        what: 'Authorization scopes introduced; new apps get no access until scopes are requested.',
        source: 'https://developer.calendly.com/',
      },
      {
        date: undefined,
        what: 'Refresh tokens become single use with immediate revocation.',
        source: 'https://developer.calendly.com/docs/authentication/refresh-token-rotation-guide',
      },
    ],
  },
})
