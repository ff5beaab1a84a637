import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const facebook: ProviderProfile = oauth2Profile({
  strategy: 'facebook',
  name: 'Facebook (Meta)',
  endpoints: {
    authorization: 'https://www.facebook.com/v24.0/dialog/oauth',
    token: 'https://graph.facebook.com/v24.0/oauth/access_token',
    userinfo: 'https://graph.facebook.com/v24.0/me?fields=id,name,email,picture',
    revocation: 'https://graph.facebook.com/v24.0/me/permissions',
  },
  authorization: {
    accountPicker: {
      auth_type: 'reauthenticate',
    },
  },
  scopes: {
    defaults: ['public_profile', 'email'],
    separator: ',',
  },
  token: {
    accessSeconds: 5_184_000,
    errors: ['error.code', 'error'],
  },
  refresh: {
    given: 'never',
    rotates: 'never',
  },
  revocation: {
    method: 'DELETE',
    body: 'none',
    authentication: 'token',
    takes: 'access_token',
    ends: 'grant',
  },
  identity: {
    subject: ['id'],
    subjectType: 'string',
    claims: {
      email: 'email',
      name: 'name',
      picture: 'picture.data.url',
    },
  },
  api: {
    hosts: ['graph.facebook.com'],
  },
  evidence: {
    pages: [
      'https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow',
      'https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived',
    ],
    refresh: 'recalled',
    notes: [
      'Short-lived user token (an hour or two) is swapped for a ~60-day one: GET token_url with grant_type=fb_exchange_token. No refresh without the user after that. Page tokens from a long-lived user token do not expire.',
      'Errors in error.code; 190 means dead token, subcodes tell why',
      'scope is not returned: GET /me/permissions',
      'API calls should carry appsecret_proof',
      'Scoped to the app',
    ],
  },
})
