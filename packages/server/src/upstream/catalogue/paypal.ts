import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const paypal: ProviderProfile = oauth2Profile({
  strategy: 'paypal',
  name: 'PayPal (Log in with PayPal)',
  endpoints: {
    authorization: 'https://www.paypal.com/signin/authorize',
    token: 'https://api-m.paypal.com/v1/oauth2/token',
    userinfo: 'https://api-m.paypal.com/v1/identity/oauth2/userinfo?schema=paypalv1.1',
  },
  authorization: {
    accountPicker: undefined,
  },
  scopes: {
    defaults: ['openid', 'profile', 'email'],
  },
  client: {
    auth: 'client_secret_basic',
  },
  token: {
    accessSeconds: 28_800,
  },
  refresh: {
    given: 'always',
    rotates: 'never',
    absoluteSeconds: 15_552_000,
  },
  identity: {
    subject: ['user_id'],
    subjectType: 'string',
    claims: {
      email: 'emails.0.value',
      email_verified: 'emails.0.confirmed',
      name: 'name',
    },
  },
  api: {
    hosts: ['api-m.paypal.com'],
  },
  evidence: {
    pages: ['https://developer.paypal.com/docs/log-in-with-paypal/integrate/'],
    refresh: 'recalled',
    confidence: 'medium',
    uncertain: ['refresh token lifetime', 'email claim shape'],
    notes: ['scopes are enabled on the app as well as requested'],
  },
})
