import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const twitter: ProviderProfile = oauth2Profile({
  strategy: 'twitter',
  name: 'X',
  endpoints: {
    authorization: 'https://x.com/i/oauth2/authorize',
    token: 'https://api.x.com/2/oauth2/token',
    userinfo: 'https://api.x.com/2/users/me?user.fields=confirmed_email',
    revocation: 'https://api.x.com/2/oauth2/revoke',
  },
  authorization: {
    offlineScopes: ['offline.access'],
    accountPicker: undefined,
  },
  scopes: {
    defaults: ['users.read', 'tweet.read', 'users.email'],
  },
  client: {
    auth: 'client_secret_basic',
  },
  token: {
    accessSeconds: 7200,
  },
  refresh: {
    given: 'offline',
    rotates: 'always',
    graceSeconds: 0,
  },
  identity: {
    subject: ['data.id'],
    subjectType: 'string',
    claims: {
      email: 'data.confirmed_email',
      name: 'data.name',
      nickname: 'data.username',
      username: 'data.username',
      picture: 'data.profile_image_url',
    },
    verifiedBy: ['present'],
  },
  api: {
    hosts: ['api.x.com'],
  },
  evidence: {
    pages: ['https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code'],
    refresh: 'recalled',
    notes: [
      'Single use.',
      'Payload wrapped in data',
      'Older hosts twitter.com and api.twitter.com still appear in libraries',
    ],
  },
})
