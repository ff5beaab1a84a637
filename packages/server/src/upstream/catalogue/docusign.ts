import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const docusign: ProviderProfile = oauth2Profile({
  strategy: 'docusign',
  name: 'DocuSign',
  endpoints: {
    authorization: 'https://{domain}/oauth/auth',
    token: 'https://{domain}/oauth/token',
    userinfo: 'https://{domain}/oauth/userinfo',
  },
  placeholders: {
    domain: {
      means: 'account.docusign.com, or account-d.docusign.com for developers',
      default: 'account.docusign.com',
    },
  },
  authorization: {
    offlineScopes: ['extended'],
    accountPicker: {
      prompt: 'login',
    },
  },
  scopes: {
    defaults: ['signature'],
  },
  client: {
    auth: 'client_secret_basic',
  },
  token: {
    accessSeconds: 28_800,
  },
  refresh: {
    given: 'always',
    rotates: 'always',
    idleSeconds: 2_592_000,
  },
  identity: {
    subject: ['sub'],
    subjectType: 'string',
    claims: {
      email: 'email',
      name: 'name',
      given_name: 'given_name',
      family_name: 'family_name',
    },
  },
  api: {
    hosts: ['*.docusign.net'],
  },
  extras: [
    {
      name: 'account_ids',
      from: 'userinfo',
      path: 'accounts.*.account_id',
    },
    {
      name: 'base_uris',
      from: 'userinfo',
      path: 'accounts.*.base_uri',
    },
  ],
  evidence: {
    pages: ['https://developers.docusign.com/platform/auth/authcode/'],
    refresh: 'recalled',
    confidence: 'medium',
    notes: [
      '30 days; with the extended scope each refresh issues one with a new 30-day life.',
      'API host is per account: userinfo.accounts[].base_uri',
    ],
  },
})
