import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const zoho: ProviderProfile = oauth2Profile({
  strategy: 'zoho',
  name: 'Zoho',
  endpoints: {
    authorization: 'https://{domain}/oauth/v2/auth',
    token: 'https://{domain}/oauth/v2/token',
    userinfo: 'https://{domain}/oauth/user/info',
    revocation: 'https://{domain}/oauth/v2/token/revoke',
  },
  placeholders: {
    domain: {
      means: "the data centre's accounts host, such as accounts.zoho.eu",
      default: 'accounts.zoho.com',
    },
  },
  authorization: {
    offlineParameters: {
      access_type: 'offline',
      prompt: 'consent',
    },
    accountPicker: undefined,
  },
  scopes: {
    defaults: ['AaaServer.profile.READ'],
    separator: ',',
  },
  token: {
    accessSeconds: 3600,
  },
  refresh: {
    given: 'first_consent',
    rotates: 'never',
    deadErrors: ['invalid_code'],
  },
  revocation: {
    authentication: 'none',
    takes: 'refresh_token',
  },
  identity: {
    subject: ['ZUID'],
    subjectType: 'either',
    claims: {
      email: 'Email',
      name: 'Display_Name',
      given_name: 'First_Name',
      family_name: 'Last_Name',
    },
  },
  api: {
    prefix: 'Zoho-oauthtoken ',
    hosts: ['*.zohoapis.com', '*.zohoapis.eu', '*.zohoapis.in'],
  },
  extras: [
    {
      name: 'api_domain',
      from: 'token_answer',
      path: 'api_domain',
    },
    {
      name: 'location',
      from: 'callback',
      path: 'location',
    },
  ],
  evidence: {
    pages: [
      'https://www.zoho.com/accounts/protocol/oauth/web-apps/authorization.html',
      'https://www.zoho.com/accounts/protocol/oauth/token-limits.html',
    ],
    notes: [
      'Does not expire. At most ten access tokens per refresh token in ten minutes: cache and single-flight. At most 20 refresh tokens per user and client.',
      'Errors with HTTP 200 and an error field',
      'Callback gives accounts-server and location: send the token call there',
    ],
  },
})
