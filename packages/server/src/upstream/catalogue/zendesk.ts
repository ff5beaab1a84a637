import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const zendesk: ProviderProfile = oauth2Profile({
  strategy: 'zendesk',
  name: 'Zendesk',
  endpoints: {
    authorization: 'https://{domain}/oauth/authorizations/new',
    token: 'https://{domain}/oauth/tokens',
    userinfo: 'https://{domain}/api/v2/users/me.json',
    revocation: 'https://{domain}/api/v2/oauth/tokens/current.json',
  },
  placeholders: {
    domain: {
      means: "the account's host, such as acme.zendesk.com",
    },
  },
  authorization: {
    accountPicker: undefined,
  },
  scopes: {
    defaults: ['read'],
    contains: {
      write: ['read'],
      read: ['users:read', 'tickets:read'],
    },
  },
  token: {
    requestBody: 'json',
  },
  refresh: {
    given: 'always',
    rotates: 'always',
    graceSeconds: 0,
  },
  revocation: {
    method: 'DELETE',
    body: 'none',
    authentication: 'token',
    takes: 'access_token',
  },
  identity: {
    subject: ['user.id'],
    subjectType: 'integer',
    claims: {
      email: 'user.email',
      email_verified: 'user.verified',
      name: 'user.name',
      picture: 'user.photo.content_url',
    },
  },
  api: {
    hosts: ['{domain}'],
  },
  evidence: {
    pages: [
      'https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/',
      'https://developer.zendesk.com/documentation/api-basics/authentication/refresh-token/',
    ],
    notes: [
      'A refresh deletes the previous access token and refresh token. expires_in and refresh_token_expires_in may be chosen in the token request within vendor limits.',
      'Unique within the subdomain',
    ],
    changes: [
      {
        date: '2026-01-31',
        what: 'Marketplace developers must use the refresh flow.',
        source: 'https://support.zendesk.com/hc/en-us/articles/9182123625370',
      },
      {
        date: '2026-04-30',
        what: 'All customers must use the refresh flow.',
        source: 'https://support.zendesk.com/hc/en-us/articles/9182123625370',
      },
    ],
  },
})
