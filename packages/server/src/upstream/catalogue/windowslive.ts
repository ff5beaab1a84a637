import { oidcProfile, variantOf } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

/** Microsoft accounts of every kind: personal ones, and those of any organisation. */
export const windowslive: ProviderProfile = oidcProfile({
  strategy: 'windowslive',
  name: 'Microsoft',
  endpoints: {
    issuer: 'https://login.microsoftonline.com/{tid}/v2.0',
    authorization: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
    token: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
    userinfo: 'https://graph.microsoft.com/oidc/userinfo',
    jwks: 'https://login.microsoftonline.com/common/discovery/v2.0/keys',
  },
  authorization: {
    offlineScopes: ['offline_access'],
  },
  scopes: {
    prefixes: ['https://graph.microsoft.com/'],
    unnamed: ['openid', 'profile', 'email', 'offline_access'],
    contains: {
      'Mail.ReadWrite': ['Mail.Read'],
      'Calendars.ReadWrite': ['Calendars.Read'],
      'Files.ReadWrite': ['Files.Read'],
      'Files.ReadWrite.All': ['Files.Read.All', 'Files.ReadWrite', 'Files.Read'],
      'User.ReadWrite': ['User.Read'],
      'Contacts.ReadWrite': ['Contacts.Read'],
      'Tasks.ReadWrite': ['Tasks.Read'],
      'Notes.ReadWrite': ['Notes.Read'],
    },
  },
  client: {
    auth: 'client_secret_post',
  },
  token: {
    accessSeconds: 3600,
  },
  refresh: {
    given: 'offline',
    rotates: 'always',
    idleSeconds: 7_776_000,
  },
  identity: {
    // `sub` is another for each app; an object id is unique within its tenant alone.
    subject: ['tid', 'oid'],
    // The address is what an administrator typed, of whatever domain.
    verifiedBy: [],
  },
  api: {
    hosts: ['graph.microsoft.com'],
  },
  evidence: {
    pages: [
      'https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow',
      'https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens',
      'https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference',
    ],
    refresh: 'recalled',
    notes: [
      'A new refresh token comes with every refresh; the old one is not revoked at once but must be replaced. 24 hours for single-page-app redirect URIs. Refresh tokens are not bound to one resource: the same one can mint tokens for several resources. Send scope on refresh.',
      'expires_in varies, about 60 to 90 minutes',
      'scope is returned with resource prefixes or without them (User.Read vs https://graph.microsoft.com/User.Read): normalise before comparing',
      'offline_access, openid, profile are not echoed in scope',
      'Conditional Access may demand a claims challenge: error interaction_required plus claims',
      'id_token.sub is pairwise per application',
    ],
  },
})

/** Entra ID: one tenant, by its id in `options.tenant_domain`, or with `organizations` any. */
export const waad: ProviderProfile = variantOf(windowslive, {
  strategy: 'waad',
  name: 'Microsoft Entra ID',
  placeholders: { tenant: { means: "the tenant's id, or organizations for all", any: ['organizations', 'common'] } },
  endpoints: {
    issuer: 'https://login.microsoftonline.com/{tenant}/v2.0',
    authorization: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize',
    token: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token',
    userinfo: 'https://graph.microsoft.com/oidc/userinfo',
    jwks: 'https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys',
  },
})
