import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const tiktok: ProviderProfile = oauth2Profile({
  strategy: 'tiktok',
  name: 'TikTok (Login Kit v2)',
  endpoints: {
    authorization: 'https://www.tiktok.com/v2/auth/authorize/',
    token: 'https://open.tiktokapis.com/v2/oauth/token/',
    userinfo: 'https://open.tiktokapis.com/v2/user/info/?fields=open_id,union_id,display_name,avatar_url',
    revocation: 'https://open.tiktokapis.com/v2/oauth/revoke/',
  },
  authorization: {
    accountPicker: undefined,
    pkce: false,
  },
  scopes: {
    defaults: ['user.info.basic'],
    separator: ',',
  },
  client: {
    idParameter: 'client_key',
  },
  token: {
    accessSeconds: 86_400,
  },
  refresh: {
    given: 'always',
    rotates: 'sometimes',
    absoluteSeconds: 31_536_000,
  },
  revocation: {
    takes: 'access_token',
  },
  identity: {
    from: 'token_answer',
    subject: ['open_id'],
    claims: {
      name: 'data.user.display_name',
      picture: 'data.user.avatar_url',
    },
  },
  api: {
    hosts: ['open.tiktokapis.com'],
  },
  extras: [
    {
      name: 'union_id',
      from: 'userinfo',
      path: 'data.user.union_id',
    },
  ],
  evidence: {
    pages: ['https://developers.tiktok.com/doc/oauth-user-access-token-management'],
    refresh: 'recalled',
    confidence: 'medium',
    notes: [
      'client_key instead of client_id',
      'refresh_expires_in',
      'Errors may arrive with HTTP 200',
      'Per app; union_id is per developer',
    ],
  },
})
