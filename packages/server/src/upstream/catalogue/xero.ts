import { oidcProfile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const xero: ProviderProfile = oidcProfile({
  strategy: 'xero',
  name: 'Xero',
  endpoints: {
    issuer: 'https://identity.xero.com',
    authorization: 'https://login.xero.com/identity/connect/authorize',
    token: 'https://identity.xero.com/connect/token',
    userinfo: 'https://identity.xero.com/connect/userinfo',
    revocation: 'https://identity.xero.com/connect/revocation',
    metadata: 'https://api.xero.com/connections',
  },
  authorization: {
    offlineScopes: ['offline_access'],
    accountPicker: undefined,
  },
  client: {
    auth: 'client_secret_basic',
  },
  token: {
    accessSeconds: 1800,
  },
  refresh: {
    given: 'offline',
    rotates: 'always',
    graceSeconds: 1800,
    idleSeconds: 5_184_000,
  },
  revocation: {
    takes: 'refresh_token',
    ends: 'grant',
  },
  identity: {
    subject: ['xero_userid'],
  },
  api: {
    hosts: ['api.xero.com'],
  },
  extras: [
    {
      name: 'tenant_ids',
      from: 'metadata',
      path: '*.tenantId',
    },
  ],
  evidence: {
    pages: [
      'https://developer.xero.com/documentation/guides/oauth2/auth-flow',
      'https://developer.xero.com/faq/oauth2',
    ],
    uncertain: [
      'authorize url: in no published client library that was compared',
      'token url: in no published client library that was compared',
    ],
    notes: [
      'If a refresh response is lost, the previous token may be retried for 30 minutes.',
      'One grant may cover several organisations: GET https://api.xero.com/connections',
    ],
  },
})
