import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const strava: ProviderProfile = oauth2Profile({
  strategy: 'strava',
  name: 'Strava',
  endpoints: {
    authorization: 'https://www.strava.com/oauth/authorize',
    token: 'https://www.strava.com/api/v3/oauth/token',
    revocation: 'https://www.strava.com/oauth/deauthorize',
  },
  authorization: {
    accountPicker: {
      approval_prompt: 'force',
    },
  },
  scopes: {
    defaults: ['read'],
    separator: ',',
    grantedIn: 'callback',
    contains: {
      read_all: ['read'],
      'activity:read_all': ['activity:read'],
      'profile:read_all': [],
    },
  },
  token: {
    accessSeconds: 21_600,
  },
  refresh: {
    given: 'always',
    rotates: 'sometimes',
  },
  revocation: {
    member: 'access_token',
    authentication: 'none',
    takes: 'access_token',
    ends: 'grant',
  },
  identity: {
    from: 'token_answer',
    subject: ['athlete.id'],
    subjectType: 'integer',
    claims: {
      given_name: 'athlete.firstname',
      family_name: 'athlete.lastname',
      username: 'athlete.username',
      picture: 'athlete.profile',
    },
  },
  api: {
    hosts: ['www.strava.com'],
  },
  evidence: {
    pages: ['https://developers.strava.com/docs/authentication/'],
    refresh: 'recalled',
    notes: [
      'Store the newest; the older one stops working once a newer is issued. The same access token is returned if it has more than an hour left.',
      'expires_at (epoch) besides expires_in',
      'Granted scope comes in the callback query, not in the token response',
    ],
  },
})
