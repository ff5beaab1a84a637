import { oidcProfile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const quickbooks: ProviderProfile = oidcProfile({
  strategy: 'quickbooks',
  name: 'QuickBooks Online (Intuit)',
  endpoints: {
    issuer: 'https://oauth.platform.intuit.com/op/v1',
    authorization: 'https://appcenter.intuit.com/connect/oauth2',
    token: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
    userinfo: 'https://accounts.platform.intuit.com/v1/openid_connect/userinfo',
    revocation: 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke',
    discovery: 'https://developer.api.intuit.com/.well-known/openid_configuration',
  },
  authorization: {
    accountPicker: undefined,
  },
  client: {
    auth: 'client_secret_basic',
  },
  token: {
    accessSeconds: 3600,
  },
  refresh: {
    given: 'always',
    rotates: 'always',
    graceSeconds: 86_400,
    absoluteSeconds: 157_680_000,
    idleSeconds: 8_640_000,
  },
  revocation: {
    body: 'json',
    ends: 'grant',
  },
  identity: {
    claims: {
      email: 'email',
      email_verified: 'emailVerified',
      given_name: 'givenName',
      family_name: 'familyName',
    },
  },
  api: {
    hosts: ['quickbooks.api.intuit.com'],
  },
  extras: [
    {
      name: 'realm_id',
      from: 'callback',
      path: 'realmId',
    },
  ],
  evidence: {
    pages: [
      'https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0',
      'https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/faq',
      'https://github.com/intuit/QuickBooks-V3-Java-SDK/releases/tag/v6.5.4',
    ],
    notes: [
      'The value changes about every 24 hours: always store the latest returned. Idle limit about 100 days (x_refresh_token_expires_in); a hard five-year maximum was added.',
      'realmId (company id) comes in the callback query, not in the token response',
      'x_refresh_token_expires_in',
    ],
  },
})
