import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const pipedrive: ProviderProfile = oauth2Profile({
  strategy: 'pipedrive',
  name: 'Pipedrive',
  endpoints: {
    authorization: 'https://oauth.pipedrive.com/oauth/authorize',
    token: 'https://oauth.pipedrive.com/oauth/token',
    userinfo: 'https://api.pipedrive.com/v1/users/me',
    revocation: 'https://oauth.pipedrive.com/oauth/revoke',
  },
  authorization: {
    accountPicker: undefined,
  },
  scopes: {
    parameter: undefined,
  },
  client: {
    auth: 'client_secret_basic',
  },
  token: {
    accessSeconds: 3600,
  },
  refresh: {
    given: 'always',
    rotates: 'never',
    idleSeconds: 5_184_000,
  },
  identity: {
    subject: ['data.company_id', 'data.id'],
    subjectType: 'integer',
    claims: {
      email: 'data.email',
      name: 'data.name',
      picture: 'data.icon_url',
    },
  },
  api: {
    hosts: ['*.pipedrive.com'],
  },
  extras: [
    {
      name: 'api_domain',
      from: 'token_answer',
      path: 'api_domain',
    },
    {
      name: 'company_id',
      from: 'userinfo',
      path: 'data.company_id',
    },
  ],
  evidence: {
    pages: ['https://pipedrive.readme.io/docs/marketplace-oauth-authorization'],
    refresh: 'recalled',
    confidence: 'medium',
  },
})
