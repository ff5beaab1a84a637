import { oidcProfile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

/** Sign in with Apple: `options.client_secret` is the private key (PEM), with `options.team_id` and `options.kid`. */
export const apple: ProviderProfile = oidcProfile({
  strategy: 'apple',
  name: 'Apple (Sign in with Apple)',
  endpoints: {
    issuer: 'https://appleid.apple.com',
    authorization: 'https://appleid.apple.com/auth/authorize',
    token: 'https://appleid.apple.com/auth/token',
    revocation: 'https://appleid.apple.com/auth/revoke',
    jwks: 'https://appleid.apple.com/auth/keys',
  },
  authorization: {
    accountPicker: undefined,
    responseMode: 'form_post',
  },
  scopes: {
    defaults: ['openid', 'name', 'email'],
  },
  client: {
    auth: 'client_secret_post',
    signedSecretFor: 'https://appleid.apple.com',
  },
  token: {
    accessSeconds: 3600,
  },
  refresh: {
    given: 'always',
    rotates: 'never',
  },
  identity: {
    verifiedBy: ['true', 'text'],
    emailAuthority: {
      domains: ['icloud.com', 'me.com', 'mac.com', 'privaterelay.appleid.com'],
    },
    nameInAnswer: 'user',
  },
  api: {
    hosts: [],
  },
  evidence: {
    pages: ['https://developer.apple.com/documentation/signinwithapplerestapi'],
    refresh: 'recalled',
    notes: [
      'Does not expire by time; vendor asks to verify at most about once a day. There is no API to call with the access token.',
      'Name arrives once, in the form_post user field of the first authorization',
      'email_verified and is_private_email may be strings',
      'Scoped to the developer team: changes on app transfer',
    ],
  },
})
