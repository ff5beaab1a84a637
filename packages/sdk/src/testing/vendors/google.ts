/** Google: refresh tokens on the first consent, scopes under other names, one revocation for the whole grant. */
import type { Json } from '../http.ts'
import { OIDC } from '../oidc.ts'
import type { Vendor } from './parts.ts'

const LONG_NAMES: Readonly<Record<string, string>> = {
  email: 'https://www.googleapis.com/auth/userinfo.email',
  profile: 'https://www.googleapis.com/auth/userinfo.profile',
}

export const google: Vendor = {
  signs: true,
  defaults: { refresh: 'first-consent', revocationEnds: 'grant' },
  shape: {
    ...OIDC,
    kind: 'vendor',
    tokenPrefixes: { access: 'ya29.', refresh: '1//' },
    quirks: {
      clientAuth: 'post',
      asksOffline: (_scopes, { access_type }) => access_type === 'offline',
      tokenFields: (fields) => ({ ...fields, scope: longNames(fields) }),
    },
    connection: ({ issuer }, scope = 'openid profile email') => ({
      strategy: 'google-oauth2',
      options: { scope: scope.split(' '), endpoints: { issuer } },
    }),
  },
}

const longNames = ({ scope }: Json): string =>
  String(scope)
    .split(' ')
    .map((one) => LONG_NAMES[one] ?? one)
    .join(' ')
