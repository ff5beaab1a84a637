import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const bitbucket: ProviderProfile = oauth2Profile({
  strategy: 'bitbucket',
  name: 'Bitbucket Cloud',
  endpoints: {
    authorization: 'https://bitbucket.org/site/oauth2/authorize',
    token: 'https://bitbucket.org/site/oauth2/access_token',
    userinfo: 'https://api.bitbucket.org/2.0/user',
    emails: 'https://api.bitbucket.org/2.0/user/emails',
  },
  authorization: {
    accountPicker: undefined,
  },
  scopes: {
    parameter: undefined,
    grantedMember: 'scopes',
  },
  client: {
    auth: 'client_secret_basic',
  },
  token: {
    accessSeconds: 7200,
  },
  refresh: {
    given: 'always',
    rotates: 'never',
  },
  identity: {
    subject: ['account_id'],
    subjectType: 'string',
    claims: {
      name: 'display_name',
      nickname: 'nickname',
      username: 'nickname',
      picture: 'links.avatar.href',
    },
    emailList: {
      at: 'values',
      email: 'email',
      primary: 'is_primary',
      verified: 'is_confirmed',
    },
  },
  api: {
    hosts: ['api.bitbucket.org'],
  },
  evidence: {
    pages: ['https://developer.atlassian.com/cloud/bitbucket/oauth-2/'],
    refresh: 'recalled',
    confidence: 'medium',
    uncertain: ['access token lifetime (older threads say one hour)'],
    notes: ['Granted scopes come back in scopes (plural)'],
  },
})
