import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const monday: ProviderProfile = oauth2Profile({
  strategy: 'monday',
  name: 'monday.com',
  endpoints: {
    authorization: 'https://auth.monday.com/oauth2/authorize',
    token: 'https://auth.monday.com/oauth_ms/oauth/token',
    userinfo: 'https://api.monday.com/v2',
  },
  authorization: {
    accountPicker: undefined,
  },
  scopes: {
    defaults: ['me:read', 'account:read'],
  },
  refresh: {
    given: 'app_setting',
    rotates: 'always',
  },
  identity: {
    subject: ['data.me.account.id', 'data.me.id'],
    subjectType: 'string',
    claims: {
      email: 'data.me.email',
      name: 'data.me.name',
    },
    userinfo: {
      method: 'POST',
      body: '{"query":"{ me { id name email account { id slug } } }"}',
    },
  },
  api: {
    prefix: '',
    hosts: ['api.monday.com'],
  },
  extras: [
    {
      name: 'account_slug',
      from: 'userinfo',
      path: 'data.me.account.slug',
    },
  ],
  evidence: {
    pages: [
      'https://developer.monday.com/apps/docs/oauth',
      'https://developer.monday.com/apps/docs/migrating-to-the-new-oauth-flow',
    ],
    confidence: 'medium',
    uncertain: [
      'token and revocation URL of the new flow (read second-hand from a vendor skill)',
      'new token lifetimes',
      'authorize url: in no published client library that was compared',
      'token url: in no published client library that was compared',
    ],
    notes: [
      'Legacy flow (token URL https://auth.monday.com/oauth2/token) gives tokens that last until uninstall and no refresh token. The new flow is switched on per app version.',
      'An account admin must install the app before a member can authorize',
    ],
    changes: [
      {
        date: undefined,
        what: 'OAuth 2.1 flow with expiring tokens, refresh tokens and revocation, opt-in per app version.',
        source: 'https://developer.monday.com/apps/docs/migrating-to-the-new-oauth-flow',
      },
    ],
  },
})
