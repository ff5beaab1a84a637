import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const spotify: ProviderProfile = oauth2Profile({
  strategy: 'spotify',
  name: 'Spotify',
  endpoints: {
    authorization: 'https://accounts.spotify.com/authorize',
    token: 'https://accounts.spotify.com/api/token',
    userinfo: 'https://api.spotify.com/v1/me',
  },
  authorization: {
    accountPicker: {
      show_dialog: 'true',
    },
  },
  scopes: {
    defaults: ['user-read-email'],
  },
  client: {
    auth: 'client_secret_basic',
  },
  token: {
    accessSeconds: 3600,
  },
  refresh: {
    given: 'always',
    rotates: 'sometimes',
    absoluteSeconds: 15_811_200,
  },
  identity: {
    subject: ['id'],
    subjectType: 'string',
    claims: {
      email: 'email',
      name: 'display_name',
    },
    verifiedBy: [],
  },
  api: {
    hosts: ['api.spotify.com'],
  },
  evidence: {
    pages: [
      'https://developer.spotify.com/documentation/web-api/tutorials/code-flow',
      'https://developer.spotify.com/documentation/web-api/tutorials/refreshing-tokens',
    ],
    notes: [
      'Expires six months after the original authorization; refreshing does not extend it. A confidential client may get no new refresh token on refresh: keep the old one.',
    ],
    changes: [
      {
        date: '2026-06-18',
        what: 'Six-month refresh token expiry for new apps.',
        source: 'https://developer.spotify.com/blog/2026-06-18-refresh-token-expiration',
      },
      {
        date: '2026-07-20',
        what: 'Same for existing apps.',
        source: 'https://developer.spotify.com/blog/2026-06-18-refresh-token-expiration',
      },
    ],
  },
})
