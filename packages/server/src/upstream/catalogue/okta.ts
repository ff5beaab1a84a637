import { oidcProfile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const okta: ProviderProfile = oidcProfile({
  strategy: 'okta',
  name: 'Okta',
  endpoints: {
    issuer: 'https://{domain}',
  },
  placeholders: {
    domain: {
      means: "the organisation's host; for a custom authorization server give options.endpoints.issuer",
    },
  },
  authorization: {
    offlineScopes: ['offline_access'],
  },
  scopes: {
    defaults: ['openid', 'profile', 'email'],
  },
  client: {
    auth: undefined,
  },
  token: {
    accessSeconds: 3600,
  },
  refresh: {
    given: 'offline',
    rotates: 'sometimes',
    graceSeconds: 30,
  },
  api: {
    hosts: ['{domain}'],
  },
  evidence: {
    pages: ['https://developer.okta.com/docs/guides/refresh-tokens/main/'],
    refresh: 'recalled',
    notes: [
      'Rotation and its grace (0 to 60 seconds) are app settings; reuse detection revokes the family. Lifetimes are access-policy settings.',
    ],
  },
})
