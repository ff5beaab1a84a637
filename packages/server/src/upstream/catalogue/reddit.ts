import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const reddit: ProviderProfile = oauth2Profile({
  strategy: 'reddit',
  name: 'Reddit',
  endpoints: {
    authorization: 'https://www.reddit.com/api/v1/authorize',
    token: 'https://www.reddit.com/api/v1/access_token',
    userinfo: 'https://oauth.reddit.com/api/v1/me',
    revocation: 'https://www.reddit.com/api/v1/revoke_token',
  },
  authorization: {
    offlineParameters: {
      duration: 'permanent',
    },
    accountPicker: undefined,
    pkce: false,
  },
  scopes: {
    defaults: ['identity'],
  },
  client: {
    auth: 'client_secret_basic',
  },
  token: {
    accessSeconds: 86_400,
  },
  refresh: {
    given: 'offline',
    rotates: 'never',
  },
  identity: {
    subject: ['id'],
    subjectType: 'string',
    claims: {
      name: 'name',
      nickname: 'name',
      username: 'name',
      picture: 'icon_img',
    },
  },
  api: {
    headers: {
      'user-agent': 'Tenon',
    },
    hosts: ['oauth.reddit.com'],
  },
  evidence: {
    pages: ['https://github.com/reddit-archive/reddit/wiki/OAuth2'],
    refresh: 'recalled',
    confidence: 'medium',
    uncertain: ['access token lifetime'],
    notes: ['User-Agent is required or calls are throttled'],
  },
})
