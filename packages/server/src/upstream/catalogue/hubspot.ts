import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const hubspot: ProviderProfile = oauth2Profile({
  strategy: 'hubspot',
  name: 'HubSpot',
  endpoints: {
    authorization: 'https://app.hubspot.com/oauth/authorize',
    token: 'https://api.hubapi.com/oauth/v3/token',
    userinfo: 'https://api.hubapi.com/oauth/v1/access-tokens/{access_token}',
    revocation: 'https://api.hubapi.com/oauth/v1/refresh-tokens/{token}',
  },
  authorization: {
    accountPicker: undefined,
  },
  scopes: {
    defaults: ['oauth'],
    grantedIn: 'userinfo',
    grantedMember: 'scopes',
    grantedForm: 'list',
    contains: {
      'crm.objects.contacts.write': ['crm.objects.contacts.read'],
      'crm.objects.companies.write': ['crm.objects.companies.read'],
      'crm.objects.deals.write': ['crm.objects.deals.read'],
    },
  },
  token: {
    accessSeconds: 1800,
    errors: ['status', 'error'],
  },
  refresh: {
    given: 'always',
    rotates: 'never',
    deadErrors: ['BAD_REFRESH_TOKEN'],
  },
  revocation: {
    method: 'DELETE',
    body: 'none',
    authentication: 'none',
    takes: 'refresh_token',
  },
  identity: {
    subject: ['hub_id', 'user_id'],
    subjectType: 'integer',
    claims: {
      email: 'user',
      username: 'user',
    },
  },
  api: {
    hosts: ['api.hubapi.com'],
  },
  extras: [
    {
      name: 'hub_id',
      from: 'userinfo',
      path: 'hub_id',
    },
    {
      name: 'hub_domain',
      from: 'userinfo',
      path: 'hub_domain',
    },
  ],
  evidence: {
    pages: [
      'https://developers.hubspot.com/docs/api-reference/auth-oauth-v3/guide',
      'https://developers.hubspot.com/docs/api-reference/legacy/authentication/oauth-tokens/v1/guide',
    ],
    uncertain: [
      'The answer of the newer introspection, which has to take the place of /oauth/v1/access-tokens before 2027-02-16',
      'The newer revocation path',
    ],
    notes: [
      'The refresh token stays the same until the app is uninstalled.',
      'A revocation ends the refresh token; access tokens live on until their half hour is over.',
      'Tokens are asked of /oauth/v3/token; who it is, and revocation, are still under v1 (see the dated change).',
      'Errors have status as well as error since 2026 (developers.hubspot.com/changelog/new-oauth-v3-api-endpoints-and-standardized-error-responses).',
    ],
    changes: [
      {
        date: '2027-02-16',
        what: 'OAuth API v1 is deprecated; v3 moves every secret and token from query string or path to the request body.',
        source: 'https://developers.hubspot.com/changelog/v1-oauth-api-deprecation',
      },
    ],
  },
})
