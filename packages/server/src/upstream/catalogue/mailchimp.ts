import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const mailchimp: ProviderProfile = oauth2Profile({
  strategy: 'mailchimp',
  name: 'Mailchimp',
  endpoints: {
    authorization: 'https://login.mailchimp.com/oauth2/authorize',
    token: 'https://login.mailchimp.com/oauth2/token',
    userinfo: 'https://login.mailchimp.com/oauth2/metadata',
  },
  authorization: {
    accountPicker: undefined,
  },
  scopes: {
    parameter: undefined,
  },
  refresh: {
    given: 'never',
    rotates: 'never',
  },
  identity: {
    subject: ['login.login_id'],
    subjectType: 'integer',
    claims: {
      email: 'login.email',
      name: 'login.login_name',
      username: 'login.login_name',
    },
  },
  api: {
    hosts: ['*.api.mailchimp.com'],
  },
  extras: [
    {
      name: 'dc',
      from: 'userinfo',
      path: 'dc',
    },
    {
      name: 'api_endpoint',
      from: 'userinfo',
      path: 'api_endpoint',
    },
    {
      name: 'account_name',
      from: 'userinfo',
      path: 'accountname',
    },
  ],
  evidence: {
    pages: ['https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/'],
    refresh: 'recalled',
    confidence: 'medium',
    uncertain: ['scheme of the Authorization header of the metadata call (OAuth in some of its texts)'],
    notes: [
      'Access tokens do not expire.',
      'expires_in is 0, meaning never',
      'Data centre must be read from the metadata call',
    ],
  },
})
