import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const stripeConnect: ProviderProfile = oauth2Profile({
  strategy: 'stripe-connect',
  name: 'Stripe Connect (Standard accounts, OAuth)',
  endpoints: {
    authorization: 'https://connect.stripe.com/oauth/authorize',
    token: 'https://connect.stripe.com/oauth/token',
    userinfo: 'https://api.stripe.com/v1/account',
  },
  authorization: {
    accountPicker: undefined,
    pkce: false,
  },
  scopes: {
    defaults: ['read_only'],
    contains: {
      read_write: ['read_only'],
    },
  },
  refresh: {
    given: 'always',
    rotates: 'never',
  },
  identity: {
    from: 'token_answer',
    subject: ['stripe_user_id'],
    claims: {
      email: 'email',
      name: 'business_profile.name',
    },
  },
  api: {
    hosts: ['api.stripe.com'],
  },
  extras: [
    {
      name: 'stripe_user_id',
      from: 'token_answer',
      path: 'stripe_user_id',
    },
    {
      name: 'livemode',
      from: 'token_answer',
      path: 'livemode',
    },
  ],
  evidence: {
    pages: ['https://docs.stripe.com/connect/oauth-reference'],
    refresh: 'recalled',
    confidence: 'medium',
    notes: [
      'Access tokens do not expire. The preferred call style is the platform key plus Stripe-Account: {stripe_user_id}.',
      'livemode flag: test and live are different grants',
      'stripe_publishable_key in the response',
    ],
  },
})
