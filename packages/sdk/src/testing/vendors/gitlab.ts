/** GitLab: an OpenID provider whose refresh ends the tokens before it at once. */
import { OIDC } from '../oidc.ts'
import type { Vendor } from './parts.ts'

export const gitlab: Vendor = {
  signs: true,
  defaults: { refresh: 'always', rotation: 'rotating', accessTokenSeconds: 7200, refreshEndsAccessTokens: true },
  shape: {
    ...OIDC,
    kind: 'vendor',
    tokenPrefixes: { access: 'glat-', refresh: 'glrt-' },
    impliedScopes: { api: ['read_api', 'read_user'] },
    quirks: { tokenFields: (fields, { provider }) => ({ ...fields, created_at: Math.floor(provider.nowMs() / 1000) }) },
    connection: ({ issuer }, scope = 'openid profile email') => ({
      strategy: 'gitlab',
      options: { scope: scope.split(' '), endpoints: { issuer } },
    }),
  },
}
