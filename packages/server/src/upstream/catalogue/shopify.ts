import { oauth2Profile } from './generic.ts'
import type { ProviderProfile } from './profile.ts'

export const shopify: ProviderProfile = oauth2Profile({
  strategy: 'shopify',
  name: 'Shopify',
  endpoints: {
    authorization: 'https://{domain}/admin/oauth/authorize',
    token: 'https://{domain}/admin/oauth/access_token',
    userinfo: 'https://{domain}/admin/api/2026-10/shop.json',
  },
  placeholders: {
    domain: {
      means: "the shop's host, such as acme.myshopify.com",
    },
  },
  authorization: {
    accountPicker: undefined,
    pkce: false,
  },
  scopes: {
    separator: ',',
  },
  token: {
    accessSeconds: 3600,
    fields: {
      expiring: '1',
    },
  },
  refresh: {
    given: 'app_setting',
    rotates: 'always',
    idleSeconds: 7_776_000,
  },
  identity: {
    subject: ['shop.id'],
    subjectType: 'integer',
    claims: {
      name: 'shop.name',
    },
  },
  api: {
    header: 'x-shopify-access-token',
    prefix: '',
    hosts: ['{domain}'],
  },
  evidence: {
    pages: ['https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens'],
    uncertain: [
      'refresh token lifetime',
      'The hmac of the callback is not looked at; state and the code exchange stand in for it',
    ],
    notes: [
      'Revoking would uninstall the app for the whole shop, so that it is left to its owner.',
      'Each refresh token is replaced on use.',
    ],
    changes: [
      {
        date: '2025-12-10',
        what: 'Expiring offline tokens (one hour) with refresh tokens introduced.',
        source: 'https://shopify.dev/changelog/offline-access-tokens-now-support-expiry-and-refresh',
      },
      {
        date: '2026-04-01',
        what: 'Public apps created from this date must use expiring tokens.',
        source: 'https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens',
      },
      {
        date: '2027-01-01',
        what: 'All public apps must use expiring tokens; non-expiring ones are rejected.',
        source: 'https://shopify.dev/docs/apps/build/security/credentials-and-data/use-expiring-offline-access-tokens',
      },
    ],
  },
})
