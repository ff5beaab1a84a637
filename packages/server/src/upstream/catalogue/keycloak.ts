import { oidcProfile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const keycloak: ProviderProfile = oidcProfile({
  strategy: 'keycloak',
  name: 'Keycloak',
  endpoints: {
    issuer: 'https://{domain}/realms/{tenant}',
  },
  placeholders: {
    domain: {
      means: "the server's host; for a path before /realms give options.endpoints.issuer",
    },
    tenant: {
      means: 'the realm',
    },
  },
  authorization: {
    offlineScopes: ['offline_access'],
    accountPicker: {
      prompt: 'login',
    },
  },
  client: {
    auth: undefined,
  },
  token: {
    accessSeconds: 300,
  },
  refresh: {
    given: 'always',
    rotates: 'sometimes',
  },
  api: {
    hosts: ['{domain}'],
  },
  evidence: {
    pages: ['https://www.keycloak.org/securing-apps/oidc-layers'],
    refresh: 'recalled',
    notes: [
      'refresh_expires_in is 0 for offline tokens (means no limit, not expired)',
      'not-before-policy in the response',
    ],
  },
})
