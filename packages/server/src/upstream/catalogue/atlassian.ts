import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const atlassian: ProviderProfile = oauth2Profile({
  strategy: 'atlassian',
  name: 'Atlassian (Jira, Confluence; OAuth 2.0 3LO)',
  endpoints: {
    authorization: 'https://auth.atlassian.com/authorize',
    token: 'https://auth.atlassian.com/oauth/token',
    userinfo: 'https://api.atlassian.com/me',
    metadata: 'https://api.atlassian.com/oauth/token/accessible-resources',
  },
  authorization: {
    parameters: {
      audience: 'api.atlassian.com',
      prompt: 'consent',
    },
    offlineScopes: ['offline_access'],
    accountPicker: undefined,
  },
  scopes: {
    defaults: ['read:me'],
    unnamed: ['offline_access'],
  },
  token: {
    accessSeconds: 3600,
  },
  refresh: {
    given: 'offline',
    rotates: 'always',
    graceSeconds: 600,
    absoluteSeconds: 31_536_000,
    idleSeconds: 7_776_000,
    // With status 403, and 403 is not what it means.
    deadErrors: ['unauthorized_client'],
  },
  identity: {
    subject: ['account_id'],
    subjectType: 'string',
    claims: {
      email: 'email',
      name: 'name',
      nickname: 'nickname',
      picture: 'picture',
    },
  },
  api: {
    hosts: ['api.atlassian.com'],
  },
  extras: [
    {
      name: 'cloud_ids',
      from: 'metadata',
      path: '*.id',
    },
    {
      name: 'site_urls',
      from: 'metadata',
      path: '*.url',
    },
  ],
  evidence: {
    pages: [
      'https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/',
      'https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens/',
      'https://community.developer.atlassian.com/t/updated-31-january-2022-action-required-deprecating-persistent-refresh-tokens/54172',
    ],
    notes: [
      'The previous refresh token may be tried again for ten minutes; later use of it ends them all (read 2026-11 in the third page).',
      'One grant may reach several sites; extras.cloud_ids lists them.',
      'A dead refresh token is answered with 403 unauthorized_client.',
    ],
  },
})
