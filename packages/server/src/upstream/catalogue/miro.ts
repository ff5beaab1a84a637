import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const miro: ProviderProfile = oauth2Profile({
  strategy: 'miro',
  name: 'Miro',
  endpoints: {
    authorization: 'https://miro.com/oauth/authorize',
    token: 'https://api.miro.com/v1/oauth/token',
    userinfo: 'https://api.miro.com/v1/oauth-token',
  },
  authorization: {
    accountPicker: undefined,
  },
  scopes: {
    parameter: undefined,
  },
  token: {
    accessSeconds: 3600,
  },
  refresh: {
    given: 'app_setting',
    rotates: 'always',
    idleSeconds: 5_184_000,
  },
  identity: {
    subject: ['user.id'],
    subjectType: 'string',
    claims: {
      name: 'user.name',
    },
  },
  api: {
    hosts: ['api.miro.com'],
  },
  extras: [
    {
      name: 'team_id',
      from: 'token_answer',
      path: 'team_id',
    },
  ],
  evidence: {
    pages: [
      'https://developers.miro.com/docs/getting-started-with-oauth',
      'https://developers.miro.com/reference/get-new-access-token-using-refresh-token',
    ],
    confidence: 'medium',
    uncertain: ['revocation path and its body; tokens are left to end by themselves'],
  },
})
